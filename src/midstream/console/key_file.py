"""Reads key binding files (YAML, console.md §4) into a keymap.

The console loads the shipped set and the person's own file at start, and others on command. Errors carry file, line
and column, are collected and never stop the start: the bad entry is skipped. A file that is a list is read by
key_list.py. Whether the commands exist is not asked here: an addon may bring them later.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from midstream.console import key_list
from midstream.console.key_names import BadKey, legacy_meaning, parse_chord
from midstream.console.key_nodes import Skip, mapping, sequence, text
from midstream.console.keymap import Binding, Condition, Conflict, Keymap
from midstream.hub import yaml_nodes
from midstream.hub.yaml_nodes import BadYaml
from midstream.text.suggest import did_you_mean

LARGEST_FILE = 64 * 1024  # read within the second; the default set has 10 kB
DEEPEST_EXTENDS = 8
MOST_ERRORS = 50
LONGEST_CHORD = 8
_TOP = ("version", "name", "extends", "options", "bind", "menus", "unbind")
_BIND = ("keys", "in", "run", "help", "when")
_MENU = ("keys", "in", "title", "items")

CompileFilter = Callable[[str], Condition]


@dataclass(slots=True)
class Report:
    """What came of reading: `errors` are entries that were skipped, `notes` are worth knowing and were kept."""

    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0
    was_refused: bool = False  # the file as a whole: nothing of it was taken
    started_anew: bool = False  # it says itself what it stands on


def shipped_folder() -> Path:
    """Where the shipped key sets are: inside the installed package, or the repository's own folder."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "keybindings"
    if packaged.is_dir():
        return packaged
    return package.parent.parent / "keybindings"


def set_names(folders: Sequence[Path]) -> list[str]:
    """What the key sets in these folders are called."""
    return sorted({entry.stem for folder in folders for entry in folder.glob("*.yaml")})


def _shown(path: Path) -> str:
    """The path as people write it: messages about their own files fit into a row then."""
    home = os.path.expanduser("~")
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


@lru_cache(maxsize=2)
def _compose_shipped(content: str, source: str) -> Node | None:
    """The shipped sets are below most files and stay as they are; parsing one takes longest of all."""
    return yaml_nodes.compose(content, source)


class KeyFileReader:
    """Reads files into one keymap. `compile_filter` is given, so that this needs no hub; `folders` hold key sets."""

    def __init__(self, keymap: Keymap, compile_filter: CompileFilter, folders: Sequence[Path] = ()) -> None:
        self.keymap = keymap
        self.report = Report()
        self._compile = compile_filter
        self._folders = (*folders, shipped_folder())
        self._file = ""
        self._source = ""
        self._is_shipped = False

    def read_set(self, name: str) -> Report:
        """Add a key set by its name."""
        path = self._find_set(name, None)
        if path is None:
            return self._refuse(f"there is no key set {name!r}{self._which_sets(name)}")
        return self.read_file(path)

    def read_file(self, path: Path, depth: int = 0) -> Report:
        """Lay the bindings of a file over what is there; with `extends` it starts anew from that set."""
        try:
            content = yaml_nodes.read_text(path, LARGEST_FILE)
        except BadYaml as error:
            return self._refuse(str(error))
        shipped = path.parent == shipped_folder()
        return self.read_text(content, path.stem if shipped else path.name, path, depth)

    def read_text(self, content: str, name: str, path: Path | None = None, depth: int = 0) -> Report:
        """The same for the content of a file; `name` is what errors and sources call it."""
        self._file = _shown(path) if path is not None else name
        self._source = name
        self._is_shipped = path is not None and path.parent == shipped_folder()
        try:
            root = (_compose_shipped if self._is_shipped else yaml_nodes.compose)(content, self._file)
        except BadYaml as error:
            return self._refuse(str(error))
        if root is not None:
            try:
                self._read_root(root, path, depth)
            except Skip as skip:
                return self._refuse(f"{yaml_nodes.place(self._file, skip.node)}: {skip}")
        return self.report

    def _read_root(self, root: Node, path: Path | None, depth: int) -> None:
        if isinstance(root, SequenceNode):
            self._extend(None, path, depth)
            self.keymap.begin_layer()
            key_list.read(self, root)
            return
        top = mapping(root, _TOP)
        version = top.get("version")
        if version is None or text(version) != "1":
            raise Skip(version or root, "a key file begins with 'version: 1'")
        if "name" in top:
            text(top["name"])
        self._extend(top.get("extends"), path, depth)
        self.keymap.begin_layer()
        # In this order what the old leader began can be unbound, and what is bound finds the new one.
        self.each([top["unbind"]] if "unbind" in top else [], lambda node: self.each(sequence(node), self._read_unbind))
        self.each([top["options"]] if "options" in top else [], self._read_options)
        self.each([top["bind"]] if "bind" in top else [], lambda node: self.each(sequence(node), self._read_bind))
        self.each([top["menus"]] if "menus" in top else [], lambda node: self.each(sequence(node), self._read_menu))

    # --- what it stands on ------------------------------------------------------------------------------------------

    def _extend(self, node: Node | None, path: Path | None, depth: int) -> None:
        if node is not None:
            wanted = text(node)
        elif depth and not self._is_shipped:
            wanted = "default"  # a person's file adds to the default set unless it says otherwise
        else:
            return
        found = None
        if wanted != "none":
            found = self._find_set(wanted, path)
            if node is not None and depth >= DEEPEST_EXTENDS:
                raise Skip(node, "'extends' goes in a circle")
            if node is not None and found is None:
                raise Skip(node, f"there is no key set {wanted[:80]!r}{self._which_sets(wanted)}")
        if not depth:
            self.keymap.clear()
            self.report.started_anew = True
        if found is not None:
            before = self._file, self._source, self._is_shipped
            if self.read_file(found, depth + 1).was_refused:
                self.report.was_refused = False
                self.read_file(shipped_folder() / "default.yaml", depth + 1)  # so that there are keys
            self._file, self._source, self._is_shipped = before

    def _find_set(self, name: str, beside: Path | None) -> Path | None:
        """The file of a key set: beside the one that names it, in the person's folder, or shipped."""
        # The functions of os.path answer for any text; those of pathlib raise for some.
        file = os.path.expanduser(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        folders = ([beside.parent] if beside is not None else []) + list(self._folders)
        for folder in folders:
            candidate = folder / file
            if candidate != beside and os.path.isfile(candidate):
                return candidate
        return None

    def _which_sets(self, wanted: str) -> str:
        names = set_names(self._folders)
        return did_you_mean(wanted, names) or f"; there are {', '.join(names)}"

    # --- entries ----------------------------------------------------------------------------------------------------

    def each(self, nodes: Sequence[Node], read: Callable[[Node], None]) -> None:
        """Read entry by entry; one that is wrong is an error and no more."""
        for node in nodes:
            try:
                read(node)
            except Skip as skip:
                self._error(f"{yaml_nodes.place(self._file, skip.node)}: {skip}")

    def _read_options(self, node: Node) -> None:
        options = mapping(node, ("leader", "menu_delay_ms", "counts"))
        if (leader := options.get("leader")) is not None:
            chord = self.chord(leader, "")
            if len(chord) != 1:
                raise Skip(leader, "leader is one key")
            self.keymap.set_leader(chord[0], self.at(leader))
        if (delay := options.get("menu_delay_ms")) is not None:
            digits = text(delay)
            if not (digits.isascii() and digits.isdecimal() and len(digits) < 6 and int(digits) <= 60_000):
                raise Skip(delay, f"menu_delay_ms is a number from 0 to 60000, not {digits[:20]!r}")
            self.keymap.menu_delay = int(digits) / 1000
        if (counts := options.get("counts")) is not None:
            if (said := text(counts)) not in ("true", "false"):
                raise Skip(counts, f"counts is true or false, not {said[:20]!r}")
            self.keymap.counts = said == "true"

    def _read_bind(self, node: Node) -> None:
        entry = mapping(node, _BIND, required=("keys", "run"))
        condition, when = None, ""
        if (when_node := entry.get("when")) is not None:
            when = text(when_node)
            try:
                condition = self._compile(when)
            except ValueError as error:
                raise Skip(when_node, f"when: {error}") from None
        help_text = text(entry["help"]) if "help" in entry else ""
        self.bind(
            [entry["keys"]], entry["run"], Binding((), self.contexts(entry), "", help_text, condition, when_text=when)
        )

    def _read_menu(self, node: Node) -> None:
        entry = mapping(node, _MENU, required=("keys",))
        prefix = self.chord(entry["keys"])
        contexts = self.contexts(entry)
        if "title" in entry:
            self.keymap.set_title(prefix, contexts, text(entry["title"]), self._leader_at(entry["keys"]))
        items = entry.get("items")
        if items is None:
            return  # only a title, for chords that stand under bind
        if not isinstance(items, MappingNode):
            raise Skip(items, "items is a mapping of keys to [command, help]")

        def read_item(key_node: Node) -> None:
            value = values[id(key_node)]
            parts = sequence(value) if isinstance(value, SequenceNode) else [value]
            if not 0 < len(parts) < 3:
                raise Skip(value, "an item is [command, help]")
            help_text = text(parts[1]) if len(parts) > 1 else ""
            self.bind([entry["keys"], key_node], parts[0], Binding((), contexts, "", help_text))

        values = {id(key_node): value for key_node, value in items.value}
        self.each([key_node for key_node, _ in items.value], read_item)

    def _read_unbind(self, node: Node) -> None:
        entry = mapping(node, ("keys", "in"), required=("keys",))
        keys = self.chord(entry["keys"])
        if not self.keymap.remove(keys, self.contexts(entry), self.at(entry["keys"])):
            raise Skip(entry["keys"], f"{' '.join(keys)!r} is not bound there")

    def bind(self, key_nodes: Sequence[Node], run_node: Node, unfinished: Binding) -> None:
        """Give a binding its keys (those of a menu come first), its command and its place, and add it."""
        keys = tuple(key for part in key_nodes for key in self.chord(part))
        words = [word for part in key_nodes for word in self.chord(part, "leader")]
        key_node = key_nodes[-1]
        command = " ".join(text(run_node).split("\n")).strip()
        if not command:
            raise Skip(run_node, "no command is given")
        if len(keys) > LONGEST_CHORD:
            raise Skip(key_node, f"a chord has at most {LONGEST_CHORD} keys")
        binding = replace(
            unfinished,
            keys=keys,
            command=command,
            source=self.at(key_node),
            place=yaml_nodes.place(self._file, run_node),
            leader_at=tuple(at for at, word in enumerate(words) if word == "leader"),
        )
        if not binding.contexts:
            return  # a note says that there are none to bind keys in
        try:
            self.keymap.add(binding)
        except Conflict as conflict:
            raise Skip(key_node, str(conflict)) from None
        self.report.count += 1
        for key in keys:
            if meaning := legacy_meaning(key):
                self.note(key_node, f"many terminals send {key!r} as {meaning!r}")

    # --- parts of an entry ------------------------------------------------------------------------------------------

    def chord(self, node: Node, leader: str | None = None) -> tuple[str, ...]:
        """The keys that a node names."""
        try:
            return parse_chord(text(node), self.keymap.leader if leader is None else leader)
        except BadKey as error:
            raise Skip(node, str(error)) from None

    def _leader_at(self, node: Node) -> tuple[int, ...]:
        return tuple(at for at, word in enumerate(self.chord(node, "leader")) if word == "leader")

    def contexts(self, entry: dict[str, Node], key: str = "in") -> tuple[str, ...]:
        """Our contexts for those that an entry names, in either program's words; none if keys can be bound in none."""
        node = entry.get(key)
        if node is None:
            return ("global",)
        children = [node] if isinstance(node, ScalarNode) else sequence(node)
        if not children:
            raise Skip(node, f"{key!r} names no context")
        found: dict[str, None] = {}
        for child in children:
            name = text(child)
            try:
                found.update(dict.fromkeys(key_list.contexts_named([name])))
            except ValueError as error:
                raise Skip(child, str(error)) from None
            if name in key_list.NO_PANE:
                self.note(child, f"there is no {name} to bind keys in")
        return tuple(found)

    # --- where ------------------------------------------------------------------------------------------------------

    def note(self, node: Node, words: str) -> None:
        """Something worth knowing about an entry that is kept."""
        if len(self.report.notes) < MOST_ERRORS:
            self.report.notes.append(f"{yaml_nodes.place(self._file, node)}: {words}")

    def at(self, node: Node) -> str:
        """The source of a binding: a set's name, or file:line."""
        return self._source if self._is_shipped else f"{self._source}:{node.start_mark.line + 1}"

    def _refuse(self, line: str) -> Report:
        self.report.was_refused = True
        self._error(line)
        return self.report

    def _error(self, line: str) -> None:
        if len(self.report.errors) == MOST_ERRORS:
            self.report.errors.append(f"{self._file}: there are more errors; the first {MOST_ERRORS} are listed")
        elif len(self.report.errors) < MOST_ERRORS:
            self.report.errors.append(line)
