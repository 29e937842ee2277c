r"""Backslash escapes in what people type, `str` and `bytes` arguments and rules, after the rules of Python's literals.

A backslash that starts no escape stays: paths and regular expressions are typed more often than control characters.
"""

from __future__ import annotations

import re
import unicodedata

_SIMPLE = {"\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_IN_TEXT = re.compile(
    r"""\\(?:(?P<simple>[\\'"abfnrtv])|(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{2})|u(?P<u4>[0-9a-fA-F]{4})"""
    r"""|U(?P<u8>[0-9a-fA-F]{8})|N\{(?P<name>[^}]+)\})"""
)
_IN_BYTES = re.compile(r"""\\(?:(?P<simple>[\\'"abfnrtv])|(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{2})|(?P<bad>x))""")


def expand(text: str) -> str:
    """`text` with its escapes replaced; ValueError for an escape that names no character."""
    return _IN_TEXT.sub(_character, text) if "\\" in text else text


def expand_bytes(text: str) -> bytes:
    r"""The bytes that `text` stands for: UTF-8 of what is typed, `\xNN` and octal for single bytes."""
    result, end = [], 0
    for found in _IN_BYTES.finditer(text):
        result.append(_encoded(text, end, found.start()))
        result.append(_octets(found))
        end = found.end()
    result.append(_encoded(text, end, len(text)))
    return b"".join(result)


def _encoded(text: str, start: int, end: int) -> bytes:
    try:
        return text[start:end].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise ValueError(f"column {start + error.start + 1}: half a surrogate pair stands for no bytes") from None


def _character(found: re.Match[str]) -> str:
    if found["simple"]:
        return _SIMPLE[found["simple"]]
    if found["name"]:
        try:
            return unicodedata.lookup(found["name"])
        except KeyError:
            raise ValueError(f"no character is called {found['name']!r}") from None
    number = int(found["octal"], 8) if found["octal"] else int(found["hex"] or found["u4"] or found["u8"], 16)
    if number > 0x10FFFF:
        raise ValueError(f"{found.group()} is beyond the last character, \\U0010ffff")
    return chr(number)


def _octets(found: re.Match[str]) -> bytes:
    if found["simple"]:
        return _SIMPLE[found["simple"]].encode()
    if found["bad"]:
        raise ValueError(rf"column {found.start() + 1}: \x needs two hexadecimal digits")
    number = int(found["octal"], 8) if found["octal"] else int(found["hex"], 16)
    if number > 0xFF:
        raise ValueError(f"column {found.start() + 1}: {found.group()} is larger than one byte")
    return bytes((number,))
