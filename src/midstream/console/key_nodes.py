"""What the readers of key files ask of YAML nodes: mappings with known keys, lists, texts. `Skip` says what is wrong.

Used by key_file.py and key_list.py. A tag that is not YAML's own is refused wherever a value is looked at.
"""

from __future__ import annotations

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from midstream.hub.yaml_nodes import foreign_tag
from midstream.text.suggest import did_you_mean

LONGEST_TEXT = 4096


class Skip(Exception):
    """This entry is wrong: say so and go on with the next."""

    def __init__(self, node: Node, problem: str) -> None:
        super().__init__(problem)
        self.node = node


def mapping(node: Node, known: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, Node]:
    """The values by key; each key is known and stands once."""
    if not isinstance(node, MappingNode) or foreign_tag(node):
        raise Skip(node, f"a mapping with {', '.join(known)} belongs here")
    entries: dict[str, Node] = {}
    for key_node, value in node.value:
        key = text(key_node)
        if key not in known:
            raise Skip(key_node, f"{key[:80]!r} means nothing here{did_you_mean(key, known)}")
        if key in entries:
            raise Skip(key_node, f"{key!r} stands twice")
        entries[key] = value
    for name in required:
        if name not in entries:
            raise Skip(node, f"{name!r} is missing")
    return entries


def sequence(node: Node | None) -> list[Node]:
    """The items; none for a missing or an empty value."""
    if node is None or (isinstance(node, ScalarNode) and not node.value):
        return []
    if not isinstance(node, SequenceNode) or foreign_tag(node):
        raise Skip(node, "a list belongs here")
    return list(node.value)


def text(node: Node) -> str:
    """A plain text as it is written: `1` and `~` are keys too."""
    if not isinstance(node, ScalarNode):
        raise Skip(node, "a plain text belongs here")
    if tag := foreign_tag(node):
        raise Skip(node, f"tags such as {tag[:80]} mean nothing here")
    if len(node.value) > LONGEST_TEXT:
        raise Skip(node, f"longer than {LONGEST_TEXT:,} characters")
    return str(node.value)
