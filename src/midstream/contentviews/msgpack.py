"""MsgPack (github.com/msgpack/msgpack/blob/master/spec.md): one value at a time, and values of edited text as bytes.

Own code and not the library: that makes all objects at once, where a view needs a text in steps, and forgets how wide a
number was written, which has to survive an edit.
"""

from __future__ import annotations

import struct

from midstream.contentviews import yaml_nodes as nodes
from midstream.contentviews.containers import CutShort, Item, taken
from midstream.contentviews.yaml_nodes import Node
from midstream.contentviews.yaml_tree import LIST, MAP, Value, binary, number, text_value

_NUMBERS = {0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
_TAGS = {f"!{'u' if code < 0xD0 else ''}int{8 << (code & 3)}": code for code in _NUMBERS}
_NAMES = {code: tag for tag, code in _TAGS.items()}
_EXT_TAG = "!ext"
_TIME = -1
_TEXT_HEADS = (0xD9, 0xDA, 0xDB)
_BYTES_HEADS = (0xC4, 0xC5, 0xC6)


def read(data: bytes, pos: int) -> Item:
    """What begins at a place. ValueError where nothing does."""
    if pos >= len(data):
        raise CutShort("the data end inside of a value")
    code, after = data[pos], pos + 1
    if code < 0x80 or code >= 0xE0:
        return Item(str(code if code < 0x80 else code - 256), after)
    if code < 0x90:
        return Item(MAP, after, 2 * (code & 15))
    if code < 0xA0:
        return Item(LIST, after, code & 15)
    if code < 0xC0:
        return _text(data, after, code & 31)
    if code in (0xC0, 0xC2, 0xC3):
        return Item({0xC0: "null", 0xC2: "false", 0xC3: "true"}[code], after)
    if code in _NUMBERS:
        return _integer(data, pos)
    if code in (0xCA, 0xCB):
        return _real(data, after, code)
    if code in _TEXT_HEADS or code in _BYTES_HEADS:
        size = 1 << (code - (_TEXT_HEADS if code in _TEXT_HEADS else _BYTES_HEADS)[0])
        length, after = _unsigned(data, after, size), after + size
        if code in _TEXT_HEADS:
            return _text(data, after, length)
        return Item(binary(taken(data, after, length)), after + length)
    if 0xDC <= code <= 0xDF:
        size = 2 if code % 2 == 0 else 4
        count = _unsigned(data, after, size)
        return Item(LIST, after + size, count) if code < 0xDE else Item(MAP, after + size, 2 * count)
    if code == 0xC1:
        raise ValueError(f"byte {pos} is 0xc1, which begins no value")
    return _extension(data, after, code)


def _unsigned(data: bytes, pos: int, size: int) -> int:
    return int.from_bytes(taken(data, pos, size), "big")


def _text(data: bytes, pos: int, length: int) -> Item:
    content = taken(data, pos, length).decode("utf-8", "surrogateescape")
    return Item(text_value(content), pos + length)


def _integer(data: bytes, pos: int) -> Item:
    layout = struct.Struct(">" + _NUMBERS[data[pos]])
    (value,) = layout.unpack(taken(data, pos + 1, layout.size))
    is_shortest = _packed_integer(value) == data[pos : pos + 1 + layout.size]
    return Item(str(value) if is_shortest else f"{_NAMES[data[pos]]} {value}", pos + 1 + layout.size)


def _real(data: bytes, pos: int, code: int) -> Item:
    size = 4 if code == 0xCA else 8
    (value,) = struct.unpack(">f" if size == 4 else ">d", taken(data, pos, size))
    return Item(f"!float32 {number(value)}" if size == 4 else number(value), pos + size)


def _extension(data: bytes, pos: int, code: int) -> Item:
    if code >= 0xD4:
        length = 1 << (code - 0xD4)
    else:
        size = 1 << (code - 0xC7)
        length, pos = _unsigned(data, pos, size), pos + size
    kind = struct.unpack(">b", taken(data, pos, 1))[0]
    content = taken(data, pos + 1, length)
    comment = _time(content) if kind == _TIME else ""
    # A type and bytes: one word, so that it may be a key as well.
    written = f"{_EXT_TAG} {kind}:{content.hex()}".removesuffix(":")  # a colon at the end would make it a map
    if len(content) > 32 * 1024:
        written = f"!cut {kind}:{content[: 32 * 1024].hex()}"
    return Item(Value(written, comment) if comment else written, pos + 1 + length)


def _time(content: bytes) -> str:
    """The time that an extension of type -1 tells."""
    from midstream.text.times import utc_time

    if len(content) == 4:
        nanoseconds, seconds = 0, int.from_bytes(content, "big")
    elif len(content) == 8:
        both = int.from_bytes(content, "big")
        nanoseconds, seconds = both >> 34, both & (1 << 34) - 1
    elif len(content) == 12:
        nanoseconds, seconds = struct.unpack(">Iq", content)
    else:
        return ""
    return utc_time(seconds, nanoseconds)


# --- and back ---------------------------------------------------------------------------------------------------------


def encode(node: Node) -> bytes:
    """The bytes of a value. ValueError says what has none, and where."""
    nodes.refuse_cut(node)
    tag = nodes.tag(node)
    if nodes.is_map(node):
        entries = nodes.pairs(node)
        content = b"".join(encode(key) + encode(value) for key, value in entries)
        return _head(len(entries), (0x80, 15), (0xDE, 0xDF), (2, 4)) + content
    if nodes.is_list(node):
        values = nodes.items(node)
        return _head(len(values), (0x90, 15), (0xDC, 0xDD), (2, 4)) + b"".join(map(encode, values))
    if tag in _TAGS:
        return _wide_integer(node, _TAGS[tag])
    match tag:
        case "null":
            return b"\xc0"
        case "bool":
            return b"\xc3" if nodes.flag(node) else b"\xc2"
        case "int":
            return _packed_integer(nodes.integer(node, -(1 << 63), (1 << 64) - 1))
        case "float":
            return b"\xcb" + struct.pack(">d", nodes.real_number(node))
        case "!float32":
            return b"\xca" + _float32(node)
        case "!binary":
            content = nodes.hex_bytes(node)
            return _head(len(content), None, _BYTES_HEADS, (1, 2, 4)) + content
        case "!ext":
            return _packed_extension(node)
    if tag.startswith("!"):
        raise nodes.wrong(node, f"{tag} is no tag of MsgPack; there are !binary, !ext, !float32 and those of numbers")
    content = nodes.utf8(node)
    return _head(len(content), (0xA0, 31), _TEXT_HEADS, (1, 2, 4)) + content


def _head(length: int, short: tuple[int, int] | None, codes: tuple[int, ...], sizes: tuple[int, ...]) -> bytes:
    """The shortest head for a length."""
    if short is not None and length <= short[1]:
        return bytes([short[0] | length])
    code, size = next(pair for pair in zip(codes, sizes, strict=True) if length < 1 << 8 * pair[1])
    return bytes([code]) + length.to_bytes(size, "big")


def _packed_integer(value: int) -> bytes:
    """The shortest form, unsigned where that is as short."""
    if -32 <= value < 128:
        return struct.pack(">b", value)
    for code in (0xCC, 0xCD, 0xCE, 0xCF) if value > 0 else (0xD0, 0xD1, 0xD2, 0xD3):
        try:
            return bytes([code]) + struct.pack(">" + _NUMBERS[code], value)
        except struct.error:
            continue
    raise ValueError(f"{value} is too large for MsgPack")


def _wide_integer(node: Node, code: int) -> bytes:
    value = nodes.integer(node, -(1 << 63), (1 << 64) - 1)
    try:
        return bytes([code]) + struct.pack(">" + _NUMBERS[code], value)
    except struct.error:
        raise nodes.wrong(node, f"{value} does not fit into {_NAMES[code][1:]}") from None


def _float32(node: Node) -> bytes:
    try:
        return struct.pack(">f", nodes.real_number(node))
    except OverflowError:
        raise nodes.wrong(node, f"{node.value} is too large for 32 bits") from None


def _packed_extension(node: Node) -> bytes:
    kind, _, content = nodes.string(node).partition(":")
    try:
        packed, data = struct.pack(">b", int(kind)), bytes.fromhex(content)
    except (ValueError, struct.error):
        raise nodes.wrong(node, "an extension is a type from -128 to 127 and bytes, as in !ext 5:00ff") from None
    if len(data) in (1, 2, 4, 8, 16):
        return bytes([0xD4 + len(data).bit_length() - 1]) + packed + data
    return _head(len(data), None, (0xC7, 0xC8, 0xC9), (1, 2, 4)) + packed + data
