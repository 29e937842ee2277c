"""Heads as they leave: what came in, less what ends at a proxy, or what an addon made of it, checked like any other.

Used by both HTTP/1 sides. An untouched head costs a copy of its bytes; `wire.http1` decides what may pass.
"""

import logging
from http import HTTPStatus
from typing import NamedTuple

from midstream.flows.http import Request, Response
from midstream.hub import ctx
from midstream.proxy.errors import Unsendable
from midstream.proxy.settings import Settings
from midstream.text.url import host_to_bytes, hostport
from midstream.wire.http1 import (
    CHUNKED,
    HTTP_10,
    HTTP_11,
    NO_BODY,
    UNTIL_CLOSE,
    Fields,
    Framing,
    Outgoing,
    Refused,
    RequestHead,
    ResponseHead,
    check_outgoing_request,
    check_outgoing_response,
    check_outgoing_trailers,
    field_lines,
    strip_hop_by_hop,
    strip_hop_lines,
)
from midstream.wire.http1_syntax import TARGET
from midstream.wire.http2 import HTTP_20, http1_request_fields, measured_nothing

logger = logging.getLogger("midstream.proxy")

OURS = frozenset({b"connection", b"keep-alive", b"proxy-connection"})
"""Fields about the client's connection, which nobody but its writer knows to set."""


def request_head(
    request: Request, original: RequestHead | None, size: int | None, *, to_parent: Fields | None = None
) -> tuple[bytes, Framing]:
    """The bytes of a request's head and the framing of its body. Raises Unsendable.

    `original` is the head as it came, if this request came from a client. `size`: of the body in memory; None:
    streamed. `to_parent`: a proxy reads it, which needs the whole URL (RFC 9112 §3.2.2), and these fields.
    """
    method, version = request.raw_method, request.raw_http_version
    fields = request.headers.fields
    target = _target(request) if to_parent is None else _absolute_target(request)
    if (
        original is not None
        and fields is original.fields
        and method is original.method
        and version is original.version
        and version is not HTTP_20
        and (target is original.target or TARGET.fullmatch(target) is not None)
        and (framing := _same_framing(original.framing, size, request)) is not None
    ):
        block = strip_hop_lines(original.block, fields, may_upgrade(original)) if original.hop else original.block
        if to_parent:
            block += field_lines(to_parent)
        return b"%b %b %b\r\n%b\r\n" % (method, target, version, block), framing
    if original is not None and original.hop:
        fields = strip_hop_by_hop(fields, keep_upgrade=may_upgrade(original))
    if to_parent is not None:
        fields = _with_credentials(fields, request.headers.fields, original, to_parent)
    if version == HTTP_20:
        # HTTP/2 may leave out whom it asks; RFC 9112 §3.2 demands a Host.
        fields = http1_request_fields(request.raw_authority or _destination(request), fields)
        if size == 0:
            fields = measured_nothing(method, fields)
    body = _framing(request, original, size)
    fields = unmeasured(fields, body, request)
    version = _spoken(version)
    try:
        outgoing = check_outgoing_request(method, target, version, fields, body)
    except Refused as exc:
        raise Unsendable(f"the request cannot be sent: {exc.reason}", request) from None
    tell(outgoing.repairs, request, request)
    head = b"%b %b %b\r\n%b\r\n" % (method, target, version, field_lines(outgoing.fields))
    return head, outgoing.framing


class Answer(NamedTuple):
    """A response head as bytes, how its body is framed, and whether the client may send another request after it."""

    head: bytes
    framing: Framing
    keep_alive: bool


def response_head(
    request: Request,
    response: Response,
    original: ResponseHead | None,
    size: int | None,
    *,
    asked: RequestHead,
    keep_alive: bool,
) -> Answer:
    """The same for a response. `original` is the head as the server sent it; None for one that an addon made.

    `asked` is what the client sent, whose version and method decide what it can read, whatever became of its request.
    """
    status, reason, version = response.status_code, response.raw_reason, response.raw_http_version
    fields = response.headers.fields
    client_is_10 = asked.version == HTTP_10
    framing: Framing | None = None
    if (
        original is not None
        and fields is original.fields
        and status == original.status
        and reason is original.reason
        and version is original.version
        and version is not HTTP_20
        and request.raw_method is asked.method
    ):
        framing = _same_framing(original.framing, size, response)
        if framing == CHUNKED and client_is_10:
            framing = None  # HTTP/1.0 knows no chunks
    if framing is not None and original is not None:
        block = strip_hop_lines(original.block, fields, status == 101) if original.hop else original.block
    else:
        if version == HTTP_20:
            reason = reason or reason_phrase(status)  # HTTP/2 has none, and some clients of HTTP/1 look at it
        version = _spoken(version)
        body = _framing(response, original, size)
        outgoing = _checked(response, version, original, body, asked)
        tell(outgoing.repairs, request, response)
        framing = outgoing.framing
        block = field_lines(outgoing.fields)
    # A client concludes from the version of an answer whether the connection stays open.
    stays = keep_alive and framing != UNTIL_CLOSE
    says_10 = client_is_10 or version == HTTP_10
    if status == 101:
        connection = b""
    elif not stays:
        connection = b"Connection: close\r\n"
    else:
        connection = b"Connection: keep-alive\r\n" if says_10 else b""
    head = b"%b %d %b\r\n%b%b\r\n" % (version, status, reason, block, connection)
    return Answer(head, framing, stays)


def informational_head(head: ResponseHead) -> bytes:
    """The bytes of an interim response (1xx), as a server sent it."""
    if head.version is HTTP_20:
        fields = strip_hop_by_hop(head.fields)
        return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, reason_phrase(head.status), field_lines(fields))
    return b"%b %d %b\r\n%b\r\n" % (head.version, head.status, head.reason, head.block)


def reason_phrase(status: int) -> bytes:
    """What a status is called; nothing for one without a name."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _checked(
    response: Response, version: bytes, original: ResponseHead | None, body: Framing, asked: RequestHead
) -> Outgoing:
    """The fields of a response that is not as it came, and its framing. Raises Unsendable."""
    status, fields = response.status_code, unmeasured(response.headers.fields, body, response)
    if original is not None:
        fields = strip_hop_by_hop(fields, keep_upgrade=status == 101)
    else:  # our own answer, whose Proxy-Authenticate is meant for this very client
        fields = tuple(field for field in fields if field[0].lower() not in OURS)
    if asked.version == HTTP_10:
        fields = tuple(field for field in fields if field[0].lower() != b"transfer-encoding")
        body = UNTIL_CLOSE if body == CHUNKED else body
    try:
        outgoing = check_outgoing_response(version, status, response.raw_reason, fields, body, asked.method)
    except Refused as exc:
        raise Unsendable(f"the response cannot be sent: {exc.reason}", response) from None
    if status < 200 and (original is None or original.status != status):
        # A client waits for a final answer after any of these, and after 101 it speaks something else.
        raise Unsendable(f"the response cannot be sent: {status} is not the status of a final response", response)
    return outgoing


def body_of(message: Request | Response) -> bytes:
    """The body in memory, whatever kind of bytes an addon set. Raises Unsendable."""
    body: object = message.raw_content
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    part = "request" if isinstance(message, Request) else "response"
    raise Unsendable(f"the {part} cannot be sent: its body is {type(body).__name__}, not bytes", message)


def trailers_of(message: Request | Response) -> Fields:
    """The fields that follow a chunked body. Raises Unsendable."""
    if message.trailers is None:
        return ()
    try:
        return check_outgoing_trailers(message.trailers.fields)
    except Refused as exc:
        part = "request" if isinstance(message, Request) else "response"
        raise Unsendable(f"the trailers of the {part} cannot be sent: {exc.reason}", message) from None


def bytes_of_its_own(request: Request, settings: Settings) -> bytes:
    """What a script wants to be sent in place of the request, for research: nothing of it is checked. Unsendable:
    nobody has asked for that.
    """
    if not settings.send_raw:
        raise Unsendable("request.send_raw is for research: it needs the option send_raw", request)
    if not isinstance(request.send_raw, bytes):
        raise Unsendable(f"request.send_raw is {type(request.send_raw).__name__}, not bytes", request)
    return request.send_raw


def flaw(message: Request | Response) -> str:
    """What would be refused or mended of a message if it went out as it is; empty when nothing would."""
    fields = message.headers.fields
    try:
        trailers_of(message)
        body = len(body_of(message)) if message.raw_content is not None else _declared(fields)
        if isinstance(message, Request):
            version = _spoken(message.raw_http_version)
            outgoing = check_outgoing_request(message.raw_method, _target(message), version, fields, body)
        else:
            version, status = _spoken(message.raw_http_version), message.status_code
            outgoing = check_outgoing_response(version, status, message.raw_reason, fields, body, b"GET")
    except (Unsendable, Refused) as exc:
        return str(exc)
    return "; ".join(outgoing.repairs)


def _declared(fields: Fields) -> Framing:
    """The framing of a body that is still to come, as far as its head is any good."""
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    return int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() else CHUNKED


def _same_framing(framing: Framing, size: int | None, message: Request | Response) -> Framing | None:
    """The framing that came in, if the body still fits it; None if it has to be found anew."""
    if size is None:
        return None if callable(message.stream) and framing >= 0 else framing
    if framing == NO_BODY:
        return framing if size == 0 else None
    if framing >= 0:
        return framing if framing == size else None
    return framing


def _framing(message: Request | Response, original: RequestHead | ResponseHead | None, size: int | None) -> Framing:
    """How HTTP/1 is to frame a body. Trailers that came over HTTP/2, beside a length or without, need chunks here."""
    if size is None:
        return streamed_framing(message, original)
    return CHUNKED if message.trailers and message.raw_http_version == HTTP_20 else size


def streamed_framing(message: Request | Response, original: RequestHead | ResponseHead | None) -> Framing:
    """A body of which only the head is known. An addon that rewrites it piece by piece makes its length unknown, one
    that makes all of it may say it.
    """
    if original is None:
        return _declared(message.headers.fields)
    framing = original.framing
    if callable(message.stream) and framing != NO_BODY:
        return CHUNKED
    return framing


def unmeasured(fields: Fields, body: Framing, message: Request | Response) -> Fields:
    """Without the length that the body had before an addon's function rewrote it, or that HTTP/2 allows beside
    trailers: that it is gone is no mistake.
    """
    if body != CHUNKED or not (callable(message.stream) or message.trailers):
        return fields
    return tuple(field for field in fields if field[0].lower() != b"content-length")


def _target(request: Request) -> bytes:
    """What stands in the request line: a path, or the whole URL where the client's own line had one inside a tunnel."""
    if request.raw_method == b"CONNECT":
        return request.raw_authority
    if request.raw_authority and request.raw_http_version != HTTP_20:
        return b"%b://%b%b" % (request.raw_scheme, request.raw_authority, request.raw_path)
    return request.raw_path


def _absolute_target(request: Request) -> bytes:
    """The whole URL, by what the request says of its destination. Raises Unsendable."""
    path = b"" if request.raw_path == b"*" else request.raw_path  # RFC 9112 §3.2.4
    return b"%b://%b%b" % (request.raw_scheme, _destination(request), path)


def _destination(request: Request) -> bytes:
    """Host and port that a request goes to, as they stand in a URL. Raises Unsendable."""
    try:
        return hostport(request.raw_scheme, host_to_bytes(request.host), request.port)
    except ValueError as exc:
        raise Unsendable(f"the request cannot be sent: {exc}", request) from None


def _with_credentials(kept: Fields, fields: Fields, original: RequestHead | None, ours: Fields) -> Fields:
    """What was kept of `fields`, and the Proxy-Authorization that an addon set, or else `ours`. That of the client was
    for us.
    """
    came = original.fields if original is not None else ()
    found = [field for field in fields if field[0].lower() == b"proxy-authorization"]
    theirs = [field for field in found if not any(field is other for other in came)]
    return (*(field for field in kept if field[0].lower() != b"proxy-authorization"), *(theirs or ours))


def _spoken(version: bytes) -> bytes:
    """An exchange that came in, or was saved, in another version of HTTP goes on in the one of this connection."""
    return version if version in (HTTP_10, HTTP_11) else HTTP_11


def may_upgrade(head: RequestHead) -> bool:
    """h2c is not upgraded (RFC 9113 §3.1 dropped it, and it is a way around a proxy); other protocols become raw
    flows.
    """
    return head.upgrade is not None and b"h2c" not in head.upgrade.lower()


def tell(repairs: tuple[str, ...], request: Request, message: Request | Response) -> None:
    if not repairs:
        return
    # Too rare to have the events handed through every writer for it; none in a test without a master.
    master = ctx.current()
    author = master.events.authors.named(message, flaw) if master is not None else ""
    for repair in repairs:
        logger.warning("%s %s: %s%s", request.method, request.url, repair, author)
