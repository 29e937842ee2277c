"""After a 101 the connection speaks something else: what came before belongs to HTTP, the rest to its own protocol.

Called by `exchange` when the server agrees to what the client asked for by Upgrade.
"""

import time

from midstream.flows.http import HTTPFlow
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.relay import emit_response
from midstream.proxy.http.sides import Downstream, Upstream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.raw import tunnel


async def switch_protocols(flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext) -> None:
    """After a 101 the connection speaks something else: its bytes go through as a raw flow with messages."""
    response = flow.response
    assert response is not None
    response.raw_content = b""
    response.timestamp_end = time.time()
    await emit_response(flow, client, context)
    context.watch.expect(context.settings.idle_timeout, "the client stopped reading")
    await client.send(flow.request, flow.response or response, upstream.head)
    client.keep_alive = False
    client.switched = True
    flow.live, flow.killed_callback = False, None
    server_stream = upstream.take_over()

    async def opened() -> Stream:
        return server_stream

    await tunnel(client.take_over(), opened, upstream.server, context)
