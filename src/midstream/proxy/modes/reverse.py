"""The reverse modes: we stand in for one server, whatever clients call us.

What is spoken is fixed by the scheme of the mode: `http`, `https`, `tcp`, `tls`, `udp` or `dns`. Over TCP clients may
speak TLS whatever the server speaks; their first bytes tell.
"""

from midstream.flows.connection import Server
from midstream.flows.proxy_mode import ReverseMode
from midstream.proxy.client_context import ClientContext
from midstream.proxy.detect import Protocol
from midstream.proxy.dns.serve import serve_dns
from midstream.proxy.inside import serve_inside
from midstream.proxy.passage import Passage
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.udp import serve_udp


async def serve_reverse(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves. Raises OSError, ClientTLSFailed, CancelledError."""
    mode = context.client.proxy_mode
    assert isinstance(mode, ReverseMode)
    server = Server(address=mode.address, transport_protocol=stream.transport)
    if mode.scheme == "dns":
        await serve_dns(stream, None, server, context, tcp=stream.transport == "tcp")
        return
    is_tls = mode.scheme in ("https", "tls")
    is_http = mode.scheme in ("http", "https")
    passage = Passage(
        context, stream, server, upstream_tls=is_tls, protocol=Protocol.HTTP if is_http else Protocol.RAW
    )  # fmt: skip
    try:
        if mode.scheme == "udp":
            await serve_udp(stream, passage.open, server, context)
        else:
            await _serve_tcp(passage)
    finally:
        await passage.close()


async def _serve_tcp(passage: Passage) -> None:
    context, server = passage.context, passage.server
    if passage.tls and not context.settings.keep_host_header and server.address is not None:
        server.sni = server.address[0]  # not what the client calls us, which the server need not know
    if context.settings.eager:
        await passage.dial()
    await serve_inside(passage)
    passage.client.write_eof()
