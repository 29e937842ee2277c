"""What `/` means everywhere: a regular expression with smart case, or the words as they stand when they are none.

Lists, viewers and the search through bodies ask a `Finder` where a text holds what is looked for, the first to hop
there, all of them to paint it. It never takes long: an expression that backtracks is given up, says so by `problem`,
and finds nothing from then on. For texts up to 128 kB at a time; larger ones belong in the worker process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.text.patterns import Pattern, TooSlow

LONGEST = 1000
"""Characters of a pattern; what is longer was pasted, and its rest is left out."""

SECONDS = 0.02
"""What one question may take on the loop, and once more; nobody holds it for 50 ms. Half of it after each too long."""

MOST_SPANS = 1000
"""Places that are told of one text: more than a screen has cells to paint them in."""

# Questions that took too long, after which the expression is given up: a list asks one for each row.
_MOST_SLOW = 2

# Letters that say nothing about case: \S, \B, (?P<name>, \N{NAME}, \u00E4.
_NOT_TYPED = re.compile(r"\\N\{[^}]*\}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\.|\(\?P[<=>][^>)]*", re.DOTALL)
_MEANS_MORE = re.compile(r"[\\^$.|?*+()\[\]{}]")


class Finder:
    """See the module. `pattern` is what a person typed. `is_literal`: it has no meaning beyond its words.

    Where bytes are searched, the pattern is taken as UTF-8, and only ASCII letters have two cases.
    """

    def __init__(self, pattern: str, seconds: float = SECONDS) -> None:
        self.pattern = pattern[:LONGEST]
        self.problem = ""
        self.is_exact = is_exact(self.pattern)
        self._seconds = seconds
        self._slow = 0
        expression = _expression(self.pattern, self.is_exact)
        self.is_literal = expression is None
        self._regex = expression if expression is not None else re.escape(self.pattern)
        self._texts: Pattern[str] | None = None
        self._bytes: Pattern[bytes] | None = None

    @property
    def has_signs(self) -> bool:
        """Whether there is anything in it that means more than itself in a regular expression."""
        return _MEANS_MORE.search(self.pattern) is not None

    def __bool__(self) -> bool:
        """Whether anything is looked for."""
        return bool(self.pattern)

    def holds(self, text: str | bytes) -> bool:
        """Whether it is found."""
        return bool(self._places(text, 1))

    def spans(self, text: str | bytes) -> Iterator[tuple[int, int]]:
        """Start and end of each place, from left to right; at most MOST_SPANS, none of them empty."""
        return iter(self._places(text, MOST_SPANS))

    def begins(self, data: bytes, start: int, end: int, seconds: float) -> list[int]:
        """Where the places in a part of a large body begin: for threads, where it may take its time. Raises TooSlow."""
        return self._of_bytes().begins(data, start, end, seconds) if self.pattern else []

    def _places(self, text: str | bytes, most: int) -> list[tuple[int, int]]:
        if not self.pattern or self._slow >= _MOST_SLOW:
            return []
        if self.is_literal and text.isascii() and self.pattern.isascii():
            return self._words(text, most)
        for is_last in (False, True):
            try:
                if isinstance(text, str):
                    return self._of_texts().spans(text, most, self._seconds)
                return self._of_bytes().spans(text, most, self._seconds)
            except TooSlow as slow:
                # Once more: it may have been a collection of garbage, which says nothing about the expression.
                if is_last:
                    self._slow += 1
                    self._seconds /= 2
                    self.problem = f"{slow}: it was given up"
        return []

    def _words(self, text: str | bytes, most: int) -> list[tuple[int, int]]:
        # Several times as fast as an expression, and never slow.
        if isinstance(text, bytes):
            text = text.decode("ascii")
        hay, needle = (text, self.pattern) if self.is_exact else (text.lower(), self.pattern.lower())
        found: list[tuple[int, int]] = []
        at = hay.find(needle)
        while at >= 0 and len(found) < most:
            found.append((at, at + len(needle)))
            at = hay.find(needle, at + len(needle))
        return found

    def _of_texts(self) -> Pattern[str]:
        if self._texts is None:
            self._texts = Pattern(self._regex, self._flags())
        return self._texts

    def _of_bytes(self) -> Pattern[bytes]:
        if self._bytes is None:
            flags = self._flags()
            try:
                self._bytes = Pattern(_encoded(self._regex), flags)
            except (re.error, ValueError):  # \N{…}, \u00e4 and (?u) are only for text
                self._bytes = Pattern(re.escape(_encoded(self.pattern)), flags)
        return self._bytes

    def _flags(self) -> int:
        return re.MULTILINE if self.is_exact else re.MULTILINE | re.IGNORECASE


def finder(pattern: str) -> Finder:
    """What a person typed behind `/`; an empty pattern finds nothing. Make it once, not for each text."""
    return Finder(pattern)


def is_exact(pattern: str) -> bool:
    """Smart case: a pattern with a capital letter is searched as it is, any other one in either case."""
    typed = _NOT_TYPED.sub("", pattern)
    return typed != typed.lower()


def _expression(pattern: str, exact: bool) -> str | None:
    """The pattern, if it is a regular expression that means more than its words."""
    if _MEANS_MORE.search(pattern) is None:
        return None
    try:
        Pattern(pattern, 0 if exact else re.IGNORECASE)
    except (re.error, ValueError, OverflowError, RecursionError, MemoryError):
        return None
    return pattern


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
