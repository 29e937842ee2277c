"""Regular expressions that people write, searched in data that strangers send: never for longer than an allowance.

Filters search with them by `searcher`, rules of users find and replace with a `Pattern`. The language is that of `re`,
which reads each pattern first and says what is wrong with it. The search is that of `regex`, which can stop after a
time, lets other threads run meanwhile, and is faster on nearly everything; its own additions to the language are taken
out. Only rare characters of text are seen otherwise: accents that stand alone and raised digits in \\w, the dotless i
without regard to case. Not for expressions of our own: those are written so that they need no allowance.
"""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any, AnyStr, Generic

LIMIT = 0.06
"""Seconds that the searches of one question (one filter, one flow) may take together."""

LEAST = 0.005
"""Seconds for a question whose searches have run out of time again and again, or after another one that just has."""

IN_THREAD = 2.0
"""Seconds for a replacement in a large body, which is made in a thread, so that nobody waits for it but its reader."""

MOST_REPLACED = 1_000_000
"""Matches that one replacement replaces, and `LARGEST_RESULT` the bytes that it may add: more is no text."""
LARGEST_RESULT = 256 * 1024 * 1024

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

    __slots__ = ("_full", "_most", "_ran_out", "is_needed", "left")

    def __init__(self, most: float = LIMIT) -> None:
        self.left = self._full = self._most = most
        self._ran_out = 0.0
        self.is_needed = False
        """Whether a search depends on it."""

    def renew(self) -> None:
        now = time.monotonic()
        if self._full != self._most and now - self._ran_out > FORGIVEN:
            self._full = self._most
        is_crowded = self._most == LIMIT and now - _here.ran_out <= _AT_ONCE
        self.left = LEAST if is_crowded else self._full

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
    search = _compiled(pattern, flags).search
    allowance.is_needed = True

    def found(data: AnyStr) -> bool:
        # What others do on a busy machine is no fault of the expression: `regex` counts its own work as well.
        clock = time.thread_time if len(data) <= _IN_PLACE else time.perf_counter
        start = clock()
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
            allowance.left = max(0.0, allowance.left - (clock() - start))

    return found


class Pattern(Generic[AnyStr]):
    """An expression of a rule, which finds in short texts, and replaces in bodies, too. Each call is a question of its
    own. Raises what `check` raises.
    """

    __slots__ = ("_in_thread", "_on_loop", "_regex", "pattern")

    def __init__(self, pattern: AnyStr, flags: int = 0) -> None:
        check(pattern, flags)
        self.pattern: AnyStr = pattern
        self._regex = _compiled(pattern, flags)
        self._on_loop, self._in_thread = Allowance(), Allowance(IN_THREAD)

    def find(self, text: AnyStr) -> Any:
        """The first match as `re` gives it, or None. Raises TooSlow."""
        return self._asked(self._on_loop, lambda seconds: self._regex.search(text, timeout=seconds))

    def spans(self, text: AnyStr, most: int, seconds: float) -> list[tuple[int, int]]:
        """Start and end of the first matches that are not empty. Raises TooSlow after so many seconds."""
        found: list[tuple[int, int]] = []
        try:
            for match in self._regex.finditer(text, timeout=seconds):
                if match.end() > match.start():
                    found.append(match.span())
                    if len(found) >= most:
                        break
        except (TimeoutError, MemoryError):
            raise TooSlow(self.pattern) from None
        return found

    def begins(self, data: AnyStr, start: int, end: int, seconds: float) -> list[int]:
        """Where the matches in a part of large data begin. To be called in a thread: others run meanwhile. Raises
        TooSlow after so many seconds.
        """
        try:
            found = self._regex.finditer(data, start, end, timeout=seconds, concurrent=True)
            return [match.start() for match in found if match.end() > match.start()]
        except (TimeoutError, MemoryError):
            raise TooSlow(self.pattern) from None

    def replace(self, data: AnyStr, template: AnyStr, *, in_thread: bool = False) -> AnyStr:
        """`data` with every match replaced by what the template of `re.sub` gives; `data` itself if there was none.

        `in_thread`: the caller runs in a thread, which may take its time. Raises TooSlow.
        """
        most = max(1, min(MOST_REPLACED, LARGEST_RESULT // (len(template) or 1)))
        new, count = self._asked(
            self._in_thread if in_thread else self._on_loop,
            lambda seconds: self._regex.subn(template, data, most, timeout=seconds, concurrent=in_thread),
        )
        if count == most:
            raise TooSlow(self.pattern)
        return new if count else data

    def _asked(self, allowance: Allowance, ask: Callable[[float], Any]) -> Any:
        allowance.renew()
        try:
            return ask(allowance.left)
        except (TimeoutError, MemoryError):
            allowance.run_out()
            raise TooSlow(self.pattern) from None


def check_template(pattern: AnyStr, flags: int, template: AnyStr) -> None:
    """Raise re.error for a template of `re.sub` that does not fit the pattern."""
    try:
        re.sub(pattern, template, pattern[:0], flags=flags)
    except IndexError as error:
        raise re.error(str(error)) from None


def literal(template: AnyStr) -> AnyStr:
    """A template that stands for these very characters."""
    if isinstance(template, bytes):
        return template.replace(b"\\", rb"\\")
    return template.replace("\\", r"\\")


def _compiled(pattern: AnyStr, flags: int) -> Any:
    # Imported here: most filters are plain words, which need no regular expressions.
    import regex

    try:
        return regex.compile(_plain(pattern), _translated(flags))
    except regex.error as error:  # nothing is known that only `re` takes; should there be, it is no crash
        raise re.error(str(error), pattern) from None


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
