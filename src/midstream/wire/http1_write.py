"""Writing HTTP/1 messages, and leaving out what ends at a proxy.

Called by the HTTP/1 sides of the proxy. The writers add nothing, change no order (P1) and check nothing:
`http1_outgoing` stands before them whenever a head is no longer the one that was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from midstream.wire.http1_syntax import (
    CONNECTION,
    CONTENT_LENGTH,
    HOP,
    KINDS,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    Fields,
    list_items,
)

END_TO_END: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"date",
        b"etag",
        b"expect",
        b"forwarded",
        b"host",
        b"location",
        b"origin",
        b"range",
        b"referer",
        b"set-cookie",
        b"strict-transport-security",
        b"transfer-encoding",
        b"user-agent",
        b"vary",
        b"via",
        b"www-authenticate",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
    }
)
"""Names that stay even if Connection lists them. RFC 9110 §7.6.1 forbids listing what is meant for all recipients, and
a list such as ``Connection: close, X-Forwarded-For`` is an attack on whoever relies on the field behind us.
"""


_ENDS_HERE: Final = frozenset({CONNECTION, HOP, UPGRADE})
_PLAIN_OPTIONS: Final = (b"keep-alive", b"close")


def request_head_bytes(method: bytes, target: bytes, version: bytes, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"%b %b %b\r\n%b\r\n" % (method, target, version, field_lines(fields))


def response_head_bytes(version: bytes, status: int, reason: bytes, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"%b %d %b\r\n%b\r\n" % (version, status, reason, field_lines(fields))


def field_lines(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The lines of a head's ``block``, or of trailers."""
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def chunk(data: bytes) -> bytes:
    """``data`` as one chunk; nothing for no data, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def last_chunk(trailers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    return b"0\r\n%b\r\n" % field_lines(trailers)


def strip_hop_by_hop(fields: Fields, keep_upgrade: bool = False) -> Fields:
    """``fields`` without those that end here (RFC 9110 §7.6.1): HOP_BY_HOP, ``Proxy-*`` and what Connection lists.

    Names in END_TO_END stay whatever Connection says; ``TE`` stays if it asks for trailers, and then asks for nothing
    else. ``keep_upgrade``: Upgrade stays, and Connection is reduced to it. Transfer-Encoding stays, the framing being
    unchanged.
    """
    if not keep_upgrade and _is_simple([field for field in fields if KINDS[field[0]]]):
        return tuple([field for field in fields if KINDS[field[0]] not in _ENDS_HERE])
    values = _values_passed_on(fields, keep_upgrade)
    return tuple([(name, value) for (name, _), value in zip(fields, values, strict=True) if value is not None])


def strip_hop_lines(block: bytes, fields: Fields, keep_upgrade: bool = False) -> bytes:
    """The same on the raw lines of a head that nobody changed: ``block`` and ``fields`` of one parsed head.

    Lines that stay are copied byte for byte, but framing fields are written plainly, so that odd white space cannot
    hide them.
    """
    special = [field for field in fields if KINDS[field[0]]]
    if keep_upgrade or not _is_simple(special):
        return _strip_line_by_line(block, fields, keep_upgrade)
    kept = b"\n" + block
    for field in special:
        line = b"\n%b: %b\r\n" % field  # with the LF before it, or it might be the tail of another line
        if line not in kept:
            return _strip_line_by_line(block, fields, keep_upgrade)
        if KINDS[field[0]] in _ENDS_HERE:
            kept = kept.replace(line, b"\n", 1)
    return kept[1:]


def _is_simple(special: list[tuple[bytes, bytes]]) -> bool:
    """True if names alone tell which fields end here."""
    for name, value in special:
        kind = KINDS[name]
        if kind == TE or (kind == CONNECTION and value.lower() not in _PLAIN_OPTIONS):
            return False
    return True


def _strip_line_by_line(block: bytes, fields: Fields, keep_upgrade: bool) -> bytes:
    lines = []
    values = _values_passed_on(fields, keep_upgrade)
    for line, (name, old), value in zip(block.split(b"\r\n"), fields, values, strict=False):
        if value is old and KINDS[name] not in (CONTENT_LENGTH, TRANSFER_ENCODING):
            lines.append(line + b"\r\n")
        elif value is not None:
            lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def _values_passed_on(fields: Fields, keep_upgrade: bool) -> list[bytes | None]:
    """For each field its value beyond this proxy: the same object, another one, or None for a field that ends here."""
    listed = set(list_items([value for name, value in fields if KINDS[name] == CONNECTION])) - END_TO_END
    values: list[bytes | None] = []
    for name, value in fields:
        kind = KINDS[name]
        if kind == 0:
            values.append(None if name.lower() in listed else value)
        elif kind == TE:
            values.append(_te_passed_on(value))
        elif kind == UPGRADE and keep_upgrade:
            values.append(value)
        elif kind == CONNECTION and keep_upgrade:
            values.append(_connection_passed_on(value))
        else:
            values.append(None if kind in _ENDS_HERE else value)
    return values


def _te_passed_on(value: bytes) -> bytes | None:
    items = list_items([value])
    if items == [b"trailers"]:
        return value
    return b"trailers" if b"trailers" in items else None


def _connection_passed_on(value: bytes) -> bytes | None:
    items = list_items([value])
    if items == [b"upgrade"]:
        return value
    return b"Upgrade" if b"upgrade" in items else None
