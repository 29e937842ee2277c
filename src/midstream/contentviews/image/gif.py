"""GIF 87a and 89a by their blocks; the pixels are passed over."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST_BLOCKS = 20_000
_LONGEST = 64 * 1024


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    yield "Version", data[:6].decode("ascii", "replace")
    if len(data) < 13:
        return
    width, height, flags, background = struct.unpack_from("<HHBB", data, 6)
    yield "Size", f"{width} x {height} px"
    yield "Colours", str(2 << (flags & 7)) if flags & 0x80 else "in each frame"
    yield "background", str(background)
    frames = 0
    pos = 13 + (3 * (2 << (flags & 7)) if flags & 0x80 else 0)
    for _ in range(_MOST_BLOCKS):
        head = data[pos : pos + 2]
        if head[:1] == b"!":
            content, pos = _blocks(data, pos + 2)
            if head == b"!\xfe":
                yield "comment", content.decode("utf-8", "backslashreplace")
            elif head == b"!\xff" and content.startswith(b"NETSCAPE2.0\1") and len(content) >= 14:
                times = int.from_bytes(content[12:14], "little")
                yield "loop", "forever" if not times else f"{times} times"
        elif head[:1] == b"," and pos + 10 <= len(data):
            frames += 1
            local = data[pos + 9]
            _, pos = _blocks(data, pos + 11 + (3 * (2 << (local & 7)) if local & 0x80 else 0))
        else:
            break
    yield "Frames", str(frames)


def _blocks(data: bytes, pos: int) -> tuple[bytes, int]:
    """The joined sub-blocks, as far as anybody reads them, and the position behind them."""
    parts: list[bytes] = []
    size = 0
    while pos < len(data) and data[pos]:
        if size < _LONGEST:
            parts.append(data[pos + 1 : pos + 1 + data[pos]])
            size += data[pos]
        pos += 1 + data[pos]
    return b"".join(parts), pos + 1
