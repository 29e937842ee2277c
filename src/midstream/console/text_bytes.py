"""Bytes as text that can be edited, and back: what is not touched comes back as the same bytes (P1).

The editors in place call it. It guesses nothing about what the bytes mean: the caller names the encoding.
"""

from __future__ import annotations

from typing import NamedTuple


class TextForm(NamedTuple):
    """How a text stands for bytes: its encoding, and whether its line ends are CR LF, which then are not shown."""

    encoding: str = "utf-8"
    is_crlf: bool = False


def to_text(data: bytes, encoding: str = "utf-8") -> tuple[str, TextForm]:
    """The text of bytes; what is not written in the encoding is read as UTF-8, with surrogates for other bytes."""
    is_crlf = b"\n" in data and data.count(b"\n") == data.count(b"\r\n")
    for wanted in (encoding, "utf-8"):
        try:
            text = data.decode(wanted, "surrogateescape" if wanted == "utf-8" else "strict")
            form = TextForm(wanted, is_crlf)
            text = text.replace("\r\n", "\n") if is_crlf else text
            if to_bytes(text, form) == data:
                return text, form
        except (ValueError, LookupError):
            continue
    return data.decode("utf-8", "surrogateescape"), TextForm()


def to_bytes(text: str, form: TextForm) -> bytes:
    """The bytes of a text. ValueError names the line of a character that the encoding lacks."""
    whole = text.replace("\n", "\r\n") if form.is_crlf else text
    try:
        return whole.encode(form.encoding, "surrogateescape")
    except UnicodeEncodeError as error:
        line = whole.count("\n", 0, error.start) + 1
        found = whole[error.start]
        what = repr(found) if found.isprintable() else f"U+{ord(found):04X}"
        raise ValueError(f"line {line}: {what} cannot be written in {form.encoding}") from None
