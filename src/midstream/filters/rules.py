"""Rules that people write: `[/filter]/subject/replacement`, and `/filter/status` for what is blocked.

The first character is the separator, so that rules about paths can have another one than a slash. What the subject and
the replacement mean is decided by the addon whose option holds the rule (`map_remote`, `modify_body` …), with the
functions here. Applies nothing.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import AnyStr

from midstream.filters.errors import FilterError
from midstream.filters.filter import Filter, match_all, parse
from midstream.text import backslashes
from midstream.text.escape import visible
from midstream.text.patterns import Pattern

KILL = 444
"""The status that stands for no answer at all."""

LARGEST_FILE = 64 * 1024 * 1024
"""A file with a replacement that is larger is not read."""

_LONGEST_SHOWN = 200

_DOUBLED = re.compile(r"\\(?:(\\)|.)", re.DOTALL)


class RuleError(ValueError):
    """A text that is no rule: what, where and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts of a rule; `matches` is true for every flow if it has no filter. `text` is all of it, for messages."""

    text: str
    matches: Filter
    subject: str
    replacement: str
    separator: str
    subject_at: int
    """The column at which the subject begins."""

    def error(self, reason: str, offset: int = 0) -> RuleError:
        """What is wrong with the subject, at that place of it."""
        return RuleError(f"{shown(self.text)}: column {self.subject_at + offset}: {reason}")


@dataclass(frozen=True, slots=True)
class Blocking:
    """The parts of a rule of `block_list`."""

    text: str
    matches: Filter
    status_code: int


def parse_rule(text: str) -> Rule:
    """Read `[/filter]/subject/replacement`. Separators beyond these belong to the replacement. Raises RuleError."""
    separator, rest = text[:1], text[1:]
    parts = rest.split(separator, 2) if separator else []
    match parts:
        case [subject, replacement]:
            rule = Rule(text, match_all, subject, replacement, separator, 2)
        case [expression, subject, replacement]:
            matches = _filter(text, expression)
            rule = Rule(text, matches, subject, replacement, separator, len(expression) + 3)
        case _:
            raise RuleError(
                f"{shown(text)} is no rule: it begins with a separator of your choice, as in /old/new or |~q|old|new"
            )
    _check_separator(rule)
    return rule


def parse_blocking(text: str) -> Blocking:
    """Read `/filter/status`. Raises RuleError."""
    separator, rest = text[:1], text[1:]
    expression, found, status = rest.rpartition(separator) if separator else ("", "", "")
    if not found or separator in expression:
        raise RuleError(
            f"{shown(text)} is no rule: it has a filter and a status, as in /~d ads.example/404 or :~u /track:444"
        )
    number = int(status) if status.strip().isascii() and status.strip().isdecimal() and len(status) < 9 else 0
    if not 200 <= number <= 599:
        raise RuleError(
            f"{shown(text)}: column {len(expression) + 3}: {shown(status)!r} is no status of an answer; "
            f"200 to 599 are, and {KILL} closes the connection"
        )
    return Blocking(text, _filter(text, expression), number)


def text_pattern(rule: Rule) -> Pattern[str]:
    """The subject as an expression for URLs. Raises RuleError."""
    return _pattern(rule, rule.subject, 0)


def body_pattern(rule: Rule) -> Pattern[bytes]:
    r"""The subject as an expression for bodies, where a dot matches a line break, too. Raises RuleError.

    Doubled backslashes stand for one, as in the replacement. All other escapes are those of regular expressions, in
    which \b is the edge of a word.
    """
    single = _DOUBLED.sub(lambda found: found[1] or found[0], rule.subject)
    try:
        subject = single.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise rule.error("half a surrogate pair stands for no bytes") from None
    return _pattern(rule, subject, re.DOTALL)


class Replacement:
    """What a rule puts in: the bytes that its text stands for, or what is in a file whenever that is asked for."""

    __slots__ = ("literal", "path")

    def __init__(self, rule: Rule) -> None:
        text = rule.replacement
        self.path: Path | None = None
        self.literal = b""
        if text.startswith("@"):
            self.path = expanded(rule, text[1:])
            return
        try:
            self.literal = backslashes.expand_bytes(text)
        except ValueError as error:
            raise RuleError(f"{shown(rule.text)}: in the replacement: {error}") from None

    def check(self, rule: Rule) -> None:
        """Raise RuleError if there is no such file now."""
        if self.path is None:
            return
        try:
            _check_file(self.path)
        except (OSError, ValueError) as error:
            raise RuleError(f"{shown(rule.text)}: cannot read {shown(str(self.path))}: {why(error)}") from None

    def read(self) -> bytes:
        """The bytes. Raises OSError."""
        if self.path is None:
            return self.literal
        _check_file(self.path)  # a pipe would have us wait
        with self.path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise OSError(f"it is larger than {LARGEST_FILE // 1024**2} MiB")
        return content


def expanded(rule: Rule, text: str) -> Path:
    """A path with `~` replaced. Raises RuleError."""
    try:
        if "\0" in text:
            raise ValueError("a path cannot hold NUL")
        return Path(text).expanduser()
    except (RuntimeError, ValueError) as error:  # an unknown ~user
        raise RuleError(f"{shown(rule.text)}: {shown(text)} is no path: {error}") from None


def why(error: OSError | ValueError) -> str:
    """The reason why a file cannot be read, without number and path; a ValueError is about a name that is none."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "no file can have this name"


def shown(text: str) -> str:
    """A rule or a part of it, as it may stand in a message."""
    return visible(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def _check_file(path: Path) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError("it is a folder" if stat.S_ISDIR(mode) else "it is no regular file")


def _filter(text: str, expression: str) -> Filter:
    if not expression:
        raise RuleError(f"{shown(text)}: column 2: the filter is empty; leave it out with its separator, or write ~all")
    try:
        return parse(expression)
    except FilterError as error:
        raise RuleError(f"{shown(text)}: column {error.column + 1}: {error.reason}") from None


def _check_separator(rule: Rule) -> None:
    """A slash in a URL or a path is a separator as well: what looks like that is hardly ever meant."""
    url = rule.subject.lower() in ("http:", "https:") and rule.replacement.startswith("/")
    file = rule.subject == "@" and os.path.exists("/" + rule.replacement)
    scheme = rule.subject == "" and rule.matches.pattern.lower() in ("http:", "https:")
    if rule.separator == "/" and (url or file or scheme):
        raise RuleError(
            f"{shown(rule.text)}: each / separates, those of a URL or a path as well; "
            "begin the rule with another character, as |"
        )


def _pattern(rule: Rule, subject: AnyStr, flags: int) -> Pattern[AnyStr]:
    try:
        return Pattern(subject, flags)
    except re.error as error:
        offset = (error.pos or 0) if subject in (rule.subject, rule.subject.encode("ascii", "replace")) else 0
        raise rule.error(f"this is no regular expression: {error.msg}", offset) from None
    except ValueError as error:  # flags that exclude each other
        raise rule.error(f"this is no regular expression: {error}") from None
    except (OverflowError, RecursionError, MemoryError):
        raise rule.error("this regular expression is too large") from None
