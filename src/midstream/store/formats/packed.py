"""What a flow file begins with, and the same bytes unpacked: formats are told by their content, not by their names.

Used by `native.FlowReader`. A file that is packed by gzip or zlib (`.har.gz`, `.zhar`, a flow file in gzip) is read
like what is inside of it, a piece at a time: a bomb takes time, but no memory.
"""

from __future__ import annotations

import zlib
from typing import Literal

from midstream.store.formats.items import ReadableFile

Kind = Literal["json", "flows"]

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 16
# Spaces before JSON; more of them is no file that a program wrote.
_MOST_SPACES = 1 << 16


def opened(file: ReadableFile) -> tuple[ReadableFile, Kind]:
    """A file to be read from its beginning, and what is in it. Raises OSError, EOFError."""
    start = _start(file, 2)
    if start == _GZIP or _is_zlib(start):
        file = Unpacked(_Rest(start, file), gzip=start == _GZIP)
        start = _start(file, 1)
    if start[:1] == b"\xef":
        start += _start(file, 3 - len(start))
        is_json = start == b"\xef\xbb\xbf"
    else:
        seen = start
        while not seen.strip(b" \t\r\n") and len(start) < _MOST_SPACES and (seen := file.read(1) or b""):
            start += seen
        is_json = start.lstrip(b" \t\r\n").startswith(b"{")
    return _Rest(start, file), "json" if is_json else "flows"


def _start(file: ReadableFile, size: int) -> bytes:
    start = b""
    while len(start) < size and (data := file.read(size - len(start))):
        start += data
    return start


def _is_zlib(start: bytes) -> bool:
    """RFC 1950 §2.2: method 8 with a window of 32 kB, and a checksum of the two bytes."""
    return len(start) == 2 and start[0] == 0x78 and int.from_bytes(start) % 31 == 0


class _Rest:
    """A file of which the beginning was read already."""

    def __init__(self, start: bytes, file: ReadableFile) -> None:
        self._start = start
        self._file = file

    def read(self, size: int, /) -> bytes | None:
        """Some bytes, none at the end."""
        if not self._start:
            self.read = self._file.read  # type: ignore[method-assign] # flows are read by many small calls
            return self._file.read(size)
        data, self._start = self._start[:size], self._start[size:]
        return data


class Unpacked:
    """The bytes that gzip or zlib packed. Where they break off, so do these; damage is an OSError."""

    def __init__(self, file: ReadableFile, *, gzip: bool) -> None:
        self._file = file
        self._bits = 31 if gzip else 15
        self._unpacker = zlib.decompressobj(self._bits)
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes, none at the end."""
        while True:
            packed = self._unpacker.unconsumed_tail or self._left or self._file.read(_PIECE) or b""
            self._left = b""
            try:
                data = self._unpacker.decompress(packed, size)
            except zlib.error as error:
                raise OSError(f"what is packed in it is damaged ({error})") from None
            if self._unpacker.eof and self._bits == 31 and self._unpacker.unused_data:
                # RFC 1952 §2.2: members simply follow one another.
                self._left = self._unpacker.unused_data
                self._unpacker = zlib.decompressobj(self._bits)
            if data or not packed or (self._unpacker.eof and not self._left):
                return data
