"""XML and HTML for reading: one tag or run of text to a line, indented by how deep it stands; an element that holds
nothing but a short text has one line.

Tags, comments and texts are moved and never changed inside; only blanks at the ends of a text go. No document is
refused: what is no tag is text, and a closing tag without an opening one changes nothing. Works in steps and in linear
time, since the document may be nothing but beginnings of tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STEP = 500  # tokens to a step: a millisecond
_DEEPEST = 30
_MOST_GROWTH = 16
_BLANKS = b" \t\r\n\f"

_NAME = re.compile(rb"<(/?)([A-Za-z_:\x80-\xff][^\s/>]*)")
_TAG_STOP = re.compile(rb"""[>"']""")
# What ends where this ends, whatever stands inside.
_ENCLOSED = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"), (b"<!", b">"))
# Elements of HTML that hold nothing (WHATWG HTML §13.1.2), and those whose text is no markup or keeps its blanks.
_VOID = frozenset(b"area base br col embed hr img input link meta source track wbr".split())
_KEPT = frozenset(b"script style pre textarea".split())
# Which closing tag ends a lot of unclosed elements is looked for no further up than this.
_LOOK_UP = 50
# In a tag with more quotes than this a `>` ends it wherever it stands.
_MOST_QUOTES = 500
_ONE_LINE = 100


def reindent(data: bytes) -> Iterator[bytes | None]:
    """The text in new lines: yields parts of it, and None after each step. ValueError when it is nested absurdly."""
    allowed = _MOST_GROWTH * len(data) + 1024
    lines: list[bytes] = []
    layout = _Layout(lines)
    for number, token in enumerate(_tokens(data), 1):
        if token is not None:
            layout.add(*token)
        if token is None or number % _STEP == 0:
            done = b"".join(lines)
            lines.clear()
            allowed -= len(done)
            if allowed < 0:
                raise ValueError("it is nested too deeply to be worth reading")
            yield done
            yield None
    yield b"".join(lines)


class _Layout:
    """The elements that are open."""

    __slots__ = ("_before", "_lines", "_open")

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._open: list[bytes] = []
        self._before = ("", "")  # what the last two lines are

    def add(self, token: bytes, name: bytes, kind: str) -> None:
        if kind == "close":
            count = 2 if self._before == ("open", "text") else 1 if self._before[1] == "open" else 0
            is_its_own = bool(self._open) and self._open[-1] == name
            self._close(name)
            if is_its_own and count and self._joins(token, count):
                return
        self._before = (self._before[1], kind)
        if kind == "kept":
            self._lines.append(token.strip(b"\r\n") + b"\n")
        else:
            self._lines.append(b"  " * min(len(self._open), _DEEPEST) + token + b"\n")
        if kind == "open":
            self._open.append(name)

    def _joins(self, token: bytes, count: int) -> bool:
        """Put a closing tag behind the opening one, and the text between them, if all of it fits in a line."""
        lines = self._lines[-count:]
        if len(lines) < count or any(b"\n" in line[:-1] for line in lines):
            return False
        joined = lines[0][:-1] + b"".join(line.strip() for line in lines[1:]) + token + b"\n"
        if len(joined) > _ONE_LINE:
            return False
        self._lines[-count:] = [joined]
        self._before = ("", "close")
        return True

    def _close(self, name: bytes) -> None:
        for above in range(1, min(len(self._open), _LOOK_UP) + 1):
            if self._open[-above] == name:
                del self._open[-above:]
                return


def _tokens(data: bytes) -> Iterator[tuple[bytes, bytes, str] | None]:
    """Each token with the name of its element, and what it is: open, close, alone, text, or kept as it stands.

    None after much work that found no token.
    """
    scanner = _Scanner(data)
    at, text, idle = 0, 0, 0
    while at < len(data):
        at = data.find(b"<", at)
        if at < 0:
            break
        end = scanner.end_of_markup(at)
        if end < 0:
            at += 1
            idle += 1
            if idle % _STEP == 0:
                yield None
            continue
        if before := data[text:at].strip(_BLANKS):
            yield before, b"", "text"
        token, (name, kind) = data[at:end], scanner.described(at, end)
        yield token, name, kind
        at = text = end
        if kind == "open" and name in _KEPT:
            at = text = scanner.end_of_kept(name, end)
            if inside := data[end:at].strip(_BLANKS):
                yield (data[end:at] if name != b"script" else inside), b"", "kept"
    if rest := data[text:].strip(_BLANKS):
        yield rest, b"", "text"


class _Scanner:
    """Finds ends, and remembers what is not to be found any more: looking for it again and again would be quadratic."""

    __slots__ = ("_data", "_missing")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._missing: set[bytes] = set()

    def end_of_markup(self, at: int) -> int:
        """Where the markup that begins at `at` ends; -1 when it is none."""
        data = self._data
        for opening, closing in _ENCLOSED:
            if data.startswith(opening, at):
                return self._after(closing, at + len(opening))
        return self._end_of_tag(at) if _NAME.match(data, at) else -1

    def _end_of_tag(self, at: int) -> int:
        data = self._data
        if self._after(b">", at) < 0:
            return -1
        for _ in range(_MOST_QUOTES):
            stop = _TAG_STOP.search(data, at)
            if stop is None:
                break
            if stop[0] == b">":
                return stop.end()
            # A quote that is never closed is a letter like any other.
            at = max(self._after(stop[0], stop.end()), stop.end())
        return self._after(b">", at)

    def described(self, at: int, end: int) -> tuple[bytes, str]:
        """The name in lower case, and what kind of token it is."""
        match = _NAME.match(self._data, at)
        if match is None:
            return b"", "alone"
        name = match[2].lower()
        if match[1]:
            return name, "close"
        return name, "alone" if name in _VOID or self._data[end - 2 : end] == b"/>" else "open"

    def end_of_kept(self, name: bytes, at: int) -> int:
        """Where the closing tag of a script and the like begins, or the end of the document."""
        closing = b"</" + name
        if closing in self._missing:
            return at
        found = re.compile(re.escape(closing), re.IGNORECASE).search(self._data, at)
        if found is None:
            self._missing.add(closing)
            return at
        return found.start()

    def _after(self, closing: bytes, at: int) -> int:
        if closing in self._missing:
            return -1
        found = self._data.find(closing, at)
        if found < 0:
            self._missing.add(closing)
            return -1
        return found + len(closing)
