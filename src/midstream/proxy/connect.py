"""CONNECT: the answer to it, and whatever then runs inside the tunnel.

Called by the modes with the flow of a CONNECT request. Inside, TLS is intercepted, HTTP is served, and anything else
goes through as raw bytes; nothing here parses any of them.
"""

import asyncio
import logging

from midstream.flows.connection import Server
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tls import ClientHelloData
from midstream.proxy.client_context import ClientContext
from midstream.proxy.detect import Protocol, detect
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.http.downstream_h1 import DownstreamH1
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.serve import serve_http
from midstream.proxy.http.upstream_h1 import UpstreamH1
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import ClientTLSFailed, read_client_hello, start_client_tls
from midstream.proxy.tunnels.blind import blind_tunnel
from midstream.proxy.tunnels.raw import tunnel
from midstream.text.url import hostport

logger = logging.getLogger("midstream.proxy")

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def serve_connect(flow: HTTPFlow, client: DownstreamH1, context: ClientContext) -> None:
    """Answer a CONNECT and serve the tunnel until it ends."""
    request, events = flow.request, context.events
    server = flow.server_conn = Server(address=(request.host, request.port))
    context.watch.busy = True
    context.watch.rest()
    await events.http_connect(flow)
    if flow.error is not None:
        client.stream.close()
        await events.http_connect_error(flow)
        return
    if flow.response is not None and not 200 <= flow.response.status_code < 300:
        client.keep_alive = False
        await client.send(request, flow.response, None)
        await events.http_connect_error(flow)
        return
    upstream: Stream | None = None
    if context.settings.eager:
        try:
            upstream = await context.dialler.open_tcp(server)
        except UpstreamFailed as failure:
            await _refuse_connect(flow, client, failure, context)
            return
    try:
        if flow.response is None:
            flow.response = Response.make(200)
            flow.response.reason = "Connection established"
        client.stream.write(ESTABLISHED)
        await events.http_connected(flow)
        flow.live = False
        client.stream.unread(client.reader.take_surplus())
        await _serve_tunnel(flow, client.stream, server, upstream, context)
    finally:
        if upstream is not None:
            await context.dialler.closed(server, upstream)


async def _refuse_connect(
    flow: HTTPFlow, client: DownstreamH1, failure: UpstreamFailed, context: ClientContext
) -> None:
    text = str(failure)
    flow.error = Error(text)
    flow.live = False
    client.refuse(502, b"Bad Gateway", text, close=True)
    logger.warning("CONNECT %s: %s", hostport("", flow.request.host, flow.request.port), text)
    await context.events.http_connect_error(flow)


async def _serve_tunnel(
    flow: HTTPFlow, stream: Stream, server: Server, upstream: Stream | None, context: ClientContext
) -> None:
    """What the client speaks decides; a server that speaks first is not speaking TLS or HTTP."""
    context.watch.busy = False
    context.watch.expect(context.settings.idle_timeout, "the tunnel was idle")
    try:
        protocol = (
            Protocol.RAW if upstream is not None and await _server_first(stream, upstream) else await detect(stream)
        )
    except OSError:
        return
    if protocol is Protocol.TLS:
        await _serve_tls(flow, stream, server, upstream, context)
    elif protocol is Protocol.HTTP or not context.settings.rawtcp:
        await _serve_http("http", stream, server, upstream, context)
    else:
        await _serve_raw(stream, server, upstream, context)


async def _server_first(stream: Stream, upstream: Stream) -> bool:
    """Wait until either side speaks or ends; True if it was the server."""
    async with asyncio.TaskGroup() as group:
        heard = [group.create_task(_heard(side)) for side in (stream, upstream)]
        await asyncio.wait(heard, return_when=asyncio.FIRST_COMPLETED)
        first = heard[0].done()
        for task in heard:
            task.cancel()
    return not first


async def _heard(stream: Stream) -> None:
    try:
        await stream.peek()
    except OSError:
        return  # whoever reads next meets the same end


async def _serve_raw(stream: Stream, server: Server, upstream: Stream | None, context: ClientContext) -> None:
    opened = upstream
    if opened is None:
        try:
            opened = await context.dialler.open_tcp(server)
        except UpstreamFailed as failure:
            logger.warning("%s", failure)
            return
    try:
        await tunnel(stream, opened, server, context)
    finally:
        if upstream is None:
            await context.dialler.closed(server, opened)


async def _serve_http(
    scheme: str,
    stream: Stream,
    server: Server,
    upstream: Stream | None,
    context: ClientContext,
    failure: str | None = None,
) -> None:
    """HTTP inside the tunnel; `upstream` is the connection that is open already, `failure` why there is none."""
    assert server.address is not None
    destination = (scheme, *server.address)
    watch, settings = context.watch, context.settings
    pool = Pool(context.dialler, watch, server, destination, server.sni or context.client.sni)
    if upstream is not None:
        pool.adopt(UpstreamH1(server, upstream, destination, settings, watch))
    elif failure is not None:
        pool.fail_next(destination, failure)
    client = DownstreamH1(context.client, stream, settings, watch, destination)
    try:
        await serve_http(client, pool, context)
        stream.close()
    finally:
        await pool.close()


# -- TLS --


async def _serve_tls(
    flow: HTTPFlow, stream: Stream, server: Server, upstream: Stream | None, context: ClientContext
) -> None:
    """Intercept: read the ClientHello, learn from the real server what to be, be that to the client."""
    client, events, settings = context.client, context.events, context.settings
    context.watch.rest()  # handshakes have limits of their own
    try:
        hello = await read_client_hello(stream, client, settings.head_timeout)
        data = ClientHelloData(context.for_addons(server), hello)
        if events.tls_clienthello.handlers:
            await events.tls_clienthello(data)
            if data.ignore_connection:
                await _pass_blindly(stream, server, upstream, context)
                return
        server.sni = server.sni or client.sni or (server.address[0] if server.address else None)
        tls_upstream, failure = None, None
        if settings.eager or data.establish_server_tls_first:
            context.watch.busy = True
            tls_upstream, failure = await _upstream_tls(server, upstream, context)
            # The handshake reads, and so it meets the client's end after what the client said of its reason.
            context.watch.busy = False
        try:
            stream = await start_client_tls(stream, context.for_addons(server), events, settings)
        except BaseException:
            if tls_upstream is not None:
                await context.dialler.closed(server, tls_upstream)
            raise
    except ClientTLSFailed as broken:
        flow.error = Error(str(broken))
        logger.warning("%s: %s", hostport("", flow.request.host, flow.request.port), broken)
        stream.close()
        await events.http_connect_error(flow)
        return
    await _serve_inside_tls(stream, server, tls_upstream, failure, context)


async def _upstream_tls(
    server: Server, upstream: Stream | None, context: ClientContext
) -> tuple[Stream | None, str | None]:
    """The server's side of TLS, before the client's; or why there is none, which the first request will be told."""
    try:
        if upstream is None:
            return await context.dialler.open(server, tls=True), None
        return await context.dialler.start_tls(server, upstream), None
    except UpstreamFailed as failed:
        return None, str(failed)


async def _serve_inside_tls(
    stream: Stream, server: Server, upstream: Stream | None, failure: str | None, context: ClientContext
) -> None:
    context.watch.busy = False
    context.watch.expect(context.settings.idle_timeout, "the tunnel was idle")
    try:
        if context.client.alpn == b"http/1.1":
            protocol = Protocol.HTTP
        elif upstream is not None and await _server_first(stream, upstream):
            protocol = Protocol.RAW
        else:
            protocol = await detect(stream)
        if protocol is Protocol.HTTP or not context.settings.rawtcp:
            await _serve_http("https", stream, server, upstream, context, failure)
        elif upstream is not None:
            await tunnel(stream, upstream, server, context)
        else:
            logger.warning("%s", failure or "no connection to the server")
            stream.close()
    except OSError:
        return
    finally:
        if upstream is not None:
            await context.dialler.closed(server, upstream)


async def _pass_blindly(stream: Stream, server: Server, upstream: Stream | None, context: ClientContext) -> None:
    opened = upstream
    try:
        opened = opened or await context.dialler.open_tcp(server)
    except UpstreamFailed as failure:
        logger.warning("%s", failure)
        return
    try:
        await blind_tunnel(stream, opened, context)
    finally:
        await context.dialler.closed(server, opened)
