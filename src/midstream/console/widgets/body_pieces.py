"""Bodies as `Pieces`: text by lines, and bytes as a hex dump. Neither holds more than the body and its line index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.console.widgets.canvas import Line
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import Piece, is_exact
from midstream.console.widgets.syntax import Colour, plain
from midstream.text.escape import visible_bytes
from midstream.text.sizes import human_size

_SEARCH_SLICE = 512 * 1024
_LONGEST_PATTERN = 1024


class TextPieces:
    """UTF-8 text by lines, with line numbers before them."""

    def __init__(self, index: LineIndex, colour: Colour = plain, *, numbers: bool = True) -> None:
        self.index = index
        self._colour = colour
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self.index)

    def piece(self, index: int) -> Piece:
        start, end = self.index.span(index)
        text = visible_bytes(self.index.data[start:end], expand_tabs=True)
        return Piece(self._prefix(index), self._colour(text))

    def find(self, pattern: str, start: int, backwards: bool) -> Iterator[int | None]:
        if not 0 <= start < len(self.index):
            return
        first, last = self.index.span(start)
        found = -1
        offsets = find_backwards(self.index.data, pattern, last) if backwards else find(self.index.data, pattern, first)
        for offset in offsets:
            if offset is None:
                yield None
            elif offset >= self.index.indexed:
                return
            elif (piece := self.index.piece_at(offset)) != found:
                found = piece
                yield piece

    def _prefix(self, index: int) -> Line:
        if not self._numbers:
            return ()
        is_cut = len(self.index) > self.index.lines
        digits = max(len(str(self.index.lines)), 5 if is_cut else 3)
        if self.index.is_continuation(index):
            # Also where lines are not wrapped: the rest of a long one must not look like a line.
            return [("line_number", f"{'+' + human_size(self.index.offset(index)):>{digits}}  ")]
        return [("line_number", f"{self.index.number(index):>{digits}}  ")]


class HexPieces:
    """Bytes as offset, sixteen in hex, and as ASCII."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        return (len(self.data) + 15) // 16

    def piece(self, index: int) -> Piece:
        row = self.data[index * 16 : index * 16 + 16]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        return Piece([("line_number", f"{index * 16:08x}  ")], [("text", f"{left:<23}  {right:<23}  "), ("dim", text)])

    def find(self, pattern: str, start: int, backwards: bool) -> Iterator[int | None]:
        offset = start * 16
        found = -1
        offsets = find_backwards(self.data, pattern, offset + 16) if backwards else find(self.data, pattern, offset)
        for place in offsets:
            if place is None:
                yield None
            elif place // 16 != found:
                found = place // 16
                yield found


def searched(pattern: str) -> re.Pattern[bytes]:
    """What a search means in bytes: the words as they stand, in either case unless one letter is a capital."""
    wanted = pattern[:_LONGEST_PATTERN].encode("utf-8", "surrogateescape")
    flags = 0 if is_exact(pattern) else re.IGNORECASE
    # Escaped, so it cannot backtrack.
    return re.compile(re.escape(wanted), flags)


def find(data: bytes, pattern: str, start: int) -> Iterator[int | None]:
    """Offsets of each match from `start` on; None after each slice of work."""
    compiled = searched(pattern)
    overlap = len(pattern.encode("utf-8", "surrogateescape"))
    if not overlap:
        return
    while start < len(data):
        end = min(start + _SEARCH_SLICE, len(data))
        # A match may begin in this slice and end in the next one.
        for match in compiled.finditer(data, start, min(end + overlap - 1, len(data))):
            yield match.start()
        start = end
        yield None


def find_backwards(data: bytes, pattern: str, end: int) -> Iterator[int | None]:
    """Offsets of each match that begins before `end`, the last one first; None after each slice of work."""
    compiled = searched(pattern)
    overlap = len(pattern.encode("utf-8", "surrogateescape"))
    if not overlap:
        return
    while end > 0:
        start = max(end - _SEARCH_SLICE, 0)
        slice_end = min(end + overlap - 1, len(data))
        yield from reversed([match.start() for match in compiled.finditer(data, start, slice_end)])
        end = start
        yield None
