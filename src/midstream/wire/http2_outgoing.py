"""Making the header lists of HTTP/2 messages, from whatever version or hand the message came (RFC 9113 §8).

Called by the HTTP/2 sides of the proxy before anything is encoded. A head that nobody changed since HTTP/2 brought it
costs next to nothing; everything else is checked like a head that came in, and translated where HTTP/1 says it in
another way. What an addon got wrong is mended and reported, or refused. The way from HTTP/2 to HTTP/1 is
`http1_request_fields`; then the checks of `http1_outgoing` apply.
"""

from __future__ import annotations

from typing import Final

from midstream.wire.http1_heads import CHUNKED, NO_BODY, UNTIL_CLOSE, Framing, RequestHead, ResponseHead
from midstream.wire.http1_outgoing import Outgoing, check_bytes, check_fields, check_outgoing_trailers, reframe
from midstream.wire.http1_syntax import (
    CONNECTION,
    CONTENT_LENGTH,
    HOP,
    HOST,
    KINDS,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    Fields,
    Refused,
    show,
)
from midstream.wire.http1_write import strip_hop_by_hop
from midstream.wire.http2_fields import (
    CONNECTION_SPECIFIC,
    HTTP_20,
    PseudoFields,
    SecretField,
    check_pseudo,
    same_host,
)

_SECRET: Final = frozenset({b"authorization", b"proxy-authorization"})
_SILENT: Final = frozenset({b"connection", b"keep-alive", b"proxy-connection"})
_NOT_IN_HTTP2: Final = frozenset({CONNECTION, HOP, TE, TRANSFER_ENCODING, UPGRADE})
_WITH_BODY: Final = frozenset({b"POST", b"PUT", b"PATCH"})
_PSEUDO_NAMES: Final = (b":method", b":scheme", b":authority", b":path", b":protocol")


def check_http2_request(
    pseudo: PseudoFields, fields: Fields, body: Framing, original: RequestHead | None = None, *, normalize: bool = True
) -> Outgoing:
    """The header list of a request, pseudo fields included. An empty ``authority`` means that Host names it.

    ``body`` is its length, NO_BODY for none, CHUNKED if the length is not known; ``framing`` of the result is the same.
    ``original``: the head as a client sent it, of whichever version. ``normalize``: names that somebody wrote in
    upper case are put into lower case; else they are refused. Raises Refused, whose ``reason`` names the part at fault.
    """
    for name, value in zip(_PSEUDO_NAMES, pseudo, strict=True):
        if value is not None:
            check_bytes(name.decode(), value)
    if (
        original is not None
        and fields is original.fields
        and original.version == HTTP_20
        and not original.hop
        and pseudo.authority == original.host
        and _fits(original.framing, body)
    ):
        check_pseudo(pseudo)
        return Outgoing((*_pseudo_list(pseudo), *fields), body, ())
    body = CHUNKED if body == UNTIL_CLOSE else body
    repairs: list[str] = []
    checked = _end_to_end(fields, original, normalize, repairs)
    pseudo, checked = _with_authority(pseudo, checked, original, repairs)
    check_pseudo(pseudo)
    if pseudo.method == b"CONNECT":
        if body not in (0, NO_BODY):
            raise Refused("a CONNECT request must not have a body")
        body = NO_BODY
    framed = _framed(checked, 0 if body == NO_BODY and _has_length(checked) else body)
    repairs += framed.repairs
    return Outgoing((*_pseudo_list(pseudo), *_kept_secret(framed.fields, fields)), body, tuple(repairs))


def check_http2_response(
    status: int,
    fields: Fields,
    body: Framing,
    method: bytes,
    original: ResponseHead | None = None,
    *,
    normalize: bool = True,
) -> Outgoing:
    """The same for a response, interim ones (1xx) included. ``method`` is that of the request which is answered.

    UNTIL_CLOSE becomes CHUNKED: HTTP/2 ends every body itself. Where no body may be, the result says NO_BODY.
    """
    if status not in range(100, 600):
        raise Refused(f"the status {status!r} is not a number from 100 to 599")
    if status == 101:
        raise Refused("the status 101 does not exist in HTTP/2")
    bodyless = status < 200 or status == 204 or (method == b"CONNECT" and status < 300)
    described = status == 304 or method == b"HEAD"
    start = (b":status", b"%d" % status)
    if (
        original is not None
        and fields is original.fields
        and original.version == HTTP_20
        and not original.hop
        and status == original.status
        and (bodyless or described or _fits(original.framing, body))
    ):
        return Outgoing((start, *fields), NO_BODY if bodyless or described else body, ())
    body = CHUNKED if body == UNTIL_CLOSE else body
    repairs: list[str] = []
    checked = _end_to_end(fields, original, normalize, repairs)
    if described:
        framed = _described(checked)
    else:
        framed = _framed(checked, NO_BODY if bodyless else 0 if body == NO_BODY else body)
    repairs += framed.repairs
    return Outgoing((start, *_kept_secret(framed.fields, fields)), framed.framing, tuple(repairs))


def check_http2_trailers(fields: Fields) -> Fields:
    """The fields to send after a body: those that may stand there, with names in lower case. Raises Refused."""
    return tuple(_lower(check_outgoing_trailers(fields)))


def http1_request_fields(authority: bytes, fields: Fields) -> Fields:
    """The fields of a request that came over HTTP/2, as HTTP/1 says them (RFC 9113 §8.2.3, §8.3.1).

    A Host in front unless there is one, and one Cookie instead of crumbs. `check_outgoing_request` comes after.
    """
    crumbs = [index for index, (name, _) in enumerate(fields) if name.lower() == b"cookie"]
    if len(crumbs) > 1:
        name, whole = fields[crumbs[0]][0], b"; ".join([fields[index][1] for index in crumbs])
        left = [(name, whole) if index == crumbs[0] else field for index, field in enumerate(fields)]
        fields = tuple([field for index, field in enumerate(left) if index not in crumbs[1:]])
    if not authority or any(KINDS[name] == HOST for name, _ in fields):
        return fields
    return ((b"Host", authority), *fields)


def measured_nothing(method: bytes, fields: Fields) -> Fields:
    """The same where there is no body: with methods that mean one HTTP/1 says so (RFC 9110 §8.6), or gets a 411."""
    if method not in _WITH_BODY or any(KINDS[name] == CONTENT_LENGTH for name, _ in fields):
        return fields
    return (*fields, (b"Content-Length", b"0"))


def _fits(announced: Framing, body: Framing) -> bool:
    """Whether the fields as they came tell the truth about this body."""
    return announced < 0 or announced == body


def _pseudo_list(pseudo: PseudoFields) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in zip(_PSEUDO_NAMES, pseudo, strict=True) if value is not None]


def _end_to_end(
    fields: Fields, original: RequestHead | ResponseHead | None, normalize: bool, repairs: list[str]
) -> list[tuple[bytes, bytes]]:
    """Well formed fields, with lower-case names, without those that end here or say how HTTP/1 frames a body."""
    checked = list(fields) if original is not None and fields is original.fields else check_fields(fields)
    if original is not None and original.hop:
        checked = list(strip_hop_by_hop(tuple(checked)))
    kept = checked
    if [name for name, _ in checked if KINDS[name] in _NOT_IN_HTTP2]:
        from_http1 = original is not None and original.version != HTTP_20
        kept = [field for field in checked if _is_in_http2(*field, from_http1, repairs)]
    if not normalize:
        _check_case(kept, original)
    return _lower(kept)


def _check_case(fields: list[tuple[bytes, bytes]], original: RequestHead | ResponseHead | None) -> None:
    """Raise Refused for a name that somebody wrote in upper case; those that HTTP/1 brought are translated."""
    came = {name for name, _ in original.fields} if original is not None else ()
    for name, _ in fields:
        if name != name.lower() and name not in came:
            raise Refused(f"the header name {show(name)} has an upper-case letter, which HTTP/2 forbids")


def _is_in_http2(name: bytes, value: bytes, from_http1: bool, repairs: list[str]) -> bool:
    """Whether a field may go out; RFC 9113 §8.2.2."""
    kind = KINDS[name]
    if kind == TE:
        if value.lower() != b"trailers":
            repairs.append(f"the header {show(name)} with the value {show(value)} was left out of HTTP/2")
            return False
    elif name.lower() in _SILENT or (kind == TRANSFER_ENCODING and from_http1):
        return False  # said of a connection, or of how HTTP/1 ends the body, it is no mistake
    elif name.lower() in CONNECTION_SPECIFIC:
        repairs.append(f"the header {show(name)} has no meaning in HTTP/2 and was left out")
        return False
    return True


def _lower(fields: Fields | list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in fields]


def _with_authority(
    pseudo: PseudoFields, fields: list[tuple[bytes, bytes]], original: RequestHead | None, repairs: list[str]
) -> tuple[PseudoFields, list[tuple[bytes, bytes]]]:
    """One name for the server: :authority, which is what Host is in HTTP/1 (RFC 9113 §8.3.1)."""
    hosts = [value for name, value in fields if KINDS[name] == HOST]
    if len(hosts) > 1:
        raise Refused("the request has more than one Host field")
    if not hosts:
        return pseudo._replace(authority=pseudo.authority or None), fields
    host, authority = hosts[0], pseudo.authority or b""
    alike = host == authority or same_host(host, authority, pseudo.scheme)
    if alike and original is not None and original.version == HTTP_20:
        return pseudo, fields  # both came, and both may go on
    fields = [field for field in fields if KINDS[field[0]] != HOST]
    if not authority:
        return pseudo._replace(authority=host), fields
    if not alike and (original is None or host not in (value for _, value in original.fields)):
        # A person or an addon set the Host, as one does in HTTP/1. Had the client sent it, the :authority is newer.
        repairs.append(f"the :authority was {show(authority)} and is now what the header 'host' says, {show(host)}")
        pseudo = pseudo._replace(authority=host)
    return pseudo, fields


def _has_length(fields: list[tuple[bytes, bytes]]) -> bool:
    return any(KINDS[name] == CONTENT_LENGTH for name, _ in fields)


def _framed(fields: list[tuple[bytes, bytes]], body: Framing) -> Outgoing:
    """A Content-Length that is there says what ``body`` is; none is added, since HTTP/2 needs none."""
    length = b"%d" % body if body >= 0 and _has_length(fields) else None
    return reframe(fields, length, None, body)


def _described(fields: list[tuple[bytes, bytes]]) -> Outgoing:
    """A response without a body may still tell how long that would be, in one plain field (RFC 9110 §8.6)."""
    lengths = {value for name, value in fields if KINDS[name] == CONTENT_LENGTH}
    length = next(iter(lengths)) if len(lengths) == 1 else b""
    return reframe(fields, length if length.isdigit() else None, None, NO_BODY)


def _kept_secret(fields: Fields, given: Fields) -> Fields:
    """``fields`` with the mark of those that no compression table may hold (RFC 7541 §6.2.3 and §7.1.3)."""
    marked = [field for field in given if type(field) is SecretField]
    if not marked and not [name for name, _ in fields if name in _SECRET]:
        return fields
    return tuple([SecretField(*one) if one[0] in _SECRET or one in marked else one for one in fields])
