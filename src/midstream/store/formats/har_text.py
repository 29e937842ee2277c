"""Bodies as text of a HAR, and back: which bytes are text, and which bytes a text stands for.

Used by the modules that write and read HAR files. Content encodings are their business; here bodies are decoded ones.
HAR keeps text as UTF-8 whatever it was written in (HAR 1.2, `content`), so that its bytes are those of the charset that
Content-Type names. Whatever would come back as other bytes is no text for us and goes as base64.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Generator, Iterator
from typing import Final

from midstream.flows import charset

QUICK: Final = 1 << 18
"""Bytes of a body that are looked at in one go; larger ones piece by piece, so that the loop goes on meanwhile."""

_PIECE = 1 << 16
# Nobody's text holds these, and terminals and editors that a HAR is opened in would obey some.
_BINARY = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


def text_of(content: bytes, content_type: str) -> str | None:
    """The text that a small body is, None when it is none. `bytes_of` makes the same bytes of it again."""
    encoding = _encoding(content_type, content)
    try:
        text = content.decode(encoding)
        if not _BINARY.search(text) and text.encode(encoding) == content:
            return text if bytes_of(text, content_type) == content else None
    except ValueError:
        pass
    return None


def is_long_text(content: bytes, content_type: str) -> Generator[bytes, None, bool]:
    """Whether a large body is text, as the value of the generator; what it yields are pauses.

    Only UTF-8 is, since it comes back as the same bytes however it is cut.
    """
    if codecs.lookup(_encoding(content_type, content)).name != "utf-8" or is_ambiguous(content, content_type):
        return False
    try:
        for piece in text_pieces(content):
            if _BINARY.search(piece):
                return False
            yield b""
    except ValueError:
        return False
    return True


def text_pieces(content: bytes) -> Iterator[str]:
    """UTF-8 piece by piece. Raises ValueError."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _PIECE):
        yield decoder.decode(content[start : start + _PIECE], start + _PIECE >= len(content))


def base64_pieces(content: bytes) -> Iterator[bytes]:
    """Base64 piece by piece."""
    size = _PIECE - _PIECE % 3  # so that padding comes at the end only
    for start in range(0, len(content), size):
        yield base64.b64encode(content[start : start + size])


def bytes_of(text: str, content_type: str, size: object = None) -> bytes:
    """The bytes of a text in the charset that Content-Type names, UTF-8 if it names none or cannot write the text.

    `size` is the number of bytes that the file tells of. Where nothing names a charset, programs differ: it decides.
    """
    encoding = _encoding(content_type, text[:4096].encode("ascii", "replace"))
    for candidate in (encoding, "utf-8"):
        try:
            data = text.encode(candidate)
        except ValueError:
            continue
        if candidate == "utf-8" and len(data) != size == len(text) and _names_none(content_type, data):
            # mitmproxy takes what names no charset for Latin-1.
            return text.encode("latin-1", "ignore") if _is_latin(text) else data
        return data
    return text.encode("utf-8", "replace")


def from_base64(text: str) -> bytes | None:
    """The bytes of a base64 text, None when it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_ambiguous(content: bytes, content_type: str) -> bool:
    """Whether readers would differ about what these bytes are as text."""
    return not content.isascii() and _names_none(content_type, content)


def shown(data: bytes) -> str:
    """Bytes of a head: UTF-8 if they are, otherwise byte by byte, as browsers show them."""
    try:
        return data.decode("utf-8")
    except ValueError:
        return data.decode("latin-1")


def to_bytes(text: str) -> bytes:
    """Text as it stands in a head. What no bytes stand for becomes a question mark."""
    return text.encode("utf-8", "replace")


def _encoding(content_type: str, content: bytes) -> str:
    if _names_none(content_type, content):
        return "utf-8"
    encoding = charset.guess(content_type, content)
    return encoding if charset.is_text_codec(encoding) else "utf-8"


def _names_none(content_type: str, content: bytes) -> bool:
    return charset.guess(content_type, content) == "latin-1"  # what `guess` says when nothing tells it


def _is_latin(text: str) -> bool:
    return max(text, default="") <= "\xff"
