"""Statistics by host as a table: requests, failures, bytes and times. In the console: `: host_stats`.

midstream -s examples/addons/host_stats.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from midstream import command, http

MOST = 5000  # hosts; a client that makes up names must not fill the memory


@dataclass
class Host:
    name: str
    requests: int = 0
    failures: int = 0
    size: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


class HostStats:
    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        host = self.host(flow)
        took = max((flow.response.timestamp_end or 0) - flow.request.timestamp_start, 0)
        host.size += len(flow.response.raw_content or b"")
        host.seconds += took
        host.slowest = max(host.slowest, took)
        host.failures += flow.response.status_code >= 400

    def error(self, flow: http.HTTPFlow) -> None:
        self.host(flow).failures += 1

    def host(self, flow: http.HTTPFlow) -> Host:
        name = flow.request.pretty_host
        if name not in self.hosts and len(self.hosts) >= MOST:
            name = "(others)"
        host = self.hosts.setdefault(name, Host(name))
        host.requests += 1
        return host

    @command.command("host_stats")
    def table(self) -> Sequence[Sequence[str]]:
        """Host, requests, failed ones, bytes received, mean and slowest time; the busiest host first."""
        return [
            [
                host.name,
                f"{host.requests}",
                f"{host.failures} failed",
                f"{host.size:,} bytes",
                f"mean {1000 * host.seconds / host.requests:.0f} ms",
                f"slowest {1000 * host.slowest:.0f} ms",
            ]
            for host in sorted(self.hosts.values(), key=attrgetter("requests"), reverse=True)
        ]


addons = [HostStats()]
