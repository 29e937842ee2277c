"""The commands pane (console.md §3.5): all commands with signature, keys and help. Enter runs one, after a form for its
arguments if it takes any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from midstream.console.key_names import show_chord
from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.table import Column, Placed, heading, lay_out, row
from midstream.hub import ctx
from midstream.hub.types import Choice
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.finder import Finder
    from midstream.console.keymap import Binding
    from midstream.hub.command import Command, CommandParameter

COLUMNS = (
    Column("cursor", "", width=2, gap=0),
    Column("name", "command", width=26, gap=0),
    Column("signature", "arguments", gap=1),
    Column("keys", "keys", width=10, shown_from=56),
)
_LONGEST_NAME = 36
_MOST_CHOICES = 20
_MOST_KEYS = 6
_MOST_SHOWN = 2


class CommandsPane(ListPane):
    """See the module."""

    name = "commands"
    contexts: ClassVar[tuple[str, ...]] = ("commands", "list", "global")
    no_cache = ["render"]
    narrows = True

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._names: list[str] = []
        self._listed: tuple[list[str], Finder | None] = [], None
        self._keys: dict[str, str] = {}
        self._bindings: dict[str, list[Binding]] = {}
        self._choices: dict[Choice, str] = {}
        self._keys_revision: object = None

    def entered(self) -> None:
        self._choices.clear()

    @property
    def focused_command(self) -> str | None:
        """The name of the command in focus."""
        self._list()
        return self._names[self.scroll.focus] if self.scroll.focus < len(self._names) else None

    def navigate(self, move: str) -> None:
        name = self.focused_command
        if move != "select":
            super().navigate(move)
        elif name is not None:
            self.console.run_command(f"console.command.form {name}")

    def row_count(self) -> int:
        self._list()
        return len(self._names)

    def row_text(self, index: int) -> str:
        return self._text(self._names[index])

    def _text(self, name: str) -> str:
        return f"{name} {self.console.master.commands.commands[name].help or ''}"

    def copies(self) -> Mapping[str, Callable[[], str]]:
        name = self.focused_command
        if name is None:
            return {}
        line = self.console.master.commands.commands[name].signature_help()
        return {"name": lambda: name, "line": lambda: line}

    def nothing(self) -> str:
        return "There are no commands."

    def head(self, columns: int) -> list[Line]:
        self._list()
        layout = self._layout(self.list_columns(columns))
        find = self.key_hint("console.search", "find")
        keys: list[Run] = [*find, ("hint", "   "), *self.key_hint("console.nav.select", "run   ")]
        keys += [*self.key_hint("console.commands.prompt", "to the prompt   ")]
        keys += self.key_hint("console.key.bind.focus", "bind to a key")
        count = self.narrowed_title(len(self._names), len(self._listed[0]))
        return [[("title", " commands  "), *count, *keys], heading(layout)]

    def row_runs(self, index: int, columns: int) -> Line:
        name = self._names[index]
        command = self.console.master.commands.commands[name]
        return row(
            self._layout(columns),
            {
                "cursor": ("strong", "> " if index == self.scroll.focus else "  "),
                "name": ("strong", visible(name)),
                "signature": ("dim", visible(command.signature_help().removeprefix(name).strip())),
                "keys": ("hint.key", self._keys_of(name)),
            },
        )

    def box(self, columns: int) -> HelpBox | None:
        name = self.focused_command
        if name is None:
            return None
        command = self.console.master.commands.commands[name]
        lines: list[Words] = [visible(command.help or "No help.", keep_newlines=True), []]
        for parameter in command.parameters:
            lines.append(self._parameter(command, parameter))
            kind = command.manager.types.get(parameter.type)
            examples = "  ".join(kind.examples) if kind is not None else ""
            if isinstance(parameter.type, Choice):
                examples = self._words_of(parameter.type)
            if examples:
                lines.append(("dim", f"    {visible(examples)}"))
        lines += [[], *self._bound_to(name)]
        if command.place:
            lines.append([("dim", "from "), ("text", visible(_owner(command)))])
        return HelpBox(visible(name), lines)

    def _parameter(self, command: Command, parameter: CommandParameter) -> list[Run]:
        kind = command.manager.types.get(parameter.type)
        shown = kind.display if kind is not None else ""
        more = (
            " any number" if parameter.is_variadic else f" else {parameter.default!r}" if parameter.is_optional else ""
        )
        return [("strong", visible(parameter.name)), ("dim", f"  {shown}{visible(more)}")]

    def _words_of(self, choice: Choice) -> str:
        """The words of a choice, listed once for each time the pane is opened."""
        if choice not in self._choices:
            with ctx.use(self.console.master):
                words = self.console.master.commands.completions(choice, "")
            self._choices[choice] = " | ".join(words[:_MOST_CHOICES]) + (" …" if len(words) > _MOST_CHOICES else "")
        return self._choices[choice]

    def _bound_to(self, name: str) -> list[Words]:
        """Each key that runs the command, with its arguments: they are the examples that work."""
        self._keys_of(name)
        return [
            [("hint.key", f"{visible(show_chord(binding.keys))}  "), ("text", visible(binding.command))]
            for binding in self._bindings.get(name, ())[:_MOST_KEYS]
        ]

    def _layout(self, columns: int) -> tuple[Placed, ...]:
        longest = min(max((len(each) for each in self._names), default=0) + 1, _LONGEST_NAME)
        return lay_out(COLUMNS, columns, (("name", longest if columns >= 70 else 26),))

    def _list(self) -> None:
        listed = sorted(self.console.master.commands.commands), self.narrowed_by
        if listed == self._listed:
            return
        focused = self._names[self.scroll.focus] if self.scroll.focus < len(self._names) else None
        self._listed = listed
        self._names = self.left_of(listed[0], self._text)
        if focused in self._names:
            self.scroll.focus = self._names.index(focused)

    def _keys_of(self, name: str) -> str:
        """The keys that run the command, with whatever arguments."""
        if self._keys_revision != self.console.bindings.revision:
            self._keys_revision = self.console.bindings.revision
            self._keys.clear()
            self._bindings.clear()
            for binding in self.console.keys.keymap.all():
                self._bindings.setdefault(binding.command.partition(" ")[0], []).append(binding)
            for command, bound in self._bindings.items():
                keys = dict.fromkeys(show_chord(binding.keys) for binding in bound)
                self._keys[command] = visible("  ".join(list(keys)[:_MOST_SHOWN]))
        return self._keys.get(name, "")


def _owner(command: Command) -> str:
    """Which addon brings it, and where it is written."""
    owner = getattr(command.owner, "name", "") or type(command.owner).__name__.lower()
    return f"{owner} ({command.place})"
