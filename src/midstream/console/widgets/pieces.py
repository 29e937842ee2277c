"""What a `TextViewer` shows: numbered pieces of text, each short enough to be laid out at once.

A body of any size, a table of headers and a list of messages are all `Pieces`. A piece is made when it is about to be
painted and not before. Nothing here scrolls or wraps.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from midstream.console.widgets.canvas import Line

# No piece is longer than this many characters: laying one out must never be felt.
LONGEST_PIECE = 4096


class Piece(NamedTuple):
    """`prefix` (a line number, a header's name) is painted once; wrapped rows of the text stand behind its width.

    `words`: rows end between words where they can, as prose does and bodies must not.
    """

    prefix: Line
    runs: Line
    words: bool = False


class Pieces(Protocol):
    """A text cut into pieces."""

    def __len__(self) -> int: ...

    def piece(self, index: int) -> Piece:
        """The piece to be painted; 0 ≤ index < len."""
        ...

    def find(self, pattern: str, start: int, backwards: bool) -> Iterator[int | None]:
        """Look for `pattern` from piece `start` on (or back), without wrapping around.

        Yields None whenever a slice of work is done, and the index of each piece that holds it.
        """
        ...


class FixedPieces:
    """A few pieces that are made beforehand."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self._pieces)

    def piece(self, index: int) -> Piece:
        return self._pieces[index]

    def find(self, pattern: str, start: int, backwards: bool) -> Iterator[int | None]:
        exact = is_exact(pattern)
        for index in range(start, -1, -1) if backwards else range(start, len(self._pieces)):
            piece = self._pieces[index]
            text = "".join(text for _, text in (*piece.prefix, *piece.runs))
            if pattern in (text if exact else text.lower()):
                yield index


class JoinedPieces:
    """Several texts below each other."""

    def __init__(self, parts: Sequence[Pieces]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def piece(self, index: int) -> Piece:
        number, first = self._locate(index)
        return self._parts[number].piece(index - first)

    def find(self, pattern: str, start: int, backwards: bool) -> Iterator[int | None]:
        firsts = self._firsts()
        number, first = self._locate(start)
        inner = start - first
        while 0 <= number < len(self._parts):
            if len(self._parts[number]):
                for found in self._parts[number].find(pattern, inner, backwards):
                    yield None if found is None else found + firsts[number]
            number += -1 if backwards else 1
            if 0 <= number < len(self._parts):
                inner = len(self._parts[number]) - 1 if backwards else 0

    def _firsts(self) -> list[int]:
        firsts, total = [], 0
        for part in self._parts:
            firsts.append(total)
            total += len(part)
        return firsts

    def _locate(self, index: int) -> tuple[int, int]:
        firsts = self._firsts()
        number = bisect_right(firsts, index) - 1
        return number, firsts[number]


def is_exact(pattern: str) -> bool:
    """Smart case: a pattern with a capital letter is searched as it is, any other one in either case."""
    return pattern != pattern.lower()


def matches_of(text: str, pattern: str) -> list[tuple[int, int]]:
    """Start and end of each place in `text` that a search for `pattern` means; for painting them."""
    if not pattern:
        return []
    hay, needle = (text, pattern) if is_exact(pattern) else (text.lower(), pattern)
    if len(hay) != len(text):
        hay, needle = text, pattern  # lower case of a few letters is longer: then places would be wrong
    found: list[tuple[int, int]] = []
    at = hay.find(needle)
    while at >= 0:
        found.append((at, at + len(needle)))
        at = hay.find(needle, at + len(needle))
    return found
