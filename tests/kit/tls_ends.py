"""TLS for conversations in memory: an addon that configures both sides of the proxy, and ends that shake hands."""

from __future__ import annotations

import ssl

import trustme

from midstream.flows.connection import Server
from midstream.flows.tls import TlsData
from midstream.proxy.streams.tls import TLSStream
from tests.kit.conversation import PATIENCE, End

CA = trustme.CA()
NAMES = ("a.test", "b.test")
_IDENTITY = CA.issue_cert(*NAMES)


def server_context(*protocols: str) -> ssl.SSLContext:
    """What a server for NAMES uses, and the proxy towards clients. `protocols`: in place of HTTP/1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _IDENTITY.configure_cert(context)
    context.set_alpn_protocols(protocols or ["http/1.1"])
    return context


def client_context() -> ssl.SSLContext:
    """What a client that trusts CA uses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    CA.configure_trust(context)
    return context


class Tls:
    """The addon. `names` are those that servers had to prove."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def tls_start_client(self, data: TlsData) -> None:
        data.wrap(server_context())

    def tls_start_server(self, data: TlsData) -> None:
        assert isinstance(data.conn, Server)
        self.names.append(data.conn.sni or "")
        data.wrap(client_context(), data.conn.sni)


async def as_client(end: End, name: str = "a.test", *, alpn: bool = False) -> End:
    """The client's end of a connection, from here on inside TLS."""
    context = client_context()
    if alpn:
        context.set_alpn_protocols(["http/1.1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = TLSStream(end.stream)
    await tls.handshake(context.wrap_bio(incoming, outgoing, server_hostname=name), incoming, outgoing, PATIENCE)
    return End(tls)


async def as_server(end: End, *protocols: str) -> End:
    """The server's end, likewise."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = TLSStream(end.stream)
    await tls.handshake(
        server_context(*protocols).wrap_bio(incoming, outgoing, server_side=True), incoming, outgoing, PATIENCE
    )
    return End(tls)
