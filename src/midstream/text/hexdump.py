"""Bytes as people read them: offset, sixteen bytes in hex, and the printable ASCII beside them.

Used by dumps and body viewers. The lines are safe for a terminal.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

_SAMPLE = 4096
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# Tab, line breaks and ESC stand in texts as well.
_CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32), 127])
_C1 = bytes(range(0x80, 0xA0))
_PRINTABLE = bytes(code if 0x20 <= code < 0x7F else ord(".") for code in range(256))


def hexdump(data: bytes) -> Iterator[str]:
    """`00000010  68 65 6c 6c 6f 0a                                 hello.`, a line for each sixteen bytes."""
    for offset in range(0, len(data), 16):
        piece = data[offset : offset + 16]
        yield f"{offset:08x}  {piece.hex(' '):<47}  {piece.translate(_PRINTABLE).decode('ascii')}"


def looks_binary(data: bytes) -> bool:
    """Whether a person would rather see bytes: a NUL, or many control characters, in the beginning."""
    sample = data[:_SAMPLE]
    if sample.startswith(_BYTE_ORDER_MARKS):
        return False
    if b"\0" in sample:
        return True
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut off at the end of the sample is no sign of anything; high bytes may be a legacy charset.
        if error.start < len(sample) - 3:
            controls += len(sample) - len(sample.translate(None, _C1))
    return controls * 20 > len(sample)
