"""Guess which of the known words a mistyped word was meant to be.

Used by every message about an unknown option, command, event, mode or operator. Not a completion engine.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# difflib is quadratic in the word; nobody means a known name with a longer one.
_LONGEST_WORD = 80


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `word`, letter case aside, or None when nothing is near."""
    if len(word) > _LONGEST_WORD:
        return None
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The end of an error sentence: `; did you mean 'reverse'?`, or nothing."""
    guess = nearest(word, candidates)
    return f"; did you mean {guess!r}?" if guess is not None else ""
