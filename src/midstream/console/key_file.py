"""Reads key binding files (YAML, console.md §4) into a keymap.

The console loads the shipped set and the person's own file at start, and another on command. Errors carry file, line
and column, are collected and never stop the start: the bad entry is skipped. The text is only ever composed into nodes,
so no YAML tag can make an object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from midstream.console.key_names import BadKey, legacy_meaning, parse_chord
from midstream.console.keymap import CONTEXTS, Binding, Condition, Conflict, Keymap
from midstream.text.suggest import did_you_mean

LONGEST_FILE = 1 << 20
DEEPEST_EXTENDS = 8
_TOP = ("version", "name", "extends", "options", "bind", "menus", "unbind")
_BIND = ("keys", "in", "run", "help", "when")
_MENU = ("keys", "in", "title", "items")

CompileFilter = Callable[[str], Condition]
CheckCommand = Callable[[str], str]  # "" or what is wrong with the command line


@dataclass(slots=True)
class Report:
    """What came of reading: `errors` are entries that were skipped, `notes` are worth knowing and were kept."""

    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0


class _Skip(Exception):
    """This entry is wrong: say so and go on with the next."""

    def __init__(self, node: Node, problem: str) -> None:
        super().__init__(problem)
        self.node = node


def shipped_folder() -> Path:
    """Where the shipped key sets are: inside the installed package, or the repository's own folder."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "keybindings"
    if packaged.is_dir():
        return packaged
    return package.parent.parent / "keybindings"


class KeyFileReader:
    """Reads files into one keymap. `compile_filter` and `check_command` are the hub's, so that this needs neither."""

    def __init__(self, keymap: Keymap, compile_filter: CompileFilter, check_command: CheckCommand) -> None:
        self._keymap = keymap
        self._compile = compile_filter
        self._check_command = check_command
        self._file = ""
        self._source = ""
        self.report = Report()

    def read_file(self, path: Path, depth: int = 0) -> Report:
        """Add the bindings of a file, those it extends first."""
        try:
            if path.stat().st_size > LONGEST_FILE:
                raise ValueError(f"larger than {LONGEST_FILE} bytes")
            text = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            self.report.errors.append(f"{path}: {getattr(error, 'strerror', None) or error}")
            return self.report
        shipped = path.parent == shipped_folder()
        return self.read_text(text, path.stem if shipped else path.name, path, depth)

    def read_text(self, text: str, name: str, path: Path | None = None, depth: int = 0) -> Report:
        """Add the bindings that stand in `text`; `name` is what errors and sources call it."""
        self._file = str(path) if path is not None else name
        self._source = name
        try:
            # The default reader keeps marks on nodes, and composing makes no objects of any kind.
            root = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"{self._file}:{mark.line + 1}:{mark.column + 1}" if mark else self._file
            self.report.errors.append(f"{place}: {error.problem or error.context}")
            return self.report
        except (YAMLError, RecursionError) as error:
            self.report.errors.append(
                f"{self._file}: {str(error).splitlines()[0] if str(error) else 'nested too deep'}"
            )
            return self.report
        if root is not None:
            try:
                self._read_root(root, path, depth)
            except _Skip as skip:
                self._error(skip)
        return self.report

    def _read_root(self, root: Node, path: Path | None, depth: int) -> None:
        top = self._mapping(root, _TOP)
        version = top.get("version")
        if version is None or self._text(version) != "1":
            raise _Skip(version or root, "a key file begins with 'version: 1'")
        self._extend(top.get("extends"), path, depth)
        if (options := top.get("options")) is not None:
            self._each([options], self._read_options)
        self._each(self._sequence(top.get("unbind")), self._read_unbind)
        self._each(self._sequence(top.get("bind")), self._read_bind)
        self._each(self._sequence(top.get("menus")), self._read_menu)

    def _extend(self, node: Node | None, path: Path | None, depth: int) -> None:
        own = path is not None and path.parent != shipped_folder()
        # A person's file adds to the default set unless it says otherwise; a shipped set says what it stands on.
        wanted = self._text(node) if node is not None else "default" if own else "none"
        if wanted == "none":
            return
        if depth >= DEEPEST_EXTENDS:
            self.report.errors.append(f"{self._file}: 'extends' goes in a circle")
            return
        file, source = self._file, self._source
        candidates = [shipped_folder() / f"{wanted}.yaml"]
        if path is not None and "/" not in wanted:
            candidates.insert(0, path.parent / (wanted if wanted.endswith(".yaml") else f"{wanted}.yaml"))
        found = next((candidate for candidate in candidates if candidate != path and candidate.is_file()), None)
        if found is None:
            names = [entry.stem for entry in shipped_folder().glob("*.yaml")]
            place = self._place(node) if node is not None else self._file
            self.report.errors.append(f"{place}: there is no key set {wanted!r}{did_you_mean(wanted, names)}")
            return
        self.read_file(found, depth + 1)
        self._file, self._source = file, source

    # --- entries ----------------------------------------------------------------------------------------------------

    def _each(self, nodes: list[Node], read: Callable[[Node], None]) -> None:
        for node in nodes:
            try:
                read(node)
            except _Skip as skip:
                self._error(skip)

    def _read_options(self, node: Node) -> None:
        options = self._mapping(node, ("leader", "menu_delay_ms"))
        if (leader := options.get("leader")) is not None:
            chord = self._chord(leader, "")
            if len(chord) != 1:
                raise _Skip(leader, "leader is one key")
            self._keymap.leader = chord[0]
        if (delay := options.get("menu_delay_ms")) is not None:
            try:
                milliseconds = int(self._text(delay))
            except ValueError:
                raise _Skip(delay, f"menu_delay_ms is a number, not {self._text(delay)!r}") from None
            if not 0 <= milliseconds <= 60_000:
                raise _Skip(delay, "menu_delay_ms lies between 0 and 60000")
            self._keymap.menu_delay = milliseconds / 1000

    def _read_bind(self, node: Node) -> None:
        entry = self._mapping(node, _BIND, required=("keys", "run"))
        keys = self._chord(entry["keys"])
        command = self._text(entry["run"]).strip()
        if problem := self._check_command(command):
            raise _Skip(entry["run"], problem)
        condition, when = None, ""
        if (when_node := entry.get("when")) is not None:
            when = self._text(when_node)
            try:
                condition = self._compile(when)
            except ValueError as error:
                raise _Skip(when_node, f"when: {error}") from None
        help_text = self._text(entry["help"]) if "help" in entry else ""
        self._bind(
            entry["keys"], Binding(keys, self._contexts(entry), command, help_text, condition, when, self._at(node))
        )

    def _read_menu(self, node: Node) -> None:
        entry = self._mapping(node, _MENU, required=("keys",))
        prefix = self._chord(entry["keys"])
        contexts = self._contexts(entry)
        if "title" in entry:
            self._keymap.set_title(prefix, contexts, self._text(entry["title"]))
        items = entry.get("items")
        if items is None:
            return  # only a title, for chords that stand under bind
        if not isinstance(items, MappingNode):
            raise _Skip(items, "items is a mapping of keys to [command, help]")
        for key_node, value in items.value:
            try:
                parts = self._sequence(value) if isinstance(value, SequenceNode) else [value]
                command = self._text(parts[0]) if parts else ""
                if problem := self._check_command(command):
                    raise _Skip(value, problem)
                help_text = self._text(parts[1]) if len(parts) > 1 else ""
                keys = (*prefix, *self._chord(key_node))
                self._bind(key_node, Binding(keys, contexts, command, help_text, source=self._at(key_node)))
            except _Skip as skip:
                self._error(skip)

    def _read_unbind(self, node: Node) -> None:
        entry = self._mapping(node, ("keys", "in"), required=("keys",))
        keys = self._chord(entry["keys"])
        if not self._keymap.remove(keys, self._contexts(entry)):
            raise _Skip(entry["keys"], f"{' '.join(keys)!r} is not bound there")

    def _bind(self, node: Node, binding: Binding) -> None:
        try:
            self._keymap.add(binding)
        except Conflict as conflict:
            raise _Skip(node, str(conflict)) from None
        self.report.count += 1
        for key in binding.keys:
            if meaning := legacy_meaning(key):
                self.report.notes.append(f"{self._place(node)}: many terminals send {key!r} as {meaning!r}")

    # --- nodes ------------------------------------------------------------------------------------------------------

    def _mapping(self, node: Node, known: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            raise _Skip(node, f"here stands a mapping with {', '.join(known)}")
        entries: dict[str, Node] = {}
        for key_node, value in node.value:
            key = self._text(key_node)
            if key not in known:
                raise _Skip(key_node, f"{key!r} means nothing here{did_you_mean(key, known)}")
            if key in entries:
                raise _Skip(key_node, f"{key!r} stands twice")
            entries[key] = value
        for name in required:
            if name not in entries:
                raise _Skip(node, f"{name!r} is missing")
        return entries

    def _sequence(self, node: Node | None) -> list[Node]:
        if node is None or (isinstance(node, ScalarNode) and not node.value):
            return []
        if not isinstance(node, SequenceNode):
            raise _Skip(node, "here stands a list")
        return list(node.value)

    def _text(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise _Skip(node, "here stands a plain text")
        return str(node.value)

    def _chord(self, node: Node, leader: str | None = None) -> tuple[str, ...]:
        try:
            return parse_chord(self._text(node), self._keymap.leader if leader is None else leader)
        except BadKey as error:
            raise _Skip(node, str(error)) from None

    def _contexts(self, entry: dict[str, Node]) -> tuple[str, ...]:
        node = entry.get("in")
        if node is None:
            return ("global",)
        names = []
        for child in [node] if isinstance(node, ScalarNode) else self._sequence(node):
            name = self._text(child)
            if name not in CONTEXTS:
                raise _Skip(child, f"{name!r} is no context{did_you_mean(name, CONTEXTS)}")
            names.append(name)
        if not names:
            raise _Skip(node, "'in' names no context")
        return tuple(names)

    # --- where ------------------------------------------------------------------------------------------------------

    def _at(self, node: Node) -> str:
        shipped = self._file.startswith(str(shipped_folder()))
        return self._source if shipped else f"{self._source}:{node.start_mark.line + 1}"

    def _place(self, node: Node) -> str:
        return f"{self._file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def _error(self, skip: _Skip) -> None:
        self.report.errors.append(f"{self._place(skip.node)}: {skip}")
