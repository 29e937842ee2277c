"""The list of files of a ZIP archive (APPNOTE.TXT of PKWARE, 4.3 and 4.5), with ZIP64, or of the beginning of one.

Own code and not the library: `zipfile` reads the whole list before it gives the first name, and nothing of an archive
whose end is missing. Nothing is decompressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_UTF_8, _ENCRYPTED, _SIZES_FOLLOW = 0x800, 0x1, 0x8
_ZIP64_EXTRA, _NAME_EXTRA = 0x0001, 0x7075
_UNKNOWN = 0xFFFFFFFF


class Entry(NamedTuple):
    """A file. `size` is what it has when it is unpacked, as the archive tells it; None if it does not."""

    name: str
    size: int | None
    packed: int | None
    is_encrypted: bool


def entries(data: bytes) -> Iterator[Entry]:
    """All files by the list at the end; those that begin in the data when the end is missing. ValueError for others."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - _LONGEST_COMMENT))
    if end >= 0 and end + _END.size <= len(data):
        yield from _listed(data, end)
    elif data.startswith(b"PK\x03\x04"):
        yield from _begun(data)
    else:
        raise ValueError("this is no ZIP archive: it neither begins nor ends as one")


def is_whole(data: bytes) -> bool:
    """Whether the list at the end is there."""
    return data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - _LONGEST_COMMENT)) >= 0


def _listed(data: bytes, end: int) -> Iterator[Entry]:
    _, _, _, _, count, size, offset, _ = _END.unpack_from(data, end)
    stop = end
    locator = end - _LOCATOR_64.size
    if locator >= 0 and data.startswith(b"PK\x06\x07", locator):
        at = _LOCATOR_64.unpack_from(data, locator)[2]
        if at + _END_64.size <= locator and data.startswith(b"PK\x06\x06", at):
            count, size, offset = _END_64.unpack_from(data, at)[7:10]
            stop = at
    # What stands before the archive, as in one that unpacks itself, moves everything.
    pos = stop - size if stop - size >= 0 else offset
    for _ in range(count):
        if pos + _CENTRAL.size > len(data) or not data.startswith(b"PK\x01\x02", pos):
            raise ValueError(f"the list of files is broken at byte {pos}")
        fields = _CENTRAL.unpack_from(data, pos)
        flags, packed, unpacked = fields[3], fields[8], fields[9]
        name_end = pos + _CENTRAL.size + fields[10]
        extra = data[name_end : name_end + fields[11]]
        yield _entry(data[pos + _CENTRAL.size : name_end], flags, packed, unpacked, extra)
        pos = name_end + fields[11] + fields[12]


def _begun(data: bytes) -> Iterator[Entry]:
    pos = 0
    while pos >= 0 and pos + _LOCAL.size <= len(data):
        fields = _LOCAL.unpack_from(data, pos)
        flags, packed, unpacked = fields[2], fields[7], fields[8]
        name_end = pos + _LOCAL.size + fields[9]
        if name_end > len(data):
            return
        extra = data[name_end : name_end + fields[10]]
        one = _entry(data[pos + _LOCAL.size : name_end], flags, packed, unpacked, extra)
        yield one._replace(size=None, packed=None) if flags & _SIZES_FOLLOW else one
        follows = name_end + fields[10] + (0 if flags & _SIZES_FOLLOW else one.packed or 0)
        pos = data.find(b"PK\x03\x04", follows)


def _entry(raw: bytes, flags: int, packed: int, unpacked: int, extra: bytes) -> Entry:
    sizes: list[int | None] = [unpacked, packed]
    name = None
    for kind, content in _extras(extra):
        if kind == _ZIP64_EXTRA:
            wide = [value for (value,) in struct.iter_unpack("<Q", content[: len(content) // 8 * 8])]
            sizes = [(wide.pop(0) if wide else None) if size == _UNKNOWN else size for size in sizes]
        elif kind == _NAME_EXTRA and len(content) > 5 and int.from_bytes(content[1:5], "little") == zlib.crc32(raw):
            name = content[5:].decode("utf-8", "replace")
    return Entry(name or _name(raw, flags), sizes[0], sizes[1], bool(flags & _ENCRYPTED))


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    pos = 0
    while pos + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, pos)
        yield kind, extra[pos + 4 : pos + 4 + length]
        pos += 4 + length


def _name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8")  # which many write without saying so
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace") if flags & _UTF_8 else raw.decode("cp437")
