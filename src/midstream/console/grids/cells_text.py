r"""Bytes of a cell as text that a person can read and type: UTF-8, with `\n`, `\t`, `\\` and `\xNN` for the rest."""

from __future__ import annotations

import re

from midstream.text.backslashes import expand_bytes

_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile("[\\\\\x00-\x1f\x7f\udc80-\udcff]")


def escaped(data: bytes) -> str:
    """The text of bytes; `unescaped` gives the same bytes again."""
    text = data.decode("utf-8", "surrogateescape")
    return text if text.isprintable() and "\\" not in text else _ESCAPED.sub(_escape, text)


def unescaped(text: str) -> bytes:
    """What was typed, as bytes; ValueError names the column of an escape that stands for none."""
    return expand_bytes(text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return _NAMED.get(character) or f"\\x{ord(character) & 0xFF:02x}"
