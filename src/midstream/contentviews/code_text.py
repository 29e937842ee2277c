"""JavaScript, CSS and GraphQL for reading: line breaks and indentation where blocks and statements begin.

Only blanks between tokens are touched, and nothing is parsed into a tree: what is broken is laid out as far as it can
be. The views of these languages show the result; it never flows back into a message (P1). Own code, since the
libraries there are take seconds for a minified file of a megabyte, and cannot be asked to pause: this works in steps
and in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_STEP = 250  # tokens to a step: a millisecond, ten for the worst of them
_DEEPEST = 30
_MOST_GROWTH = 16
_BLANKS = b" \t\f\v\r"


@dataclass(frozen=True)
class Language:
    """`enclosed` matches what is moved as a whole: comments, strings. In a block after a bracket of `opens_object`
    every comma ends a line; `goes_on` is what may follow a closing brace on its line.
    """

    enclosed: re.Pattern[bytes]
    goes_on: re.Pattern[bytes]
    opens_object: re.Pattern[bytes] | None = None
    before_regex: re.Pattern[bytes] | None = None
    has_templates: bool = False
    remarks: tuple[bytes, ...] = (b"//", b"/*")


_STRINGS = rb""""(?:[^"\\\n]|\\(?s:.))*+"|'(?:[^'\\\n]|\\(?s:.))*+'"""
JAVASCRIPT = Language(
    enclosed=re.compile(rb"//[^\n]*+|/\*(?s:.*?)\*/|" + _STRINGS),
    goes_on=re.compile(rb"[^\w\s$}/@#*{]|(?:else|catch|finally|while|from|as|instanceof|in|of)\b"),
    opens_object=re.compile(rb"[=(\[,:?&|]\Z|(?:\A|[^\w$.])return\Z"),
    # Where a slash begins a regular expression, and divides nothing (ECMA-262 §12): after these, or at the beginning.
    before_regex=re.compile(
        rb"(?:\A|[=(\[,:;?&|!{}+*%~^<>-]|(?:\A|[^\w$.])"
        rb"(?:return|typeof|case|in|of|delete|void|throw|new|else|do|instanceof|yield|await))\Z"
    ),
    has_templates=True,
)
CSS = Language(
    enclosed=re.compile(rb"/\*(?s:.*?)\*/|" + _STRINGS + rb"|(?i:url)\(\s*+[^\s)\"']++\s*+\)"),
    goes_on=re.compile(rb"[;)]"),
)
GRAPHQL = Language(
    enclosed=re.compile(rb'#[^\n]*+|"""(?s:.*?)"""|' + _STRINGS),
    goes_on=re.compile(rb"[)\],:]"),
    remarks=(b"#",),
)
# A bound, since a slash that begins none would otherwise be looked at to the end of its line, which may be the file's.
_REGEX = re.compile(rb"/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,500}+\]){1,2000}+/[a-z]*+")
_TEMPLATE = re.compile(rb"(?:[^`\\$]|\\(?s:.)|\$(?!\{))*+(?:`|\$\{|\Z)")
_LINE_BREAKS = re.compile(rb"[ \t\f\v\r]*+\n[ \t\f\v\r\n]*+")
_PLAIN = re.compile(rb"[^{}();,'\"`/\n\[\]u]++|u(?!(?i:rl)\()")
_QUOTES = (b'"', b"'")
_LAST = 16  # characters that tell what a slash or a brace is


def reindent(data: bytes, language: Language) -> Iterator[bytes | None]:
    """The text in new lines: yields parts of it, and None after each step. ValueError when it is nested absurdly."""
    allowed = _MOST_GROWTH * len(data) + 1024
    layout = _Layout(data, language)
    for number, (token, at) in enumerate(_tokens(data, language), 1):
        layout.add(token, at)
        if number % _STEP == 0:
            done = layout.taken()
            allowed -= len(done)
            if allowed < 0:
                raise ValueError("it is nested too deeply to be worth reading")
            yield done
            yield None
    layout.break_line()
    yield layout.taken()


def _tokens(data: bytes, language: Language) -> Iterator[tuple[bytes, int]]:
    """Each token and where it ends. Together they are the data."""
    at, braces = 0, 0
    templates: list[int] = []  # how many braces were open at each `${`
    missing = _Missing(data)
    while at < len(data):
        first = data[at : at + 1]
        match: re.Match[bytes] | None = None
        if first == b"\n":
            match = _LINE_BREAKS.match(data, at)
        elif first == b"`" and language.has_templates:
            match = _TEMPLATE.match(data, at + 1)
        elif first == b"}" and templates and templates[-1] == braces:
            templates.pop()
            match = _TEMPLATE.match(data, at + 1)
        elif not missing.has_no_end(first, at):
            match = language.enclosed.match(data, at)
            if match is None and first in _QUOTES:
                missing.remember(first, at)
            if match is None and first == b"/" and language.before_regex is not None:
                before = data[max(0, at - _LAST) : at].rstrip(_BLANKS + b"\n")
                match = _REGEX.match(data, at) if language.before_regex.search(before) else None
        end = match.end() if match is not None else 0
        if match is not None and match.re is _TEMPLATE and data[end - 2 : end] == b"${":
            templates.append(braces)
        elif first == b"{":
            braces += 1
        elif first == b"}" and match is None:
            braces = max(braces - 1, 0)
        if not end:
            plain = _PLAIN.match(data, at)
            end = plain.end() if plain is not None else at + 1
        yield data[at:end], end
        at = end


class _Missing:
    """Remembers what has no end any more: looking for it again and again would be quadratic."""

    __slots__ = ("_data", "_last_bracket", "_last_comment", "_quotes")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._last_comment = max(data.rfind(b"*/"), data.rfind(b'"""'))
        self._last_bracket = data.rfind(b")")
        self._quotes: dict[bytes, int] = {}

    def has_no_end(self, first: bytes, at: int) -> bool:
        """Whether something begins here that never ends."""
        if first in _QUOTES and at < self._quotes.get(first, 0):
            return True
        if first in (b"u", b"U"):
            return at > self._last_bracket
        return at + 2 > self._last_comment and self._data.startswith((b"/*", b'"""'), at)

    def remember(self, quote: bytes, at: int) -> None:
        """A string that begins here does not end in its line, and none that would begin later there either."""
        end = self._data.find(b"\n", at)
        self._quotes[quote] = end if end >= 0 else len(self._data)


class _Layout:
    """The line that has begun, and the brackets that are open, each with the level of the line that it stands in."""

    __slots__ = ("_brackets", "_data", "_language", "_level", "_line", "_lines")

    def __init__(self, data: bytes, language: Language) -> None:
        self._data = data
        self._language = language
        self._lines: list[bytes] = []
        self._line: list[bytes] = []
        self._level = 0
        # `o` is the brace of an object.
        self._brackets: list[tuple[bytes, int]] = []

    def taken(self) -> bytes:
        """The lines that are done, which are forgotten here."""
        done = b"".join(self._lines)
        self._lines.clear()
        return done

    def break_line(self) -> None:
        """End the line, if one has begun."""
        if line := b"".join(self._line).rstrip(_BLANKS):
            self._lines.append(b"  " * min(self._level, _DEEPEST) + line + b"\n")
        self._line.clear()

    def add(self, token: bytes, end: int) -> None:
        first = token[:1]
        if first == b"\n":
            self._keep_break(token)
        elif token == b"{":
            self._open(end)
        elif token == b"}":
            self._close(end)
        elif token in (b"(", b"["):
            self._put(token)
            self._brackets.append((token, self._level))
        elif token in (b")", b"]"):
            level = None
            if self._brackets and self._brackets[-1][0] in (b"(", b"["):
                level = self._brackets.pop()[1]
            self._put(token, level)
        else:
            self._put(token)
            inner = self._brackets[-1][0] if self._brackets else b"{"
            if (token == b";" and inner != b"(") or (token == b"," and inner == b"o"):
                self._break_before_code(end)

    def _put(self, token: bytes, level: int | None = None) -> None:
        """Add to the line; where it begins one, that stands at a level: the one of the bracket that it closes."""
        if not self._line:
            token = token.lstrip(_BLANKS)
            if not token:
                return
            inside = self._brackets[-1][1] + 1 if self._brackets else 0
            self._level = inside if level is None else level
        self._line.append(token)

    def _keep_break(self, token: bytes) -> None:
        self.break_line()
        if token.count(b"\n") > 1 and self._lines and self._lines[-1] != b"\n":
            self._lines.append(b"\n")

    def _open(self, end: int) -> None:
        before = b"".join(self._line[-3:])[-_LAST:].rstrip(_BLANKS)
        opens_object = self._language.opens_object
        is_object = opens_object is not None and opens_object.search(before) is not None
        if (before[-1:].isalnum() or before[-1:] in (b")", b"]")) and not self._line[-1].endswith(b" "):
            self._line.append(b" ")
        self._put(b"{")
        self._brackets.append((b"o" if is_object else b"{", self._level))
        if self._next(end) != b"}":
            self._break_before_code(end)

    def _close(self, end: int) -> None:
        while self._brackets and self._brackets[-1][0] in (b"(", b"["):  # these were never closed
            self._brackets.pop()
        level = self._brackets.pop()[1] if self._brackets else 0
        if b"".join(self._line[-1:]).rstrip(_BLANKS)[-1:] != b"{":
            self.break_line()
        self._put(b"}", level)
        following = self._data[end : end + 64].lstrip(_BLANKS)
        if following and not self._language.goes_on.match(following):
            self.break_line()
        elif following[:1].isalpha() and self._data[end : end + 1] == following[:1]:
            self._line.append(b" ")

    def _break_before_code(self, end: int) -> None:
        """Break the line, unless a remark follows that belongs to it."""
        following = self._data[end : end + 64].lstrip(_BLANKS)
        if not following.startswith((b"\n", *self._language.remarks)):
            self.break_line()

    def _next(self, end: int) -> bytes:
        return self._data[end : end + 64].lstrip(_BLANKS + b"\n")[:1]
