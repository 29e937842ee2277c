"""PNG (W3C, third edition) by its chunks; the pixels are passed over."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from midstream.contentviews.image import exif

_COLOURS = {0: "greyscale", 2: "RGB", 3: "palette", 4: "greyscale with alpha", 6: "RGBA"}
_MOST_CHUNKS = 10_000
_LONGEST = 64 * 1024


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, content in _chunks(data):
        if kind == b"IHDR" and len(content) >= 13:
            width, height, depth, colours = struct.unpack_from(">IIBB", content)
            yield "Size", f"{width} x {height} px"
            interlaced = ", interlaced" if content[12] else ""
            yield "Colours", f"{_COLOURS.get(colours, colours)}, {depth} bits{interlaced}"
        elif kind == b"acTL" and len(content) >= 8:
            yield "Frames", str(int.from_bytes(content[:4], "big"))
        elif kind == b"pHYs" and len(content) >= 9:
            x, y = struct.unpack_from(">II", content)
            yield "aspect", f"{x} x {y}{' per metre' if content[8] else ''}"
        elif kind == b"gAMA" and len(content) >= 4:
            yield "gamma", f"{int.from_bytes(content[:4], 'big') / 100000:g}"
        elif kind == b"tIME" and len(content) >= 7:
            year, *rest = struct.unpack_from(">H5B", content)
            yield "time", f"{year}-{rest[0]:02}-{rest[1]:02} {rest[2]:02}:{rest[3]:02}:{rest[4]:02}"
        elif kind == b"eXIf":
            yield from exif.facts(content)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield from _text(kind, content)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    pos = 8
    for _ in range(_MOST_CHUNKS):
        if pos + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, pos)
        if kind != b"IDAT":
            yield kind, data[pos + 8 : pos + 8 + min(length, 4 * _LONGEST)]
        pos += 12 + length


def _text(kind: bytes, content: bytes) -> Iterator[tuple[str, str]]:
    name, _, value = content.partition(b"\0")
    coding, is_compressed = "latin-1", kind == b"zTXt"
    if kind == b"zTXt":
        value = value[1:]
    elif kind == b"iTXt":
        is_compressed, coding = value[:1] == b"\1", "utf-8"
        value = value[2:].partition(b"\0")[2].partition(b"\0")[2]
    if is_compressed:
        try:
            value = zlib.decompressobj().decompress(value, _LONGEST)
        except zlib.error:
            value = b"(cannot be decompressed)"
    yield name.decode("latin-1") or "text", value[:_LONGEST].decode(coding, "backslashreplace")
