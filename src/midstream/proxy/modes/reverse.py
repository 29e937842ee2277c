"""The reverse modes: we stand in for one server, whatever clients call us.

What is spoken is fixed by the scheme of the mode (`http`, `https`, `tcp`, `tls`; `udp` and `dns` are served elsewhere);
whether the client speaks TLS is its own choice, and judged by its first bytes.
"""

from midstream.flows.connection import Server
from midstream.flows.proxy_mode import ReverseMode
from midstream.proxy.client_context import ClientContext
from midstream.proxy.detect import Protocol
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.inside import serve_inside
from midstream.proxy.passage import Passage
from midstream.proxy.streams.stream import Stream


async def serve_reverse(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves. Raises OSError, ClientTLSFailed, CancelledError."""
    mode = context.client.proxy_mode
    assert isinstance(mode, ReverseMode)
    server = Server(address=mode.address)
    passage = Passage(
        context,
        stream,
        server,
        upstream_tls=mode.scheme in ("https", "tls"),
        protocol=Protocol.HTTP if mode.scheme in ("http", "https") else Protocol.RAW,
    )
    if passage.upstream_tls and not context.settings.keep_host_header:
        server.sni = mode.address[0]  # not what the client calls us, which the server need not know
    try:
        if context.settings.eager:
            try:  # before the client has said a word: some servers speak first
                passage.upstream = await context.dialler.open_tcp(server)
            except UpstreamFailed as failed:
                passage.failure = str(failed)
        await serve_inside(passage)
    finally:
        await passage.close()
    stream.write_eof()
