"""Fuzzy matching for the palette: how well words that are typed fit a text. Plain functions; nothing is painted here.

Each word has to be found: as a part of the text, by the starts of its words, or letter by letter in order. A budget of
5 ms for 5,000 texts rules out walking over letters in Python: `str.find`, bits and a regex do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

LONGEST = 240
"""Characters of a text that are looked at."""

_START = 900  # the whole text begins with the word
_WORD_START = 800
_INSIDE = 500
_INITIALS = 600  # `fr` for flow.resume
_BEGINNINGS = 550  # `strl` for stream_large_bodies
_SCATTERED = 200
_WORD_STARTS = re.compile(r"(?<![a-z0-9])[a-z0-9]")
_NAME = 96  # characters in which single letters are looked for


class Searched:
    """A text as it is looked through, in lower case; it is prepared once, and asked about at each key.

    Only names are looked through for single letters: in long texts that costs more than it finds.
    """

    __slots__ = ("_letters", "is_name", "text")

    def __init__(self, text: str, *, is_name: bool = True) -> None:
        self.text = text[:LONGEST].casefold()
        self.is_name = is_name
        self._letters: tuple[str, dict[str, int]] | None = None

    @property
    def letters(self) -> tuple[str, dict[str, int]]:
        """What its words begin with, and for each character its places in the first part of the text as bits; under ""
        those where words begin. Made when it is asked for: few texts get that far.
        """
        if self._letters is None:
            self._letters = "".join(_WORD_STARTS.findall(self.text)), _spots(self.text[:_NAME])
        return self._letters


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

    __slots__ = ("_characters", "_size", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._size = len(text)
        self._characters = "".join(dict.fromkeys(text))

    def score(self, where: Searched) -> int:
        text = where.text
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
        if self._size < 2 or not where.is_name or any(character not in text for character in self._characters):
            return 0
        initials, spots = where.letters
        if self._text in initials:
            return _INITIALS + short
        if end := _end_of(self._text, spots, spots[""], lambda here: spots[""] & (-(here & -here) << 1)):
            return _BEGINNINGS + short // 4 - min(end, 90)
        if end := _end_of(self._text, spots, -1, _near):
            return _SCATTERED + short - min(end, 90)
        return 0


def _end_of(letters: str, spots: dict[str, int], first: int, jump: Callable[[int], int]) -> int:
    """How far one has to read until all letters have come: each beside the one before, or where one may jump to.

    Places are bits, so that many ways are followed at once; trying them one by one could take for ever.
    """
    here = first & spots.get(letters[0], 0)
    for character in letters[1:]:
        if not here:
            return 0
        here = (here << 1 | jump(here)) & spots.get(character, 0)
    return (here & -here).bit_length()


def _near(here: int) -> int:
    """The places up to thirteen behind."""
    here |= here << 1
    here |= here << 2
    here |= here << 4
    return here << 1 | here << 6


def _spots(text: str) -> dict[str, int]:
    spots = {"": sum(1 << found.start() for found in _WORD_STARTS.finditer(text))}
    for at, character in enumerate(text):
        spots[character] = spots.get(character, 0) | 1 << at
    return spots


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
