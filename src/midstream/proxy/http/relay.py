"""Bodies that are not held: each piece goes on as it comes, in either direction.

Called by `exchange` for a body that an addon, an option or its size makes stream. The two directions are tasks of
`exchange`; what is kept of a body, and what an addon's function makes of it, is decided in `bodies.py`.
"""

import logging
import time
from collections.abc import Iterable

from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.message import PaceFunction
from midstream.proxy.client_context import ClientContext
from midstream.proxy.errors import check_alive
from midstream.proxy.http.assemble import trailers_of
from midstream.proxy.http.bodies import StreamedBody
from midstream.proxy.http.failures import upstream_failure
from midstream.proxy.http.live import LiveBody
from midstream.proxy.http.pace import write_paced
from midstream.proxy.http.sides import BodySink, Downstream, Upstream
from midstream.wire.http1 import UNTIL_CLOSE, Fields, Refused
from midstream.work.slices import Budget

logger = logging.getLogger("midstream.proxy")

CLIENT_STOPPED = "the client stopped sending"


async def emit_response(flow: HTTPFlow, client: Downstream, context: ClientContext) -> None:
    """The response event, after which the flow can no longer fail for addons. Raises FlowKilled."""
    client.told = True
    try:
        await context.events.response(flow)
    except BaseException:
        client.told = flow.intercepted  # which it is after the last addon saw it
        raise
    check_alive(flow)


async def upload_streamed(
    flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext, first: bytes
) -> None:
    """Client to server. A failure of the client's side ends the exchange; the server's side is told by what it
    answers.
    """
    request = flow.request
    writer = upstream.begin(request, client.head)
    streamed = StreamedBody(request, context.settings, context.holding, outgrown=len(first))
    live = LiveBody(flow, streamed, context)
    try:
        piece = first or await _read_request_piece(client, context)
        while piece:
            if not await _taken(writer, streamed.take(piece), pace=request.pace):
                return
            live.arrived()
            piece = await _read_request_piece(client, context)
    finally:
        live.close()
    if not await _taken(writer, streamed.end(), pace=request.pace):
        return
    _note_cut(flow, request, streamed, "request")
    if client.reader.trailers:
        request.trailers = Headers(client.reader.trailers)
    request.timestamp_end = time.time()
    context.watch.rest()
    seen = request.raw_content
    await context.events.request(flow)
    _complain_if_late(flow, request, seen, streamed, context)
    check_alive(flow)
    if await _taken(writer, (), trailers_of(request)) and flow.response is None:
        context.watch.expect_server(context.settings.idle_timeout, upstream.did_not_answer)


async def _read_request_piece(client: Downstream, context: ClientContext) -> bytes:
    context.watch.expect(context.settings.idle_timeout, CLIENT_STOPPED)
    return await client.reader.read_piece()


async def _taken(
    writer: BodySink, pieces: Iterable[bytes], trailers: Fields | None = None, pace: PaceFunction | None = None
) -> bool:
    """Whether the server took these pieces, and the end with its trailers if they are given."""
    try:
        await _write_all(writer, pieces, pace)
        if trailers is not None:
            await writer.end(trailers)
    except OSError:
        return False
    return True


async def _write_all(writer: BodySink, pieces: Iterable[bytes], pace: PaceFunction | None) -> None:
    """Write what an addon may make without end: others get their turn, also when nobody has to be waited for."""
    budget = Budget()
    for piece in pieces:
        await write_paced(writer, piece, pace)
        if budget.spent():
            await budget.rest()


async def stream_response(
    flow: HTTPFlow, client: Downstream, upstream: Upstream, context: ClientContext, first: bytes
) -> None:
    """The response body goes through as it comes."""
    response = flow.response
    assert response is not None
    writer = client.begin(flow.request, response, upstream.head)
    streamed = StreamedBody(response, context.settings, context.holding, outgrown=len(first))
    live = LiveBody(flow, streamed, context)
    try:
        piece = first or await _read_response_piece(upstream, context)
        while piece:
            await _write_all(writer, streamed.take(piece), response.pace)
            live.arrived()
            piece = await _read_response_piece(upstream, context)
    finally:
        live.close()
    await _write_all(writer, streamed.end(), response.pace)
    _note_cut(flow, response, streamed, "response")
    note_truncated(flow, upstream)
    if upstream.reader.trailers:
        response.trailers = Headers(upstream.reader.trailers)
    response.timestamp_end = time.time()
    context.watch.rest()
    seen = response.raw_content
    await emit_response(flow, client, context)
    _complain_if_late(flow, response, seen, streamed, context)
    await writer.end(trailers_of(response))


async def _read_response_piece(upstream: Upstream, context: ClientContext) -> bytes:
    context.watch.expect_server(context.settings.idle_timeout, f"{upstream.where} stopped sending")
    try:
        return await upstream.reader.read_piece()
    except (OSError, Refused) as exc:
        raise upstream_failure(exc, upstream) from exc


def _note_cut(flow: HTTPFlow, message: Request | Response, streamed: StreamedBody, part: str) -> None:
    """A body of which the flow holds only the first part says so."""
    if message.raw_content is not None and streamed.kept_size() < streamed.size:
        flow.metadata[f"{part}_body_cut"] = f"first {streamed.kept_size()} of {streamed.size} bytes"


def _complain_if_late(
    flow: HTTPFlow, message: Request | Response, seen: bytes | None, streamed: StreamedBody, context: ClientContext
) -> None:
    """Tell the author of an addon that a body which has passed cannot be changed any more."""
    now = flow.request if isinstance(message, Request) else flow.response
    if now is not None and now.raw_content == seen:
        return
    part = "request" if isinstance(message, Request) else "response"
    text = (
        f"a change of the {part} comes too late, as its body has passed already{context.events.authors.named(message)}"
    )
    if streamed.live:
        text += f"; to have it whole, set flow.{part}.stream = None in {part}headers, or stream_endless_bodies=false"
    context.repeats.warn(logger, text, f"{flow.request.method} {flow.request.pretty_url}", flow=flow.id)


def note_truncated(flow: HTTPFlow, upstream: Upstream) -> None:
    """A body that ended with its connection, and perhaps not where the server meant it to end, says so."""
    head = upstream.head
    if head is not None and head.framing == UNTIL_CLOSE and upstream.reader.truncated:
        flow.metadata.setdefault("response_body_cut", "perhaps: the server closed the connection without ending TLS")
