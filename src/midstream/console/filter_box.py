"""The box of filters: those that hold now, to be switched off and on, changed or dropped; and those with names.

`, f` opens it in the flow list (filter_commands.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.overlays import Overlay
from midstream.console.prompt_filter import FilterPrompt
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.flows.errors import CommandError, OptionsError
from midstream.hub import lexer
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

_DIGITS = "123456789"


class _Entry(NamedTuple):
    """A breadcrumb by its place, or a named filter by its name."""

    place: int | None
    name: str
    text: str
    on: bool


class FilterBox(Overlay):
    """See the module."""

    keys: Sequence[tuple[str, str]] = (
        ("space", "on or off"),
        ("e", "edit"),
        ("d", "drop"),
        ("s", "save under a name"),
        ("n", "new"),
        ("esc", "close"),
    )

    def __init__(self, console: Console) -> None:
        super().__init__("filters")
        self._console = console
        self._crumbs = console.breadcrumbs
        self._position = 0
        self._rows: list[int | None] = []  # the entry that each painted line shows

    def _entries(self) -> list[_Entry]:
        crumbs = self._crumbs.crumbs
        used = {crumb.text: crumb.on for crumb in crumbs}
        set_now = [_Entry(at, "", crumb.text, crumb.on) for at, crumb in enumerate(crumbs)]
        names = [_Entry(None, name, text, used.get(f"@{name}", False)) for name, text in self._crumbs.names.items()]
        return [*set_now, *names]

    # --- keys -------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        entries = self._entries()
        last = max(0, len(entries) - 1)
        self._position = min(self._position, last)
        moves = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -last, "g": -last, "end": last, "G": last}
        if key in moves:
            self._position = max(0, min(self._position + moves[key], last))
        elif key in _DIGITS and len(key) == 1 and _DIGITS.index(key) < len(entries):
            self._toggle(entries[_DIGITS.index(key)])
        elif key == "n":
            self._then(lambda: self._console.prompt("filter:", kind="filter"))
        elif key == "s":
            self._then(lambda: self._console.run_command("console.filter.save.as"))
        elif entries and key in ("enter", "space", "e", "d", "delete", "backspace"):
            self._do(key, entries[self._position])
        else:
            super().press(key)

    def _do(self, key: str, entry: _Entry) -> None:
        if key in ("enter", "space"):
            self._toggle(entry)
        elif key == "e" and entry.place is not None:
            index = entry.place
            self._then(lambda: self._console.open_prompt(self._bar(entry.text, index)))
        elif key == "e":
            line = f"console.filter.save {entry.name} "
            self._then(lambda: self._console.prompt(":", line + lexer.quote(entry.text)))
        elif entry.place is not None:
            self._crumbs.drop(entry.place)
        else:
            self._console.run_command(f"console.filter.forget {entry.name}")

    def _bar(self, text: str, index: int) -> FilterPrompt:
        return FilterPrompt(self._console, self._console.history("filter"), text, instead_of=index)

    def _toggle(self, entry: _Entry) -> None:
        try:
            if entry.place is not None:
                self._crumbs.toggle(entry.place)
            else:
                self._crumbs.use(entry.name)
        except (CommandError, OptionsError, ValueError) as error:
            self._console.message(str(error), "error", log=False)

    def _then(self, ask: Callable[[], object]) -> None:
        self.finished = True
        ask()

    def click(self, column: int, row: int) -> bool:
        index = self._rows[row] if 0 <= row < len(self._rows) else None
        entries = self._entries()
        if index is None or index >= len(entries):
            return False
        self._position = index
        self._toggle(entries[index])
        return True

    # --- painting ---------------------------------------------------------------------------------------------------

    def body(self, columns: int, rows: int) -> list[Line]:
        entries = self._entries()
        self._position = min(self._position, max(0, len(entries) - 1))
        lines: list[Line] = []
        self._rows = []
        is_named = False
        for at, entry in enumerate(entries):
            if entry.place is None and not is_named:
                is_named = True
                lines.append([("dim", "with a name")])
                self._rows.append(None)
            lines.append(self._line(at, entry, columns))
            self._rows.append(at)
        if not entries:
            lines = [[("menu", "no filter is set, and none has a name: n asks for one")]]
            self._rows = [None]
        at = self._rows.index(self._position) if self._position in self._rows else 0
        top = max(0, min(at - rows + 1, len(lines) - 1))
        self._rows = self._rows[top:]
        self.cursor = (0, at - top)
        return lines[top : top + max(1, rows)]

    def _line(self, at: int, entry: _Entry, columns: int) -> Line:
        role = "menu.on" if at == self._position else "menu" if entry.on else "dim"
        digit = _DIGITS[at] if at < len(_DIGITS) else " "
        name = f"@{entry.name}  " if entry.name else ""
        text = f"{'on ' if entry.on else 'off'}  {name}{visible(entry.text)}"
        key_role = "menu.on" if at == self._position else "hint.key"
        return [(key_role, f"{digit} "), (role, cells.cut(text, max(1, columns - 2), "…"))]
