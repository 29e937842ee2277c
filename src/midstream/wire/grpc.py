"""Messages of gRPC as they stand in bodies: a flag byte, four bytes of length, the message
(github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), and what gRPC-Web adds to it (PROTOCOL-WEB.md).

Called by the gRPC view. Decompressing is not done here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import NamedTuple

COMPRESSED = 0x01
TRAILERS = 0x80
HEAD = 5


class Framed(NamedTuple):
    """A message: `data[start:end]` with its head. `is_whole` is False for one that the data end in."""

    flags: int
    start: int
    end: int
    length: int
    is_whole: bool


def frames(data: bytes) -> Iterator[Framed]:
    """The messages of a body, the last of them perhaps cut off."""
    pos = 0
    while pos < len(data):
        head = data[pos : pos + HEAD]
        if len(head) < HEAD:
            yield Framed(head[0], pos, len(data), 0, False)
            return
        length = int.from_bytes(head[1:], "big")
        end = pos + HEAD + length
        yield Framed(head[0], pos, min(end, len(data)), length, end <= len(data))
        pos = end


def frame(flags: int, message: bytes) -> bytes:
    """A message with its head."""
    return bytes([flags]) + len(message).to_bytes(4, "big") + message


def from_web_text(data: bytes) -> bytes:
    """The body of `application/grpc-web-text`, which is base64; each part of it may end with padding."""
    parts, start = [], 0
    text = bytes(data).translate(None, b" \t\r\n")
    try:
        while start < len(text):
            padding = text.find(b"=", start)
            end = len(text) if padding < 0 else padding - (padding - start) % 4 + 4
            parts.append(base64.b64decode(text[start:end], validate=True))
            start = end
    except binascii.Error as error:
        raise ValueError(f"this is no base64: {error}") from None
    return b"".join(parts)
