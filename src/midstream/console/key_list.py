"""Key files that are a list of `key`, `cmd`, `ctx`, `help`: the format of mitmproxy's `keys.yaml`.

key_file.py hands such a file over. For each entry the key is first taken out of the named contexts, then bound there;
contexts and keys may be spelled as in either program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ruamel.yaml.nodes import Node

from midstream.console.key_nodes import mapping, sequence, text
from midstream.console.keymap import CONTEXTS, Binding
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.key_file import KeyFileReader

_ENTRY = ("key", "cmd", "ctx", "help")

# The contexts of that program and ours; empty: it has its own keys here, or there is no such pane yet.
CONTEXTS_OF: dict[str, tuple[str, ...]] = {
    "chooser": (),
    "commands": ("commands",),
    "commonkey": ("global",),
    "dataviewer": (),
    "eventlog": ("log",),
    "flowlist": ("flows",),
    "flowview": ("detail",),
    "global": ("global",),
    "grideditor": ("grid",),
    "help": ("help",),
    "keybindings": ("keys",),
    "options": ("options",),
}
NO_PANE = ("chooser", "dataviewer", "grideditor")


def contexts_named(names: Sequence[str]) -> tuple[str, ...]:
    """Our contexts for names of either program; ValueError for one that neither has."""
    found: dict[str, None] = {}
    for name in names:
        if name not in CONTEXTS and name not in CONTEXTS_OF:
            raise ValueError(f"{name[:80]!r} is no context{did_you_mean(name, {**CONTEXTS, **CONTEXTS_OF})}")
        for ours in CONTEXTS_OF.get(name, (name,)):
            found[ours] = None
    return tuple(found)


def freed_with(contexts: Sequence[str]) -> tuple[str, ...]:
    """Where a key must be free for a binding to count: there `global` is looked up right after a pane's own context."""
    return (*contexts, "list") if "global" in contexts else tuple(contexts)


def read(reader: KeyFileReader, root: Node) -> None:
    """Add the bindings of the list."""
    reader.each(sequence(root), lambda node: _read_entry(reader, node))


def _read_entry(reader: KeyFileReader, node: Node) -> None:
    entry = mapping(node, _ENTRY, required=("key", "cmd"))
    help_text = text(entry["help"]) if "help" in entry else ""
    contexts = reader.contexts(entry, "ctx")
    keys = reader.chord(entry["key"])
    if not contexts:
        return
    reader.keymap.remove(keys, freed_with(contexts), reader.at(entry["key"]))
    reader.bind([entry["key"]], entry["cmd"], Binding((), contexts, "", help_text))
