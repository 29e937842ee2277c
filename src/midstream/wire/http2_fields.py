"""Reading the header lists of HTTP/2 messages (RFC 9113 §8.1 to §8.3 and §8.5, RFC 8441).

Called by the HTTP/2 sides of the proxy with what HPACK decoded, all checks of the h2 library being off. The result is
the same head that HTTP/1 gives, so that nothing behind it asks which version came in. It knows nothing of frames and
bodies but what their length should be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn

from hpack import NeverIndexedHeaderTuple

from midstream.text import url
from midstream.wire.http1_chunked import is_forbidden_in_trailers
from midstream.wire.http1_heads import CHUNKED, NO_BODY, Framing, RequestHead, ResponseHead, content_length
from midstream.wire.http1_syntax import (
    CONTENT_LENGTH,
    DEFAULT_LIMITS,
    EXPECT,
    HOST,
    KINDS,
    TARGET,
    TE,
    TEXT,
    TOKEN,
    Fields,
    Limits,
    Refused,
    refuse_count,
    show,
)

HTTP_20: Final = b"HTTP/2.0"
FIELD_OVERHEAD: Final = 32
"""What RFC 9113 §6.5.2 adds for each field to the size of a header list; ``Limits.max_head`` is meant that way here."""

CONNECTION_SPECIFIC: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
"""Names that make a message of HTTP/2 malformed (RFC 9113 §8.2.2)."""

FieldList = Sequence[tuple[bytes, bytes]]

_REQUEST: Final = frozenset({b":method", b":scheme", b":authority", b":path", b":protocol"})
_RESPONSE: Final = frozenset({b":status"})
_NONE: Final[frozenset[bytes]] = frozenset()

# All fields in one match. NUL and LF stand in neither names nor values, so they part them safely; as many LFs as fields
# prove that no field was made of two. RFC 9113 §8.2.1 forbids upper case, and white space at either end of a value.
_FIELDS: Final = re.compile(
    rb"(?:[!#$%&'*+\-.^_`|~0-9a-z]++\x00(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*+(?<![\t ]))?+)?+\n)*+"
)
_UPPER_CASE: Final = re.compile(rb"[A-Z]")
_SCHEMES: Final = (b"https", b"http")
_STATUS: Final = re.compile(rb"[1-5][0-9][0-9]")
# RFC 9113 §8.3.1 forbids user information; whatever ends an authority in a URL would let two readers find two hosts.
_AUTHORITY: Final = re.compile(rb"[^\x00-\x20\x7f@/?#\\]+")


class SecretField(NeverIndexedHeaderTuple):
    """A field that must not enter a compression table, here or further on (RFC 7541 §6.2.3). Its copies are plain."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[tuple[bytes, bytes]]]:
        return tuple, ((self[0], self[1]),)


class PseudoFields(NamedTuple):
    """The pseudo header fields of a request; None for each that is not there."""

    method: bytes
    scheme: bytes | None
    authority: bytes | None
    path: bytes | None
    protocol: bytes | None = None


class BodyLength:
    """Compares a body with what its head announced; a difference makes the message malformed (RFC 9113 §8.1.1)."""

    __slots__ = ("_announced", "_left")

    def __init__(self, framing: Framing) -> None:
        self._announced = framing
        self._left = max(framing, 0)

    def take(self, size: int) -> None:
        """``size`` bytes of it came. Raises Refused as soon as it is too long."""
        if self._announced == CHUNKED or not size:
            return
        if self._announced == NO_BODY:
            raise Refused("a body follows where none may be")
        self._left -= size
        if self._left < 0:
            raise Refused(f"the body is longer than its content-length of {self._announced}")

    def end(self) -> None:
        """It has ended. Raises Refused if it is too short."""
        if self._left > 0:
            raise Refused(f"the body ends {self._left} bytes before its content-length of {self._announced}")


def read_http2_request(
    headers: FieldList, ends: bool, limits: Limits = DEFAULT_LIMITS, *, extended_connect: bool = False
) -> tuple[RequestHead, PseudoFields]:
    """``ends``: nothing follows the header. ``extended_connect``: ``:protocol`` was allowed to the client (RFC 8441).

    The target is ``:path``, or ``:authority`` for a CONNECT. ``host`` is ``:authority``, else the Host field. Raises
    Refused with the status that the client should get.
    """
    pseudo, fields = _split(headers, _REQUEST, limits.max_head, limits)
    request = _request_pseudo(pseudo, extended_connect)
    hosts, lengths, expects_continue, hop = _control(fields)
    if len(hosts) > 1:
        raise Refused("the request has more than one Host field")
    host = request.authority
    if hosts:
        if host is not None and hosts[0] != host and not same_host(hosts[0], host, request.scheme):
            raise Refused(f"the Host {show(hosts[0])} is not that of :authority, {show(host)}")
        host = host or hosts[0]
    target = request.path if request.path is not None else request.authority
    assert target is not None
    framing = _request_framing(request.method, lengths, ends)
    head = RequestHead(
        request.method, target, HTTP_20, fields, b"", framing, True, expects_continue and not ends, None, hop, host
    )
    return head, request


def read_http2_response(headers: FieldList, method: bytes, ends: bool, limits: Limits = DEFAULT_LIMITS) -> ResponseHead:
    """``method`` is that of the request which this answers, final or not. Raises Refused: a client sees a 502."""
    pseudo, fields = _split(headers, _RESPONSE, limits.max_head, limits)
    digits = pseudo.get(b":status")
    if digits is None:
        raise Refused("the response has no :status")
    if _STATUS.fullmatch(digits) is None:
        raise Refused(f"the :status {show(digits)} is not a number from 100 to 599")
    status = int(digits)
    if status == 101:
        raise Refused("the status 101 does not exist in HTTP/2")  # RFC 9113 §8.6
    if status < 200 and ends:
        raise Refused(f"the response ends with the interim status {status}")
    _, lengths, _, hop = _control(fields)
    length = content_length(lengths) if lengths else None
    if status in (204, 304) or status < 200 or method == b"HEAD" or (method == b"CONNECT" and status < 300):
        framing = NO_BODY  # a length describes what is not sent (RFC 9113 §8.1.1)
    elif ends:
        framing = _ended(length, 0)
    else:
        framing = CHUNKED if length is None else length
    return ResponseHead(HTTP_20, status, b"", fields, b"", framing, True, None, hop)


def read_http2_trailers(headers: FieldList, limits: Limits = DEFAULT_LIMITS) -> Fields:
    """The fields after a body, without those that come too late there. Raises Refused."""
    _, fields = _split(headers, _NONE, limits.max_trailers, limits)
    _control(fields)
    for name, _ in fields:
        if is_forbidden_in_trailers(name):
            return tuple([field for field in fields if not is_forbidden_in_trailers(field[0])])
    return fields


def same_host(one: bytes, other: bytes, scheme: bytes | None) -> bool:
    """Whether two authorities mean the same, though spelled otherwise (case, default port)."""
    try:
        (host, port), (named, number) = url.split_authority(one), url.split_authority(other)
    except ValueError:
        return False
    default = url.default_port(scheme) if scheme is not None else None
    return host.lower() == named.lower() and (port or default) == (number or default)


def _split(headers: FieldList, known: frozenset[bytes], most: int, limits: Limits) -> tuple[dict[bytes, bytes], Fields]:
    """The pseudo fields, and the ordinary ones once they are known to be well formed."""
    pseudo: dict[bytes, bytes] = {}
    size = 0
    for name, value in headers:
        if name[:1] != b":":
            break
        if name not in known:
            raise Refused(f"the pseudo header {show(name)} does not belong there")
        if name in pseudo:
            raise Refused(f"the pseudo header {show(name)} stands there twice")
        pseudo[name] = value
        size += len(name) + len(value)
    # Plain pairs: those of hpack make nonsense when they are copied or pickled, as scripts may do.
    fields = tuple(
        [
            (one[0], one[1]) if type(one) is not NeverIndexedHeaderTuple else SecretField(one[0], one[1])
            for one in headers[len(pseudo) :]
        ]
    )
    if len(fields) > limits.max_fields:
        refuse_count(limits)
    lines = b"".join([b"%b\x00%b\n" % field for field in fields])
    if size + len(lines) + FIELD_OVERHEAD * len(headers) - 2 * len(fields) > most:
        raise Refused(f"the header list is longer than {most} bytes", 431)
    if _FIELDS.fullmatch(lines) is None or lines.count(b"\n") != len(fields):
        _refuse_fields(fields)
    return pseudo, fields


def _request_pseudo(pseudo: dict[bytes, bytes], extended_connect: bool) -> PseudoFields:
    if (method := pseudo.get(b":method")) is None:
        raise Refused("the request has no :method")
    request = PseudoFields(
        method, pseudo.get(b":scheme"), pseudo.get(b":authority"), pseudo.get(b":path"), pseudo.get(b":protocol")
    )
    if request.protocol is not None and not extended_connect:
        raise Refused("the pseudo header ':protocol' does not belong there")
    check_pseudo(request)
    return request


def check_pseudo(request: PseudoFields) -> None:
    """Raise Refused unless these may stand together and each is well formed (RFC 9113 §8.3.1, §8.5, RFC 8441 §4)."""
    method, scheme, authority, path, protocol = request
    if TOKEN.fullmatch(method) is None:
        raise Refused(f"the method {show(method)} contains a character that no method may have")
    if authority is not None and _AUTHORITY.fullmatch(authority) is None:
        raise Refused(f"the :authority {show(authority)} is no host with an optional port")
    if protocol is not None:
        if method != b"CONNECT":
            raise Refused("a :protocol stands in a request that is no CONNECT")
        if TOKEN.fullmatch(protocol) is None:
            raise Refused(f"the :protocol {show(protocol)} contains a character that no protocol may have")
    if method == b"CONNECT":
        if authority is None:
            raise Refused("the CONNECT request has no :authority")
        if protocol is None:
            if scheme is not None or path is not None:
                raise Refused("the CONNECT request has a :scheme or :path")
            return
    if scheme is None or path is None:
        raise Refused(f"the request has no {':scheme' if scheme is None else ':path'}")
    if scheme not in _SCHEMES:
        raise Refused(f"the :scheme {show(scheme)} is neither http nor https")
    if TARGET.fullmatch(path) is None:
        raise Refused(f"the :path {show(path)} is empty or contains white space or a control character")
    if path[:1] != b"/" and not (path == b"*" and method == b"OPTIONS"):
        raise Refused(f"the :path {show(path)} does not begin with a slash")


def _control(fields: Fields) -> tuple[list[bytes], list[bytes], bool, bool]:
    """Hosts, lengths, whether 100-continue is expected, whether a field ends at this proxy."""
    hosts: list[bytes] = []
    lengths: list[bytes] = []
    expects_continue = hop = False
    for name, value in [field for field in fields if KINDS[field[0]]]:
        kind = KINDS[name]
        if kind == HOST:
            hosts.append(value)
        elif kind == CONTENT_LENGTH:
            lengths.append(value)
        elif kind == EXPECT:
            expects_continue = expects_continue or value.lower() == b"100-continue"
        elif kind == TE:
            if value.lower() != b"trailers":
                raise Refused(f"the header 'te' is {show(value)}; HTTP/2 allows only 'trailers'")
        elif name in CONNECTION_SPECIFIC:
            raise Refused(f"the header {show(name)} is about a connection and must not stand in HTTP/2")
        else:
            hop = True
    return hosts, lengths, expects_continue, hop


def _request_framing(method: bytes, lengths: list[bytes], ends: bool) -> Framing:
    length = content_length(lengths) if lengths else None
    if method == b"CONNECT":
        if length:
            raise Refused("a CONNECT request must not have a body")
        return NO_BODY
    if ends:
        return _ended(length, NO_BODY)
    return CHUNKED if length is None else length


def _ended(length: int | None, nothing: Framing) -> Framing:
    """The framing of a message that ends with its header; ``nothing`` if it says nothing of a body."""
    if length:
        raise Refused(f"the content-length is {length}, but the message ends with its header")
    return nothing if length is None else 0


def _refuse_fields(fields: Fields) -> NoReturn:
    for name, value in fields:
        if (fault := _fault_in(name, value)) is not None:
            raise Refused(fault)
    raise AssertionError("each field for itself is well formed, but not all together")


def _fault_in(name: bytes, value: bytes) -> str | None:
    if not name:
        return "a header has no name"
    if name[:1] == b":":
        return f"the pseudo header {show(name)} stands after an ordinary header"
    if TOKEN.fullmatch(name) is None:
        return f"the header name {show(name)} contains a character that no name may have"
    if _UPPER_CASE.search(name):
        return f"the header name {show(name)} has an upper-case letter, which HTTP/2 forbids"
    if b"\r" in value or b"\n" in value:
        return f"the header {show(name)} contains CR or LF"
    if b"\x00" in value:
        return f"the header {show(name)} contains NUL"
    if TEXT.fullmatch(value) is None:
        return f"the header {show(name)} contains a control character"
    if value.strip(b" \t") != value:
        return f"the value of the header {show(name)} begins or ends with white space"
    return None
