"""A connection that the user asked us not to look at: bytes go through, no flow and no events are made."""

from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import both
from midstream.proxy.streams.stream import Stream

SILENT = "no byte passed in either direction"


async def blind_tunnel(client: Stream, server: Stream, context: ClientContext) -> None:
    """Both directions until both have ended."""
    context.watch.busy = False
    context.watch.expect(context.settings.idle_timeout, SILENT)
    try:
        await both(_pump(client, server, context), _pump(server, client, context))
    except OSError:
        client.abort()
        server.abort()


async def _pump(source: Stream, sink: Stream, context: ClientContext) -> None:
    while data := await source.read():
        context.watch.expect(context.settings.idle_timeout, SILENT)
        sink.write(data)
        await sink.drain()
    sink.write_eof()
