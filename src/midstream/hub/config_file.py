"""What stands in a config file: its entries with their places, read strictly, and the file changed without losing more
than what has changed.

Works on text. config.py says which options there are and what they should be; nothing here knows any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from midstream.flows.errors import OptionsError
from midstream.hub import yaml_nodes
from midstream.hub.option_types import OptionValue

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

# A config file with every option spelled out has 10 kB; the YAML reader needs a second for 300 kB.
LARGEST_FILE = 256 * 1024

_TAG = "tag:yaml.org,2002:"
# Text that needs no quotes, and words that would be something else without.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./~-]*( [A-Za-z0-9_/][A-Za-z0-9_./~-]*)*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_SHAPES = {"scalar": "a text", "sequence": "a list", "mapping": "a mapping"}
_SHORT = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Entry:
    """`key: value` at `place`, which is `file:line:column` of the value; the nodes say where in the text."""

    key: str
    value: Any
    place: str
    key_node: Node
    value_node: Node


def entries(text: str, name: str) -> list[Entry]:
    """All of them in their order. OptionsError with the place of what is not allowed: tags, cycles, nested values."""
    if not text.strip():
        return []
    if len(text) > LARGEST_FILE:
        raise OptionsError(f"{name}: {len(text):,} characters are no config file; the limit is {LARGEST_FILE:,}")
    try:
        root: Any = yaml_nodes.compose(text, name)
    except yaml_nodes.BadYaml as error:
        raise OptionsError(str(error)) from None
    if root is None or root.tag == f"{_TAG}null":
        return []
    if root.id != "mapping":
        raise OptionsError(f"{yaml_nodes.place(name, root)}: expected lines of 'option: value', got {_SHAPES[root.id]}")
    return list(_pairs(root.value, name))


def _pairs(pairs: Sequence[tuple[Any, Any]], name: str) -> Iterator[Entry]:
    seen: set[str] = set()
    for key, value in pairs:
        if key.id != "scalar":
            raise OptionsError(f"{yaml_nodes.place(name, key)}: an option name is a word, not {_SHAPES[key.id]}")
        if key.value in seen:
            raise OptionsError(f"{yaml_nodes.place(name, key)}: option {key.value} stands here twice")
        seen.add(key.value)
        if value.id == "sequence" and value.tag == f"{_TAG}seq":
            found: Any = [_plain(item, key.value, name) for item in value.value]
        else:
            found = _plain(value, key.value, name)
        # An alias is the node that it stands for, further up; an empty value is where the next key begins.
        is_here = key.end_mark.index < value.start_mark.index < value.end_mark.index
        yield Entry(key.value, found, yaml_nodes.place(name, value if is_here else key), key, value)


def _plain(node: Any, key: str, name: str) -> object:
    """The value of a node that must be a plain one. An alias that leads back to its own list is none."""
    where, tag = yaml_nodes.place(name, node), str(node.tag)
    if not tag.startswith(_TAG):
        raise OptionsError(f"{where}: option {key}: tags such as {tag} are not allowed here")
    match tag.removeprefix(_TAG):
        case "str" | "timestamp" if node.id == "scalar":
            return str(node.value)
        case "int" | "bool" | "null" | "float" as kind if node.id == "scalar":
            from ruamel.yaml import YAML

            try:
                value: object = YAML(typ="safe", pure=True).constructor.construct_object(node)
            except (ValueError, KeyError):  # `!!int many`; numbers of more digits than Python reads
                text = str(node.value)
                shown = text if len(text) <= 20 else f"{text[:20]}…"
                raise OptionsError(f"{where}: option {key}: {shown!r} is no {kind}") from None
            return value
        case other:
            shape = {"map": "a mapping", "seq": "a list within a list"}.get(other, f"!!{other}")
            raise OptionsError(f"{where}: option {key}: expected a plain value, got {shape}")


# -- changing -----------------------------------------------------------------------------------------------------


def rewritten(text: str, found: Sequence[Entry], wanted: Mapping[str, OptionValue], gone: Sequence[str]) -> str:
    """`text`, whose entries are `found`, with the values `wanted` and without the keys `gone`.

    What does not change keeps its bytes: comments, order, quotes, foreign names. New keys come last.
    """
    if found and _is_flow_mapping(text, found):  # `{a: 1}` has no lines to change: it becomes some
        kept = {entry.key: entry.value for entry in found if entry.key not in gone}
        return "".join(_lines(key, value) for key, value in {**kept, **wanted}.items())
    changed = text
    for entry in reversed(found):  # from the end, so that the places before it stay right
        if entry.key in gone:
            start, end = _line_start(text, entry.key_node.start_mark.index), _line_end(text, _end(text, entry))
            changed = changed[:start] + changed[end:]
        elif entry.key in wanted and wanted[entry.key] != entry.value:
            start, end, value = _replacement(text, entry, wanted[entry.key])
            changed = changed[:start] + value + changed[end:]
    known = {entry.key for entry in found}
    new = "".join(_lines(key, value) for key, value in wanted.items() if key not in known)
    return changed + ("\n" if new and changed and not changed.endswith("\n") else "") + new


def _is_flow_mapping(text: str, found: Sequence[Entry]) -> bool:
    before = text[: found[0].key_node.start_mark.index]
    return re.search(r"^[^#\n]*\{", before, re.MULTILINE) is not None


def _replacement(text: str, entry: Entry, value: OptionValue) -> tuple[int, int, str]:
    """The part of the text to replace, and what by."""
    node: Any = entry.value_node
    end = _end(text, entry)
    in_lines = node.id == "sequence" and not node.flow_style
    if in_lines and isinstance(value, list) and value:
        start = _line_start(text, node.start_mark.index)
        return start, _line_end(text, end), _list_lines(text, entry, value)
    start = node.start_mark.index
    colon = text.index(":", entry.key_node.end_mark.index) + 1
    if start == end:  # nothing stood there
        return colon, colon, " " + inline(value)
    return (colon, end, " " + inline(value)) if in_lines else (start, end, inline(value))


def _list_lines(text: str, entry: Entry, value: Sequence[str]) -> str:
    """A list of lines anew; an item that stays keeps its line and the comments around it."""
    node: Any = entry.value_node
    start = _line_start(text, node.start_mark.index)
    indent = text[start : node.start_mark.index]
    old: list[tuple[object, str]] = []
    for item, each in zip(node.value, entry.value, strict=True):
        end = _line_end(text, _node_end(text, item))
        line = text[start:end]
        old.append((each, line if line.endswith("\n") else f"{line}\n"))
        start = end
    lines = []
    for each in value:
        kept = next((pair for pair in old if pair[0] == each), None)
        if kept is not None:
            old.remove(kept)
        lines.append(kept[1] if kept is not None else f"{indent}- {inline(each)}\n")
    return "".join(lines)


def _end(text: str, entry: Entry) -> int:
    return max(_node_end(text, entry.value_node), int(entry.key_node.end_mark.index))


def _node_end(text: str, node: Any) -> int:
    """Where the text of a value ends; a list of lines ends with its last item, not before the next key."""
    if node.id == "sequence" and not node.flow_style and node.value:
        return _node_end(text, node.value[-1])
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return start + len(text[start:end].rstrip()) if node.id == "scalar" and node.style in ("|", ">") else end


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _lines(key: str, value: OptionValue) -> str:
    if isinstance(value, list) and value:
        return f"{inline(key)}:\n" + "".join(f"- {inline(item)}\n" for item in value)
    return f"{inline(key)}: {inline(value)}\n"


def inline(value: OptionValue) -> str:
    """A value in one line of YAML that every reader takes for the same."""
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) or (_PLAIN.fullmatch(value) and value.lower() not in _WORDS):
        return str(value)
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT or character.isprintable():
        return _SHORT.get(character, character)
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
