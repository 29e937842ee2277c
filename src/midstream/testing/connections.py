"""The connections of the flows that `testing` makes: an open one from a client, one to a server that is over."""

from __future__ import annotations

from midstream.flows.connection import Client, ConnectionState, Server
from midstream.flows.proxy_mode import ProxyMode
from midstream.testing.messages import START


def tclient_conn() -> Client:
    """A client at 127.0.0.1:22 in the mode `regular`. Each has an id of its own."""
    return Client(
        peername=("127.0.0.1", 22),
        sockname=("", 0),
        state=ConnectionState.OPEN,
        proxy_mode=ProxyMode.parse("regular"),
        sni="address",
        cipher="cipher",
        alpn=b"http/1.1",
        tls_version="TLSv1.2",
        timestamp_start=START + 0.0,
        timestamp_tls_setup=START + 1.0,
        timestamp_end=START + 6.0,
    )


def tserver_conn() -> Server:
    """A server called `address`, port 22, at 192.168.0.1. Each has an id of its own."""
    return Server(
        address=("address", 22),
        peername=("192.168.0.1", 22),
        sockname=("address", 22),
        state=ConnectionState.CLOSED,
        sni="address",
        tls_version="TLSv1.2",
        timestamp_start=START + 2.0,
        timestamp_tcp_setup=START + 3.0,
        timestamp_tls_setup=START + 4.0,
        timestamp_end=START + 5.0,
    )
