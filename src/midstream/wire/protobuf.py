"""The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): fields of a message without their
names, and the bytes of single fields.

Called by the protobuf and gRPC views, and by the reader of descriptor sets. What a field means is not known here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)
DEEPEST = 40
_LARGEST_NUMBER = (1 << 29) - 1
_BITS_64 = (1 << 64) - 1


class Field(NamedTuple):
    """One field: `data[start:end]` is all of it. `value` is the unsigned number of a varint or fixed field; the content
    of one with a length, or of a group, is `data[value:content_end]`.
    """

    number: int
    wire_type: int
    value: int
    content_end: int
    start: int
    end: int


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the message that is `data[start:end]`. ValueError with a sentence where it is none."""
    end = len(data) if end is None else end
    pos = start
    while pos < end:
        field = _field(data, pos, end)
        yield field
        pos = field.end


def _field(data: bytes, pos: int, end: int) -> Field:
    begin = pos
    tag, pos = varint(data, pos, end)
    number, wire_type = tag >> 3, tag & 7
    if not 0 < number <= _LARGEST_NUMBER:
        raise ValueError(f"byte {begin} begins a field with the number {number}, which there is not")
    if wire_type == VARINT:
        value, stop = varint(data, pos, end)
        return Field(number, wire_type, value, stop, begin, stop)
    if wire_type == LENGTH:
        length, pos = varint(data, pos, end)
        if length > end - pos:
            raise ValueError(f"field {number} at byte {begin} has {length} bytes, of which {end - pos} are there")
        return Field(number, wire_type, pos, pos + length, begin, pos + length)
    if wire_type in (FIXED32, FIXED64):
        stop = pos + (4 if wire_type == FIXED32 else 8)
        if stop > end:
            raise ValueError(f"the message ends inside of field {number}")
        return Field(number, wire_type, int.from_bytes(data[pos:stop], "little"), stop, begin, stop)
    if wire_type == GROUP:
        inside, stop = _group_end(data, pos, end, number)
        return Field(number, wire_type, pos, inside, begin, stop)
    raise ValueError(f"byte {begin} begins a field of the type {wire_type}, which there is not")


def _group_end(data: bytes, pos: int, end: int, number: int) -> tuple[int, int]:
    """Where the content of a group ends, and where its last tag does."""
    open_groups = [number]
    while pos < end:
        begin = pos
        tag, after = varint(data, pos, end)
        if tag & 7 == GROUP:
            open_groups.append(tag >> 3)
            if len(open_groups) > DEEPEST:
                raise ValueError(f"groups are nested deeper than {DEEPEST} levels")
            pos = after
        elif tag & 7 == END_GROUP:
            if open_groups.pop() != tag >> 3:
                raise ValueError(f"byte {begin} ends a group that has not begun")
            if not open_groups:
                return begin, after
            pos = after
        else:
            pos = _field(data, pos, end).end
    raise ValueError(f"group {number} has no end")


def varint(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits, and the position behind it."""
    result = shift = 0
    for at in range(pos, min(end, pos + 10)):
        byte = data[at]
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & _BITS_64, at + 1
        shift += 7
    raise ValueError(f"the number at byte {pos} has no end")


def packed(data: bytes, wire_type: int) -> list[int]:
    """The unsigned numbers of a packed field."""
    if wire_type == VARINT:
        values, pos = [], 0
        while pos < len(data):
            value, pos = varint(data, pos, len(data))
            values.append(value)
        return values
    size = 4 if wire_type == FIXED32 else 8
    if len(data) % size:
        raise ValueError(f"{len(data)} bytes are no whole number of values of {size}")
    return [value for (value,) in struct.iter_unpack("<I" if size == 4 else "<Q", data)]


def signed(value: int, bits: int = 64) -> int:
    """An unsigned number as two's complement."""
    return value - (1 << bits) if value >> (bits - 1) else value


def zigzag(value: int) -> int:
    """What an unsigned number means in a field of sint32 or sint64."""
    return value >> 1 ^ -(value & 1)


def from_zigzag(value: int) -> int:
    """The opposite."""
    return (value << 1 ^ value >> 63) & _BITS_64


def put_varint(value: int) -> bytes:
    """The bytes of an unsigned number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def put(number: int, wire_type: int, value: int | bytes) -> bytes:
    """The bytes of a field. `value` is an unsigned number, or the content of one with a length or of a group."""
    tag = put_varint(number << 3 | wire_type)
    if isinstance(value, int):
        if wire_type == VARINT:
            return tag + put_varint(value)
        return tag + value.to_bytes(4 if wire_type == FIXED32 else 8, "little")
    if wire_type == GROUP:
        return tag + value + put_varint(number << 3 | END_GROUP)
    return tag + put_varint(len(value)) + value
