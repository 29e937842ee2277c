"""A box of fields: choices, switches and lines of text, one below the other. Export, composer and commands ask with it.

tab and the arrows move between the fields, enter does what the form is for, esc leaves. Fields are in fields.py. A form
whose work is refused (`done` raises ValueError or CommandError) stays and says why, so that nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from midstream.console.overlays.box import Overlay, Place
from midstream.console.overlays.fields import Field
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.flows.errors import CommandError
from midstream.text.escape import visible


class Form(Overlay):
    """`done` gets the values by the names of the fields. Subclasses may say more below them by `below`."""

    keys: Sequence[tuple[str, str]] = (("enter", "do it"), ("tab", "next field"), ("esc", "cancel"))
    place: Place = "centre"

    def __init__(self, title: str, fields: Sequence[Field], done: Callable[[dict[str, object]], object]) -> None:
        super().__init__(title)
        self.fields = list(fields)
        self.done = done
        self.at = 0  # the field that has the keys, among those that are shown
        self.problem = ""  # why it was refused
        self._places: list[tuple[int, int]] = []  # of each line of the body: which field, and which of its lines

    # --- fields -----------------------------------------------------------------------------------------------------

    def shown(self) -> list[Field]:
        """The fields that are asked now; some depend on what others say."""
        return [field for field in self.fields if field.is_asked()]

    @property
    def field(self) -> Field:
        """The field that has the keys."""
        shown = self.shown()
        self.at = min(self.at, len(shown) - 1)
        return shown[self.at]

    @property
    def takes_text(self) -> bool:
        return self.field.takes_text

    @property
    def takes_all(self) -> bool:
        return self.field.takes_all

    def values(self) -> dict[str, object]:
        """What the fields hold, by their names; those that are not asked now as well."""
        return {field.name: field.value for field in self.fields}

    def go_to(self, name: str) -> None:
        """Give a field the keys."""
        for number, field in enumerate(self.shown()):
            if field.name == name:
                self.at = number

    def changed(self) -> None:
        """A field holds something else."""

    # --- keys -------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        if key in ("ctrl c", "ctrl g"):
            self.finished = True
            return
        if self.field.press(key):
            self._touched()
            return
        count = len(self.shown())
        match key:
            case "esc":
                self.finished = True
            case "tab" | "down":
                self.at = (self.at + 1) % count
            case "shift tab" | "up":
                self.at = (self.at - 1) % count
            case "enter":
                self.accept()

    def accept(self) -> None:
        """Do what the form is for."""
        for number, field in enumerate(self.shown()):
            if problem := field.check():
                self.at, self.problem = number, f"{field.label}: {problem}" if field.label else problem
                return
        try:
            self.finished = True  # before `done`, which may open the next box
            self.done(self.values())
        except (ValueError, CommandError) as error:
            self.finished, self.problem = False, str(error)

    def paste(self, text: str) -> bool:
        taken = self.field.paste(text)
        if taken:
            self._touched()
        return taken

    def click(self, column: int, row: int) -> bool:
        if row >= len(self._places):
            return False
        self.at, line = self._places[row]
        if self.field.click(column - self._label_cells(), line):
            self._touched()
        return True

    def wheel(self, rows: int) -> None:
        """A field that was not looked at must not change by the wheel."""

    def _touched(self) -> None:
        self.problem = ""
        self.changed()

    # --- painting ---------------------------------------------------------------------------------------------------

    def below(self, columns: int, rows: int) -> list[Line]:
        """What stands below the fields: a preview."""
        return []

    def body(self, columns: int, rows: int) -> list[Line]:
        left = self._label_cells()
        room = max(1, columns - left)
        lines: list[Line] = []
        self._places = []
        for number, field in enumerate(self.shown()):
            on = number == self.at
            painted = field.lines(room, on)
            if on:
                self.cursor = (left + field.cursor[0], len(lines) + field.cursor[1])
            for at, line in enumerate(painted):
                label = visible(field.label) if at == 0 else ""
                lines.append(
                    [("menu.on" if on and label else "hint.key", cells.fit(label, left - 1)), ("menu", " "), *line]
                )
                self._places.append((number, at))
        if self.problem:
            lines.append([("failed", cells.cut(visible(self.problem), columns, "…"))])
        lines += self.below(columns, max(0, rows - len(lines)))
        # In a low terminal what has the keys stays visible.
        first = max(0, min(self.cursor[1] - rows + 1, len(lines) - rows))
        if first > 0:
            lines, self._places = lines[first:], self._places[first:]
            self.cursor = (self.cursor[0], self.cursor[1] - first)
        return lines[:rows]

    def _label_cells(self) -> int:
        return max((cells.measure(visible(field.label)) for field in self.shown()), default=0) + 2
