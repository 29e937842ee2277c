"""`mitmproxy.utils.strutils`: text and bytes, and how both are made fit to be shown."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator

SINGLELINE_CONTENT = r".*?"
MULTILINE_CONTENT = r"[\s\S]*?"
MULTILINE_CONTENT_LINE_CONTINUATION = r"(?:.|(?<=\\)\n)*?"
NO_ESCAPE = r"(?<!\\)(?:\\\\)*"

_SPACING = {"\t", "\n", "\r"}
_PRIVATE_USE = 0xE000  # where characters hide while a text is cut into pieces
_BEGINNING = 100  # bytes that tell what the rest is


def always_bytes(value: str | bytes | None, *encode_args: str) -> bytes | None:
    """Text encoded (UTF-8 unless told otherwise), bytes and None as they are; TypeError for the rest."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode(*encode_args)
    raise TypeError(f"expected str or bytes, not {type(value).__name__}")


def always_str(value: str | bytes | None, *decode_args: str) -> str | None:
    """Bytes decoded (UTF-8 unless told otherwise), text and None as they are; TypeError for the rest."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(*decode_args)
    raise TypeError(f"expected str or bytes, not {type(value).__name__}")


def escape_control_characters(text: str, keep_spacing: bool = True) -> str:
    """ASCII control characters as dots; tabs and line ends may stay."""
    if not isinstance(text, str):
        raise ValueError(f"expected str, not {type(text).__name__}")
    kept = _SPACING if keep_spacing else set()
    return "".join("." if (c < " " or c == "\x7f") and c not in kept else c for c in text)


def bytes_to_escaped_str(data: bytes, keep_spacing: bool = False, escape_single_quotes: bool = False) -> str:
    r"""Bytes as ASCII with `\x00`, `\n` and the like; `keep_spacing` leaves tabs and line ends as they are."""
    if not isinstance(data, bytes):
        raise ValueError(f"expected bytes, not {type(data).__name__}")
    # The double quote in front makes repr leave double quotes alone and escape single ones.
    text = repr(b'"' + data)[3:-1]
    if not escape_single_quotes:
        text = re.sub(rf"{NO_ESCAPE}\\'", lambda found: found[0][:-2] + "'", text)
    if keep_spacing:
        plain = {"n": "\n", "r": "\r", "t": "\t"}
        text = re.sub(rf"({NO_ESCAPE})\\([nrt])", lambda found: found[1] + plain[found[2]], text)
    return text


def escaped_str_to_bytes(data: str) -> bytes:
    """The opposite of `bytes_to_escaped_str`; ValueError for a broken escape."""
    if not isinstance(data, str):
        raise ValueError(f"expected str, not {type(data).__name__}")
    # What pickle reads its strings with: the one place where Python unescapes bytes.
    return codecs.escape_decode(data.encode())[0]


def is_mostly_bin(s: bytes) -> bool:
    """Whether the beginning holds so many bytes that are no text (nearly a third) that it is none."""
    if not s:
        return False
    beginning = s[:_BEGINNING]
    odd = sum(byte < 9 or 13 < byte < 32 for byte in beginning)
    if not _is_utf8(beginning, was_cut=len(s) > _BEGINNING):
        odd += sum(byte > 126 for byte in beginning)
    return odd / len(beginning) >= 0.3


def _is_utf8(data: bytes, was_cut: bool) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return was_cut and error.start >= len(data) - 3  # the cut went through a character
    return True


def is_xml(s: bytes) -> bool:
    """Whether the first character that is no white space opens a tag."""
    return s.lstrip(b" \t\r\n\x0b\x0c")[:1] == b"<"


def clean_hanging_newline(t: str) -> str:
    """The text without one line end at its end."""
    return t.removesuffix("\n")


def hexdump(s: bytes) -> Iterator[tuple[str, str, str]]:
    """Offset, sixteen bytes in hex, and what of them is printable."""
    for offset in range(0, len(s), 16):
        piece = s[offset : offset + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        yield f"{offset:0=10x}", f"{piece.hex(' '):<47}", shown


def cut_after_n_lines(content: str, n: int) -> str:
    """The first `n` lines."""
    return "".join(content.splitlines(keepends=True)[:n])


def split_special_areas(data: str, area_delimiter: Iterable[str]) -> list[str]:
    """Cut a text into what lies outside and inside of areas (strings, comments) that these patterns match."""
    return re.split("({})".format("|".join(area_delimiter)), data, flags=re.MULTILINE)


def escape_special_areas(data: str, area_delimiter: Iterable[str], control_characters: Iterable[str]) -> str:
    """Hide these characters where they stand inside of such areas, until `unescape_special_areas`."""
    hidden = str.maketrans({c: chr(_PRIVATE_USE + ord(c)) for c in control_characters})
    pieces = split_special_areas(data, area_delimiter)
    return _inside(pieces, lambda text: text.translate(hidden))


def unescape_special_areas(data: str) -> str:
    """The text with its hidden characters back."""
    return re.sub("[\ue000-\ue0ff]", lambda found: chr(ord(found[0]) - _PRIVATE_USE), data)


def _inside(pieces: list[str], change: Callable[[str], str]) -> str:
    # Every other piece is the area that the pattern matched.
    return "".join(change(piece) if place % 2 else piece for place, piece in enumerate(pieces))
