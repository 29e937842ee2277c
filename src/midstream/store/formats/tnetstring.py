"""The container of flow files: values as `LENGTH:PAYLOAD TAG`, one inside the other, without separators.

`native` reads flows with it, and writes them with `tnetstring_dump`; it knows no files and nothing about flows. Its
input may be hostile: lengths, nesting and the number of values are bounded, nothing is copied but the leaves, and
whatever is wrong with the bytes ends in a `TNetstringError` that says where. Tags: `,` bytes, `;` UTF-8 text, `#`
integer, `^` float, `!` boolean, `~` null, `]` list, `}` dict (key, value, key, value …).
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

MAX_DIGITS: Final = 12
"""Of a length."""
MAX_DEPTH: Final = 100
"""Of lists and dicts in each other. A flow needs six; the rest is for the notes of addons."""
MAX_VALUES: Final = 8_000_000
"""In one item."""
MAX_CONTAINERS: Final = 1_000_000
"""Lists and dicts in one item. An empty dict is three bytes in a file and seventy in memory, so that sizes alone bound
nothing. A tunnel has one for each message.
"""

_LENGTH = re.compile(rb"(\d{1,12}):")
_INTEGER = re.compile(rb"-?\d{1,1000}")
# Looking lengths up checks that they are digits, and is faster than `int`.
_LENGTHS = {b"%d" % length: length for length in range(2_000)}
_COMMA, _SEMICOLON, _HASH, _CARET, _EXCLAMATION, _TILDE, _BRACKET, _BRACE = b",;#^!~]}"


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
    return Parser(max_values).parse(data)


_NextKeys: TypeAlias = dict[object, tuple[bytes, Any]]


class Parser:
    """Reads items of one file, which are much alike: what it has seen before it need not take apart again.

    The same bytes under a key that is among `shared` give the same dict, which is not to be changed then. A list under
    a key that is among `tables` has tuples of byte strings for lists, which the same bytes share. A dict under a
    key of the outermost one that is among `not_read` is passed over.
    """

    def __init__(
        self,
        max_values: int = MAX_VALUES,
        shared: frozenset[str] = frozenset(),
        tables: frozenset[str] = frozenset(),
        not_read: frozenset[str] = frozenset(),
    ) -> None:
        self._max_values = max_values
        self._shared = shared
        self._tables = tables
        self._not_read = not_read
        # What stood behind a key in dicts of a name: the bytes of the next key, and the key. Writers have an order.
        self._next_keys: dict[object, _NextKeys] = {}
        self._dicts: dict[bytes, dict[Any, Any]] = {}
        self._rows: dict[bytes, tuple[bytes, ...]] = {}

    def parse(self, data: bytes) -> Any:
        """The one value that these bytes hold. Raises TNetstringError."""
        self._data = data
        self._left = self._max_values - 1
        self._containers_left = MAX_CONTAINERS
        first, last = self._bounds(0, len(data))
        if last + 1 != len(data):
            raise TNetstringError("there are bytes after the value", last + 1)
        tag = data[last]
        if tag in (_BRACKET, _BRACE):
            return self._container(first, last, 1, None, tag == _BRACE)
        return _leaf(data[last:], data[first:last], 0)

    def _bounds(self, start: int, end: int) -> tuple[int, int]:
        """Where the payload begins, and where it ends and the tag is, of the value that must end before `end`."""
        colon = self._data.find(b":", start, start + 5)
        length = _LENGTHS.get(self._data[start:colon]) if colon > 0 else None
        if length is None:
            found = _LENGTH.match(self._data, start, end)
            if found is None:
                raise TNetstringError(f"expected a length of 1 to {MAX_DIGITS} digits and a colon", start)
            colon, length = found.end() - 1, int(found[1])
        last = colon + 1 + length
        if last >= end:
            raise TNetstringError(f"the length {length} reaches beyond the end", start)
        return colon + 1, last

    def _container(self, start: int, end: int, depth: int, name: object, keyed: bool) -> Any:
        """The dict (`keyed`), which has the given name, or the list between these offsets. Payloads are not copied.

        One long loop: this is nearly all that reading a file consists of, and a call for each value would double it.
        """
        self._check_bounds(start, depth)
        data, begin = self._data, start
        result: dict[Any, Any] = {}
        values: list[Any] = []
        may_be_many = end - start > 3 * self._left
        key: Any = None
        next_keys = self._keys_of(name)
        while start < end:
            if keyed:
                known = next_keys.get(key)
                if known is not None and data.startswith(known[0], start):
                    key = known[1]
                    start += len(known[0])
                else:
                    key, start = self._key(start, end, begin, next_keys, key)
                if start >= end:
                    raise TNetstringError("a dict has a key without a value", begin)
            colon = data.find(b":", start, start + 5)
            length = _LENGTHS.get(data[start:colon]) if colon > 0 else None
            if length is None:
                first, last = self._bounds(start, end)
            else:
                first = colon + 1
                last = first + length
                if last >= end:
                    raise TNetstringError(f"the length {length} reaches beyond the end", start)
            tag = data[last]
            value: Any
            if tag == _COMMA:
                value = data[first:last]
            elif tag == _SEMICOLON:
                # Text may stem from bytes of the wire that were no UTF-8; see `_text`.
                value = data[first:last].decode("utf-8", "surrogateescape")
            elif tag == _TILDE and first == last:
                value = None
            elif tag == _BRACKET:
                value = self._list(first, last, depth + 1, key)
            elif tag == _BRACE:
                value = self._dict(first, last, depth + 1, key)
            elif tag == _CARET:
                value = _float(data[first:last], start)
            else:
                value = _leaf(data[last : last + 1], data[first:last], start)
            start = last + 1
            if keyed:
                result[key] = value
            else:
                values.append(value)
            if may_be_many and len(values) + len(result) > self._left:
                raise TNetstringError(f"there are more than {self._max_values} values in one item", start)
        self._left -= len(values) + 2 * len(result)
        if self._left < 0:
            raise TNetstringError(f"there are more than {self._max_values} values in one item", begin)
        return result if keyed else values

    def _check_bounds(self, start: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TNetstringError(f"values are nested more than {MAX_DEPTH} deep", start)
        self._containers_left -= 1
        if self._containers_left < 0:
            raise TNetstringError(f"there are more than {MAX_CONTAINERS} lists and dicts in one item", start)

    def _dict(self, first: int, last: int, depth: int, key: object) -> dict[Any, Any]:
        """A dict in another one, or the one that had the same bytes."""
        if depth == 2 and key in self._not_read:
            return NOT_READ
        if key not in self._shared or last - first > _LONGEST_SHARED:
            found: dict[Any, Any] = self._container(first, last, depth, key, True)
            return found
        raw = self._data[first:last]
        if raw not in self._dicts:
            if len(self._dicts) >= _MOST_SHARED:
                self._dicts.clear()
            self._dicts[raw] = self._container(first, last, depth, key, True)
        return self._dicts[raw]

    def _list(self, first: int, last: int, depth: int, key: object) -> list[Any]:
        if key in self._tables:
            return self._table(first, last, depth)
        found: list[Any] = self._container(first, last, depth, key, False)
        return found

    def _table(self, start: int, end: int, depth: int) -> list[Any]:
        """A list of lists, most of which have been seen before: the header fields of one program are much alike."""
        self._check_bounds(start, depth)
        data, rows = self._data, []
        while start < end:
            first, last = self._bounds(start, end)
            raw = data[first : last + 1]
            row: Any = self._rows.get(raw)
            if row is None:
                row = self._row(raw, start, first, last, depth + 1)
            rows.append(row)
            start = last + 1
            self._left -= 1
            if self._left < 0:
                raise TNetstringError(f"there are more than {self._max_values} values in one item", start)
        return rows

    def _row(self, raw: bytes, start: int, first: int, last: int, depth: int) -> Any:
        if raw[-1] == _BRACE:
            return self._container(first, last, depth, None, True)
        if raw[-1] != _BRACKET:
            return _leaf(raw[-1:], raw[:-1], start)
        row = tuple(self._container(first, last, depth, None, False))
        if len(raw) <= _LONGEST_ROW and all(type(part) is bytes for part in row):
            if len(self._rows) >= _MOST_ROWS:
                self._rows.clear()
            self._rows[raw] = row
        return row

    def _keys_of(self, name: object) -> _NextKeys:
        found = self._next_keys.get(name)
        if found is None:
            if len(self._next_keys) >= _MOST_NAMES:
                self._next_keys.clear()
            found = self._next_keys[name] = {}
        return found

    def _key(self, start: int, end: int, begin: int, next_keys: _NextKeys, before: object) -> tuple[Any, int]:
        """A key that was not foreseen behind the one before, and the offset behind it."""
        first, last = self._bounds(start, end)
        if last + 1 >= end:
            raise TNetstringError("a dict has a key without a value", begin)
        tag = self._data[last : last + 1]
        if tag in (b"]", b"}"):
            raise TNetstringError("a dict has a list or a dict as a key", begin)
        key, after = _leaf(tag, self._data[first:last], start), last + 1
        if after - start <= _LONGEST_KEY and len(next_keys) < _MOST_KEYS:
            next_keys[before] = self._data[start:after], key
        return key, after


NOT_READ: Final[dict[Any, Any]] = {}
"""Stands for a dict that was passed over."""

_LONGEST_SHARED = 1 << 16
_MOST_SHARED = 256
_LONGEST_ROW = 512
_MOST_ROWS = 4096
_LONGEST_KEY = 64
_MOST_KEYS = 100
_MOST_NAMES = 100


def _leaf(tag: bytes, payload: bytes, offset: int) -> Any:
    match tag:
        case b",":
            return payload
        case b";":
            # Text may stem from bytes of the wire that were no UTF-8; see `_text`.
            return payload.decode("utf-8", "surrogateescape")
        case b"#" if (len(payload) < 10 and payload.isdigit()) or _INTEGER.fullmatch(payload):
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
