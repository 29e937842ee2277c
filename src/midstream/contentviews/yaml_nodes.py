"""Edited text of a view as YAML nodes, and what may stand in them. The opposite of yaml_tree.py.

The views that encode text again read with it. Errors are ValueErrors that begin with the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from midstream.contentviews.yaml_tree import CUT_OFF, CUT_TAG
from midstream.hub import yaml_nodes

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node as YamlNode

LONGEST_TEXT = 1024 * 1024
"""Characters: the reader of YAML needs a dozen seconds for them."""

_STANDARD = "tag:yaml.org,2002:"
_CUT_OFF = re.compile(rf"^ *{CUT_OFF}", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?(?:0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)", re.IGNORECASE)

Node: TypeAlias = "YamlNode"


def read(text: str) -> Node | None:
    """The node that a text consists of; None when there are only comments."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the text has {len(text):,} characters; at most {LONGEST_TEXT:,} are encoded again")
    if _CUT_OFF.search(text):
        raise ValueError("the text was cut off for reading; it cannot be encoded again")
    node = yaml_nodes.compose(text, "the text")
    if node is not None:
        _refuse_aliases(node, set())
    return node


def documents(text: str) -> list[str]:
    """The documents of a text. Empty lines stand for those before, so that errors name lines of the whole."""
    documents, lines = [], list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if line.rstrip() == "---":
            documents.append("\n".join(lines))
            lines = [""] * number
        else:
            lines.append(line)
    if any(lines) or documents:
        documents.append("\n".join(lines))
    return documents


def _refuse_aliases(node: Node, seen: set[int]) -> None:
    """An anchor that is used twice would let a page of text become gigabytes."""
    if id(node) in seen:
        raise wrong(node, "anchors and aliases are not encoded")
    seen.add(id(node))
    for child in children(node):
        _refuse_aliases(child, seen)


def children(node: Node) -> list[Node]:
    """The nodes inside of a map or a list."""
    if is_map(node):
        return [part for pair in node.value for part in pair]
    return list(node.value) if is_list(node) else []


def wrong(node: Node, why: str) -> ValueError:
    """The error that tells where something cannot be encoded."""
    return ValueError(f"line {node.start_mark.line + 1}: {why}")


def is_map(node: Node) -> bool:
    return _kind(node) == "mapping"


def is_list(node: Node) -> bool:
    return _kind(node) == "sequence"


def is_scalar(node: Node) -> bool:
    return _kind(node) == "scalar"


def _kind(node: Node) -> str:
    return str(node.id)  # type: ignore[attr-defined] # which the base class does not declare


def tag(node: Node) -> str:
    """`!binary` and the like for what was tagged; `int`, `str`, `map` … for the rest."""
    return str(node.tag or "str").removeprefix(_STANDARD)


def pairs(node: Node) -> list[tuple[Node, Node]]:
    """The entries of a map."""
    if not is_map(node):
        raise wrong(node, "there must be a map here, lines like `name: value`")
    return list(node.value)


def items(node: Node) -> list[Node]:
    """The entries of a list."""
    if not is_list(node):
        raise wrong(node, "there must be a list here, lines like `- value`")
    return list(node.value)


def integer(node: Node, lowest: int, highest: int) -> int:
    """A whole number within bounds."""
    value = whole_number(node)
    if value is None:
        raise wrong(node, "there must be a whole number here")
    if not lowest <= value <= highest:
        raise wrong(node, f"{value} is not within {lowest} and {highest}")
    return value


def whole_number(node: Node) -> int | None:
    """The number that a scalar is, None if it is none."""
    if not is_scalar(node):
        return None
    written = str(node.value).replace("_", "")
    if not _NUMBER.fullmatch(written) or len(written) > 1000:
        return None
    unsigned = written.lstrip("+-")
    return int(written, 0) if unsigned[:2].lower() in ("0x", "0o", "0b") else int(written)


def real_number(node: Node) -> float:
    """A number, with or without a point, `.inf` and `.nan`."""
    if is_scalar(node):
        written = str(node.value).replace("_", "").lower()
        if written.lstrip("+-") in (".inf", ".nan"):
            written = written.replace(".", "", 1)
        try:
            return float(written)
        except ValueError:
            pass
    raise wrong(node, "there must be a number here")


def string(node: Node) -> str:
    """A text, whatever else YAML takes it for."""
    if not is_scalar(node):
        raise wrong(node, "there must be a text here")
    refuse_cut(node)
    return str(node.value)


def utf8(node: Node) -> bytes:
    """The same as bytes."""
    try:
        return string(node).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise wrong(node, "the text has half a character in it") from None


def flag(node: Node) -> bool:
    """`true` or `false`."""
    if is_scalar(node) and str(node.value).lower() in ("true", "false"):
        return str(node.value).lower() == "true"
    raise wrong(node, "there must be true or false here")


def hex_bytes(node: Node) -> bytes:
    """The bytes of what is tagged `!binary`."""
    try:
        return bytes.fromhex(string(node))
    except ValueError as error:
        raise (
            error if str(error).startswith("line ") else wrong(node, f"this is no run of hex digits: {error}")
        ) from None


def refuse_cut(node: Node) -> None:
    """ValueError for a value of which only the beginning was shown."""
    if tag(node) == CUT_TAG:
        raise wrong(node, "of this long value only the beginning was shown; it cannot be encoded again")


def same(one: Node, other: Node) -> bool:
    """Whether two nodes say the same."""
    if one is other:
        return True
    if _kind(one) != _kind(other) or tag(one) != tag(other):
        return False
    if is_scalar(one):
        return bool(one.value == other.value)
    first, second = children(one), children(other)
    return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
