"""The part of LDAP (RFC 4511) that checking a password takes: a simple bind, and a search by one attribute.

The option `proxyauth` asks a directory by it (addons/proxyauth_ldap.py). A search compares an attribute with a value,
both as they are: no filter is written as text, so that no user name can change its meaning. Only definite lengths are
read (§5.1). It is no general client: no other operations, controls, referrals or SASL.
"""

from enum import IntEnum
from typing import NamedTuple

LARGEST = 1024 * 1024
"""Bytes of one message; a search that matches once has a few hundred."""

NO_ATTRIBUTES = "1.1"  # RFC 4511 §4.5.1.8: the name of an entry is all that is asked for

_SEQUENCE, _INTEGER, _OCTETS, _ENUMERATED, _BOOLEAN = 0x30, 0x02, 0x04, 0x0A, 0x01
_BIND, _UNBIND, _SEARCH, _EQUALITY, _SIMPLE = 0x60, 0x42, 0x63, 0xA3, 0x80
_WHOLE_SUBTREE, _NEVER = 2, 0


class Op(IntEnum):
    """What a server says."""

    BIND_RESPONSE = 0x61
    SEARCH_ENTRY = 0x64
    SEARCH_DONE = 0x65
    SEARCH_REFERENCE = 0x73
    EXTENDED_RESPONSE = 0x78


class Code(IntEnum):
    """The results (RFC 4511 §4.1.9) that mean something here."""

    SUCCESS = 0
    SIZE_LIMIT_EXCEEDED = 4
    INVALID_CREDENTIALS = 49


class Malformed(ValueError):
    """Not LDAP, or not what was asked for."""


class Message(NamedTuple):
    """What came. `code` and `text` are those of a result, `name` that of an entry."""

    number: int
    op: int
    code: int = 0
    text: str = ""
    name: str = ""


# -- what we say --


def bind_request(number: int, name: str, password: bytes) -> bytes:
    """Say who we are (§4.2)."""
    return _message(number, _tlv(_BIND, _integer(3) + _text(name) + _tlv(_SIMPLE, password)))


def search_request(number: int, base: str, attribute: str, value: bytes, most: int, seconds: int) -> bytes:
    """Ask for the names of the entries below `base` whose attribute has this value (§4.5.1)."""
    what = (
        _text(base)
        + _tlv(_ENUMERATED, bytes([_WHOLE_SUBTREE]))
        + _tlv(_ENUMERATED, bytes([_NEVER]))
        + _integer(most)
        + _integer(seconds)
        + _tlv(_BOOLEAN, b"\xff")
        + _tlv(_EQUALITY, _text(attribute) + _tlv(_OCTETS, value))
        + _tlv(_SEQUENCE, _text(NO_ATTRIBUTES))
    )
    return _message(number, _tlv(_SEARCH, what))


def unbind_request(number: int) -> bytes:
    """Say that this is the end (§4.3)."""
    return _message(number, _tlv(_UNBIND, b""))


def _message(number: int, op: bytes) -> bytes:
    return _tlv(_SEQUENCE, _integer(number) + op)


def _text(text: str) -> bytes:
    return _tlv(_OCTETS, text.encode("utf-8", "surrogateescape"))


def _integer(number: int) -> bytes:
    return _tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


# -- what we are told --


def parse_message(data: bytes) -> tuple[Message, int] | None:
    """The first message of `data` with its length; None while more is needed. Raises Malformed."""
    if data[:1] not in (b"", bytes([_SEQUENCE])):
        raise Malformed("this is no LDAP")
    head = _length(data, 1)
    if head is None:
        return None
    begin, size = head
    if size > LARGEST:
        raise Malformed("a message is too large")
    if len(data) < begin + size:
        return None
    return _message_in(data[begin : begin + size]), begin + size


def _message_in(content: bytes) -> Message:
    tag, number, rest = _first(content)
    if tag != _INTEGER or not 0 < len(number) <= 4:
        raise Malformed("a message has no number")
    op, body, _ = _first(rest)
    known = Message(int.from_bytes(number, "big", signed=True), op)
    if op == Op.SEARCH_ENTRY:
        return known._replace(name=_first(body)[1].decode("utf-8", "surrogateescape"))
    if op in (Op.BIND_RESPONSE, Op.SEARCH_DONE, Op.EXTENDED_RESPONSE):
        tag, code, rest = _first(body)
        if tag != _ENUMERATED or not 0 < len(code) <= 4:
            raise Malformed("a result has no code")
        _, _, rest = _first(rest)  # the name of what was found as far as it goes
        text = _first(rest)[1].decode("utf-8", "replace")
        return known._replace(code=int.from_bytes(code, "big", signed=True), text=text)
    return known


def _first(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of what `data` begins with, and what is behind it."""
    head = _length(data, 1)
    if head is None or len(data) < sum(head):
        raise Malformed("a message ends in the middle of a value")
    begin, size = head
    return data[0], data[begin : begin + size], data[begin + size :]


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the content begins whose length stands there, and how long it is."""
    if len(data) <= at:
        return None
    first = data[at]
    if first < 0x80:
        return at + 1, first
    count = first & 0x7F
    if not 0 < count <= 4:
        raise Malformed("a length is not definite, or too large")
    if len(data) < at + 1 + count:
        return None
    return at + 1 + count, int.from_bytes(data[at + 1 : at + 1 + count], "big")
