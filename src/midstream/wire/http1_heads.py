"""Reading the heads of HTTP/1 messages and deciding how their bodies are framed (RFC 9112 §3 to §6).

Called by the HTTP/1 sides of the proxy with a complete head; `find_head_end` says when there is one. This is the
hottest code of the product: one regular expression per line kind, one pass over the few fields that matter to a proxy.
It does not read bodies.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

from midstream.wire.http1_syntax import (
    CONNECTION,
    CONTENT_LENGTH,
    DEFAULT_LIMITS,
    EXPECT,
    HOST,
    KINDS,
    TE,
    TOKEN,
    TRANSFER_ENCODING,
    UPGRADE,
    Fields,
    Limits,
    Refused,
    list_items,
    parse_fields,
    show,
)

Framing = int
NO_BODY: Final = -1
CHUNKED: Final = -2
UNTIL_CLOSE: Final = -3

MAX_LENGTH: Final = 2**63 - 1
MAX_EMPTY_LINES: Final = 4
HTTP_10: Final = b"HTTP/1.0"
HTTP_11: Final = b"HTTP/1.1"

_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([!-~\x80-\xff]++) (HTTP/1\.[01])\r\n")
# RFC 9112 §4 wants a space before an empty reason phrase; enough servers leave it out, and nobody reads that
# differently.
_STATUS_LINE: Final = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9])(?: ([\t -~\x80-\xff]*+))?\r\n")
_VERSION: Final = re.compile(rb"HTTP/[0-9.]+")
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")


class RequestHead(NamedTuple):
    """A request line and its fields. Names keep their case, fields their order and duplicates; values have no outer
    white space.

    ``block`` is the raw field lines with their CRLFs, without the empty line. ``hop`` says that it must not be
    forwarded as it is: it holds a field that ends here, or a framing field that is spelled so that a careless server
    could misread it. ``upgrade`` is the Upgrade value if Connection asks for it. ``host`` is the Host value, None only
    where Host may be missing.
    """

    method: bytes
    target: bytes
    version: bytes
    fields: Fields
    block: bytes
    framing: Framing
    keep_alive: bool
    expects_continue: bool
    upgrade: bytes | None
    hop: bool
    host: bytes | None


class ResponseHead(NamedTuple):
    """A status line and its fields; the attributes are those of RequestHead."""

    version: bytes
    status: int
    reason: bytes
    fields: Fields
    block: bytes
    framing: Framing
    keep_alive: bool
    upgrade: bytes | None
    hop: bool


class _Control(NamedTuple):
    """What the fields that matter to a proxy say, before it is judged."""

    hosts: list[bytes]
    lengths: list[bytes]
    codings: list[bytes]
    options: list[bytes]
    expects_continue: bool
    upgrade: bytes | None
    hop: bool


def find_head_end(buf: bytes | bytearray, start: int = 0, limits: Limits = DEFAULT_LIMITS) -> int:
    """The index after the empty line that ends the head at the start of ``buf``, or -1 if more bytes are needed.

    ``start``: how much of ``buf`` an earlier call has seen. Up to MAX_EMPTY_LINES empty lines in front belong to the
    head (RFC 9112 §2.2); `parse_request_head` drops them. Raises Refused for a head over the limit and, rather than
    wait for ever, for a bare LF.
    """
    first = 0
    if buf.startswith(b"\r\n"):
        while buf.startswith(b"\r\n", first):
            first += 2
        if first > 2 * MAX_EMPTY_LINES:
            raise Refused("too many empty lines stand before the message")
    end = buf.find(b"\r\n\r\n", max(first, start - 3)) + 4
    if end > limits.max_head or (end == 3 and len(buf) > limits.max_head):
        raise Refused(f"the head is longer than {limits.max_head} bytes", 431)
    if end != 3:
        return end
    start = max(first, start)
    if start > first and buf[start - 1] == 13:
        start -= 1
    if buf.count(b"\n", start) != buf.count(b"\r\n", start):
        raise Refused("a header line ends in a bare LF")
    return -1


def parse_request_head(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> RequestHead:
    """``raw`` is what `find_head_end` delimits. Raises Refused with the status that the client should get."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        if raw.startswith(b"\r\n"):
            return parse_request_head(_without_empty_lines(raw), limits)
        _refuse_request_line(raw)
    block = _block(raw, line.end(), limits)
    fields = parse_fields(block, limits)
    method, target, version = line.groups()
    hosts, lengths, codings, options, expects_continue, upgrade, hop = _control(fields, raw)
    is_11 = version == HTTP_11
    framing = _request_framing(method, lengths, codings, is_11) if lengths or codings else NO_BODY
    if len(hosts) != 1:
        _check_host_may_be_missing(hosts, method, target, is_11)
    return RequestHead(
        method,
        target,
        version,
        tuple(fields),
        block,
        framing,
        _stays_open(options, is_11),
        expects_continue and is_11,
        upgrade if is_11 else None,
        hop,
        hosts[0] if hosts else None,
    )


def parse_response_head(raw: bytes, method: bytes, limits: Limits = DEFAULT_LIMITS) -> ResponseHead:
    """``method`` is that of the request which this answers. Raises Refused, which a client sees as a 502."""
    line = _STATUS_LINE.match(raw)
    if line is None:
        _refuse_status_line(raw)
    block = _block(raw, line.end(), limits)
    fields = parse_fields(block, limits)
    version, digits, reason = line.groups()
    _, lengths, codings, options, _, upgrade, hop = _control(fields, raw)
    status = int(digits)
    is_11 = version == HTTP_11
    keep_alive = _stays_open(options, is_11)
    framing = _framing(lengths, codings, is_11) if lengths or codings else UNTIL_CLOSE
    if status < 200 or status == 204:
        # RFC 9112 §6.1 forbids the length; a server that sends one may well send bytes after it.
        keep_alive = keep_alive and framing in (UNTIL_CLOSE, 0)
        framing = NO_BODY
    elif status == 304 or method == b"HEAD" or (method == b"CONNECT" and status < 300):
        framing = NO_BODY  # RFC 9112 §6.3: lengths describe what is not sent; after a CONNECT they mean nothing
    elif framing == UNTIL_CLOSE:
        keep_alive = False
    return ResponseHead(
        version,
        status,
        reason or b"",
        tuple(fields),
        block,
        framing,
        keep_alive,
        upgrade if is_11 else None,
        hop,
    )


def _block(raw: bytes, start: int, limits: Limits) -> bytes:
    if len(raw) > limits.max_head:
        raise Refused(f"the head is longer than {limits.max_head} bytes", 431)
    if not raw.endswith(b"\r\n\r\n"):
        raise Refused("the head does not end in an empty line")
    return raw[start:-2]


def _control(fields: list[tuple[bytes, bytes]], raw: bytes) -> _Control:
    hosts: list[bytes] = []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    options: list[bytes] = []
    upgrades: list[bytes] = []
    expects_continue = hop = False
    for name, value in [field for field in fields if KINDS[field[0]]]:
        kind = KINDS[name]
        if kind == HOST:
            hosts.append(value)
        elif kind == CONNECTION:
            options.append(value)
            hop = True
        elif kind in (CONTENT_LENGTH, TRANSFER_ENCODING):
            (lengths if kind == CONTENT_LENGTH else codings).append(value)
            # A tab or a trailing space hides the field from some servers: such a line is written anew, not copied.
            hop = hop or b"\n%b: %b\r\n" % (name, value) not in raw
        elif kind == EXPECT:
            expects_continue = expects_continue or value.lower() == b"100-continue"
        elif kind == TE:
            hop = hop or value.lower() != b"trailers"
        else:
            hop = True
            if kind == UPGRADE:
                upgrades.append(value)
    if options:
        options = list_items(options)
    upgrade = b", ".join(upgrades) if upgrades and b"upgrade" in options else None
    return _Control(hosts, lengths, codings, options, expects_continue, upgrade, hop)


def _framing(lengths: list[bytes], codings: list[bytes], is_11: bool) -> Framing:
    """The body's framing when there is at least one length or coding (RFC 9112 §6.1 to §6.3)."""
    if codings:
        if lengths:
            # RFC 9112 §6.3: both framings present is how requests are smuggled; show it, never forward it.
            raise Refused("the message has both Content-Length and Transfer-Encoding")
        if not is_11:
            raise Refused("an HTTP/1.0 message must not have Transfer-Encoding")
        if len(codings) > 1:
            raise Refused("the message has more than one Transfer-Encoding field")
        if codings[0].lower() != b"chunked":
            raise Refused(f"the Transfer-Encoding {show(codings[0])} is not supported, only 'chunked' is", 501)
        return CHUNKED
    return content_length(lengths)


def content_length(values: list[bytes]) -> int:
    """What one or more Content-Length fields say, in any version of HTTP. Raises Refused unless it is one plain
    number.
    """
    if len(values) > 1:
        raise Refused("the message has more than one Content-Length field")
    value = values[0]
    if not value.isdigit():
        raise Refused(f"the Content-Length {show(value)} is not a number")
    if len(value) > 19 or (length := int(value)) > MAX_LENGTH:
        raise Refused(f"the Content-Length {show(value)} is too large")
    return length


def _request_framing(method: bytes, lengths: list[bytes], codings: list[bytes], is_11: bool) -> Framing:
    framing = _framing(lengths, codings, is_11)
    # The bytes after a CONNECT are the tunnel's (RFC 9110 §9.3.6); some would read a body there and some would not.
    if method == b"CONNECT" and framing != 0:
        raise Refused("a CONNECT request must not have a body")
    # Requests are where smuggling starts, so odd spellings that RFC 9112 allows end here. Servers do send `Chunked`.
    if codings and codings[0] != b"chunked":
        raise Refused(f"the Transfer-Encoding {show(codings[0])} is not spelled 'chunked'")
    return framing


def _check_host_may_be_missing(hosts: list[bytes], method: bytes, target: bytes, is_11: bool) -> None:
    """Raise Refused unless Host may be missing: in HTTP/1.0, and where the target names the host (RFC 9112 §3.2)."""
    if hosts:
        raise Refused("the request has more than one Host field")
    names_a_host = method == b"CONNECT" or (target[:1] not in b"/*" and b"://" in target)
    if is_11 and not names_a_host:
        raise Refused("the HTTP/1.1 request has no Host field")


def _stays_open(options: list[bytes], is_11: bool) -> bool:
    if not options:
        return is_11
    return b"close" not in options and (is_11 or b"keep-alive" in options)


def _without_empty_lines(raw: bytes) -> bytes:
    first = 0
    while raw.startswith(b"\r\n", first):
        first += 2
    if first > 2 * MAX_EMPTY_LINES or first == len(raw):
        raise Refused("too many empty lines stand before the message")
    return raw[first:]


def _refuse_request_line(raw: bytes) -> NoReturn:
    line = _first_line(raw, "request")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if method and TOKEN.fullmatch(method) is None:
        raise Refused(f"the method {show(method)} contains a character that no method may have")
    has_version = _VERSION.fullmatch(version) is not None
    if has_version and version not in (HTTP_10, HTTP_11):
        raise Refused(f"the version {show(version)} is neither HTTP/1.0 nor HTTP/1.1", 505)
    if method and has_version and b" " in target.strip(b" "):
        raise Refused(f"the request target {show(target)} contains white space")
    raise Refused(f"the request line {show(line)} is not 'method target version'")


def _refuse_status_line(raw: bytes) -> NoReturn:
    line = _first_line(raw, "status")
    if not line:
        raise Refused("an empty line stands before the response")
    version, _, rest = line.partition(b" ")
    if version not in (HTTP_10, HTTP_11):
        raise Refused(f"the response begins with {show(version)}, not with HTTP/1.0 or HTTP/1.1")
    status = rest.partition(b" ")[0]
    raise Refused(f"the status {show(status)} is not a number from 100 to 599")


def _first_line(raw: bytes, kind: str) -> bytes:
    line, newline, _ = raw.partition(b"\n")
    if newline and not line.endswith(b"\r"):
        raise Refused(f"the {kind} line ends in a bare LF")
    line = line.removesuffix(b"\r")
    if b"\r" in line:
        raise Refused(f"the {kind} line contains a bare CR")
    if b"\x00" in line:
        raise Refused(f"the {kind} line contains NUL")
    if _CONTROL.search(line):
        raise Refused(f"the {kind} line contains a control character")
    return line
