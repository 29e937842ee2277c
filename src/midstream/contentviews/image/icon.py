"""ICO and CUR: a list of images, each a bitmap or a PNG."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST = 200


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    count = int.from_bytes(data[4:6], "little")
    yield "Number of images", str(count)
    for number in range(min(count, _MOST)):
        entry = data[6 + 16 * number : 22 + 16 * number]
        if len(entry) < 16:
            return
        width, height, _, _, planes, bits, size, offset = struct.unpack("<BBBBHHII", entry)
        kind = "PNG" if data.startswith(b"\x89PNG", offset) else "bitmap"
        told = f"hot spot {planes}, {bits}" if data[2] == 2 else f"{bits} bits per pixel"
        yield f"Image {number + 1}", f"{width or 256} x {height or 256} px, {told}, {kind}, {size:,} bytes"
