"""CBOR (RFC 8949): one value at a time, and values of edited text as bytes.

Own code and not a library, for the reasons of msgpack.py: a view needs a text in steps, and numbers as wide as they
were.
"""

from __future__ import annotations

import struct

from midstream.contentviews import yaml_nodes as nodes
from midstream.contentviews.containers import UNTIL_BREAK, CutShort, Item, taken
from midstream.contentviews.yaml_nodes import Node
from midstream.contentviews.yaml_tree import LIST, MAP, Begin, binary, number, text_value

# RFC 8949 §3.4, and of the registry at iana.org/assignments/cbor-tags what is met often.
_TAG_NAMES = {
    0: "date and time", 1: "seconds since 1970", 2: "large number", 3: "large negative number", 4: "decimal fraction",
    5: "large float", 16: "COSE_Encrypt0", 17: "COSE_Mac0", 18: "COSE_Sign1", 21: "base64url", 22: "base64",
    23: "base16", 24: "CBOR", 30: "rational number", 32: "URI", 33: "base64url", 34: "base64", 36: "MIME message",
    37: "UUID", 61: "CBOR Web Token", 96: "COSE_Encrypt", 97: "COSE_Mac", 98: "COSE_Sign", 100: "days since 1970",
    258: "set", 260: "IP address", 1004: "date", 55799: "this is CBOR",
}  # fmt: skip
_INDEFINITE = 31
_INDEFINITE_TAG = "!indefinite"
_CHUNKS = {2: "!binary_chunks", 3: "!text_chunks"}
_WIDTHS = {"!uint8": 24, "!uint16": 25, "!uint32": 26, "!uint64": 27}
_SIMPLE = {20: "false", 21: "true", 22: "null", 23: "!undefined ''"}
_REALS = {25: (">e", "!float16"), 26: (">f", "!float32"), 27: (">d", "")}
_REAL_TAGS = {tag or "float": (layout, info) for info, (layout, tag) in _REALS.items()}
_TAG = "!tag"


def read(data: bytes, pos: int) -> Item:
    """What begins at a place. ValueError where nothing does."""
    if pos >= len(data):
        raise CutShort("the data end inside of a value")
    major, info = data[pos] >> 5, data[pos] & 31
    if major == 7:
        return _simple(data, pos, info)
    if info == _INDEFINITE:
        if major in _CHUNKS:
            return Item(Begin("list", _CHUNKS[major]), pos + 1, UNTIL_BREAK)
        if major in (4, 5):
            return Item(Begin("list" if major == 4 else "map", _INDEFINITE_TAG), pos + 1, UNTIL_BREAK)
    argument, after = _argument(data, pos, info)
    if major < 2:
        value = argument if major == 0 else -1 - argument
        is_shortest = _head(major, argument) == data[pos:after]
        wide = {code: tag for tag, code in _WIDTHS.items()}
        return Item(str(value) if is_shortest else f"{wide[info]} {value}", after)
    if major == 2:
        return Item(binary(taken(data, after, argument)), after + argument)
    if major == 3:
        content = taken(data, after, argument).decode("utf-8", "surrogateescape")
        return Item(text_value(content), after + argument)
    if major == 6:
        return Item(Begin("list", f"{_TAG}{argument}", _TAG_NAMES.get(argument, "")), after, 1)
    return Item(LIST, after, argument) if major == 4 else Item(MAP, after, 2 * argument)


def _argument(data: bytes, pos: int, info: int) -> tuple[int, int]:
    """The number in the head of a value, and the position behind it."""
    if info < 24:
        return info, pos + 1
    if info > 27:
        raise ValueError(f"byte {pos} is {data[pos]:#04x}, which begins no value")
    size = 1 << (info - 24)
    return int.from_bytes(taken(data, pos + 1, size), "big"), pos + 1 + size


def _simple(data: bytes, pos: int, info: int) -> Item:
    if info == _INDEFINITE:
        return Item(None, pos + 1)
    if info in _REALS:
        layout, tag = _REALS[info]
        (value,) = struct.unpack(layout, taken(data, pos + 1, struct.calcsize(layout)))
        return Item(f"{tag} {number(value)}".strip(), pos + 1 + struct.calcsize(layout))
    argument, after = _argument(data, pos, info)
    return Item(_SIMPLE[argument] if argument in _SIMPLE and info < 24 else f"!simple {argument}", after)


# --- and back ---------------------------------------------------------------------------------------------------------


def encode(node: Node) -> bytes:
    """The bytes of a value. ValueError says what has none, and where."""
    nodes.refuse_cut(node)
    tag = nodes.tag(node)
    if nodes.is_map(node):
        content = b"".join(map(encode, nodes.children(node)))
        return _container(node, 5, len(nodes.pairs(node)), content)
    if nodes.is_list(node):
        values = nodes.items(node)
        content = b"".join(map(encode, values))
        if tag.removeprefix(_TAG).isdecimal():
            if len(values) != 1:
                raise nodes.wrong(node, "behind a tag there must be a list of one value")
            return _head(6, _bounded(node, int(tag.removeprefix(_TAG)[:30]))) + content
        if tag in _CHUNKS.values():
            major = next(major for major, name in _CHUNKS.items() if name == tag)
            if any(encode(value)[0] >> 5 != major for value in values):
                raise nodes.wrong(node, f"in {tag} there must be pieces of one kind only")
            return bytes([major << 5 | _INDEFINITE]) + content + b"\xff"
        return _container(node, 4, len(values), content)
    return _scalar(node, tag)


def _container(node: Node, major: int, count: int, content: bytes) -> bytes:
    tag = nodes.tag(node)
    if tag == _INDEFINITE_TAG:
        return bytes([major << 5 | _INDEFINITE]) + content + b"\xff"
    if tag.startswith("!"):
        raise nodes.wrong(node, f"{tag} is no tag of a list or map")
    return _head(major, count) + content


def _scalar(node: Node, tag: str) -> bytes:
    if tag in _WIDTHS or tag == "int":
        value = nodes.integer(node, -(1 << 64), (1 << 64) - 1)
        major, argument = (0, value) if value >= 0 else (1, -1 - value)
        if tag == "int":
            return _head(major, argument)
        size = 1 << (_WIDTHS[tag] - 24)
        if argument >= 1 << 8 * size:
            raise nodes.wrong(node, f"{value} does not fit into {8 * size} bits")
        return bytes([major << 5 | _WIDTHS[tag]]) + argument.to_bytes(size, "big")
    if tag in _REAL_TAGS:
        layout, info = _REAL_TAGS[tag]
        try:
            return bytes([0xE0 | info]) + struct.pack(layout, nodes.real_number(node))
        except OverflowError:
            raise nodes.wrong(node, f"{node.value} is too large for {tag}") from None
    match tag:
        case "null":
            return b"\xf6"
        case "!undefined":
            return b"\xf7"
        case "bool":
            return b"\xf5" if nodes.flag(node) else b"\xf4"
        case "!simple":
            value = nodes.integer(node, 0, 255)
            return bytes([0xE0 | value]) if value < 24 else bytes([0xF8, value])
        case "!binary":
            content = nodes.hex_bytes(node)
            return _head(2, len(content)) + content
    if tag.startswith("!"):
        raise nodes.wrong(node, f"{tag} is no tag of CBOR")
    content = nodes.utf8(node)
    return _head(3, len(content)) + content


def _bounded(node: Node, value: int) -> int:
    if value >= 1 << 64:
        raise nodes.wrong(node, "the number of a tag has 64 bits at most")
    return value


def _head(major: int, argument: int) -> bytes:
    """The shortest head."""
    if argument < 24:
        return bytes([major << 5 | argument])
    info = next(info for info in (24, 25, 26, 27) if argument < 1 << (8 << (info - 24)))
    return bytes([major << 5 | info]) + argument.to_bytes(1 << (info - 24), "big")
