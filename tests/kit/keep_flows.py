"""A script for `middump -s`: at its end all that was captured stands in the file that option `keep_flows` names.

For `tour.capturing`, until there is an option that saves flows.
"""

from pathlib import Path

from midstream import ctx, dns, flow, http, tcp, udp
from midstream.addonmanager import Loader
from midstream.io import FlowWriter

FLOWS: list[flow.Flow] = []


def load(loader: Loader) -> None:
    loader.add_option("keep_flows", str, "", "The file that all flows are written to when the program ends.")


def requestheaders(flow: http.HTTPFlow) -> None:
    FLOWS.append(flow)


def tcp_start(flow: tcp.TCPFlow) -> None:
    FLOWS.append(flow)


def udp_start(flow: udp.UDPFlow) -> None:
    FLOWS.append(flow)


def dns_request(flow: dns.DNSFlow) -> None:
    FLOWS.append(flow)


def done() -> None:
    with Path(ctx.options.keep_flows).open("wb") as file:
        writer = FlowWriter(file)
        for flow in FLOWS:
            writer.add(flow)
