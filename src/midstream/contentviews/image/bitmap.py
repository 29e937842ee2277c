"""BMP by its two heads."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_COMPRESSIONS = {0: "none", 1: "RLE 8", 2: "RLE 4", 3: "bit fields", 4: "JPEG", 5: "PNG", 6: "bit fields with alpha"}


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    head = int.from_bytes(data[14:18], "little")
    if head == 12 and len(data) >= 26:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        yield "Size", f"{width} x {height} px"
        yield "Colours", f"{bits} bits per pixel"
    elif head >= 40 and len(data) >= 54:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        yield "Size", f"{abs(width)} x {abs(height)} px"
        yield "Colours", f"{bits} bits per pixel"
        yield "Compression", _COMPRESSIONS.get(compression, str(compression))
