"""CONNECT: the answer to it, and whatever then runs inside the tunnel.

Called by the modes with the flow of a CONNECT request. Inside, TLS is intercepted, HTTP is served, and anything else
goes through as raw bytes; nothing here parses any of them.
"""

import asyncio
import logging
from dataclasses import dataclass

from midstream.flows.connection import Server
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tls import ClientHelloData
from midstream.proxy.client_context import ClientContext
from midstream.proxy.detect import Protocol, asking, detect
from midstream.proxy.errors import FlowKilled, Unsendable, UpstreamFailed, check_alive, is_killed
from midstream.proxy.http.assemble import flaw
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


@dataclass(slots=True)
class Connected:
    """What a CONNECT opened: the client's stream, and the connection to its server as far as there is one."""

    flow: HTTPFlow
    context: ClientContext
    client: Stream
    server: Server
    upstream: Stream | None = None
    failure: str = ""
    """Why there is no connection to the server, once that is clear."""

    async def open(self, *, tls: bool) -> Stream:
        """The connection to the server, dialled now if it was not before. Raises UpstreamFailed."""
        if self.failure:
            raise UpstreamFailed(self.failure)
        if self.upstream is None:
            self.upstream = await self.context.dialler.open(self.server, tls=tls)
        return self.upstream

    async def secure(self) -> None:
        """TLS with the server, before there is any with the client. What fails is told to the first who needs it."""
        try:
            if self.upstream is None:
                self.upstream = await self.context.dialler.open(self.server, tls=True)
            else:
                self.upstream = await self.context.dialler.start_tls(self.server, self.upstream)
        except UpstreamFailed as failed:
            self.failure = str(failed)
            await self.close()

    async def close(self) -> None:
        """Close the connection to the server, if there is one."""
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            await self.context.dialler.closed(self.server, upstream)


async def serve_connect(flow: HTTPFlow, client: DownstreamH1, context: ClientContext) -> None:
    """Answer a CONNECT and serve the tunnel until it ends."""
    server = flow.server_conn = Server(address=(flow.request.host, flow.request.port))
    connected = Connected(flow, context, client.stream, server)
    flow.killed_callback = context.watch.flow_killed
    context.watch.busy = True
    context.watch.rest()
    try:
        if await _accept(connected, client):
            flow.live, flow.killed_callback = False, None
            client.stream.unread(client.reader.take_surplus())
            await _serve_tunnel(connected)
    finally:
        flow.resume()  # there is nothing left to hold
        flow.live, flow.killed_callback = False, None
        await connected.close()


async def _accept(connected: Connected, client: DownstreamH1) -> bool:
    """Dial, and answer the client; False if there is to be no tunnel."""
    flow, context, events = connected.flow, connected.context, connected.context.events
    try:
        await events.http_connect(flow)
        check_alive(flow)
        if flow.response is not None and not 200 <= flow.response.status_code < 300:
            client.keep_alive = False
            await client.send(flow.request, flow.response, None)
            with context.watch.settling():
                await events.http_connect_error(flow)
            return False
        if context.settings.eager:
            connected.upstream = await context.dialler.open_tcp(connected.server)
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
    client.stream.write(ESTABLISHED)
    await events.http_connected(flow)
    return not is_killed(flow)


async def _refuse(flow: HTTPFlow, client: DownstreamH1, failure: Exception, context: ClientContext) -> None:
    """The answer that there is no tunnel, and why."""
    text = str(failure)
    if isinstance(failure, FlowKilled):
        client.stream.close()
    else:
        author = context.events.authors.named(failure.at_fault, flaw) if isinstance(failure, Unsendable) else ""
        flow.error = Error(f"{text}{author}")
        flow.response = Response.make(502, text, ((b"Content-Type", b"text/plain; charset=utf-8"),))
        client.refuse(502, b"Bad Gateway", text, close=True)
        logger.warning("CONNECT %s: %s%s", hostport("", flow.request.host, flow.request.port), text, author)
    with context.watch.settling():
        await context.events.http_connect_error(flow)


async def _serve_tunnel(connected: Connected) -> None:
    """What the client speaks decides; a server that speaks first is not speaking TLS or HTTP."""
    try:
        protocol = await _protocol(connected)
    except OSError:
        return
    if protocol is Protocol.TLS:
        await _serve_tls(connected)
    elif protocol is Protocol.UNTOUCHED:
        await _pass_blindly(connected)
    elif protocol is Protocol.HTTP or not connected.context.settings.rawtcp:
        await _serve_http("http", connected)
    else:
        await tunnel(connected.client, lambda: connected.open(tls=False), connected.server, connected.context)


async def _protocol(connected: Connected) -> Protocol:
    """What is spoken from here on, once someone has spoken. Raises OSError."""
    context, upstream = connected.context, connected.upstream
    context.watch.busy = False
    context.watch.expect(context.settings.idle_timeout, "the tunnel was idle")
    if upstream is not None and await _server_first(connected.client, upstream):
        return Protocol.RAW
    await connected.client.peek()
    context.watch.expect(context.settings.longest_head, "the client stopped in the middle of its first words")
    return await detect(connected.client, asking(context.events.next_layer, context.for_addons(connected.server)))


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


async def _serve_http(scheme: str, connected: Connected) -> None:
    """HTTP inside the tunnel."""
    context, server, upstream = connected.context, connected.server, connected.upstream
    assert server.address is not None
    destination = (scheme, *server.address)
    watch, settings = context.watch, context.settings
    pool = Pool(context.dialler, watch, server, destination, server.sni or context.client.sni)
    if upstream is not None:
        pool.adopt(UpstreamH1(server, upstream, destination, settings, watch))
    elif connected.failure:
        pool.fail_next(destination, connected.failure)
    client = DownstreamH1(context.client, connected.client, settings, watch, destination)
    try:
        await serve_http(client, pool, context)
        connected.client.write_eof()
    finally:
        await pool.close()


# -- TLS --


async def _serve_tls(connected: Connected) -> None:
    """Intercept: read the ClientHello, learn from the real server what to be, be that to the client."""
    flow, context, server = connected.flow, connected.context, connected.server
    client, events, settings = context.client, context.events, context.settings
    context.watch.rest()  # handshakes have limits of their own
    try:
        hello = await read_client_hello(connected.client, client, settings.head_timeout)
        data = ClientHelloData(context.for_addons(server), hello)
        if events.tls_clienthello.handlers:
            await events.tls_clienthello(data)
            if data.ignore_connection:
                await _pass_blindly(connected)
                return
        server.sni = server.sni or client.sni or (server.address[0] if server.address else None)
        if settings.eager or data.establish_server_tls_first:
            context.watch.busy = True
            await connected.secure()
            # The handshake reads, and so it meets the client's end after what the client said of its reason.
            context.watch.busy = False
        connected.client = await start_client_tls(connected.client, context.for_addons(server), events, settings)
    except ClientTLSFailed as broken:
        flow.error = Error(str(broken))
        logger.warning("%s: %s", hostport("", flow.request.host, flow.request.port), broken)
        connected.client.write_eof()
        with context.watch.settling():
            await events.http_connect_error(flow)
        return
    await _serve_inside_tls(connected)


async def _serve_inside_tls(connected: Connected) -> None:
    context = connected.context
    try:
        if context.client.alpn == b"http/1.1" and not context.events.next_layer.handlers:
            protocol = Protocol.HTTP
        else:
            protocol = await _protocol(connected)
        if protocol is Protocol.HTTP or not context.settings.rawtcp:
            await _serve_http("https", connected)
        elif protocol is Protocol.UNTOUCHED:
            await _pass_blindly(connected, tls=True)
        else:
            await tunnel(connected.client, lambda: connected.open(tls=True), connected.server, context)
    except OSError:
        return


async def _pass_blindly(connected: Connected, tls: bool = False) -> None:
    try:
        upstream = await connected.open(tls=tls)
    except UpstreamFailed as failure:
        logger.warning("%s", failure)
        return
    await blind_tunnel(connected.client, upstream, connected.context)
