"""Fuzzy matching for the palette: how well words that are typed fit a text. Plain functions; nothing is painted here.

Each word has to be found: as a part of the text, by the starts of its words, or letter by letter in order. A budget of
5 ms for 5,000 texts rules out walking over letters in Python: bits, `str.find` and a regex do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

LONGEST = 240
"""Characters of a text that are looked at."""

_START = 900  # the whole text begins with the word
_WORD_START = 800
_INSIDE = 500
_INITIALS = 600  # `fr` for flow.resume
_SCATTERED = 200
_WORD_STARTS = re.compile(r"(?<![a-z0-9])[a-z0-9]")


class Searched(NamedTuple):
    """A text as it is looked through: in lower case, its letters as bits, and what its words begin with.

    Long texts that are no names have no initials: looking for scattered letters in them costs more than it finds.
    """

    text: str
    bits: int
    initials: str


def searched(text: str, *, is_name: bool = True) -> Searched:
    """Prepare a text once; it is asked about at each key."""
    lower = text[:LONGEST].casefold()
    return Searched(lower, _bits(lower), "".join(_WORD_STARTS.findall(lower)) if is_name else "")


def scorer(typed: str) -> Callable[[Searched], int]:
    """A function that gives 0 for no match, else the higher the better."""
    words = [_Word(word[:64]) for word in typed.casefold().split()]
    if len(words) == 1:
        return words[0].score

    def score(where: Searched) -> int:
        total = 1
        for word in words:
            found = word.score(where)
            if not found:
                return 0
            total += found
        return total

    return score


class _Word:
    """One word that is typed. A text is scored by the best way in which it holds it; short texts before long ones."""

    __slots__ = ("_bits", "_scattered", "_size", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._size = len(text)
        self._bits = _bits(text)
        self._scattered = re.compile("[^\n]{0,12}?".join([re.escape(character) for character in text]))

    def score(self, where: Searched) -> int:
        text, bits, initials = where
        if self._bits & ~bits:
            return 0
        size = len(text)
        short = 100 - (size if size < 100 else 99)
        at = text.find(self._text)
        if at == 0:
            return _START + short
        if at > 0:
            if not text[at - 1].isalnum():
                return _WORD_START + short - min(at, 60)
            # A later place may be the start of a word.
            later = max(text.find("." + self._text, at), text.find(" " + self._text, at))
            return (_WORD_START if later >= 0 else _INSIDE) + short - min(max(later, at), 60)
        if self._size < 2 or not initials:
            return 0
        if self._text in initials:
            return _INITIALS + short
        found = self._scattered.search(text)
        return _SCATTERED + short - min(found.end() - found.start(), 90) if found is not None else 0


def _bits(text: str) -> int:
    """The characters of a text as bits: one that lacks a bit of what is typed cannot match."""
    bits = 0
    for character in set(text):
        bits |= 1 << (ord(character) & 63)
    return bits


@lru_cache(256)
def places(typed: str, text: str) -> Sequence[int]:
    """Which characters of a text are those that were typed, to show why it was found."""
    lower = text.casefold()
    if len(lower) != len(text):
        return ()
    found: set[int] = set()
    for word in typed.casefold().split():
        at = lower.find(word)
        if at >= 0:
            found.update(range(at, at + len(word)))
            continue
        at = -1
        spots = []
        for character in word:
            # A letter at the start of a word explains more than one within it.
            start = re.compile(r"(?<![a-z0-9])" + re.escape(character)).search(lower, at + 1)
            at = start.start() if start is not None else lower.find(character, at + 1)
            if at < 0:
                break
            spots.append(at)
        else:
            found.update(spots)
    return sorted(found)
