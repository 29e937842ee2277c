"""Bytes as people read them: offset, sixteen bytes in hex, and the printable ASCII beside them.

Used by dumps and body viewers. The lines are safe for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

_PRINTABLE = bytes(code if 0x20 <= code < 0x7F else ord(".") for code in range(256))


def hexdump(data: bytes) -> Iterator[str]:
    """`00000010  68 65 6c 6c 6f 0a                                 hello.`, a line for each sixteen bytes."""
    for offset in range(0, len(data), 16):
        piece = data[offset : offset + 16]
        yield f"{offset:08x}  {piece.hex(' '):<47}  {piece.translate(_PRINTABLE).decode('ascii')}"


def looks_binary(data: bytes) -> bool:
    """Whether the beginning of the data is no text: a NUL, or many control characters."""
    sample = data[:1024]
    if b"\0" in sample:
        return True
    controls = sum(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in sample)
    try:
        data[:1024].decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut off at the end of the sample is no sign of anything; high bytes may be a legacy charset.
        if error.start < len(sample) - 3:
            controls += sum(0x80 <= byte < 0xA0 for byte in sample)
    return controls * 10 > len(sample)
