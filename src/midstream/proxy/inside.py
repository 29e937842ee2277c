"""What runs inside a passage: TLS is intercepted, HTTP is served, and anything else goes through as raw bytes.

Called with a `Passage` by CONNECT and by the modes that serve one destination. What the client speaks is judged by its
first bytes; nothing here parses any of them.
"""

import asyncio
import logging

from midstream.flows.flow import Error
from midstream.flows.tls import ClientHelloData
from midstream.proxy.detect import Asking, Protocol, Undecided, detect, looks_like_http2_server
from midstream.proxy.dns.serve import serve_dns
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.http.downstream_h1 import DownstreamH1
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.serve import serve_http
from midstream.proxy.http.serve_h2 import begins_with_http2, serve_http2
from midstream.proxy.passage import Passage
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import ClientTLSFailed, looks_like_tls, read_client_hello, rejection, start_client_tls
from midstream.proxy.tls_failed import tell_client_failed
from midstream.proxy.tunnels.blind import blind_tunnel
from midstream.proxy.tunnels.raw import tunnel

DNS_PORTS = (53, 5353)
HTTP_BY_ALPN = (b"http/1.1", b"h2")
# How long a client that may or may not speak TLS, to a server that may speak first, is given to begin.
TLS_PATIENCE = 0.1
DEEPEST = 8
"""How deep TLS inside TLS is looked into; what is deeper passes as raw bytes."""

logger = logging.getLogger("midstream.proxy")


async def serve_inside(passage: Passage) -> None:
    """Serve the passage until it ends. A server that speaks first is not speaking TLS, nor HTTP but for HTTP/2."""
    try:
        protocol = await _protocol(passage)
    except OSError:
        return
    if protocol is Protocol.TLS:
        await _serve_tls(passage)
    else:
        await _serve(passage, protocol)


async def _serve(passage: Passage, protocol: Protocol) -> None:
    """What is no TLS, or is inside of it, or is not to be looked into."""
    if not passage.client_tls and protocol in (Protocol.UNTOUCHED, Protocol.RAW) and _is_tls(passage):
        await passage.bare()
    elif protocol is Protocol.TLS:  # inside of TLS
        if passage.protocol is None and passage.context.layers.count("tls") < DEEPEST:
            await _serve_inner_tls(passage)
            return
        protocol = passage.protocol or Protocol.RAW
    if protocol is Protocol.UNTOUCHED:
        await _pass_blindly(passage)
    elif protocol is Protocol.DNS:
        await serve_dns(passage.client, passage.open, passage.server, passage.context, tcp=True)
    elif protocol is Protocol.HTTP or (passage.protocol is None and not passage.context.settings.rawtcp):
        await _serve_http(passage)
    else:
        await tunnel(passage.client, passage.open, passage.server, passage.context)


async def _protocol(passage: Passage) -> Protocol:
    """What is spoken from here on, once someone has spoken. Raises OSError."""
    context, events = passage.context, passage.context.events
    context.watch.busy = False
    context.watch.expect(context.settings.idle_timeout, "the tunnel was idle")
    addons = Asking(events.next_layer, context.for_addons(passage.server)) if events.next_layer.handlers else None
    if addons is not None and (known := await _known(addons)) is not None:
        return known
    if await _server_first(passage) and (said := await _said_first(passage)) is not None:
        if addons is not None and (known := await _known(addons, said)) is not None:
            return known
        if not (context.settings.http2 and looks_like_http2_server(said)):
            return Protocol.RAW
    await passage.client.peek()
    context.watch.expect(context.settings.longest_head, "the client stopped in the middle of its first words")
    found = await detect(passage.client, addons, passage.protocol)
    if found is Protocol.RAW and passage.protocol is None and passage.where()[1] in DNS_PORTS:
        return Protocol.DNS
    return found


def _is_tls(passage: Passage) -> bool:
    """Whether the client has begun with TLS already."""
    if passage.upstream_tls is None:
        return False  # of no consequence
    begun = passage.client.take()
    passage.client.unread(begun)
    return looks_like_tls(begun)


async def _known(addons: Asking, said_by_server: bytes = b"") -> Protocol | None:
    """What addons choose before the client has said anything."""
    try:
        return await addons.ask(b"", said_by_server)
    except Undecided:
        return None


async def _server_first(passage: Passage) -> bool:
    """Wait until either side speaks or ends; True if it was the server. Raises OSError."""
    if passage.protocol is Protocol.HTTP:
        return False
    if passage.client_tls and passage.context.client.alpn in HTTP_BY_ALPN:
        return False  # a server of HTTP/2 begins with its settings
    if passage.protocol is Protocol.RAW and not passage.client_tls:
        # Clients that speak TLS say so at once: what the server says must not come between, nor before it is known
        # what they would like to speak.
        if passage.failure or await _speaks_within(passage.client, TLS_PATIENCE):
            return bool(passage.failure)
        if passage.tls and passage.upstream is not None:
            await passage.secure()
            if passage.failure:
                return True
    return passage.upstream is not None and await _speaks_first(passage.upstream, passage.client)


async def _said_first(passage: Passage) -> bytes | None:
    """What the server said before the client did; None if it broke off, and the client has a request that can be told
    why: a server of TLS 1.3 that wanted a certificate says so behind the handshake. Raises OSError.
    """
    if passage.upstream is None:
        return b""
    try:
        return await passage.upstream.peek()
    except OSError:
        if not passage.client_tls or not await _speaks_within(passage.client, TLS_PATIENCE):
            raise
        return None


async def _speaks_within(stream: Stream, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stream.peek()
    except TimeoutError:
        return False
    return True


async def _speaks_first(stream: Stream, other: Stream) -> bool:
    """Wait until either speaks or ends; True if it was `stream` and not the other."""
    async with asyncio.TaskGroup() as group:
        heard = [group.create_task(_heard(side)) for side in (stream, other)]
        await asyncio.wait(heard, return_when=asyncio.FIRST_COMPLETED)
        first = not heard[1].done()
        for task in heard:
            task.cancel()
    return first


async def _heard(stream: Stream) -> None:
    try:
        await stream.peek()
    except OSError:
        return  # whoever reads next meets the same end


async def _serve_http(passage: Passage) -> None:
    """HTTP inside the passage."""
    context, server = passage.context, passage.server
    http2 = await _speaks_http2(passage)
    prior = http2 and not passage.client_tls
    if prior and passage.tls:
        server.alpn_offers = server.alpn_offers or (b"h2", b"http/1.1")
    if passage.upstream is not None and passage.tls:
        context.watch.rest()  # the client has spoken, and the handshake has a limit of its own
        await passage.secure()
    server.tls = passage.tls  # also where nothing is dialled before there is a request
    destination = ("https" if passage.tls else "http", *passage.where())
    pool = Pool(context, server, destination, server.sni or context.client.sni)
    pool.prior_knowledge = prior
    try:
        if passage.upstream is not None:
            pool.adopt(server, passage.upstream, destination)
        elif passage.failure:
            pool.fail_next(destination, passage.failure)
        if http2:
            await serve_http2(passage.client, pool, context, destination)
        else:
            client = DownstreamH1(context.client, passage.client, context.settings, context.watch, destination)
            await serve_http(client, pool, context)
        passage.client.write_eof()
    finally:
        await pool.close()


async def _speaks_http2(passage: Passage) -> bool:
    """Whether the client was promised HTTP/2, or begins with it unasked."""
    if passage.client_tls and passage.context.client.alpn:
        return passage.context.client.alpn == b"h2"
    return passage.context.settings.http2 and await begins_with_http2(passage.client)


async def _serve_tls(passage: Passage) -> None:
    """Intercept: read the ClientHello, learn from the real server what to be, be that to the client."""
    context, server = passage.context, passage.server
    client, events, settings = context.client, context.events, context.settings
    context.watch.rest()  # handshakes have limits of their own
    try:
        hello = await read_client_hello(passage.client, client, settings.head_timeout)
        data = ClientHelloData(context.for_addons(server), hello)
        if events.tls_clienthello.handlers:
            await events.tls_clienthello(data)
            if data.ignore_connection:
                await passage.bare()
                await _pass_blindly(passage)
                return
        passage.client_tls = True
        context.layers = (*context.layers, "tls")
        if passage.tls:
            server.sni = server.sni or client.sni or passage.where()[0] or None
            if settings.eager or data.establish_server_tls_first:
                context.watch.busy = True
                await passage.secure()
                # The handshake reads, and so it meets the client's end after what the client said of its reason.
                context.watch.busy = False
        about = context.for_addons(server)
        passage.client = tls = await start_client_tls(passage.client, about, events, settings)
    except ClientTLSFailed as broken:
        await _tls_failed(passage, broken)
        return
    try:
        if client.alpn in HTTP_BY_ALPN and passage.protocol is None and not events.next_layer.handlers:
            protocol = Protocol.HTTP
        else:
            protocol = await _protocol(passage)
        if rejection(tls, about) is None:
            await _serve(passage, protocol)
    except OSError:
        pass  # the client is gone
    if (rejected := rejection(tls, about)) is not None:
        await _tls_failed(passage, rejected)


async def _serve_inner_tls(passage: Passage) -> None:
    inner = await passage.inner()
    try:
        await _serve_tls(inner)
    finally:
        passage.upstream = inner.upstream  # whoever made the passage closes it


async def _tls_failed(passage: Passage, broken: ClientTLSFailed) -> None:
    """The client and we could not agree, or it rejects our certificate: a row says so, that of its CONNECT if it has
    one.
    """
    passage.client.write_eof()
    context = passage.context
    if passage.flow is None:
        await tell_client_failed(broken, passage.server, context)
        return
    passage.flow.error = Error(str(broken))
    with context.watch.settling():
        await context.events.http_connect_error(passage.flow)


async def _pass_blindly(passage: Passage) -> None:
    passage.context.watch.rest()  # dialling has a limit of its own
    try:
        upstream = await passage.open()
    except UpstreamFailed as failure:
        passage.context.repeats.warn(logger, str(failure))
        return
    await blind_tunnel(passage.client, upstream, passage.context)
