"""One request and its response: the heart of the proxy, the same line for every HTTP version on either side.

`serve.py` calls it for each request of a connection and turns what it raises into an answer and a row (`failures.py`).
Reads top to bottom; waiting for a person, a slow addon or a slow peer is an `await` on that line.
"""

import time

from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import while_uploading
from midstream.proxy.errors import Unsendable, UpstreamFailed, check_alive
from midstream.proxy.http.assemble import body_of, bytes_of_its_own, may_upgrade, trailers_of
from midstream.proxy.http.bodies import collect, shall_stream
from midstream.proxy.http.failures import upstream_failure
from midstream.proxy.http.http2_stream import StreamReset
from midstream.proxy.http.made import is_made_later, send_made
from midstream.proxy.http.pace import write_paced
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.relay import (
    CLIENT_STOPPED,
    emit_response,
    note_truncated,
    stream_response,
    upload_streamed,
)
from midstream.proxy.http.sides import BodySink, Downstream, ServerSilent, Upstream
from midstream.proxy.http.switch import switch_protocols
from midstream.proxy.websocket.handshake import narrow_offer
from midstream.wire.http1 import Refused

# RFC 9110 §9.2.2: doing these twice is the same as doing them once, so a request that met a closing connection is
# repeated.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
MAX_ATTEMPTS = 3


async def exchange(flow: HTTPFlow, client: Downstream, upstreams: Pool, context: ClientContext) -> None:
    """Carry `flow.request`, whose body is still unread, and its response.

    Raises FlowKilled, UpstreamFailed, BodyTooLarge, Unsendable, Refused (the client's body), OSError (the client),
    CancelledError.
    """
    events, request = context.events, flow.request
    await events.requestheaders(flow)
    check_alive(flow)
    head = client.head
    assert head is not None
    body: bytes | None
    if flow.response is None and shall_stream(request, head.framing, context.settings):
        await _stream_both_ways(flow, client, upstreams, context, b"")
        return
    if (body := client.reader.body_now(head.framing)) is None:
        if head.expects_continue:
            client.send_continue()
        settings, holding = context.settings, context.holding
        body, complete = await collect(request, client.reader, settings, holding, CLIENT_STOPPED)
        if not complete and flow.response is None:
            await _stream_both_ways(flow, client, upstreams, context, body)
            return
        if not complete:  # an addon answers, and nobody wants the rest
            client.keep_alive = False
            flow.metadata["request_body_cut"] = f"first {len(body)} bytes"
        if client.reader.trailers:
            request.trailers = Headers(client.reader.trailers)
    request.raw_content = body
    request.timestamp_end = time.time()
    context.watch.rest()
    await events.request(flow)
    check_alive(flow)

    if flow.response is None:
        if head.upgrade is not None and context.settings.websocket:
            narrow_offer(request)
        await _forward(flow, client, upstreams, context)
        return
    await events.responseheaders(flow)
    check_alive(flow)
    response = flow.response
    if is_made_later(response):
        await send_made(flow, response, client, context)
    else:
        await _finish_response(flow, response, client, context, None)


async def _forward(flow: HTTPFlow, client: Downstream, upstreams: Pool, context: ClientContext) -> None:
    """Send the request, whose body is in memory, and bring its answer to the client."""
    request = flow.request
    upstream = await upstreams.connect(flow, context.watch)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            await _ask(flow, client, upstream, context)
            break
        except BaseException as exc:
            await upstreams.discard(upstream)
            is_final = attempt == MAX_ATTEMPTS or flow.response is not None
            if is_final or not _may_repeat(request, upstream, exc.__cause__):
                raise
        # The kept connection was closed while the request was on its way to it: an ordinary race.
        upstream = await upstreams.connect_anew(flow, context.watch)
    await upstreams.release(upstream)


async def _ask(flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext) -> None:
    """One attempt on one connection."""
    request = flow.request
    context.watch.expect_server(context.settings.idle_timeout, upstream.did_not_answer)
    body = request.raw_content or b""
    if type(body) is not bytes:
        body = body_of(request)
    rest = None
    if request.send_raw is None:
        rest = upstream.send_now(request, client.head, body)
    else:
        upstream.send_unchecked(bytes_of_its_own(request, context.settings))
    if rest is None:
        await _answer(flow, client, upstream, context)
        return
    # A large body: the server may answer, and stop reading, before it has all of it.
    upload = _upload_whole(rest, body, request)
    answer = _answer(flow, client, upstream, context)
    if not await while_uploading(upload, answer, lambda: upstream.usable):
        upstream.usable = False


async def _upload_whole(writer: BodySink, body: bytes, request: Request) -> None:
    trailers = trailers_of(request)
    try:
        await write_paced(writer, body, request.pace)
        await writer.end(trailers)
    except OSError:
        return  # the server stopped reading; what it answers, if anything, is read by the other side


async def _answer(flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext) -> None:
    """Read the response's head, then bring it all to the client."""
    try:
        flow.response = await upstream.read_response(flow.request.raw_method, client.send_informational)
    except (OSError, Refused) as exc:
        raise upstream_failure(exc, upstream) from exc
    if not upstream.usable and not client.reader.body_done:
        client.keep_alive = False  # the rest of the upload has nowhere to go; the client is told so
    await _relay_response(flow, client, upstream, context)


async def _relay_response(flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext) -> None:
    """Bring the response, whose head was read, to the client."""
    response, head, settings = flow.response, upstream.head, context.settings
    assert response is not None and head is not None
    context.watch.rest()
    await context.events.responseheaders(flow)
    check_alive(flow)
    response = flow.response or response
    if head.status == 101:
        upstream.usable = False
        if not _wants_to_switch(flow.request, client):
            raise UpstreamFailed(f"{upstream.where} switched protocols, which nobody was waiting for")
        if response.status_code == 101:
            await switch_protocols(flow, client, upstream, context)
            return
    if shall_stream(response, head.framing, settings):
        await stream_response(flow, client, upstream, context, b"")
        return
    reader = upstream.reader
    if (body := reader.body_now(head.framing)) is None:
        try:
            why = f"{upstream.where} stopped sending"
            body, complete = await collect(response, reader, settings, context.holding, why)
        except (OSError, Refused) as exc:
            raise upstream_failure(exc, upstream) from exc
        if not complete:
            await stream_response(flow, client, upstream, context, body)
            return
        note_truncated(flow, upstream)
        if reader.trailers:
            response.trailers = Headers(reader.trailers)
    if response.raw_content is None:  # an addon may have set one at responseheaders
        response.raw_content = body
    response.timestamp_end = time.time()
    context.watch.rest()
    await _finish_response(flow, response, client, context, upstream)


async def _finish_response(
    flow: HTTPFlow, response: Response, client: Downstream, context: ClientContext, upstream: Upstream | None
) -> None:
    """The response event, then the answer to the client. The body is in memory."""
    await emit_response(flow, client, context)
    context.watch.expect(context.settings.idle_timeout, "the client stopped reading")
    await client.send(flow.request, flow.response or response, upstream.head if upstream is not None else None)


async def _stream_both_ways(
    flow: HTTPFlow, client: Downstream, upstreams: Pool, context: ClientContext, first: bytes
) -> None:
    """The request body goes through as it comes; the server may answer before it has ended, and both may be full."""
    if flow.request.send_raw is not None:
        raise Unsendable("request.send_raw is for requests whose body does not stream", flow.request)
    upstream = await upstreams.connect(flow, context.watch)
    try:
        upload = upload_streamed(flow, client, upstream, context, first)
        answer = _answer(flow, client, upstream, context)
        if not await while_uploading(upload, answer, lambda: upstream.usable) or not client.reader.body_done:
            # The answer is complete and the server wants no more: neither connection can carry another request.
            upstream.usable = client.keep_alive = False
    except BaseException:
        await upstreams.discard(upstream)
        raise
    await upstreams.release(upstream)


# -- small --


def _may_repeat(request: Request, upstream: Upstream, cause: BaseException | None) -> bool:
    """Whether a request that met the end of a connection, or of its stream, may be sent once more."""
    if isinstance(cause, StreamReset):
        return not cause.processed
    silent = isinstance(cause, ServerSilent | ConnectionResetError)
    return silent and upstream.exchanges > 1 and request.method in IDEMPOTENT


def _wants_to_switch(request: Request, client: Downstream) -> bool:
    """Whether the client asked for another protocol, the request that went out did, and it has ended."""
    asked = client.head is not None and may_upgrade(client.head) and "upgrade" in request.headers
    return asked and client.reader.body_done
