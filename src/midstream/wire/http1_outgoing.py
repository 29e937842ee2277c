"""Checking HTTP/1 heads that people and addons assembled, so that what leaves is read alike by all (design/promises.md,
promise 1).

Called by the HTTP/1 sides of the proxy before the writers, whenever a head is no longer the one that was read. What
can only be meant one way is mended and reported; the rest is refused with a sentence that names the field. It does not
change bodies.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from midstream.wire.http1_chunked import is_forbidden_in_trailers
from midstream.wire.http1_heads import CHUNKED, HTTP_10, HTTP_11, NO_BODY, UNTIL_CLOSE, Framing
from midstream.wire.http1_syntax import (
    CONTENT_LENGTH,
    FIELD_LINES,
    HOST,
    KINDS,
    TARGET,
    TEXT,
    TOKEN,
    TRANSFER_ENCODING,
    Fields,
    Refused,
    show,
)
from midstream.wire.http1_write import field_lines

_LENGTH: Final = b"Content-Length"
_CODING: Final = b"Transfer-Encoding"
_FRAMING: Final = (CONTENT_LENGTH, TRANSFER_ENCODING)


class Outgoing(NamedTuple):
    """A head that may be sent: its fields, how the body must be written, a sentence for each thing that was mended."""

    fields: Fields
    framing: Framing
    repairs: tuple[str, ...]


def check_outgoing_request(method: bytes, target: bytes, version: bytes, fields: Fields, body: Framing) -> Outgoing:
    """``body`` is what will be written: its length, NO_BODY for none, or CHUNKED for a stream of unknown length.

    Raises Refused, whose ``reason`` names the part at fault.
    """
    check_bytes("method", method)
    if TOKEN.fullmatch(method) is None:
        raise Refused(f"the method {show(method)} contains a character that no method may have")
    check_bytes("request target", target)
    if TARGET.fullmatch(target) is None:
        raise Refused(f"the request target {show(target)} is empty or contains white space or a control character")
    _check_version(version)
    checked = check_fields(fields)
    special = [KINDS[name] for name, _ in checked if KINDS[name]]
    if special.count(HOST) > 1:
        raise Refused("the request has more than one Host field")
    if TRANSFER_ENCODING in special:
        # Spelled plainly, as we demand it of those who ask us (`parse_request_head`).
        checked = [(name, b"chunked") if _is_chunked(name, value) else (name, value) for name, value in checked]
    if method == b"CONNECT":
        if body not in (0, NO_BODY):
            raise Refused("a CONNECT request must not have a body")
        body = NO_BODY
    if body == UNTIL_CLOSE or (body == CHUNKED and version == HTTP_10):
        raise Refused(f"the length of the request body is not known, and {show(version)} has no other way to end it")
    if body == 0 and CONTENT_LENGTH not in special and TRANSFER_ENCODING not in special:
        body = NO_BODY  # a GET is not given a length just because it is empty
    elif body == NO_BODY and CONTENT_LENGTH in special:
        body = 0
    return _frame(checked, body, version)


def check_outgoing_response(
    version: bytes, status: int, reason: bytes, fields: Fields, body: Framing, method: bytes
) -> Outgoing:
    """As for requests; ``method`` is that of the request which is answered.

    UNTIL_CLOSE asks for a body that ends with the connection; CHUNKED becomes that where HTTP/1.0 knows no chunks.
    """
    _check_version(version)
    if status not in range(100, 600):
        raise Refused(f"the status {status!r} is not a number from 100 to 599")
    check_bytes("reason phrase", reason)
    if TEXT.fullmatch(reason) is None:
        raise Refused(f"the reason phrase {show(reason)} contains a control character")
    checked = check_fields(fields)
    if status < 200 or status == 204 or (method == b"CONNECT" and status < 300):
        return _frame(checked, NO_BODY, version)
    if status == 304 or method == b"HEAD":
        return _describe(checked, version)
    return _frame(checked, 0 if body == NO_BODY else body, version)


def check_outgoing_trailers(fields: Fields) -> Fields:
    """The fields to write after a chunked body: those that may stand there. Raises Refused."""
    return tuple(field for field in check_fields(fields) if not is_forbidden_in_trailers(field[0]))


def check_bytes(what: str, value: object) -> None:
    if not isinstance(value, bytes):
        raise Refused(f"the {what} is {type(value).__name__}, not bytes")


def _check_version(version: bytes) -> None:
    if version not in (HTTP_10, HTTP_11):
        check_bytes("version", version)
        raise Refused(f"the version {show(version)} is neither HTTP/1.0 nor HTTP/1.1", 505)


def check_fields(fields: Fields) -> list[tuple[bytes, bytes]]:
    """The fields with outer white space taken off the values."""
    try:
        # What reads back as it was written is well formed: a CR LF in a value would make another field.
        lines = field_lines(fields)
        if (read := FIELD_LINES.findall(lines)) == list(fields) and len(read) == lines.count(b"\n"):
            return read
    except TypeError:
        pass  # str for bytes, or None: found again below, with the name
    return _check_field_by_field(fields)


def _check_field_by_field(fields: Fields) -> list[tuple[bytes, bytes]]:
    checked = []
    for name, value in fields:
        check_bytes("name of a header", name)
        if TOKEN.fullmatch(name) is None:
            raise Refused(f"the header name {show(name)} is empty or contains a character that no name may have")
        check_bytes(f"value of the header {show(name)}", value)
        if TEXT.fullmatch(value) is None:
            raise Refused(f"the header {show(name)} contains {_control_in(value)}")
        checked.append((name, value.strip(b" \t")))
    return checked


def _control_in(value: bytes) -> str:
    if b"\r" in value or b"\n" in value:
        return "CR or LF"
    return "NUL" if b"\x00" in value else "a control character"


def _values(fields: list[tuple[bytes, bytes]], kind: int) -> list[bytes]:
    return [value for name, value in fields if KINDS[name] == kind]


def _frame(fields: list[tuple[bytes, bytes]], body: Framing, version: bytes) -> Outgoing:
    """Make Content-Length and Transfer-Encoding say what ``body`` is."""
    if body >= 0 and version == HTTP_11 and _says_chunked(fields):
        body = CHUNKED  # the message was chunked and may stay so, though the whole body is at hand
    if body == CHUNKED and version == HTTP_10:
        body = UNTIL_CLOSE
    if body == CHUNKED:
        return reframe(fields, None, b"chunked", body)
    return reframe(fields, b"%d" % body if body >= 0 else None, None, body)


def _describe(fields: list[tuple[bytes, bytes]], version: bytes) -> Outgoing:
    """A response without a body may still tell how long that would be, in one plain field (RFC 9110 §8.6)."""
    if version == HTTP_11 and _says_chunked(fields):
        return reframe(fields, None, b"chunked", NO_BODY)
    lengths = _values(fields, CONTENT_LENGTH)
    is_plain = len(set(lengths)) == 1 and lengths[0].isdigit()
    return reframe(fields, lengths[0] if is_plain else None, None, NO_BODY)


def _says_chunked(fields: list[tuple[bytes, bytes]]) -> bool:
    """True if chunked is the only framing that the fields name."""
    framing = [(name, value) for name, value in fields if KINDS[name] in _FRAMING]
    return len(framing) == 1 and _is_chunked(*framing[0])


def _is_chunked(name: bytes, value: bytes) -> bool:
    return KINDS[name] == TRANSFER_ENCODING and value.lower() == b"chunked"


def reframe(
    fields: list[tuple[bytes, bytes]], length: bytes | None, coding: bytes | None, framing: Framing
) -> Outgoing:
    """``fields`` with exactly this Content-Length and Transfer-Encoding, each where it first stood or at the end."""
    wanted = {CONTENT_LENGTH: length, TRANSFER_ENCODING: coding}
    result, repairs = [], []
    for name, value in fields:
        kind = KINDS[name]
        if kind not in _FRAMING:
            result.append((name, value))
            continue
        right = wanted.pop(kind, None)
        if right is None and framing == NO_BODY and (kind, value) == (CONTENT_LENGTH, b"0"):
            continue  # it says the same: no body
        if right is None:
            repairs.append(
                f"the header {show(name)} with the value {show(value)} does not fit the body and was left out"
            )
            continue
        if value.lower() != right:
            repairs.append(f"the header {show(name)} was {show(value)} and is now {show(right)}")
            value = right
        result.append((name, value))
    # A length that nobody wrote is no mistake: bodies read up to the end of a connection have none.
    result += [
        (name, right)
        for name, kind in ((_LENGTH, CONTENT_LENGTH), (_CODING, TRANSFER_ENCODING))
        if (right := wanted.get(kind))
    ]
    return Outgoing(tuple(result), framing, tuple(repairs))
