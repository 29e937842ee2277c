"""Names and values as a YAML mapping, made in steps. What the views of forms and queries show.

Written by hand: all it has to write is a mapping of texts, and the library needs seconds for the fields that a megabyte
can hold. A name that occurs more than once gets the list of its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from midstream.contentviews.calling import as_bytes

_STEP = 500
# Enough of one value to know it by; the rest is in the raw view.
LONGEST_VALUE = 64 * 1024

# What stands without quotes: it begins with a letter or with something that means nothing in YAML …
_PLAIN = re.compile(r"(?:[^\W\d]|[/\\();$^+<])(?:[^:#\s]|:(?=\S)|(?<=\S)#| (?=[^\s#]))*")
# … and is none of the words and numbers of YAML 1.1 or 1.2.
_MEANS_ELSE = re.compile(
    r"(?:true|false|null|yes|no|on|off|y|n)|[-+]?(?:\.inf|\.nan|[0-9._]+(?:e[-+]?[0-9]+)?|0[xob][0-9a-f_]+)|<<",
    re.IGNORECASE,
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1b": "\\e"}


def mapping(pairs: Iterable[tuple[str, str] | None]) -> Iterator[bytes | None]:
    """The text in parts, and None after each step of work; `pairs` may say None where it has worked for long."""
    values: dict[str, list[str]] = {}
    for number, pair in enumerate(pairs, 1):
        if pair is not None:
            name, value = pair
            values.setdefault(name, []).append(value)
        if pair is None or number % _STEP == 0:
            yield None
    lines: list[str] = []
    for line in _lines(values):
        lines.append(line)
        if len(lines) >= _STEP:
            yield as_bytes("".join(lines))
            yield None
            lines.clear()
    yield as_bytes("".join(lines))


def _lines(values: dict[str, list[str]]) -> Iterator[str]:
    for name, listed in values.items():
        if len(listed) == 1:
            yield f"{_read(name)}: {_read(listed[0])}\n"
        else:
            yield f"{_read(name)}:\n"
            for value in listed:
                yield f"- {_read(value)}\n"


def _read(text: str) -> str:
    """Nobody encodes this again: bytes that are no text look as they do in the raw view."""
    return scalar(as_bytes(text).decode("utf-8", "backslashreplace"))


def scalar(text: str) -> str:
    """A text as YAML writes it: bare where it can only be read as this text, else in quotes."""
    if len(text) > LONGEST_VALUE:
        text = f"{text[:LONGEST_VALUE]} … {len(text) - LONGEST_VALUE:,} more"
    if text.isprintable() and _PLAIN.fullmatch(text) and not _MEANS_ELSE.fullmatch(text):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if char.isprintable():
        return char
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
