"""Edited text of a message as bytes again.

What was not edited keeps its bytes, and its place: the text is compared with the one that the message had, and only
what differs is encoded anew. So unknown fields, numbers that were written longer than they need and the order of fields
survive an edit elsewhere.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeAlias

from midstream.contentviews import yaml_nodes as nodes
from midstream.contentviews.protobuf.types import FieldType, MessageType, wire_type
from midstream.contentviews.yaml_nodes import Node
from midstream.wire import protobuf as wire

_U64 = (1 << 64) - 1
_BOUNDS = {
    "int32": (-(1 << 31), (1 << 31) - 1), "uint32": (0, (1 << 32) - 1), "sint32": (-(1 << 31), (1 << 31) - 1),
    "fixed32": (0, (1 << 32) - 1), "sfixed32": (-(1 << 31), (1 << 31) - 1), "bool": (0, _U64),
    "enum": (-(1 << 31), (1 << 31) - 1), "uint64": (0, _U64), "fixed64": (0, _U64),
}  # fmt: skip
_BOUNDS_64 = (-(1 << 63), (1 << 63) - 1)

# A value of a repeated field, or an entry of a map: key and value.
Item: TypeAlias = "Node | tuple[Node, Node]"


def encode(new: Node | None, message: MessageType | None, old: Node | None = None, original: bytes = b"") -> bytes:
    """The bytes of a message; `old` is the text of the `original`. ValueError says what cannot be encoded, where."""
    if new is None:
        return b""
    return _message(new, message, old, original)


def _message(new: Node, message: MessageType | None, old: Node | None, original: bytes) -> bytes:
    new_values = _by_number(new, message)
    old_values = _by_number(old, message) if old is not None else {}
    occurrences: dict[int, list[bytes]] = {}
    order: list[int] = []
    for one in wire.fields(original) if old is not None else ():
        occurrences.setdefault(one.number, []).append(original[one.start : one.end])
        order.append(one.number)
    chunks = {
        number: _chunks(number, known, value, old_values.get(number, (None, None))[1], occurrences.get(number, []))
        for number, (known, value) in new_values.items()
    }
    out: list[bytes] = []
    last = {number: at for at, number in enumerate(order)}
    for at, number in enumerate(order):
        waiting = chunks.get(number)
        if waiting:
            out.append(waiting.pop(0))
            if last[number] == at:
                out += waiting
                waiting.clear()
    for rest in chunks.values():
        out += rest
    return b"".join(out)


def _by_number(node: Node, message: MessageType | None) -> dict[int, tuple[FieldType | None, Node]]:
    """The entries of a message's map."""
    found: dict[int, tuple[FieldType | None, Node]] = {}
    for key, value in nodes.pairs(node):
        number = nodes.whole_number(key)
        known = None
        if number is None:
            known = message.by_name.get(nodes.string(key)) if message is not None else None
            if known is None:
                where = (
                    f"{message.name} has no field" if message is not None else "without definitions there is no field"
                )
                raise nodes.wrong(key, f"{where} {nodes.string(key)!r}; a number names one as well")
            number = known.number
        if not 0 < number < 1 << 29:
            raise nodes.wrong(key, f"{number} is no number of a field")
        if number in found:
            raise nodes.wrong(key, f"field {number} is there twice; put its values into one list")
        found[number] = (known, value)
    return found


def _chunks(number: int, known: FieldType | None, new: Node, old: Node | None, raw: Sequence[bytes]) -> list[bytes]:
    """The bytes of a field, for each of its values; those of before for what has not changed."""
    if old is not None and nodes.same(new, old):
        return list(raw)
    items = _items(known, new)
    before = _items(known, old) if old is not None else []
    if known is not None and known.kind and wire_type(known.kind) != wire.LENGTH and nodes.is_list(new):
        was_packed = any(_wire_type(each) == wire.LENGTH for each in raw)
        if was_packed or (not raw and known.is_packed):
            content = b"".join(_unframed(_field(number, known, item)) for item in items)
            return [wire.put(number, wire.LENGTH, content)] if items else []
    # Values are compared one by one where each has its own bytes.
    is_paired = len(before) == len(raw)
    done = []
    for at, item in enumerate(items):
        if is_paired and at < len(before):
            done.append(_edited(number, known, item, before[at], raw[at]))
        else:
            done.append(_field(number, known, item))
    return done


def _items(known: FieldType | None, node: Node) -> list[Item]:
    if known is not None and known.message is not None and known.message.is_map_entry and nodes.is_map(node):
        return [*nodes.pairs(node)]
    return [*nodes.items(node)] if nodes.is_list(node) else [node]


def _edited(number: int, known: FieldType | None, new: Item, old: Item, raw: bytes) -> bytes:
    if isinstance(new, tuple) or isinstance(old, tuple):
        if isinstance(new, tuple) and isinstance(old, tuple) and all(map(nodes.same, new, old)):
            return raw
        return _field(number, known, new)
    if nodes.same(new, old):
        return raw
    both_maps = nodes.is_map(new) and nodes.is_map(old) and nodes.tag(new) == nodes.tag(old)
    if both_maps and _wire_type(raw) in (wire.LENGTH, wire.GROUP):
        one = next(wire.fields(raw))
        content = _message(new, known.message if known else None, old, raw[one.value : one.content_end])
        return wire.put(number, one.wire_type, content)
    return _field(number, known, new)


def _wire_type(raw: bytes) -> int:
    return next(wire.fields(raw)).wire_type


def _unframed(raw: bytes) -> bytes:
    """A field of a number without its tag, as it stands in a packed one."""
    return raw[wire.varint(raw, 0, len(raw))[1] :]


def _field(number: int, known: FieldType | None, item: Item) -> bytes:
    if isinstance(item, tuple):
        assert known is not None and known.message is not None
        key, value = (_field(at, known.message.fields[at], part) for at, part in enumerate(item, 1))
        return wire.put(number, wire.LENGTH, key + value)
    nodes.refuse_cut(item)
    tag = nodes.tag(item)
    if nodes.is_list(item):
        raise nodes.wrong(item, "a list inside of a list is nothing that a message can hold")
    if tag.startswith("!") or known is None or not known.kind:
        return _tagged(number, tag, item)
    if nodes.is_map(item):
        if known.kind not in ("message", "group"):
            raise nodes.wrong(item, f"{known.name} is of the kind {known.kind} and no message")
        return wire.put(number, wire_type(known.kind), _message(item, known.message, None, b""))
    return wire.put(number, wire_type(known.kind), _value(known, item))


def _tagged(number: int, tag: str, item: Node) -> bytes:
    """A value that says itself what it is."""
    if nodes.is_map(item):
        if tag not in ("map", "!group"):
            raise nodes.wrong(item, f"{tag} is no tag of a message")
        return wire.put(number, wire.GROUP if tag == "!group" else wire.LENGTH, _message(item, None, None, b""))
    match tag:
        case "!binary":
            return wire.put(number, wire.LENGTH, nodes.hex_bytes(item))
        case "!fixed32" | "!fixed64":
            bits = int(tag[-2:])
            whole = nodes.whole_number(item)
            if whole is None:
                return wire.put(number, wire.FIXED32 if bits == 32 else wire.FIXED64, _packed_real(item, bits))
            value = nodes.integer(item, -(1 << (bits - 1)), (1 << bits) - 1) & (1 << bits) - 1
            return wire.put(number, wire.FIXED32 if bits == 32 else wire.FIXED64, value)
        case "!sint":
            return wire.put(number, wire.VARINT, wire.from_zigzag(nodes.integer(item, *_BOUNDS_64)))
        case "int":
            return wire.put(number, wire.VARINT, nodes.integer(item, -(1 << 63), _U64) & _U64)
        case "bool":
            return wire.put(number, wire.VARINT, int(nodes.flag(item)))
        case "float":
            raise nodes.wrong(item, "a number with a point needs a tag here: !fixed32 or !fixed64")
        case "null":
            raise nodes.wrong(item, "there must be a value here; leave the line out if there is none")
    if tag.startswith("!"):
        raise nodes.wrong(item, f"{tag} is no tag of a field; there are !binary, !fixed32, !fixed64, !group and !sint")
    return wire.put(number, wire.LENGTH, nodes.utf8(item))


def _value(known: FieldType, item: Node) -> int | bytes:
    """A value of a kind that the definitions tell."""
    kind = known.kind
    if kind == "string":
        return nodes.utf8(item)
    if kind in ("bytes", "message", "group"):
        raise nodes.wrong(item, f"{known.name} is of the kind {kind}; bytes look like !binary 00ff")
    if kind in ("float", "double"):
        return _packed_real(item, 32 if kind == "float" else 64)
    if kind == "bool" and nodes.whole_number(item) is None:
        return int(nodes.flag(item))
    if kind == "enum" and nodes.whole_number(item) is None:
        name = nodes.string(item)
        if known.enum is None or name not in known.enum.numbers:
            some = ", ".join(list(known.enum.numbers)[:10]) if known.enum is not None else ""
            raise nodes.wrong(item, f"{name!r} is no value of {known.name}; there are {some}")
        return known.enum.numbers[name] & _U64
    value = nodes.integer(item, *_BOUNDS.get(kind, _BOUNDS_64))
    if kind in ("sint32", "sint64"):
        return wire.from_zigzag(value)
    return value & (1 << 32) - 1 if kind in ("fixed32", "sfixed32") else value & _U64


def _packed_real(item: Node, bits: int) -> int:
    value = nodes.real_number(item)
    try:
        return int.from_bytes(struct.pack("<f" if bits == 32 else "<d", value), "little")
    except OverflowError:
        raise nodes.wrong(item, f"{value} is too large for {bits} bits") from None
