"""The regular mode: an explicit proxy that clients are told to use, in the clear or over TLS."""

from midstream.flows.connection import Server
from midstream.flows.tls import ClientHelloData
from midstream.proxy.client_context import ClientContext
from midstream.proxy.connect import serve_connect
from midstream.proxy.http.downstream_h1 import DownstreamH1
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.serve import serve_http
from midstream.proxy.http.serve_h2 import begins_with_http2, serve_http2
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import begins_with_tls, read_client_hello, start_client_tls


async def serve_regular(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves. Raises OSError, ClientTLSFailed, CancelledError."""
    context.watch.expect(context.settings.idle_timeout, "the client sent nothing")
    await stream.peek()
    context.watch.expect(context.settings.longest_head, "the client stopped in the middle of its first words")
    if await begins_with_tls(stream):
        stream = await _start_tls(stream, context)
    pool = Pool(context, Server(address=None, via=context.dialler.via))
    client = DownstreamH1(context.client, stream, context.settings, context.watch)
    connect = None
    try:
        if context.settings.http2 and await begins_with_http2(stream):
            await serve_http2(stream, pool, context, connect=serve_connect)
            return
        connect = await serve_http(client, pool, context)
    finally:
        await pool.close()
    if connect is not None:
        await serve_connect(connect, client, context)
    stream.write_eof()


async def _start_tls(stream: Stream, context: ClientContext) -> Stream:
    """A client that speaks TLS with the proxy itself, whatever it asks for inside."""
    events, settings = context.events, context.settings
    about = context.for_addons(Server(address=None))
    context.watch.rest()  # handshakes have limits of their own
    hello = await read_client_hello(stream, context.client, settings.head_timeout)
    if events.tls_clienthello.handlers:
        await events.tls_clienthello(ClientHelloData(about, hello))
    context.client.alpn = b"http/1.1" if b"http/1.1" in context.client.alpn_offers else b""
    return await start_client_tls(stream, about, events, settings)
