"""JSON for reading: line breaks and indentation put in, nothing else touched; and which part of a line is what.

Tokens are moved, never parsed into values: numbers keep their digits, doubled keys stay doubled, strings keep their
escapes. The detail pane shows the result; it never flows back into a message (P1). Works in steps, since a body may be
large, and in bounded memory, since it may be nothing but brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.console.widgets.canvas import Run

_TOKEN = re.compile(
    rb'[ \t\r\n]*(?:("(?:[^"\\\x00-\x1f]|\\.)*+")|([\[\]{},:])|(-?[0-9][0-9.eE+-]*|true|false|null))', re.DOTALL
)
_STEP = 2000  # tokens to a step: a millisecond or two
# Deeper levels are not indented further: 100 kB of brackets would become gigabytes of spaces.
_DEEPEST = 40
_MOST_GROWTH = 16
_CLOSING = {b"]": b"[", b"}": b"{"}


class NotJson(ValueError):
    """The text is no JSON, or JSON cut short; it is shown as it is."""


def reindent(data: bytes) -> Iterator[bytes | None]:
    """The text in new lines: yields parts of it, and None after each step of work. NotJson where it is none."""
    allowed = _MOST_GROWTH * len(data) + 1024
    lines: list[bytes] = []
    open_brackets: list[bytes] = []
    position, tokens = 0, 0
    expects_value = True
    line = b""
    while True:
        match = _TOKEN.match(data, position)
        if match is None:
            break
        position = match.end()
        token = match[1] or match[2] or match[3]
        if match[2] is None:
            if not expects_value:
                raise NotJson(f"two values without a comma before byte {position}")
            line += token
            expects_value = False
        elif token in b"[{":
            if not expects_value:
                raise NotJson(f"two values without a comma before byte {position}")
            empty = re.compile(rb"[ \t\r\n]*\]" if token == b"[" else rb"[ \t\r\n]*\}").match(data, position)
            if empty:
                position = empty.end()
                line += token + _partner(token)
                expects_value = False
            else:
                open_brackets.append(token)
                lines.append(line + token)
                line = _indent(len(open_brackets))
        elif token in b"]}":
            if not open_brackets or open_brackets.pop() != _CLOSING[token]:
                raise NotJson(f"{token.decode()} closes nothing at byte {position - 1}")
            lines.append(line)
            line = _indent(len(open_brackets)) + token
            expects_value = False
        elif token == b",":
            if not open_brackets or expects_value:
                raise NotJson(f"a comma without a value before it at byte {position - 1}")
            lines.append(line + b",")
            line = _indent(len(open_brackets))
            expects_value = True
        else:
            line += b": "
            expects_value = True
        tokens += 1
        if tokens % _STEP == 0:
            done = b"".join(part + b"\n" for part in lines)
            allowed -= len(done)
            if allowed < 0:
                raise NotJson("it is nested too deeply to be worth reading")
            lines.clear()
            yield done
            yield None
    if open_brackets or expects_value or data[position:].strip(b" \t\r\n"):
        raise NotJson(f"the text is no JSON from byte {position} on")
    lines.append(line)
    yield b"\n".join(lines)


def _partner(bracket: bytes) -> bytes:
    return b"]" if bracket == b"[" else b"}"


def _indent(depth: int) -> bytes:
    return b"  " * min(depth, _DEEPEST)


_PARTS = re.compile(r'("(?:[^"\\]|\\.)*+"?)(\s*:)?|(-?[0-9][0-9.eE+-]*)|(true|false|null)|([^"\-0-9tfn]+|.)', re.DOTALL)


def coloured(line: str) -> list[Run]:
    """The runs of one visible line of JSON."""
    runs: list[Run] = []
    for string, colon, number, word, _ in _PARTS.findall(line):
        if string and colon:
            runs.append(("syntax.key", string))
            runs.append(("text", colon))
        elif string:
            runs.append(("syntax.string", string))
        elif number:
            runs.append(("syntax.number", number))
        elif word:
            runs.append(("syntax.word", word))
        else:
            runs.append(("text", _))
    return runs
