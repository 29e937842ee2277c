"""Bodies as `Pieces`: text by lines, and bytes as a hex dump. Neither holds more than the body and its line index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.console.finder import Finder
from midstream.console.widgets.canvas import Line
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import LINE_NUMBER, Piece, Pieces
from midstream.console.widgets.syntax import Colour, plain
from midstream.text.escape import visible_bytes
from midstream.text.sizes import human_size

_SEARCH_SLICE = 128 * 1024
_HITS_AT_ONCE = 256  # a slice full of hits is more work than one without


class TextPieces:
    """UTF-8 text by lines, with line numbers before them."""

    def __init__(self, index: LineIndex, colour: Colour = plain, *, numbers: bool = True) -> None:
        self.index = index
        self._colour = colour
        self._numbers = numbers

    @property
    def data(self) -> bytes:
        """The text."""
        return self.index.data

    def __len__(self) -> int:
        return len(self.index)

    def piece(self, index: int) -> Piece:
        start, end = self.index.span(index)
        text = visible_bytes(self.index.data[start:end], expand_tabs=True)
        return Piece(self._prefix(index), self._colour(text), continues=self.index.is_continuation(index))

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        yield 0, self

    def hits(self, finder: Finder) -> Iterator[int | None]:
        for offset in offsets(self.index.data, finder):
            if offset is None:
                yield None
            elif (piece := self.piece_at(offset)) is None:
                return
            else:
                yield piece

    def piece_at(self, offset: int) -> int | None:
        """The piece that holds a byte; None beyond what is indexed."""
        return self.index.piece_at(offset) if offset < self.index.indexed else None

    def _prefix(self, index: int) -> Line:
        if not self._numbers:
            return ()
        is_cut = len(self.index) > self.index.lines
        digits = max(len(str(self.index.lines)), 5 if is_cut else 3)
        if self.index.is_continuation(index):
            # Also where lines are not wrapped: the rest of a long one must not look like a line.
            return [(LINE_NUMBER, f"{'+' + human_size(self.index.offset(index)):>{digits}}  ")]
        return [(LINE_NUMBER, f"{self.index.number(index):>{digits}}  ")]


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
        return Piece([(LINE_NUMBER, f"{index * 16:08x}  ")], [("text", f"{left:<23}  {right:<23}  "), ("dim", text)])

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        yield 0, self

    def hits(self, finder: Finder) -> Iterator[int | None]:
        for offset in offsets(self.data, finder):
            yield None if offset is None else offset // 16

    def piece_at(self, offset: int) -> int | None:
        """The row that holds a byte."""
        return offset // 16


def offsets(data: bytes, finder: Finder) -> Iterator[int | None]:
    """Where each place in the data begins; None after each slice of work.

    What stands for its words cannot backtrack; expressions get no more than a slice at a time, and hits.py asks large
    bodies in a thread instead.
    """
    if not finder:
        return
    if not finder.is_literal:
        for start in range(0, len(data), _SEARCH_SLICE):
            yield from (start + begin for begin, _ in finder.spans(data[start : start + _SEARCH_SLICE]))
            yield None
        return
    wanted = finder.pattern.encode("utf-8", "surrogateescape")
    compiled = re.compile(re.escape(wanted), 0 if finder.is_exact else re.IGNORECASE)
    for start in range(0, len(data), _SEARCH_SLICE):
        end = min(start + _SEARCH_SLICE, len(data))
        # A place may begin in this slice and end in the next one.
        for count, match in enumerate(compiled.finditer(data, start, min(end + len(wanted) - 1, len(data)))):
            yield match.start()
            if count % _HITS_AT_ONCE == _HITS_AT_ONCE - 1:
                yield None
        yield None
