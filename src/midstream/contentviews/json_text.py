"""JSON for reading: line breaks and indentation put in, nothing else touched.

Tokens are moved, never parsed into values: numbers keep their digits, doubled keys stay doubled, strings keep their
escapes. The JSON view shows the result; it never flows back into a message (P1). Works in steps, since a body may be
large, and in bounded memory, since it may be nothing but brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# NaN and Infinity are no JSON (RFC 8259 §6), but Python and others write them.
_TOKEN = re.compile(
    rb'[ \t\r\n]*(?:("(?:[^"\\\x00-\x1f]++|\\.)*+")|([\[\]{},:])|'
    rb"(-?[0-9][0-9.eE+-]*|true|false|null|NaN|-?Infinity))",
    re.DOTALL,
)
_STEP = 2000  # tokens to a step: a millisecond or two
# Deeper levels are not indented further: 100 kB of brackets would become gigabytes of spaces.
_DEEPEST = 40
_MOST_GROWTH = 16
_PARTNERS = {b"[": b"]", b"{": b"}"}
_EMPTY = {b"[": re.compile(rb"[ \t\r\n]*\]"), b"{": re.compile(rb"[ \t\r\n]*\}")}


# What may stand at the end of a text that was cut: nothing, or a string or word that has begun.
_BEGUN = re.compile(
    rb'(?:"(?:[^"\\\x00-\x1f]++|\\.)*+\\?|t(?:ru?)?|f(?:al?s?)?|n(?:ul?)?|Na?|-?(?:I[a-z]*)?)?', re.DOTALL
)
_LOOK = 4096


class NotJson(ValueError):
    """The text is no JSON, or JSON cut short; it is shown as it is."""


class CutShort(NotJson):
    """The text ends before the JSON does."""


def begins_as_json(data: bytes) -> bool:
    """Whether this is an object or a list as far as a look at the beginning can tell."""
    if data[:64].lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
        return False
    try:
        for _ in reindent(data[:_LOOK]):
            pass
    except CutShort:
        return len(data) > _LOOK
    except NotJson:
        return False
    return True


def reindent(data: bytes) -> Iterator[bytes | None]:
    """The text in new lines: yields parts of it, and None after each step of work. NotJson where it is none."""
    allowed = _MOST_GROWTH * len(data) + 1024
    layout = _Layout()
    position, tokens = 0, 0
    while (match := _TOKEN.match(data, position)) is not None:
        position = match.end()
        if match[2] is None:
            layout.scalar(match[1] or match[3])
        elif match[2] in b"[{":
            empty = _EMPTY[match[2]].match(data, position)
            position = empty.end() if empty else position
            layout.open(match[2], is_empty=empty is not None)
        else:
            layout.punctuation(match[2])
        tokens += 1
        if tokens % _STEP == 0:
            done = layout.taken()
            allowed -= len(done)
            if allowed < 0:
                raise NotJson("it is nested too deeply to be worth reading")
            yield done
            yield None
    rest = data[position:].strip(b" \t\r\n")
    if not layout.is_whole and _BEGUN.fullmatch(rest):
        raise CutShort("the text ends before the JSON does")
    if not layout.is_whole or rest:
        raise NotJson(f"the text is no JSON from byte {position} on")
    yield layout.taken() + layout.line


def in_one_line(data: bytes, like: bytes = b"") -> bytes:
    """JSON without what `reindent` puts in; with the blanks behind commas and colons that `like` has."""
    blanks = [(b"", b""), (b" ", b" "), (b"", b" "), (b" ", b"")]
    like = like.strip()
    style = next((each for each in blanks if like and _spaced(like, each) == like), blanks[0])
    return _spaced(data, style)


def _spaced(data: bytes, blanks: tuple[bytes, bytes]) -> bytes:
    behind = {b",": b"," + blanks[0], b":": b":" + blanks[1]}
    tokens = (match[1] or match[2] or match[3] for match in _TOKEN.finditer(data))
    return b"".join(behind.get(token, token) for token in tokens)


class _Layout:
    """The lines made so far, and the grammar as far as brackets and commas go."""

    __slots__ = ("_expects_value", "_lines", "_open", "line")

    def __init__(self) -> None:
        self.line = b""
        self._lines: list[bytes] = []
        self._open: list[bytes] = []
        self._expects_value = True

    @property
    def is_whole(self) -> bool:
        return not self._open and not self._expects_value

    def taken(self) -> bytes:
        """The lines that are done, which are forgotten here."""
        done = b"".join(line + b"\n" for line in self._lines)
        self._lines.clear()
        return done

    def scalar(self, token: bytes) -> None:
        self._value()
        self.line += token
        self._expects_value = False

    def open(self, bracket: bytes, *, is_empty: bool) -> None:
        self._value()
        if is_empty:
            self.line += bracket + _PARTNERS[bracket]
            self._expects_value = False
            return
        self._open.append(bracket)
        self._end(bracket)

    def punctuation(self, token: bytes) -> None:
        if token == b":":
            self.line += b": "
            self._expects_value = True
        elif token == b",":
            if not self._open or self._expects_value:
                raise NotJson("there is a comma without a value before it")
            self._end(token)
            self._expects_value = True
        else:
            if not self._open or _PARTNERS[self._open.pop()] != token:
                raise NotJson(f"{token.decode()} closes nothing")
            self._end(b"")
            self.line += token
            self._expects_value = False

    def _value(self) -> None:
        if not self._expects_value:
            raise NotJson("there are two values without a comma between them")

    def _end(self, token: bytes) -> None:
        self._lines.append(self.line + token)
        self.line = b"  " * min(len(self._open), _DEEPEST)
