"""Exif (CIPA DC-008) and the directories of TIFF 6.0 that it consists of: a few of their tags, by name."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST_ENTRIES = 500
_LONGEST = 1000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LAYOUTS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d"}
_EXIF, _GPS = 0x8769, 0x8825
_WIDTH, _HEIGHT = 0x100, 0x101
_NAMES = {
    0x10E: "description", 0x10F: "make", 0x110: "model", 0x112: "orientation", 0x131: "software",
    0x132: "modify_date", 0x13B: "artist", 0x8298: "copyright",
}  # fmt: skip
_EXIF_NAMES = {
    0x829A: "exposure_time", 0x829D: "f_number", 0x8827: "iso", 0x9003: "date_time_original", 0x920A: "focal_length",
    0xA002: "pixel_width", 0xA003: "pixel_height", 0xA430: "owner", 0xA431: "serial_number", 0xA434: "lens",
}  # fmt: skip
_GPS_NAMES = {
    1: "gps_latitude_ref", 2: "gps_latitude", 3: "gps_longitude_ref", 4: "gps_longitude", 6: "gps_altitude",
    29: "gps_date",
}  # fmt: skip


def facts(data: bytes) -> Iterator[tuple[str, str]]:
    """What a block of Exif says; nothing of one that is broken."""
    yield from _directories(data, _NAMES)


def tiff_facts(data: bytes) -> Iterator[tuple[str, str]]:
    """The same of a file that is TIFF, with its size."""
    found = dict(_directories(data, {**_NAMES, _WIDTH: "width", _HEIGHT: "height"}))
    if "width" in found and "height" in found:
        yield "Size", f"{found.pop('width')} x {found.pop('height')} px"
    yield from found.items()


def _directories(data: bytes, names: dict[int, str]) -> Iterator[tuple[str, str]]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return
    first = struct.unpack_from(f"{order}I", data, 4)[0]
    pointers = {}
    for tag, value in _directory(data, order, first):
        if tag in (_EXIF, _GPS) and value.isdecimal():
            pointers[tag] = int(value)
        elif tag in names:
            yield names[tag], value
    for pointer, inner in ((_EXIF, _EXIF_NAMES), (_GPS, _GPS_NAMES)):
        if pointer in pointers:
            for tag, value in _directory(data, order, pointers[pointer]):
                if tag in inner:
                    yield inner[tag], value


def _directory(data: bytes, order: str, start: int) -> Iterator[tuple[int, str]]:
    if start + 2 > len(data):
        return
    count = min(struct.unpack_from(f"{order}H", data, start)[0], _MOST_ENTRIES)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        if at + 12 > len(data):
            return
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, at)
        size = _SIZES.get(kind, 0) * length
        if not 0 < size <= _LONGEST:
            continue
        place = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, at + 8)[0]
        content = data[place : place + size]
        if len(content) == size:
            yield tag, _value(content, order, kind)


def _value(content: bytes, order: str, kind: int) -> str:
    if kind in (2, 7):
        return content.rstrip(b"\0 ").decode("utf-8", "backslashreplace")
    if kind in (5, 10):
        pairs = struct.iter_unpack(f"{order}{'II' if kind == 5 else 'ii'}", content)
        return ", ".join(f"{over / under:g}" if under else "?" for over, under in pairs)
    return ", ".join(
        f"{value:g}" if kind > 10 else str(value)
        for (value,) in struct.iter_unpack(f"{order}{_LAYOUTS[kind]}", content)
    )
