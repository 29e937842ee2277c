"""The commands pane (console.md §3.5): all commands with signature, keys and help. Enter puts one into the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets.canvas import Line
from midstream.console.widgets.table import Column, Placed, heading, lay_out, row
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

COLUMNS = (
    Column("cursor", "", width=2, gap=0),
    Column("name", "command", width=26, gap=0),
    Column("signature", "arguments", gap=1),
    Column("keys", "keys", width=8, shown_from=56),
)
_LONGEST_NAME = 36


class CommandsPane(ListPane):
    """See the module."""

    name = "commands"
    contexts: ClassVar[tuple[str, ...]] = ("commands", "list", "global")
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._names: list[str] = []
        self._keys: dict[str, str] = {}
        self._keys_revision: object = None

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
            takes_more = bool(self.console.master.commands.commands[name].parameters)
            self.console.prompt(":", f"{name} " if takes_more else name)

    def row_count(self) -> int:
        self._list()
        return len(self._names)

    def row_text(self, index: int) -> str:
        command = self.console.master.commands.commands[self._names[index]]
        return f"{command.name} {command.help or ''}"

    def nothing(self) -> str:
        return "There are no commands."

    def head(self, columns: int) -> list[Line]:
        self._list()
        layout = self._layout(self.list_columns(columns))
        find = self.key_hint("console.search", "find")
        return [[("title", f" commands  {len(self._names)}   "), *find], heading(layout)]

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
        lines.append([("strong", visible(command.signature_help()))])
        return HelpBox(visible(name), lines)

    def _layout(self, columns: int) -> tuple[Placed, ...]:
        longest = min(max((len(each) for each in self._names), default=0) + 1, _LONGEST_NAME)
        return lay_out(COLUMNS, columns, (("name", longest if columns >= 70 else 26),))

    def _list(self) -> None:
        names = sorted(self.console.master.commands.commands)
        if names != self._names:
            focused = self._names[self.scroll.focus] if self.scroll.focus < len(self._names) else None
            self._names = names
            if focused in names:
                self.scroll.focus = names.index(focused)

    def _keys_of(self, name: str) -> str:
        """The keys that run the command, with whatever arguments."""
        if self._keys_revision != self.console.bindings.revision:
            self._keys_revision = self.console.bindings.revision
            self._keys.clear()
            for binding in reversed(self.console.keys.keymap.all()):
                self._keys[binding.command.split(" ", 1)[0]] = " ".join(binding.keys)
        return self._keys.get(name, "")
