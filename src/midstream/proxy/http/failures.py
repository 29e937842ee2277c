"""How an exchange that could not be carried out ends: what the client gets, what the row says, what the log says."""

import asyncio
import logging
import ssl

from h2.errors import ErrorCodes

from midstream.certs.failures import explain_broken
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.proxy.client_context import ClientContext
from midstream.proxy.errors import BodyTooLarge, FlowKilled, Unsendable, UpstreamFailed, is_killed
from midstream.proxy.http.assemble import flaw, reason_phrase
from midstream.proxy.http.http2_stream import StreamReset
from midstream.proxy.http.sides import Downstream, Upstream
from midstream.proxy.http.writer import WrongLength
from midstream.wire.http1 import Refused

EXPECTED = (OSError, Refused, BodyTooLarge, FlowKilled, Unsendable, UpstreamFailed, WrongLength)
"""What an exchange may raise in the course of traffic; anything else is a mistake of ours and logged as such."""

_FOR_CLIENTS = (ErrorCodes.REFUSED_STREAM, ErrorCodes.CANCEL, ErrorCodes.HTTP_1_1_REQUIRED)

logger = logging.getLogger("midstream.proxy")


async def conclude(flow: HTTPFlow, failure: BaseException, client: Downstream, context: ClientContext) -> None:
    """Answer the client if that is still possible, note the reason on the flow and emit `error`, unless the addons have
    seen the response: a flow ends for them once.
    """
    flow.resume()  # there is nothing left to hold
    status, reason, text = _verdict(failure, flow, client, context)
    blamed = f"{text}{_author(failure, flow, context)}"
    if not is_killed(flow):
        flow.error = Error(blamed)
    code = _for_client(failure, client)
    if code is not None and client.pass_on(code):
        pass  # it has all that the server said
    elif status and not client.answering:
        client.refuse(status, reason, text, close=not client.reader.body_done)
    else:
        # The response was cut short, or there is to be none: only a closed connection says so.
        client.keep_alive = False
        if client.answering:
            client.cut()
        else:
            client.hang_up()
    if context.watch.expired or not isinstance(failure, FlowKilled | asyncio.CancelledError):
        context.repeats.warn(logger, blamed, f"{flow.request.method} {flow.request.pretty_url}", flow=flow.id)
    with context.watch.settling():
        if client.told:
            await context.events.update([flow])
        else:
            await context.events.error(flow)
    if client.keep_alive and not isinstance(failure, asyncio.CancelledError):
        await _until_taken(client, context)


def _for_client(failure: BaseException, client: Downstream) -> int | None:
    """The code with which the server reset its stream, if the client knows better than we what to do about that: come
    again, by HTTP/1.1 if need be, or make a status of gRPC of it.
    """
    code = failure.__cause__.code if isinstance(failure.__cause__, StreamReset) else None
    return code if code in _FOR_CLIENTS or (code and client.answering) else None


def _author(failure: BaseException, flow: HTTPFlow, context: ClientContext) -> str:
    """Who is to blame, for row and log; it is no business of the client's."""
    match failure:
        case Unsendable():
            return context.events.authors.named(failure.at_fault, flaw)
        case WrongLength():
            return context.events.authors.named(flow.response or flow.request, flaw)
        case _:
            return ""


async def _until_taken(client: Downstream, context: ClientContext) -> None:
    """Requests that fail cost us nothing but the answer: one who sends many and reads none waits for himself."""
    context.watch.expect(context.settings.idle_timeout, "the client stopped reading")
    try:
        await client.drain()
    except OSError:
        client.keep_alive = False


def _verdict(
    failure: BaseException, flow: HTTPFlow, client: Downstream, context: ClientContext
) -> tuple[int, bytes, str]:
    """Status (0: no answer), reason phrase, and the sentence for row, log and client."""
    match failure:
        case UpstreamFailed() | Unsendable():
            return 502, b"Bad Gateway", str(failure)
        case BodyTooLarge():
            return failure.status, reason_phrase(failure.status), str(failure)
        case Refused():
            return failure.status, reason_phrase(failure.status), f"request refused: {failure.reason}"
        case FlowKilled():
            return 0, b"", str(failure)
        case asyncio.CancelledError() if is_killed(flow):
            return 0, b"", Error.KILLED_MESSAGE
        case asyncio.CancelledError() if context.watch.expired and context.watch.server_due:
            return 502, b"Bad Gateway", context.watch.reason
        case asyncio.CancelledError() if context.watch.expired and not client.reader.body_done:
            return 408, b"Request Timeout", context.watch.reason
        case asyncio.CancelledError():
            return 0, b"", context.watch.reason or "midstream is shutting down"
        case WrongLength():
            return 0, b"", f"an addon changed the length of a streamed body: {failure}"
        case OSError():
            return 0, b"", "client disconnected"
        case _:
            return 500, b"Internal Server Error", f"midstream failed: {failure!r}"


def upstream_failure(exc: BaseException, upstream: Upstream) -> BaseException:
    """What a failure of the server's side is called; other exceptions stay what they are."""
    if isinstance(exc, Refused):
        return UpstreamFailed(f"{upstream.where} sent a malformed response: {exc.reason}")
    if isinstance(exc, StreamReset):
        return UpstreamFailed(f"{upstream.where}: {exc}")
    if isinstance(exc, ConnectionResetError):
        return UpstreamFailed(f"{upstream.where} reset the connection")
    if isinstance(exc.__cause__, ssl.SSLError):
        return UpstreamFailed(explain_broken(exc.__cause__, upstream.where))
    if isinstance(exc, OSError):
        return UpstreamFailed(f"{upstream.where}: {exc}")
    return exc
