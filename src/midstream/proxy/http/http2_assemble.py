"""Heads as header lists of HTTP/2: what came in, or what an addon made of it, from whichever version it came.

Used by both HTTP/2 sides, as `assemble.py` is by those of HTTP/1; `wire.http2` decides what may pass.
"""

from midstream.flows.http import Request, Response
from midstream.proxy.errors import Unsendable
from midstream.proxy.http.assemble import OURS, streamed_framing, tell, unmeasured
from midstream.wire.http1 import NO_BODY, Fields, Framing, Outgoing, Refused, RequestHead, ResponseHead
from midstream.wire.http2 import PseudoFields, check_http2_request, check_http2_response, check_http2_trailers

_HANDSHAKE = OURS | {b"upgrade", b"sec-websocket-key", b"sec-websocket-accept", b"content-length"}
"""What only HTTP/1 needs to agree on a WebSocket (RFC 8441 §5)."""

# What the writer of HTTP/2 knows to do without.
_NOT_NEEDED = OURS | {b"transfer-encoding"}


def request_list(request: Request, original: RequestHead | None, size: int | None, *, normalize: bool) -> Outgoing:
    """The header list of a request and the framing of its body. Raises Unsendable.

    `original`: the head as a client sent it. `size`: of the body in memory; None: streamed.
    """
    body = (size or NO_BODY) if size is not None else streamed_framing(request, original)
    fields = unmeasured(request.headers.fields, body, request)
    pseudo = PseudoFields(request.raw_method, request.raw_scheme, request.raw_authority, request.raw_path)
    try:
        outgoing = check_http2_request(pseudo, fields, body, original, normalize=normalize)
    except Refused as exc:
        raise Unsendable(f"the request cannot be sent: {exc.reason}", request) from None
    tell(outgoing.repairs, request, request)
    return outgoing


def websocket_request(request: Request, original: RequestHead, *, normalize: bool) -> Outgoing:
    """The extended CONNECT (RFC 8441) that asks for the same as a GET with Upgrade. Raises Unsendable."""
    fields = tuple([field for field in request.headers.fields if field[0].lower() not in _HANDSHAKE])
    pseudo = PseudoFields(b"CONNECT", request.raw_scheme, request.raw_authority, request.raw_path, b"websocket")
    try:
        return check_http2_request(pseudo, fields, NO_BODY, original, normalize=normalize)
    except Refused as exc:
        raise Unsendable(f"the request cannot be sent: {exc.reason}", request) from None


def websocket_response(response: Response, original: ResponseHead | None, *, normalize: bool) -> Outgoing:
    """The answer to an extended CONNECT that says the same as a 101. Raises Unsendable."""
    fields = tuple([field for field in response.headers.fields if field[0].lower() not in _HANDSHAKE])
    try:
        return check_http2_response(200, fields, NO_BODY, b"CONNECT", original, normalize=normalize)
    except Refused as exc:
        raise Unsendable(f"the response cannot be sent: {exc.reason}", response) from None


def response_list(
    request: Request,
    response: Response,
    original: ResponseHead | None,
    size: int | None,
    *,
    method: bytes,
    normalize: bool,
) -> Outgoing:
    """The same for a response. `original` is the head as the server sent it; None for one that an addon made.

    `method` is that of the client's request, whatever became of it.
    """
    status = response.status_code
    if status < 200:
        # A client waits for a final answer after any of these.
        raise Unsendable(f"the response cannot be sent: {status} is not the status of a final response", response)
    body: Framing = size if size is not None else streamed_framing(response, original)
    fields = unmeasured(response.headers.fields, body, response)
    if original is None:
        fields = tuple([field for field in fields if field[0].lower() not in _NOT_NEEDED])
    try:
        outgoing = check_http2_response(status, fields, body, method, original, normalize=normalize)
    except Refused as exc:
        raise Unsendable(f"the response cannot be sent: {exc.reason}", response) from None
    tell(outgoing.repairs, request, response)
    return outgoing


def trailer_list(message: Request | Response) -> Fields:
    """The fields that follow a body. Raises Unsendable."""
    if message.trailers is None:
        return ()
    try:
        return check_http2_trailers(message.trailers.fields)
    except Refused as exc:
        part = "request" if isinstance(message, Request) else "response"
        raise Unsendable(f"the trailers of the {part} cannot be sent: {exc.reason}", message) from None
