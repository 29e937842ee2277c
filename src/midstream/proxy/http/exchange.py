"""One request and its response: the heart of the proxy, the same line for every HTTP version on either side.

`serve.py` calls it for each request of a connection and turns what it raises into an answer and a row (`failures.py`).
Reads top to bottom; waiting for a person, a slow addon or a slow peer is an `await` on that line.
"""

import asyncio
import time

from midstream.flows.flow import Error
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import while_uploading
from midstream.proxy.errors import FlowKilled, UpstreamFailed
from midstream.proxy.http.bodies import StreamedBody, collect, shall_stream
from midstream.proxy.http.downstream_h1 import DownstreamH1
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.upstream_h1 import ServerSilent, UpstreamH1
from midstream.proxy.http.writer import BodyWriter
from midstream.proxy.tunnels.raw import tunnel
from midstream.wire.http1 import Refused

# RFC 9110 §9.2.2: doing these twice is the same as doing them once, so a request that met a closing connection is
# repeated.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

CLIENT_STOPPED = "the client stopped sending"


async def exchange(flow: HTTPFlow, client: DownstreamH1, upstreams: Pool, context: ClientContext) -> None:
    """Carry `flow.request`, whose body is still unread, and its response.

    Raises FlowKilled, UpstreamFailed, BodyTooLarge, Refused (the client's body), OSError (the client), CancelledError.
    """
    events, request = context.events, flow.request
    await events.requestheaders(flow)
    _check_alive(flow)
    head = client.head
    assert head is not None
    body: bytes | None
    if flow.response is None and shall_stream(request, head.framing, context.settings):
        await _stream_both_ways(flow, client, upstreams, context, b"")
        return
    if (body := client.reader.body_now(head.framing)) is None:
        if head.expects_continue:
            client.send_continue()
        body, complete = await collect(client.reader, context.settings, CLIENT_STOPPED)
        if not complete:
            await _stream_both_ways(flow, client, upstreams, context, body)
            return
        if client.reader.trailers:
            request.trailers = Headers(client.reader.trailers)
    request.raw_content = body
    request.timestamp_end = time.time()
    context.watch.rest()
    await events.request(flow)
    _check_alive(flow)

    if flow.response is None:
        await _forward(flow, client, upstreams, context)
        return
    await events.responseheaders(flow)
    await _finish_response(flow, flow.response, client, context, None)


async def _forward(flow: HTTPFlow, client: DownstreamH1, upstreams: Pool, context: ClientContext) -> None:
    """Send the request, whose body is in memory, and bring its answer to the client."""
    request = flow.request
    upstream = await upstreams.connect(flow)
    while True:
        try:
            await _ask(flow, client, upstream, context)
            break
        except BaseException as exc:
            await upstreams.discard(upstream)
            silent = flow.response is None and isinstance(exc, ServerSilent | ConnectionResetError)
            if not (silent and upstream.exchanges > 1 and request.method in IDEMPOTENT):
                if flow.response is not None or not isinstance(exc, OSError | Refused):
                    raise
                raise _upstream_failure(exc, upstream) from exc
        # The kept connection was closed while the request was on its way to it: an ordinary race.
        upstream = await upstreams.connect_anew(flow)
    await upstreams.release(upstream)


async def _ask(flow: HTTPFlow, client: DownstreamH1, upstream: UpstreamH1, context: ClientContext) -> None:
    """One attempt on one connection."""
    request = flow.request
    context.watch.expect_server(context.settings.idle_timeout, f"{_where(upstream)} did not answer")
    body = request.raw_content or b""
    rest = upstream.send_now(request, client.head, body)
    if rest is None:
        await _answer(flow, client, upstream, context)
        return
    # A large body: the server may answer, and stop reading, before it has all of it.
    upload = _upload_whole(rest, body, request.trailers.fields if request.trailers is not None else ())
    answer = _answer(flow, client, upstream, context)
    if not await while_uploading(upload, answer, lambda: upstream.usable):
        upstream.usable = False


async def _upload_whole(writer: BodyWriter, body: bytes, trailers: tuple[tuple[bytes, bytes], ...]) -> None:
    try:
        await writer.write(body)
        await writer.end(trailers)
    except OSError:
        return  # the server stopped reading; what it answers, if anything, is read by the other side


async def _answer(flow: HTTPFlow, client: DownstreamH1, upstream: UpstreamH1, context: ClientContext) -> None:
    """Read the response's head, then bring it all to the client."""
    flow.response = await upstream.read_response(flow.request.raw_method, client.send_informational)
    await _relay_response(flow, client, upstream, context)


async def _relay_response(flow: HTTPFlow, client: DownstreamH1, upstream: UpstreamH1, context: ClientContext) -> None:
    """Bring the response, whose head was read, to the client."""
    response, head, settings = flow.response, upstream.head, context.settings
    assert response is not None and head is not None
    context.watch.rest()
    await context.events.responseheaders(flow)
    _check_alive(flow)
    response = flow.response or response
    if head.status == 101:
        await _switch_protocols(flow, client, upstream, context)
        return
    if shall_stream(response, head.framing, settings):
        await _stream_response(flow, response, client, upstream, context, b"")
        return
    reader = upstream.reader
    if (body := reader.body_now(head.framing)) is None:
        try:
            body, complete = await collect(reader, settings, f"{_where(upstream)} stopped sending")
        except (OSError, Refused) as exc:
            raise _upstream_failure(exc, upstream) from exc
        if not complete:
            await _stream_response(flow, response, client, upstream, context, body)
            return
        if reader.trailers:
            response.trailers = Headers(reader.trailers)
    if response.raw_content is None:  # an addon may have set one at responseheaders
        response.raw_content = body
    response.timestamp_end = time.time()
    context.watch.rest()
    await _finish_response(flow, response, client, context, upstream)


async def _finish_response(
    flow: HTTPFlow, response: Response, client: DownstreamH1, context: ClientContext, upstream: UpstreamH1 | None
) -> None:
    """The response event, then the answer to the client. The body is in memory."""
    client.told = True
    try:
        await context.events.response(flow)
    except BaseException:
        client.told = _was_told(flow)
        raise
    _check_alive(flow)
    context.watch.expect(context.settings.idle_timeout, "the client stopped reading")
    await client.send(flow.request, flow.response or response, upstream.head if upstream is not None else None)


# -- bodies that are not held --


async def _stream_both_ways(
    flow: HTTPFlow, client: DownstreamH1, upstreams: Pool, context: ClientContext, first: bytes
) -> None:
    """The request body goes through as it comes; the server may answer before it has ended, and both may be full."""
    upstream = await upstreams.connect(flow)
    failures: list[BaseException] = []
    head = client.head
    try:
        writer = upstream.begin(flow.request, head)
        if first and head is not None and head.expects_continue:
            client.send_continue()
        upload = _upload_streamed(flow, client, writer, context, first, failures, upstream)
        answer = _answer(flow, client, upstream, context)
        if not await while_uploading(upload, answer, lambda: upstream.usable):
            # The answer is complete and the server wants no more: neither connection can carry another request.
            upstream.usable = client.keep_alive = False
    except BaseException as exc:
        await upstreams.discard(upstream)
        if failures and not isinstance(exc, asyncio.CancelledError):
            raise failures[0] from None
        if isinstance(exc, OSError | Refused) and flow.response is None:
            raise _upstream_failure(exc, upstream) from exc
        raise
    await upstreams.release(upstream)


async def _upload_streamed(
    flow: HTTPFlow,
    client: DownstreamH1,
    writer: BodyWriter,
    context: ClientContext,
    first: bytes,
    failures: list[BaseException],
    upstream: UpstreamH1,
) -> None:
    """Client to server. A failure of the client's side ends the exchange; the server's side is told by what it
    answers.
    """
    request = flow.request
    streamed = StreamedBody(request, context.settings, outgrown=bool(first))
    try:
        piece = first or await _read_request_piece(client, context)
        while piece:
            await _write(writer, streamed.take(piece), context, upstream)
            piece = await _read_request_piece(client, context)
        await _write(writer, streamed.end(), context, upstream)
        _note_cut(flow, request, streamed, "request")
        if client.reader.trailers:
            request.trailers = Headers(client.reader.trailers)
        request.timestamp_end = time.time()
        await context.events.request(flow)
        _check_alive(flow)
        await writer.end(request.trailers.fields if request.trailers is not None else ())
        if flow.response is None:
            context.watch.expect_server(context.settings.idle_timeout, f"{_where(upstream)} did not answer")
    except _ServerGone:
        return
    except Exception as exc:
        failures.append(exc)
        upstream.stream.abort()


class _ServerGone(Exception):
    """The server takes no more of the request."""


async def _read_request_piece(client: DownstreamH1, context: ClientContext) -> bytes:
    context.watch.expect(context.settings.idle_timeout, CLIENT_STOPPED)
    return await client.reader.read_piece()


async def _write(writer: BodyWriter, pieces: list[bytes], context: ClientContext, upstream: UpstreamH1) -> None:
    context.watch.expect_server(context.settings.idle_timeout, f"{_where(upstream)} stopped reading")
    try:
        for piece in pieces:
            await writer.write(piece)
    except OSError as exc:
        raise _ServerGone from exc


async def _stream_response(
    flow: HTTPFlow, response: Response, client: DownstreamH1, upstream: UpstreamH1, context: ClientContext, first: bytes
) -> None:
    """The response body goes through as it comes."""
    writer = client.begin(flow.request, response, upstream.head)
    streamed = StreamedBody(response, context.settings, outgrown=bool(first))
    patience = context.settings.idle_timeout
    piece = first or await _read_response_piece(upstream, context)
    while piece:
        for out in streamed.take(piece):
            context.watch.expect(patience, "the client stopped reading")
            await writer.write(out)
        piece = await _read_response_piece(upstream, context)
    for out in streamed.end():
        await writer.write(out)
    _note_cut(flow, response, streamed, "response")
    if upstream.reader.trailers:
        response.trailers = Headers(upstream.reader.trailers)
    response.timestamp_end = time.time()
    context.watch.rest()
    client.told = True
    try:
        await context.events.response(flow)
    except BaseException:
        client.told = _was_told(flow)
        raise
    _check_alive(flow)
    context.watch.expect(patience, "the client stopped reading")
    await writer.end(response.trailers.fields if response.trailers is not None else ())


async def _read_response_piece(upstream: UpstreamH1, context: ClientContext) -> bytes:
    context.watch.expect_server(context.settings.idle_timeout, f"{_where(upstream)} stopped sending")
    try:
        return await upstream.reader.read_piece()
    except (OSError, Refused) as exc:
        raise _upstream_failure(exc, upstream) from exc


def _note_cut(flow: HTTPFlow, message: Request | Response, streamed: StreamedBody, part: str) -> None:
    """A body of which the flow holds only the first part says so."""
    if message.raw_content is not None and streamed.kept_size() < streamed.size:
        flow.metadata[f"{part}_body_cut"] = f"first {streamed.kept_size()} of {streamed.size} bytes"


async def _switch_protocols(flow: HTTPFlow, client: DownstreamH1, upstream: UpstreamH1, context: ClientContext) -> None:
    """After a 101 the connection speaks something else: its bytes go through as a raw flow with messages."""
    response = flow.response
    assert response is not None
    response.raw_content = b""
    response.timestamp_end = time.time()
    upstream.usable = False
    await _finish_response(flow, response, client, context, upstream)
    client.keep_alive = False
    client.stream.unread(client.reader.take_surplus())
    upstream.stream.unread(upstream.reader.take_surplus())
    await tunnel(client.stream, upstream.stream, upstream.server, context)


# -- small --


def _check_alive(flow: HTTPFlow) -> None:
    if flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE:
        raise FlowKilled(flow.error.msg)


def _was_told(flow: HTTPFlow) -> bool:
    """Whether all addons saw the event that was cancelled: a flow is held, and killed by hand, after the last of
    them.
    """
    return flow.intercepted or flow.error is not None


def _upstream_failure(exc: BaseException, upstream: UpstreamH1) -> BaseException:
    """What a failure of the server's side is called; other exceptions stay what they are."""
    if isinstance(exc, Refused):
        return UpstreamFailed(f"{_where(upstream)} sent a malformed response: {exc.reason}")
    if isinstance(exc, ConnectionResetError):
        return UpstreamFailed(f"{_where(upstream)} reset the connection")
    if isinstance(exc, OSError):
        return UpstreamFailed(f"{_where(upstream)}: {exc}")
    return exc


def _where(upstream: UpstreamH1) -> str:
    address = upstream.server.address
    return f"{address[0]}:{address[1]}" if address is not None else "the server"
