"""Where a text that is being edited holds what is looked for. `text_edit.py` paints the places, its pane goes to them.

The text is looked at as a whole, so that a hit may go over line ends; it has 64 kB at most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from midstream.console.finder import MOST_SPANS, Finder

MOST = 2 * MOST_SPANS
"""Places that are known of one text: more than anybody steps through. Beyond that they are not counted; each key that
is typed looks for all of them again."""

Span = tuple[int, int]


class TextFind:
    """See the module. Asked again about the same text, it answers from memory."""

    def __init__(self) -> None:
        self._finder = Finder("")
        self._text = ""
        self._spans: list[Span] = []
        self._is_all = True

    def look_for(self, finder: Finder) -> None:
        """Something else is looked for; an empty finder ends it."""
        if finder is not self._finder:
            self._finder, self._text, self._spans = finder, "", []

    def spans(self, text: str) -> list[Span]:
        """Start and end of each place, in order."""
        if text != self._text:
            self._text, (self._spans, self._is_all) = text, _spans(self._finder, text)
        return self._spans

    def next(self, text: str, cursor: int, backwards: bool, here: bool) -> int | None:
        """The start of the next place; from the other end where there is none. `here`: the one at the cursor counts."""
        starts = [start for start, _ in self.spans(text)]
        if not starts:
            return None
        if backwards:
            return starts[bisect_left(starts, cursor) - 1]
        return starts[(bisect_left if here else bisect_right)(starts, cursor) % len(starts)]

    def place(self, text: str, cursor: int) -> tuple[int, int] | None:
        """Which place the cursor is in or behind, from 1, and how many there are; None: too many were found."""
        spans = self.spans(text)
        return (bisect_right(spans, cursor, key=_start), len(spans)) if self._is_all else None


def _start(span: Span) -> int:
    return span[0]


def _spans(finder: Finder, text: str) -> tuple[list[Span], bool]:
    """The places, and whether these are all of them."""
    found: list[Span] = []
    at = 0
    while finder and len(found) <= MOST - MOST_SPANS:
        part = list(finder.spans(text[at:] if at else text))
        found += [(at + start, at + end) for start, end in part]
        if len(part) < MOST_SPANS:
            return found, True
        # What comes before a place may decide whether it is one, so that the next look begins with a line, if it can.
        last = found[-1][1]
        line = text.rfind("\n", at, last) + 1
        at = line if line > at else last
        while found and found[-1][1] > at:
            found.pop()
    return found, not finder
