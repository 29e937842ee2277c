"""JPEG (ITU T.81) by its segments up to the first scan, with JFIF and Exif."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from midstream.contentviews.image import exif

# §B.1.1.3: the frames, without DHT, JPG and DAC among them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_COLOURS = {1: "greyscale", 3: "colour", 4: "CMYK"}
_MOST_SEGMENTS = 2000


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    for code, content in _segments(data):
        if code == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 12:
            major, minor, unit, x, y = struct.unpack_from(">BBBHH", content, 5)
            yield "jfif_version", f"({major}, {minor})"
            yield "jfif_density", f"({x}, {y})"
            yield "jfif_unit", str(unit)
        elif code == 0xE1 and content.startswith(b"Exif\0\0"):
            yield from exif.facts(content[6:])
        elif code == 0xFE:
            yield "comment", content.rstrip(b"\0").decode("utf-8", "backslashreplace")
        elif code in _FRAMES and len(content) >= 6:
            bits, height, width, components = struct.unpack_from(">BHHB", content)
            yield "Size", f"{width} x {height} px"
            kind = ", progressive" if code in _PROGRESSIVE else ""
            yield "Colours", f"{_COLOURS.get(components, components)}, {bits} bits{kind}"


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    pos = 2
    for _ in range(_MOST_SEGMENTS):
        while data[pos : pos + 2] == b"\xff\xff":
            pos += 1
        if pos + 4 > len(data) or data[pos] != 0xFF:
            return
        code = data[pos + 1]
        if code in _ALONE:
            pos += 2
            continue
        if code in (0xD9, 0xDA):  # pixels follow
            return
        length = int.from_bytes(data[pos + 2 : pos + 4], "big")
        yield code, data[pos + 4 : pos + 2 + length]
        pos += 2 + max(length, 2)
