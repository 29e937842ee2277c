"""Frames of HTTP/3 (RFC 9114 §7) and the beginnings of its streams, from bytes that somebody else took out of QUIC.

Called by the HTTP/3 view.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID = 0, 1, 3, 4, 5, 7, 13
NAMES = {
    DATA: "DATA", HEADERS: "HEADERS", CANCEL_PUSH: "CANCEL_PUSH", SETTINGS: "SETTINGS", PUSH_PROMISE: "PUSH_PROMISE",
    GOAWAY: "GOAWAY", MAX_PUSH_ID: "MAX_PUSH_ID", 0xF0700: "PRIORITY_UPDATE", 0xF0701: "PRIORITY_UPDATE (push)",
}  # fmt: skip
SETTING_NAMES = {
    0x01: "QPACK_MAX_TABLE_CAPACITY", 0x06: "MAX_FIELD_SECTION_SIZE", 0x07: "QPACK_BLOCKED_STREAMS",
    0x08: "ENABLE_CONNECT_PROTOCOL", 0x33: "H3_DATAGRAM",
}  # fmt: skip
CONTROL, PUSH, QPACK_ENCODER, QPACK_DECODER = range(4)
STREAM_NAMES = {CONTROL: "control", PUSH: "push", QPACK_ENCODER: "QPACK encoder", QPACK_DECODER: "QPACK decoder"}


class Frame(NamedTuple):
    """A frame at `data[start:end]`, whose content begins at `content`. `is_whole`: the data do not end in it."""

    type: int
    start: int
    content: int
    end: int
    is_whole: bool


def frames(data: bytes, pos: int = 0) -> Iterator[Frame]:
    """The frames from a place on. ValueError where a head is cut off."""
    while pos < len(data):
        type_, at = varint(data, pos)
        length, content = varint(data, at)
        end = content + length
        yield Frame(type_, pos, content, min(end, len(data)), end <= len(data))
        pos = end


def varint(data: bytes, pos: int) -> tuple[int, int]:
    """RFC 9000 §16: a number of one, two, four or eight bytes."""
    if pos >= len(data):
        raise ValueError(f"the head of a frame is cut off at byte {pos}")
    size = 1 << (data[pos] >> 6)
    if pos + size > len(data):
        raise ValueError(f"the head of a frame is cut off at byte {pos}")
    return int.from_bytes(data[pos : pos + size], "big") & (1 << (8 * size - 2)) - 1, pos + size
