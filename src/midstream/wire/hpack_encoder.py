"""HPACK compression of header lists (RFC 7541), bounded in time and memory; decompression is that of the hpack library.

Takes the place of the encoder of hpack in `http2_engine.py`. That one searches its whole table for every field, and is
quadratic in the length of values, which are up to our peers. This one looks fields up in dictionaries, compresses no
strings (Huffman would save a quarter of what is sent for the first time), and keeps out of its table what seldom comes
again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from hpack.struct import HeaderTuple
from hpack.table import HeaderTable

LARGEST_TABLE: Final = 4096
"""However much a peer offers to remember, this is the most that we use."""

_OVERHEAD: Final = 32  # RFC 7541 §4.1
_FIRST_DYNAMIC: Final = len(HeaderTable.STATIC_TABLE) + 1
_STATIC: Final = {entry: b"%c" % (0x80 | index) for index, entry in enumerate(HeaderTable.STATIC_TABLE, 1)}
_STATIC_NAMES: Final[dict[bytes, int]] = {}
for _index, _entry in enumerate(HeaderTable.STATIC_TABLE, 1):
    _STATIC_NAMES.setdefault(_entry[0], _index)

# Mostly different in each message: they would push out what comes again.
_PASSING: Final = frozenset(
    {
        b":path", b"age", b"content-length", b"content-range", b"date", b"etag", b"expires", b"if-modified-since",
        b"if-none-match", b"last-modified", b"location", b"range", b"set-cookie",
    }
)  # fmt: skip
_LONGEST_KEPT: Final = 1024

_INDEXED, _LITERAL, _NEVER, _KEPT, _RESIZE = 0x80, 0x00, 0x10, 0x40, 0x20


class HeaderEncoder:
    """What the peer's decoder knows by now, and the blocks that refer to it."""

    __slots__ = ("_added", "_entries", "_most", "_names", "_numbers", "_resized", "_size")

    def __init__(self) -> None:
        self._most = LARGEST_TABLE
        self._resized: list[int] = []
        self._size = 0
        self._added = 0  # entries so far; an entry keeps its number, and its index follows from that
        self._entries: deque[tuple[bytes, bytes]] = deque()
        self._numbers: dict[tuple[bytes, bytes], int] = {}
        self._names: dict[bytes, int] = {}

    @property
    def header_table_size(self) -> int:
        """The largest size of the table, which the peer may set."""
        return self._most

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        most = min(value, LARGEST_TABLE)
        if most != self._most:
            self._most = most
            self._resized.append(most)
            self._evict()

    def encode(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The block for these fields, in their order."""
        block = bytearray()
        if self._resized:
            self._tell_size(block)
        for field in headers:
            if isinstance(field, HeaderTuple) and not field.indexable:
                self._put_literal(block, field[0], field[1], sensitive=True)
            elif (known := _STATIC.get(field)) is not None:
                block += known
            elif (number := self._numbers.get(field)) is not None:
                _put_integer(block, _INDEXED, 7, _FIRST_DYNAMIC + self._added - 1 - number)
            else:
                self._put_literal(block, field[0], field[1], sensitive=False)
        return bytes(block)

    def _put_literal(self, block: bytearray, name: bytes, value: bytes, *, sensitive: bool) -> None:
        keep = not sensitive and name not in _PASSING and len(value) <= _LONGEST_KEPT
        kind, bits = (_KEPT, 6) if keep else (_NEVER if sensitive else _LITERAL, 4)
        index = _STATIC_NAMES.get(name, 0)
        if not index and (number := self._names.get(name)) is not None:
            index = _FIRST_DYNAMIC + self._added - 1 - number
        _put_integer(block, kind, bits, index)
        if not index:
            _put_integer(block, 0, 7, len(name))
            block += name
        _put_integer(block, 0, 7, len(value))
        block += value
        if keep:
            self._add((name, value))

    def _add(self, entry: tuple[bytes, bytes]) -> None:
        self._entries.append(entry)
        self._numbers[entry] = self._names[entry[0]] = self._added
        self._added += 1
        self._size += len(entry[0]) + len(entry[1]) + _OVERHEAD
        self._evict()

    def _evict(self) -> None:
        while self._size > self._most:
            entry = self._entries.popleft()
            number = self._added - len(self._entries) - 1
            self._size -= len(entry[0]) + len(entry[1]) + _OVERHEAD
            if self._numbers[entry] == number:
                del self._numbers[entry]
            if self._names[entry[0]] == number:
                del self._names[entry[0]]

    def _tell_size(self, block: bytearray) -> None:
        """RFC 7541 §4.2: the smallest size since the last block, then the last one."""
        smallest, last = min(self._resized), self._resized[-1]
        self._resized.clear()
        if smallest < last:
            _put_integer(block, _RESIZE, 5, smallest)
        _put_integer(block, _RESIZE, 5, last)


def _put_integer(block: bytearray, kind: int, bits: int, value: int) -> None:
    """RFC 7541 §5.1."""
    most = (1 << bits) - 1
    if value < most:
        block.append(kind | value)
        return
    block.append(kind | most)
    value -= most
    while value >= 128:
        block.append(value & 0x7F | 0x80)
        value >>= 7
    block.append(value)
