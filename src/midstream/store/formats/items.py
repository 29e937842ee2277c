"""Cuts a flow file into its items, one for each flow, holding one of them at a time.

Used by `native`. The length that an item announces is believed only as far as bytes follow, so that a wrong one takes
no memory. Files need nothing but `read`: pipes will do. What the items hold is `tnetstring`'s business.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from midstream.store.formats.tnetstring import MAX_DIGITS, TNetstringError

MAX_ITEM: Final = 1 << 30
"""Bytes of a flow that is read; a larger one is passed over."""

_PIECE: Final = 1 << 20
_PREFIX = re.compile(rb"(\d{1,%d}):" % MAX_DIGITS)
_HALF = "the file ends in the middle of a flow"


class ReadableFile(Protocol):
    """What is asked of a file."""

    def read(self, size: int, /) -> bytes | None: ...


class Item(NamedTuple):
    """One item: where in the file it begins, and its bytes, length and tag included; None if these are too many."""

    offset: int
    data: bytes | None


class Cut(NamedTuple):
    """Where the whole items of a file end, and what is wrong with what comes behind them."""

    offset: int
    problem: str
    looks_like_a_flow: bool


class _End(Exception):
    """The file ends where more bytes were announced."""


class Items:
    """The items of a file in their order. Iterating raises TNetstringError where the file is damaged."""

    def __init__(self, file: ReadableFile, max_item: int = MAX_ITEM) -> None:
        self._file = file
        self._max_item = max_item
        self._offset = 0

    def __iter__(self) -> Iterator[Item]:
        while True:
            start = self._offset
            prefix = self._prefix(start)
            if not prefix:
                return
            rest = int(prefix[:-1]) + 1
            try:
                if len(prefix) + rest > self._max_item:
                    for _ in self._pieces(rest):
                        pass
                    yield Item(start, None)
                else:
                    yield Item(start, b"".join([prefix, *self._pieces(rest)]))
            except _End:
                raise TNetstringError(_HALF, start) from None

    def _prefix(self, start: int) -> bytes:
        """The length and its colon, nothing at the end of the file."""
        prefix = b""
        while len(prefix) <= MAX_DIGITS:
            byte = self._read(1)
            prefix += byte
            if not byte and prefix:
                raise TNetstringError(_HALF, start)
            if not byte or (byte == b":" and len(prefix) > 1):
                return prefix
            if not byte.isdigit():
                break
        raise TNetstringError(_what_it_is(prefix), start)

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self._read(min(size, _PIECE))
            if not piece:
                raise _End
            size -= len(piece)
            yield piece

    def _read(self, size: int) -> bytes:
        data = self._file.read(size) or b""
        if not isinstance(data, bytes):
            raise TypeError("flows are read from files that are opened in binary mode")
        self._offset += len(data)
        return data


def _what_it_is(prefix: bytes) -> str:
    if prefix in (b"{", b"\xef"):
        return "this is JSON; flow files begin with a digit"
    return f"expected a flow, which begins with a length of 1 to {MAX_DIGITS} digits and a colon"


def whole_part(descriptor: int) -> Cut | None:
    """Walk over the lengths of all items of a regular file; None when it consists of whole ones.

    Reads a few bytes of each, so that a gigabyte takes a second. What the items hold is not looked at.
    """
    size = os.fstat(descriptor).st_size
    start = 0
    while start < size:
        head = os.pread(descriptor, MAX_DIGITS + 1, start)
        prefix = _PREFIX.match(head)
        if prefix is None:
            cut = start + len(head) == size and head.isdigit()
            return Cut(start, _HALF if cut else _what_it_is(head[:1]), cut)
        end = start + prefix.end() + int(prefix[1])
        if end >= size:
            return Cut(start, _HALF, True)
        if os.pread(descriptor, 1, end) != b"}":
            return Cut(start, "expected a flow, and found something else", False)
        start = end + 1
    return None
