"""AVIF and HEIC: the boxes of ISO 14496-12, as far as the sizes of the images (`ispe`) are concerned."""

from __future__ import annotations

import struct
from collections.abc import Iterator

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"miaf")
_INSIDE = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # boxes with boxes in them, and what stands before these
_MOST_BOXES = 2000


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    yield "Brand", data[8:12].decode("ascii", "backslashreplace")
    sizes: dict[str, None] = {}
    waiting = [(0, len(data))]
    left = _MOST_BOXES
    while waiting and left:
        pos, end = waiting.pop()
        while pos + 8 <= end and left:
            left -= 1
            length, kind = struct.unpack_from(">I4s", data, pos)
            length = length if length >= 8 else end - pos
            if kind in _INSIDE:
                waiting.append((pos + 8 + _INSIDE[kind], min(pos + length, end)))
            elif kind == b"ispe" and pos + 20 <= len(data):
                width, height = struct.unpack_from(">II", data, pos + 12)
                sizes[f"{width} x {height} px"] = None
            pos += length
    for size in sizes:
        yield "Size", size
