"""Regular expressions that people write, searched in data that strangers send: never for longer than an allowance.

Filters search with them, and so does every rule of a user. The language is that of `re`, which reads each pattern
first and says what is wrong with it. The search is that of `regex`, which can stop after a time, lets other threads run
meanwhile, and is faster on nearly everything; its own additions to the language are taken out. Only rare characters of
text are seen otherwise: accents that stand alone and raised digits in \\w, the dotless i without regard to case. Not
for expressions of our own: those are written so that they need no allowance.
"""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any, AnyStr

LIMIT = 0.06
"""Seconds that the searches of one question (one filter, one flow) may take together."""

LEAST = 0.005
"""Seconds for a question whose searches have run out of time again and again, or after another one that just has."""

FORGIVEN = 10.0
"""Seconds without such a search, after which a question may take LIMIT again."""

# Several filters look at the same flow, one right after the other: together they must not hold the loop for long.
_AT_ONCE = 0.02

# `regex` looks at its clock between steps, and one step may walk through all of the data: 8 ms for this many bytes.
# What is larger is searched in a thread, and the search is left alone when its time is over.
_IN_PLACE = 128 * 1024
_MOST_THREADS = 4
_threads = threading.BoundedSemaphore(_MOST_THREADS)

# What `re` takes literally and `regex` does not: braces that are no repetition (`{id}`; there they ask for approximate
# matches), and [ in a set (`[[:alpha:]]`).
_DIFFERENT = re.compile(
    r"\(\?#[^)]*\)|\\N\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?!(?:[0-9]+(?:,[0-9]*)?|,[0-9]*)\})", re.DOTALL
)
_BRACKETS = re.compile(r"\\.|\[", re.DOTALL)


class _Thread(threading.local):
    """What the questions of one thread have in common."""

    ran_out = 0.0
    """When the last search was given up."""


_here = _Thread()


class TooSlow(Exception):
    """A search was given up, so it is not known whether the pattern matches. `pattern` is its text."""

    def __init__(self, pattern: str | bytes) -> None:
        self.pattern = pattern if isinstance(pattern, str) else pattern.decode("utf-8", "backslashreplace")
        super().__init__(f"the regular expression {self.pattern!r} takes too long here")


class Allowance:
    """The time that is left for the searches of one question. `renew` it before each question."""

    __slots__ = ("_full", "_ran_out", "is_needed", "left")

    def __init__(self) -> None:
        self.left = self._full = LIMIT
        self._ran_out = 0.0
        self.is_needed = False
        """Whether a search depends on it."""

    def renew(self) -> None:
        now = time.monotonic()
        if self._full != LIMIT and now - self._ran_out > FORGIVEN:
            self._full = LIMIT
        self.left = self._full if now - _here.ran_out > _AT_ONCE else LEAST

    def run_out(self) -> None:
        """Hostile data comes in numbers: each further search that is given up gets half the time of the last."""
        self.left = 0.0
        self._full = max(self._full / 2, LEAST)
        self._ran_out = _here.ran_out = time.monotonic()


def check(pattern: AnyStr, flags: int = 0) -> None:
    """Raise what `re` raises for a pattern that is none: re.error, ValueError, OverflowError, RecursionError."""
    with warnings.catch_warnings():
        # "possible nested set" and its like are notes for programmers; the meaning is the documented one.
        warnings.simplefilter("ignore")
        re.compile(pattern, flags)


def searcher(pattern: AnyStr, flags: int, allowance: Allowance) -> Callable[[AnyStr], bool]:
    """A function that says whether `pattern` is found; it raises TooSlow. `check` the pattern first.

    Raises re.error and RecursionError for what `regex` cannot compile.
    """
    # Imported here: most filters are plain words, which need no regular expressions.
    import regex

    try:
        search = regex.compile(_plain(pattern), _translated(flags)).search
    except regex.error as error:  # nothing is known that only `re` takes; should there be, it is no crash
        raise re.error(str(error), pattern) from None
    allowance.is_needed = True

    def found(data: AnyStr) -> bool:
        start = time.perf_counter()
        try:
            if allowance.left <= 0:
                raise TimeoutError
            if len(data) > _IN_PLACE:
                return _found_aside(search, data, allowance.left)
            return search(data, timeout=allowance.left) is not None
        except (TimeoutError, MemoryError):
            allowance.run_out()
            raise TooSlow(pattern) from None
        finally:
            allowance.left = max(0.0, allowance.left - (time.perf_counter() - start))

    return found


def _plain(pattern: AnyStr) -> AnyStr:
    """The same for `regex`, without what means more to it than to `re`."""
    if isinstance(pattern, bytes):
        return _plain(pattern.decode("latin-1")).encode("latin-1")
    return _DIFFERENT.sub(_escaped, pattern)


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    if text[0] == "[":
        return "[" + _BRACKETS.sub(lambda inner: "\\[" if inner[0] == "[" else inner[0], text[1:])
    return "\\{" if text == "{" else text


def _translated(flags: int) -> int:
    import regex

    # VERSION0 is the behaviour of `re`; the library's own default is a setting of its module, which others may change.
    known = {re.IGNORECASE: regex.IGNORECASE, re.MULTILINE: regex.MULTILINE, re.DOTALL: regex.DOTALL}
    return int(regex.VERSION0 | sum(ours for theirs, ours in known.items() if flags & theirs))


def _found_aside(search: Callable[..., Any], data: AnyStr, seconds: float) -> bool:
    """Search in a thread of its own. TimeoutError when that takes longer; the thread then ends when it notices."""
    if not _threads.acquire(blocking=False):
        raise TimeoutError
    outcome: list[bool] = []

    def run() -> None:
        try:
            outcome.append(search(data, timeout=seconds, concurrent=True) is not None)
        except (TimeoutError, MemoryError):
            pass
        finally:
            _threads.release()

    thread = threading.Thread(target=run, name="regular expression", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system has no more threads
        _threads.release()
        raise TimeoutError from None
    thread.join(seconds)
    if not outcome:
        raise TimeoutError
    return outcome[0]
