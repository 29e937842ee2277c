"""What a `TextViewer` shows: numbered pieces of text, each short enough to be laid out at once.

A body of any size, a table of headers and a list of messages are all `Pieces`. A piece is made when it is about to be
painted and not before. Nothing here scrolls or wraps; what is searched, and how long that may take: hits.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from midstream.console.widgets.canvas import Line

if TYPE_CHECKING:
    from midstream.console.finder import Finder

# No piece is longer than this many characters: laying one out must never be felt.
LONGEST_PIECE = 4096
LINE_NUMBER = "line_number"
"""The role of a prefix that is no part of the text: it is neither searched nor copied."""


class Piece(NamedTuple):
    """`prefix` (a line number, a header's name) is painted once; wrapped rows of the text stand behind its width.

    `words`: rows end between words where they can, as prose does and bodies must not. `continues`: it goes on with the
    line of the piece before.
    """

    prefix: Line
    runs: Line
    words: bool = False
    continues: bool = False


class Pieces(Protocol):
    """A text cut into pieces."""

    def __len__(self) -> int: ...

    def piece(self, index: int) -> Piece:
        """The piece to be painted; 0 ≤ index < len."""
        ...

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        """The texts that it is made of, each with the number of its first piece; itself, if it is of one."""
        ...

    def hits(self, finder: Finder) -> Iterator[int | None]:
        """The piece of each place that is found, from the beginning on; None after each slice of work."""
        ...


class FixedPieces:
    """A few pieces that are made beforehand."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self._pieces)

    def piece(self, index: int) -> Piece:
        return self._pieces[index]

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        yield 0, self

    def hits(self, finder: Finder) -> Iterator[int | None]:
        for index, piece in enumerate(self._pieces):
            for line in (piece.prefix, piece.runs):
                for _ in places(line, finder):
                    yield index
            if not index % 16:
                yield None


class JoinedPieces:
    """Several texts below each other."""

    def __init__(self, parts: Sequence[Pieces]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def piece(self, index: int) -> Piece:
        firsts = self._firsts()
        number = bisect_right(firsts, index) - 1
        return self._parts[number].piece(index - firsts[number])

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        for first, part in zip(self._firsts(), self._parts, strict=True):
            for inner, each in part.parts():
                yield first + inner, each

    def hits(self, finder: Finder) -> Iterator[int | None]:
        for first, part in self.parts():
            for found in part.hits(finder):
                yield None if found is None else found + first

    def _firsts(self) -> list[int]:
        firsts, total = [], 0
        for part in self._parts:
            firsts.append(total)
            total += len(part)
        return firsts


def places(line: Line, finder: Finder) -> list[tuple[int, int]]:
    """Start and end of each place in the text of a line that is found; line numbers hold nothing."""
    if not line or line[0][0] == LINE_NUMBER:
        return []
    return list(finder.spans("".join(text for _, text in line)))
