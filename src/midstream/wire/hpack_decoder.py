"""HPACK decompression of header blocks (RFC 7541), bounded; the Huffman code is that of the hpack library.

Takes the place of the decoder of hpack in `http2_connection.py`, and raises the same errors. That one copies the rest
of a block for each field in it, which is quadratic, and takes four times as long for the blocks of browsers.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Final

from hpack.exceptions import HPACKDecodingError, InvalidTableIndex, InvalidTableSizeError, OversizedHeaderListError
from hpack.huffman_table import decode_huffman
from hpack.struct import HeaderTuple, NeverIndexedHeaderTuple
from hpack.table import HeaderTable

_OVERHEAD: Final = 32  # RFC 7541 §4.1
_STATIC: Final = [HeaderTuple(b"", b""), *[HeaderTuple(*entry) for entry in HeaderTable.STATIC_TABLE]]
_FIRST_DYNAMIC: Final = len(_STATIC)
_LONGEST_INTEGER: Final = 5  # bytes beyond the first: enough for 32 bits
_LONGEST_KEPT: Final = 64
# What many messages have in common: paths, dates, tokens of a length that pays.
_known_text = lru_cache(maxsize=2048)(decode_huffman)


class HeaderDecoder:
    """The table that a peer's encoder refers to, and what its blocks say."""

    __slots__ = ("_entries", "_most", "_size", "max_allowed_table_size", "max_header_list_size")

    def __init__(self, max_header_list_size: int = 65536) -> None:
        self.max_header_list_size = max_header_list_size
        """As RFC 9113 §6.5.2 counts it. A block of more ends the connection: what is not decoded is missing later."""
        self.max_allowed_table_size: int = HeaderTable.DEFAULT_SIZE
        """What the peer was told."""
        self._most: int = HeaderTable.DEFAULT_SIZE
        self._size = 0
        self._entries: deque[HeaderTuple] = deque()  # the newest first

    @property
    def header_table_size(self) -> int:
        """The largest size of the table, which the peer chooses."""
        return self._most

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        self._most = value
        self._evict()

    def decode(self, data: bytes, raw: bool = False) -> list[HeaderTuple]:
        """The fields of a block, in their order. Raises HPACKDecodingError. `raw` is not looked at: they are bytes."""
        fields: list[HeaderTuple] = []
        at, end, size = 0, len(data), 0
        try:
            while at < end:
                first = data[at]
                if first & 0x80:
                    index, at = _integer(data, at, 0x7F)
                    field = self._entry(index)
                elif first & 0x60 == 0x20:
                    if fields:
                        raise HPACKDecodingError("a table size update stands behind a field")
                    at = self._resize(data, at)
                    continue
                else:
                    field, at = self._literal(data, at, first)
                fields.append(field)
                size += len(field[0]) + len(field[1]) + _OVERHEAD
                if size > self.max_header_list_size:
                    raise OversizedHeaderListError(f"a header list larger than {self.max_header_list_size} bytes")
        except IndexError:
            raise HPACKDecodingError("a header block ends in the middle of a field") from None
        if self._most > self.max_allowed_table_size:
            raise InvalidTableSizeError("the table is larger than was allowed")
        return fields

    def _entry(self, index: int) -> HeaderTuple:
        if 0 < index < _FIRST_DYNAMIC:
            return _STATIC[index]
        if not index or index - _FIRST_DYNAMIC >= len(self._entries):
            raise InvalidTableIndex(f"there is no table entry {index}")
        return self._entries[index - _FIRST_DYNAMIC]

    def _literal(self, data: bytes, at: int, first: int) -> tuple[HeaderTuple, int]:
        """RFC 7541 §6.2."""
        index, at = _integer(data, at, 0x3F if first & 0x40 else 0x0F)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = _string(data, at)
        value, at = _string(data, at)
        if first & 0x50 == 0x10:
            return NeverIndexedHeaderTuple(name, value), at
        field = HeaderTuple(name, value)
        if first & 0x40:
            self._entries.appendleft(field)
            self._size += len(name) + len(value) + _OVERHEAD
            self._evict()
        return field, at

    def _resize(self, data: bytes, at: int) -> int:
        """RFC 7541 §6.3."""
        size, at = _integer(data, at, 0x1F)
        if size > self.max_allowed_table_size:
            raise InvalidTableSizeError(f"a table of {size} bytes is larger than was allowed")
        self.header_table_size = size
        return at

    def _evict(self) -> None:
        while self._size > self._most:
            name, value = self._entries.pop()
            self._size -= len(name) + len(value) + _OVERHEAD


def _integer(data: bytes, at: int, mask: int) -> tuple[int, int]:
    """RFC 7541 §5.1: the number, and where it ends. Raises IndexError."""
    number = data[at] & mask
    at += 1
    if number < mask:
        return number, at
    for shift in range(0, 7 * _LONGEST_INTEGER, 7):
        byte = data[at]
        at += 1
        number += (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise HPACKDecodingError("Variable integer representation is too long")


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """RFC 7541 §5.2: the text, and where it ends. Raises IndexError."""
    is_huffman = data[at] & 0x80
    length, at = _integer(data, at, 0x7F)
    end = at + length
    text = data[at:end]
    if len(text) != length:
        raise IndexError
    if is_huffman:
        text = _known_text(text) if length <= _LONGEST_KEPT else decode_huffman(text)
    return text, end
