"""WebP (RFC 9649) by its chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from midstream.contentviews.image import exif

_MOST_CHUNKS = 10_000
_ALPHA, _ANIMATED = 0x10, 0x02


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    frames, has_size, pos = 0, False, 12
    for _ in range(_MOST_CHUNKS):
        if pos + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, pos)
        content = data[pos + 8 : pos + 8 + min(length, 64 * 1024)]
        if kind == b"VP8X" and len(content) >= 10:
            width, height = (1 + int.from_bytes(content[at : at + 3], "little") for at in (4, 7))
            yield "Size", f"{width} x {height} px"
            has_size = True
            words = ["alpha"] * bool(content[0] & _ALPHA) + ["animated"] * bool(content[0] & _ANIMATED)
            if words:
                yield "Features", ", ".join(words)
        elif kind == b"VP8 " and len(content) >= 10:
            width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", content, 6))
            yield from [] if has_size else [("Size", f"{width} x {height} px")]
            yield "Compression", "lossy"
        elif kind == b"VP8L" and len(content) >= 5:
            bits = int.from_bytes(content[1:5], "little")
            yield from [] if has_size else [("Size", f"{(bits & 0x3FFF) + 1} x {(bits >> 14 & 0x3FFF) + 1} px")]
            yield "Compression", "lossless"
        elif kind == b"EXIF":
            yield from exif.facts(content.removeprefix(b"Exif\0\0"))
        frames += kind == b"ANMF"
        pos += 8 + length + length % 2
    if frames:
        yield "Frames", str(frames)
