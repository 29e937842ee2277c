"""CONNECT: the answer to it. Whatever then runs inside the tunnel is the business of `inside.py`.

Called by whoever serves HTTP to a client that may ask for tunnels, with the flow of a CONNECT request.
"""

import asyncio
import logging

from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.client_context import ClientContext
from midstream.proxy.errors import FlowKilled, Unsendable, UpstreamFailed, check_alive, is_killed
from midstream.proxy.http.assemble import flaw
from midstream.proxy.http.sides import Downstream
from midstream.proxy.inside import serve_inside
from midstream.proxy.passage import Passage
from midstream.text.url import hostport

logger = logging.getLogger("midstream.proxy")


async def serve_connect(flow: HTTPFlow, client: Downstream, context: ClientContext) -> None:
    """Answer a CONNECT and serve the tunnel until it ends."""
    server = flow.server_conn = context.dialler.server((flow.request.host, flow.request.port))
    passage = Passage(context, client.take_over(), server, flow=flow)
    flow.killed_callback = context.watch.flow_killed
    context.watch.busy = True
    context.watch.rest()
    try:
        if await _accept(flow, passage, client):
            flow.live, flow.killed_callback = False, None
            context.layers = (*context.layers, "http")
            await serve_inside(passage)
    finally:
        flow.resume()  # there is nothing left to hold
        flow.live, flow.killed_callback = False, None
        await passage.close()


async def _accept(flow: HTTPFlow, passage: Passage, client: Downstream) -> bool:
    """Dial, and answer the client; False if there is to be no tunnel."""
    context, events = passage.context, passage.context.events
    try:
        asked = passage.server.address
        await events.http_connect(flow)
        check_alive(flow)
        if passage.server.address == asked:  # by addons that change the request rather than the server
            passage.server.address = (flow.request.host, flow.request.port)
        if flow.response is not None and not 200 <= flow.response.status_code < 300:
            client.keep_alive = False
            await client.send(flow.request, flow.response, None)
            with context.watch.settling():
                await events.http_connect_error(flow)
            return False
        if context.settings.eager:
            await passage.connect()
    except (FlowKilled, UpstreamFailed, Unsendable) as failure:
        await _refuse(flow, client, failure, context)
        return False
    except asyncio.CancelledError:
        flow.resume()  # there is nothing left to hold
        if not is_killed(flow):
            flow.error = Error(context.watch.reason or "midstream is shutting down")
        await events.http_connect_error(flow)
        raise
    if flow.response is None:
        flow.response = Response.make(200)
        flow.response.reason = "Connection established"
    client.accept_tunnel()
    await events.http_connected(flow)
    return not is_killed(flow)


async def _refuse(flow: HTTPFlow, client: Downstream, failure: Exception, context: ClientContext) -> None:
    """The answer that there is no tunnel, and why."""
    text = str(failure)
    if isinstance(failure, FlowKilled):
        client.hang_up()
    else:
        author = context.events.authors.named(failure.at_fault, flaw) if isinstance(failure, Unsendable) else ""
        flow.error = Error(f"{text}{author}")
        flow.response = Response.make(502, text, ((b"Content-Type", b"text/plain; charset=utf-8"),))
        client.refuse(502, b"Bad Gateway", text, close=True)
        target = hostport("", flow.request.host, flow.request.port)
        context.repeats.warn(logger, f"{text}{author}", f"CONNECT {target}")
    with context.watch.settling():
        await context.events.http_connect_error(flow)
