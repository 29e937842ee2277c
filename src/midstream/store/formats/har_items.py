"""Cuts a HAR into its entries, holding one of them at a time. `har_read` uses it; what an entry means is `har_flow`'s.

A HAR may be as large as a disk, cut or hostile. So its outer levels are walked here by their brackets, and only what is
between those of one entry is given to `json`: a broken entry costs itself, not the file. Nesting costs nothing here, a
string of any length no memory once it is longer than an entry may be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from midstream.store.formats.items import ReadableFile

MAX_ENTRY: Final = 192 << 20
"""Bytes of an entry that is read; a larger one is passed over."""

MOST_VALUES: Final = 2_000_000
"""Values of an entry that is read: `{},` is three bytes in the file, and twenty times as many in memory."""

_PIECE = 1 << 16

_SPACE = re.compile(rb"[ \t\r\n]*+")
# Possessive: each byte is looked at once.
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_OPENING = re.compile(rb"[{\[]++")
_CLOSING = re.compile(rb"[}\]]++")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# With brackets that have none in them, which most have: one step for each would be slow.
_INSIDE = re.compile(
    rb"""(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{\[](?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+[}\]])*+""",
    re.DOTALL,
)
_TO_QUOTE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_TO_END_OF_WORD = re.compile(rb"[^ \t\r\n,:\]}\"{\[]*+")


class HarError(ValueError):
    """This is no HAR, or no whole one; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class HarItem(NamedTuple):
    """One entry: its number from 1 on, where in the file it begins, and its value or what is wrong with it."""

    number: int
    offset: int
    value: Any
    problem: str


def entries(file: ReadableFile, max_entry: int = MAX_ENTRY) -> Iterator[HarItem]:
    """Each element of `log.entries`. Raises HarError where the file is damaged, OSError, EOFError."""
    text = _Text(file)
    text.skip_mark()
    found = False
    for key in _keys(text, "the document"):
        if key == "log" and text.next() == b"{":
            for inner in _keys(text, "log"):
                if inner == "entries" and text.next() == b"[":
                    found = True
                    yield from _elements(text, max_entry)
                else:
                    text.value(0)
        else:
            text.value(0)
    if not found:
        raise HarError("this is JSON, but no HAR: there is no log with entries", 0)


def _elements(text: _Text, max_entry: int) -> Iterator[HarItem]:
    number = 0
    for _ in _separated(text, b"[", b"]", "the entries"):
        number += 1
        offset = text.offset
        data = text.value(max_entry)
        if isinstance(data, str):
            yield HarItem(number, offset, None, data)
            continue
        try:
            yield HarItem(number, offset, json.loads(data.decode("utf-8", "surrogateescape")), "")
        except RecursionError:
            yield HarItem(number, offset, None, "its values are nested too deep")
        except ValueError as error:
            yield HarItem(number, offset, None, f"it is no JSON ({_reason(error)})")


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _keys(text: _Text, where: str) -> Iterator[str]:
    """The keys of an object; whoever walks them takes each value."""
    for _ in _separated(text, b"{", b"}", where):
        offset = text.offset
        raw = text.value(_PIECE) if text.next() == b'"' else ""
        try:
            key = json.loads(raw if isinstance(raw, bytes) else b"")
        except ValueError:
            raise HarError(f"expected a name in {where}", offset) from None
        if text.next() != b":":
            raise HarError(f"expected a colon in {where}", text.offset)
        text.take()
        text.next()
        yield key


def _separated(text: _Text, opening: bytes, closing: bytes, where: str) -> Iterator[None]:
    """Stops before each value between brackets, and ends behind the closing one."""
    if text.next() != opening:
        raise HarError(f"{where} should begin with {opening.decode()}", text.offset)
    text.take()
    if text.next() == closing:
        text.take()
        return
    while True:
        yield
        match text.next():
            case b",":
                text.take()
                if text.next() == closing:  # a comma too many is what people leave behind
                    text.take()
                    return
            case end if end == closing:
                text.take()
                return
            case b"":
                raise HarError(f"the file ends in the middle of {where}", text.offset)
            case _:
                raise HarError(f"expected a comma or {closing.decode()} in {where}", text.offset)


class _Text:
    """The bytes of the file, of which no more than a piece and the value that is taken are held."""

    def __init__(self, file: ReadableFile) -> None:
        self._file = file
        self._data = b""
        self._pos = 0
        self._before = 0

    @property
    def offset(self) -> int:
        """Where in the file the next byte is."""
        return self._before + self._pos

    def skip_mark(self) -> None:
        """Pass over a byte order mark."""
        self._more()
        if self._data.startswith(b"\xef\xbb\xbf"):
            self._pos = 3

    def next(self) -> bytes:
        """The next byte that is no space, still there; nothing at the end."""
        while True:
            match = _SPACE.match(self._data, self._pos)
            assert match is not None
            self._pos = match.end()
            if self._pos < len(self._data) or not self._more():
                return self._data[self._pos : self._pos + 1]

    def take(self) -> None:
        """Pass over the byte that `next` told."""
        self._pos += 1

    def value(self, most: int) -> bytes | str:
        """Pass over a whole value; its bytes, or why it is not read: it is larger than `most`. Raises HarError."""
        first, begin = self.next(), self.offset
        if not first:
            raise HarError("the file ends where a value should be", begin)
        taken = _Taken(most)
        self._walk(first in b"{[", taken, begin)
        return taken.result()

    def _walk(self, is_nested: bool, taken: _Taken, begin: int) -> None:
        """Take bytes until the value that begins here is whole."""
        depth, in_string = 0, False
        while True:
            start, was_in_string = self._pos, in_string
            pattern = _TO_QUOTE if in_string else _INSIDE if depth else _TO_BRACKET if is_nested else _TO_END_OF_WORD
            match = pattern.match(self._data, start)
            assert match is not None
            end = match.end()
            mark = self._data[end : end + 1]
            if in_string and mark == b"\\":  # the last byte of the piece: what it escapes is still to come
                mark = b""
            elif mark == b'"' and (in_string or depth or not (taken.size or end > start)):
                in_string = not in_string
                end += 1
            elif mark in (b"{", b"[") and (depth or is_nested):
                many = _length(_OPENING, self._data, end)
                depth += many
                end += many
                taken.values += many
            elif mark in (b"}", b"]") and depth:
                many = min(_length(_CLOSING, self._data, end), depth)
                depth -= many
                end += many
            elif mark and end == start and not taken.size:
                raise HarError(f"expected a value, found {mark!r}", begin)
            taken.add(self._data[start:end], in_string=was_in_string)
            self._pos = end
            if mark and not in_string and not depth:
                return
            if not mark and not self._more():
                raise HarError("the file ends in the middle of a value", begin)

    def _more(self) -> bool:
        """Read on; what is behind is forgotten."""
        piece = self._file.read(_PIECE) or b""
        self._before += self._pos
        self._data = self._data[self._pos :] + piece
        self._pos = 0
        return bool(piece)


def _length(pattern: re.Pattern[bytes], data: bytes, pos: int) -> int:
    match = pattern.match(data, pos)
    return match.end() - pos if match is not None else 0


class _Taken:
    """Bytes up to a limit, beyond which nothing is kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self.size = 0
        self.values = 0

    def add(self, data: bytes, *, in_string: bool) -> None:
        self.size += len(data)
        if self.size > _PIECE and not in_string:  # a smaller one has few values anyhow
            self.values += data.count(b",") and _STRING.sub(b"", data).count(b",")
        if self._refusal():
            self._parts.clear()
        elif data:
            self._parts.append(data)

    def _refusal(self) -> str:
        if self.size > self._most:
            return f"it is larger than {self._most >> 20} MB"
        return f"it has more than {MOST_VALUES} values" if self.values > MOST_VALUES else ""

    def result(self) -> bytes | str:
        return self._refusal() or b"".join(self._parts)
