"""Where the lines of a body begin, found in slices; long lines are cut into pieces of 4 kB.

The body viewer makes one over UTF-8 bytes and paints the pieces that are visible. Memory is bounded: a body that is
nothing but line feeds is indexed up to a limit, and the index says so. It neither decodes nor paints.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from midstream.console.widgets.pieces import LONGEST_PIECE
from midstream.work.slices import Budget

_SLICE = 64 * 1024
# So much is indexed at once, in a millisecond: there is something to be seen from the beginning.
AT_ONCE = 256 * 1024
MOST_PIECES = 8_000_000


class LineIndex:
    """The pieces of `data`: where each begins and the line it belongs to. `complete` once all is known."""

    __slots__ = ("_begin", "_line", "_numbers", "_starts", "complete", "data", "indexed", "limit")

    def __init__(self, data: bytes, limit: int = MOST_PIECES) -> None:
        self.data = data
        self.limit = limit
        self.complete = not data
        self.indexed = 0  # bytes looked at so far
        # Four bytes each, where that is enough: a body of many short lines has millions.
        self._starts = array("I" if len(data) < 1 << 32 else "Q")
        self._numbers = array("I")
        self._begin = 0  # of the line that has not ended yet
        self._line = 1
        while not self.complete and self.indexed < AT_ONCE:
            self._advance()

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def is_cut(self) -> bool:
        """Whether the end of the body is beyond the limit and not indexed."""
        return len(self._starts) >= self.limit and self.indexed < len(self.data)

    async def build(self) -> None:
        """Index the rest, giving the loop its turn every few milliseconds. Cancel the task to stop."""
        budget = Budget()
        while not self.complete:
            self._advance()
            if budget.spent():
                await budget.rest()

    def span(self, index: int) -> tuple[int, int]:
        """Begin and end of a piece in the data, without the line break."""
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else min(self.indexed, len(self.data))
        if not self.complete and index + 1 == len(self._starts):
            end = min(end, start + LONGEST_PIECE)
        if end > start and self.data[end - 1] == 0x0A:
            end -= 1
            if end > start and self.data[end - 1] == 0x0D:
                end -= 1
        return start, end

    def number(self, index: int) -> int:
        """The line that a piece belongs to, from 1."""
        return self._numbers[index]

    def is_continuation(self, index: int) -> bool:
        """Whether the piece goes on with the line of the one before."""
        return index > 0 and self._numbers[index - 1] == self._numbers[index]

    def offset(self, index: int) -> int:
        """Where in its line the piece begins, in bytes."""
        return self._starts[index] - self._starts[bisect_left(self._numbers, self._numbers[index])]

    def piece_at(self, offset: int) -> int:
        """The piece that holds the byte at `offset`."""
        return max(bisect_right(self._starts, offset) - 1, 0)

    @property
    def lines(self) -> int:
        """Lines known so far."""
        return self._numbers[-1] if self._numbers else 0

    def _advance(self) -> None:
        data, end = self.data, min(self.indexed + _SLICE, len(self.data))
        at = data.find(b"\n", self.indexed, end)
        while at >= 0:
            self._end_line(at + 1)
            at = data.find(b"\n", at + 1, end)
            if len(self._starts) >= self.limit:
                self.indexed = self._begin
                self.complete = True
                return
        # A line without an end is cut as it goes on, so that its beginning can be shown already.
        while end - self._begin > LONGEST_PIECE:
            self._cut(self._begin, self._boundary(self._begin))
        self.indexed = end
        if end == len(data):
            if self._begin < end:
                self._add(self._begin)
                self._begin = end
            self.complete = True
        elif len(self._starts) >= self.limit:
            self.complete = True

    def _end_line(self, end: int) -> None:
        while end - self._begin > LONGEST_PIECE + 2:
            self._cut(self._begin, self._boundary(self._begin))
        self._add(self._begin)
        self._begin = end
        self._line += 1

    def _cut(self, begin: int, end: int) -> None:
        self._add(begin)
        self._begin = end

    def _add(self, begin: int) -> None:
        self._starts.append(begin)
        self._numbers.append(self._line)

    def _boundary(self, begin: int) -> int:
        """The end of a piece that starts at `begin`: not inside a UTF-8 character, nor before a lone line feed."""
        end = begin + LONGEST_PIECE
        for _ in range(3):
            if self.data[end] & 0xC0 != 0x80:
                break
            end -= 1
        return end
