"""After a 101 the connection speaks something else: what came before belongs to HTTP, the rest to its own protocol.

Called by `exchange` when the server agrees to what the client asked for by Upgrade.
"""

import time

from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketData
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.relay import emit_response
from midstream.proxy.http.sides import Downstream, Upstream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.raw import tunnel
from midstream.proxy.websocket.handshake import accepted_by, is_understood, opens_websocket
from midstream.proxy.websocket.serve import serve_websocket


async def switch_protocols(flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext) -> None:
    """Bring the answer that agrees to the client, then serve what is agreed on: a WebSocket has messages, any other
    protocol is a raw flow of bytes.
    """
    response = flow.response
    assert response is not None and upstream.head is not None
    status, accepted = response.status_code, accepted_by(upstream.head)
    response.raw_content = b""
    response.timestamp_end = time.time()
    if context.settings.websocket and opens_websocket(flow) and is_understood(flow, accepted):
        flow.websocket = WebSocketData()
    await emit_response(flow, client, context)
    response = flow.response or response
    context.watch.expect(context.settings.idle_timeout, "the client stopped reading")
    await client.send(flow.request, response, upstream.head)
    if response.status_code != status:
        flow.websocket = None  # an addon would not have it
        return
    client.keep_alive = False
    client.switched = True
    server_stream, client_stream = upstream.take_over(), client.take_over()
    if flow.websocket is not None:
        await serve_websocket(flow, client_stream, server_stream, context, accepted)
        return
    flow.live, flow.killed_callback = False, None

    async def opened() -> Stream:
        return server_stream

    await tunnel(client_stream, opened, upstream.server, context)
