"""Images by their first bytes: which format, and what its reader tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from midstream.contentviews.image import bitmap, exif, gif, heif, icon, jpeg, png, webp

# Name and value, both for people.
Fact = tuple[str, str]


class Format(NamedTuple):
    """`short` is what files of this kind are called, `name` the long name."""

    short: str
    name: str
    read: Callable[[bytes], Iterator[Fact]]


_PNG = Format("PNG", "Portable network graphics", png.facts)
_JPEG = Format("JPEG", "JPEG (ISO 10918)", jpeg.facts)
_GIF = Format("GIF", "Compuserve GIF", gif.facts)
_ICO = Format("ICO", "ICO", icon.facts)
_CUR = Format("CUR", "Windows cursor", icon.facts)
_BMP = Format("BMP", "Windows bitmap", bitmap.facts)
_WEBP = Format("WEBP", "WebP (RFC 9649)", webp.facts)
_TIFF = Format("TIFF", "TIFF 6.0", exif.tiff_facts)
_AVIF = Format("AVIF", "AVIF (AV1 in HEIF)", heif.facts)
_HEIC = Format("HEIC", "HEIF (ISO 23008-12)", heif.facts)


def format_of(data: bytes) -> Format | None:
    """The format that data begin as."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if data.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _GIF
    if data[:4] in (b"\0\0\1\0", b"\0\0\2\0") and len(data) >= 6:
        return _ICO if data[2] == 1 else _CUR
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _WEBP
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _TIFF
    if data[4:8] == b"ftyp":
        return _AVIF if data[8:12] in (b"avif", b"avis") else _HEIC if data[8:12] in heif.BRANDS else None
    return _BMP if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0" else None
