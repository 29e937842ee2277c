"""Cut every connection to the given hosts and their subdomains, before anything is sent there.

middump -s examples/addons/kill_by_host.py --set kill_hosts=ads.example --set kill_hosts=tracker.example
"""

from collections.abc import Sequence

from midstream import ctx, http
from midstream.addonmanager import Loader


class KillByHost:
    def load(self, loader: Loader) -> None:
        loader.add_option("kill_hosts", Sequence[str], [], "Cut requests to these hosts and their subdomains.")

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """HTTPS begins with CONNECT: killed here, not even a TLS handshake happens."""
        self.requestheaders(flow)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """The head has come, the body has not: the earliest moment for plain HTTP."""
        host = flow.request.host.lower().rstrip(".")
        if any(host == each or host.endswith(f".{each}") for each in map(str.lower, ctx.options.kill_hosts)):
            flow.kill()


addons = [KillByHost()]
