"""The container of flow files: values as `LENGTH:PAYLOAD TAG`, one inside the other, without separators.

`native` reads and writes flows with it; it knows no files and nothing about flows. Its input may be hostile: lengths,
nesting and the number of values are bounded, nothing is copied but the leaves, and whatever is wrong with the bytes
ends in a `TNetstringError` that says where. Tags: `,` bytes, `;` UTF-8 text, `#` integer, `^` float, `!` boolean,
`~` null, `]` list, `}` dict (key, value, key, value …).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

MAX_DIGITS: Final = 12
"""Of a length."""
MAX_DEPTH: Final = 100
"""Of lists and dicts in each other. A flow needs six; the rest is for the notes of addons."""
MAX_VALUES: Final = 10_000_000
"""In one item. An empty dict is three bytes in a file and sixty in memory, so that sizes alone bound nothing."""

_LENGTH = re.compile(rb"(\d{1,12}):")
_INTEGER = re.compile(rb"-?\d{1,1000}")


class TNetstringError(ValueError):
    """These bytes are no tnetstring, or this value cannot be written as one.

    `offset` counts from the start of the bytes; it is None for a value that cannot be written.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


# --- reading


def parse(data: bytes, max_values: int = MAX_VALUES) -> Any:
    """The one value that these bytes hold. Raises TNetstringError, also when bytes are left over."""
    parser = _Parser(data, max_values)
    value, end = parser.item(0, len(data), 0)
    if end != len(data):
        raise TNetstringError("there are bytes after the value", end)
    return value


class _Parser:
    """Walks over the bytes by offsets: payloads of lists and dicts are not copied."""

    def __init__(self, data: bytes, max_values: int) -> None:
        self._data = data
        self._max_values = self._left = max_values

    def item(self, start: int, end: int, depth: int) -> tuple[Any, int]:
        """The value that begins at `start` and must end before `end`, and the offset behind it."""
        self._left -= 1
        if self._left < 0:
            raise TNetstringError(f"there are more than {self._max_values} values in one item", start)
        length = _LENGTH.match(self._data, start, end)
        if length is None:
            raise TNetstringError(f"expected a length of 1 to {MAX_DIGITS} digits and a colon", start)
        first = length.end()
        last = first + int(length[1])
        if last >= end:
            raise TNetstringError(f"the length {int(length[1])} reaches beyond the end", start)
        tag = self._data[last : last + 1]
        if tag == b"]":
            return self._items(first, last, depth + 1), last + 1
        if tag == b"}":
            return self._dict(first, last, depth + 1), last + 1
        return _leaf(tag, self._data[first:last], start), last + 1

    def _items(self, start: int, end: int, depth: int) -> list[Any]:
        if depth > MAX_DEPTH:
            raise TNetstringError(f"values are nested more than {MAX_DEPTH} deep", start)
        values = []
        while start < end:
            value, start = self.item(start, end, depth)
            values.append(value)
        return values

    def _dict(self, start: int, end: int, depth: int) -> dict[Any, Any]:
        values = self._items(start, end, depth)
        if len(values) % 2:
            raise TNetstringError("a dict has a key without a value", start)
        keys = values[::2]
        if any(isinstance(key, list | dict) for key in keys):
            raise TNetstringError("a dict has a list or a dict as a key", start)
        return dict(zip(keys, values[1::2], strict=True))


def _leaf(tag: bytes, payload: bytes, offset: int) -> Any:
    match tag:
        case b",":
            return payload
        case b";":
            # Text may stem from bytes of the wire that were no UTF-8; see `_text`.
            return payload.decode("utf-8", "surrogateescape")
        case b"#" if _INTEGER.fullmatch(payload):
            return int(payload)
        case b"^":
            return _float(payload, offset)
        case b"!" if payload in (b"true", b"false"):
            return payload == b"true"
        case b"~" if not payload:
            return None
        case b"#" | b"!" | b"~":
            kind = {b"#": "an integer", b"!": "a boolean", b"~": "null"}[tag]
            raise TNetstringError(f"{payload[:20]!r} is not {kind}", offset)
        case _:
            raise TNetstringError(f"{tag!r} is no type of value", offset)


def _float(payload: bytes, offset: int) -> float:
    try:
        return float(payload)
    except ValueError:
        raise TNetstringError(f"{payload[:20]!r} is no number", offset) from None


# --- writing


def dump(value: Any, name: str = "value") -> bytes:
    """The bytes that hold this value; tuples are written as lists.

    Raises TNetstringError for what has no form; it says where in the value, which it calls by the given name.
    """
    parts: list[bytes] = []
    _emit(value, parts, 0, name)
    return b"".join(parts)


def _emit(value: Any, parts: list[bytes], depth: int, where: str) -> int:
    """Append the parts of a value and return their size. The length in front is put in when the rest is known, so
    that a body is not copied once for each level that it lies in.
    """
    if not isinstance(value, list | tuple | Mapping):
        payload, tag = _payload(value, where)
        prefix = b"%d:" % len(payload)
        parts += (prefix, payload, tag)
        return len(prefix) + len(payload) + 1
    if depth >= MAX_DEPTH:
        raise TNetstringError(f"{where}: values are nested more than {MAX_DEPTH} deep")
    index = len(parts)
    parts.append(b"")
    size = 0
    if isinstance(value, Mapping):
        for key, item in value.items():
            size += _emit_key(key, parts, where)
            size += _emit(item, parts, depth + 1, f"{where}.{key}")
    else:
        for number, item in enumerate(value):
            size += _emit(item, parts, depth + 1, f"{where}[{number}]")
    parts[index] = b"%d:" % size
    parts.append(b"}" if isinstance(value, Mapping) else b"]")
    return len(parts[index]) + size + 1


def _emit_key(key: Any, parts: list[bytes], where: str) -> int:
    if isinstance(key, list | tuple | Mapping):
        raise TNetstringError(f"{where}: {key!r} cannot be a key in a file")
    return _emit(key, parts, 0, where)


def _payload(value: Any, where: str) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"", b"~"
        case bool():
            return (b"true" if value else b"false"), b"!"
        case int() if value.bit_length() < 3000:
            return b"%d" % value, b"#"
        case float():
            return float.__repr__(value).encode(), b"^"
        case bytes():
            return value, b","
        case bytearray():
            return bytes(value), b","
        case str():
            return _text(value, where), b";"
        case int():
            raise TNetstringError(f"{where}: the number has too many digits to be written")
        case _:
            raise TNetstringError(f"{where}: a value of type {type(value).__name__} cannot be written")


def _text(value: str, where: str) -> bytes:
    # Bytes that were no UTF-8 are kept in text as lone surrogates; here they become the same bytes again.
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise TNetstringError(f"{where}: {value[error.start]!r} cannot be written as UTF-8") from None
