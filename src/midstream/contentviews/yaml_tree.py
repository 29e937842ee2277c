"""Nested data as YAML, made in steps from events, so that neither size nor depth of the data makes it expensive.

The views of binary formats say what they meet, in the order in which they meet it: `MAP`, then keys and values in turn,
`END`; `LIST`, then values, `END`; texts that are YAML already (`text`, `binary`, `str(5)`), `Value` with a comment.
Tags tell what YAML has no word for (`!binary 00ff`); yaml_nodes.py reads all this back when a person has edited it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from midstream.contentviews.calling import as_bytes
from midstream.contentviews.yaml_text import LONGEST_VALUE, scalar

DEEPEST = 40
"""Levels that a view goes down; what is nested deeper is refused."""

_STEP = 500
# What can stand as it is: lines of printable characters, the first of them neither empty nor indented, one end of line
# at most behind the last.
_BLOCK = re.compile(r"(?! )[^\n]+\n(?:[^\n]*\n)*?(?:[^\n]+\n?)?(?<!\n\n)")
# A value of one byte, deep down, becomes a line with eighty spaces before it.
MOST_GROWTH = 24
_LONGEST_KEY = 500  # before a colon; YAML allows a thousand characters
_LEAST_ALLOWED = 256 * 1024
CUT_TAG = "!cut"
REST_TAG = "!rest"
"""Of bytes behind the last document that are none, in hex."""
SEPARATOR = b"---\n"
"""Stands between two documents."""
CUT_OFF = "# cut off here: "


@dataclass(frozen=True, slots=True)
class Begin:
    """A map or a list begins. A tag and a comment stand on the line before its first entry."""

    kind: Literal["map", "list"]
    tag: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A value with a comment behind it; `text` is YAML."""

    text: str
    comment: str


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on a line of its own: before a value, or as the last of all."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A text of several lines, each on a line of its own."""

    lines: str


class _End:
    __slots__ = ()


MAP: Final = Begin("map")
LIST: Final = Begin("list")
END: Final = _End()
Event: TypeAlias = Begin | _End | Value | Block | Note | str | None
"""None stands for work that was done without anything to write."""


def text(value: str) -> str:
    """A text; in quotes where YAML would read something else. Of very long ones the beginning, tagged `!cut`."""
    return scalar(value) if len(value) <= LONGEST_VALUE else f"{CUT_TAG} {scalar(value)}"


def text_value(value: str) -> Event:
    """The same for values, which may have lines."""
    if "\n" not in value or len(value) > LONGEST_VALUE or not value.replace("\n", "").isprintable():
        return text(value)
    return Block(value) if _BLOCK.fullmatch(value) else text(value)


def binary(value: bytes) -> str:
    """Bytes in hex."""
    if len(value) > LONGEST_VALUE // 2:
        return f"{CUT_TAG} {scalar(value[: LONGEST_VALUE // 2].hex() + f' … {len(value):,} bytes')}"
    return f"!binary {value.hex() or chr(39) * 2}"


def number(value: float) -> str:
    """A number with a point, as YAML writes it: `2.5`, `.inf`, `1.0e+30`."""
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    written = repr(value)
    if "e" in written and "." not in written:  # YAML 1.1 wants the point
        mantissa, _, exponent = written.partition("e")
        written = f"{mantissa}.0e{exponent}"
    return written


def write(events: Iterator[Event], size: int) -> Iterator[bytes | None]:
    """The text in parts, and None after each step of work. `size` is that of the data: the text does not grow to more
    than a multiple of it, it is cut off there, and says so.
    """
    writer, allowed = _Writer(), MOST_GROWTH * size + _LEAST_ALLOWED
    for count, event in enumerate(events, 1):
        if event is not None:
            writer.put(event)
        if count % _STEP == 0 or event is None:
            part = writer.taken()
            allowed -= len(part)
            yield part
            if allowed < 0:
                yield f"{CUT_OFF}it becomes too long to be worth reading\n".encode()
                return
            yield None
    yield writer.taken()


@dataclass(slots=True)
class _Level:
    """A map or list that has begun. `lead` is the key that waits for its value."""

    kind: Literal["map", "list"]
    indent: int
    has_key: bool = False


class _Writer:
    __slots__ = ("_begun", "_levels", "_line", "_lines")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._levels: list[_Level] = []
        self._line: str | None = None  # what the value in hand is written behind
        self._begun: Begin | None = None  # and may be empty

    def taken(self) -> bytes:
        part = as_bytes("".join(self._lines))
        self._lines.clear()
        return part

    def put(self, event: Begin | _End | Value | Block | Note | str) -> None:
        match event:
            case str():
                self._scalar(event, "")
            case Value():
                self._scalar(event.text, event.comment)
            case Block():
                self._block(event.lines)
            case Begin():
                self._open()
                self._begin_value()
                self._begun = event
            case _End():
                self._close()
            case Note():
                self._open()
                if self._line is not None:
                    self._lines.append(f"{self._line}\n")
                    self._line = None
                indent = self._levels[-1].indent if self._levels else 0
                self._lines.append(f"{' ' * indent}# {_one_line(event.text)}\n")

    def _scalar(self, written: str, comment: str) -> None:
        self._open()
        level = self._levels[-1] if self._levels else None
        if level is not None and level.kind == "map" and not level.has_key and len(written) <= _LONGEST_KEY:
            self._line = (" " * level.indent if self._line is None else self._line) + written + ":"
            level.has_key = True
            return
        self._begin_value()
        self._end_line(written, comment)

    def _block(self, lines: str) -> None:
        self._open()
        self._begin_value()
        space = " " * (self._levels[-1].indent + 2 if self._levels else 2)
        chomping = "" if lines.endswith("\n") else "-"
        self._end_line(f"|{chomping}", "")
        self._lines.extend(f"{space}{line}\n" if line else "\n" for line in lines.removesuffix("\n").split("\n"))

    def _begin_value(self) -> None:
        """Put what stands before a value on the line; `?` before a key that is more than a short scalar."""
        level = self._levels[-1] if self._levels else None
        if level is not None and not level.has_key:
            mark = "-" if level.kind == "list" else "?"
            self._line = (" " * level.indent if self._line is None else self._line) + mark

    def _end_line(self, written: str, comment: str) -> None:
        line = f"{self._line} {written}" if self._line else written
        self._lines.append(f"{line}  # {_one_line(comment)}\n" if comment else line + "\n")
        self._line = None
        self._value_ended()

    def _value_ended(self) -> None:
        level = self._levels[-1] if self._levels else None
        if level is not None and level.kind == "map":
            level.has_key = not level.has_key
            if level.has_key:
                self._line = " " * level.indent + ":"

    def _open(self) -> None:
        """The map or list that was announced is not empty."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        outer = self._levels[-1] if self._levels else None
        follows_key = outer is not None and outer.has_key
        indent = outer.indent + 2 if outer is not None else 0
        if outer is not None and follows_key and begun.kind == "list":
            indent = outer.indent
        self._levels.append(_Level(begun.kind, indent))
        if begun.tag or begun.comment or follows_key:
            head = " ".join(part for part in (self._line, begun.tag) if part)
            self._lines.append(f"{head}  # {_one_line(begun.comment)}\n" if begun.comment else head + "\n")
            self._line = None
        elif self._line is not None:
            self._line += " "

    def _close(self) -> None:
        if self._begun is not None:
            begun, self._begun = self._begun, None
            empty = "{}" if begun.kind == "map" else "[]"
            self._end_line(f"{begun.tag} {empty}".strip(), begun.comment)
            return
        self._levels.pop()
        self._line = None
        self._value_ended()


def _one_line(comment: str) -> str:
    """A comment that cannot end before its time."""
    short = comment if len(comment) <= 200 else comment[:200] + " …"
    return "".join(char if char.isprintable() else "." for char in short)
