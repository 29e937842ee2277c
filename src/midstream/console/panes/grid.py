"""The pane of a table that is edited in place: headers, cookies, forms, lists (console.md §4, `grid`).

It shows the rows of a `grids.Kind`, edits cells, and hands the rows back when they are applied; until then nothing has
changed anywhere. What rows mean, and what a cell may hold, is the kind's. Commands: `grid_commands.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from midstream.console.grids.kind import BadCell, Kind, Row
from midstream.console.grids.rows import Rows
from midstream.console.key_names import show_chord
from midstream.console.overlays.leave import Leave
from midstream.console.panes.grid_cell import CellField, reason_of
from midstream.console.panes.grid_look import GridLook
from midstream.console.panes.help_box import HelpBox
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets.canvas import Line

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

LARGEST_CELL = 64 * 1024
"""Bytes of a cell that is edited in place; what is longer is for an editor of its own."""
_SEARCHED = 4096  # bytes of a cell that a search looks at


class Grid(ListPane):
    """See the module. `done` is called with True when the rows were applied, with False when the pane is left."""

    name = "grid"
    contexts: ClassVar[tuple[str, ...]] = ("grid",)
    box_beside = False

    def __init__(self, console: Console, kind: Kind, done: Callable[[bool], object] | None = None) -> None:
        super().__init__(console)
        self.kind = kind
        self.rows = Rows(kind.read(), len(kind.columns))
        self.column = 1 if len(kind.columns) > 1 else 0  # values are edited more often than names
        self._done = done
        self.field: CellField | None = None  # while the focused cell is edited
        self._problem = ""  # with the focused cell, while it is not edited
        self._new_row = False  # the row was made to be typed into, and goes if nothing is
        self._source = kind.source()
        self._is_stale = False
        self._closed = False
        self._look = GridLook(self)

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def is_changed(self) -> bool:
        """Whether there is something to apply."""
        return self.rows.is_changed

    @property
    def is_stale(self) -> bool:
        """Whether somebody else has changed what the rows were read from."""
        now = self.kind.source()
        if len(now) != len(self._source) or any(a is not b for a, b in zip(now, self._source, strict=True)):
            self._source = now
            self._is_stale = self.kind.read() != self.rows.read
        return self._is_stale

    @property
    def problem(self) -> str:
        """What is wrong with the focused cell, or with what is typed into it."""
        return self.field.problem if self.field is not None else self._problem

    @property
    def key(self) -> tuple[str, ...]:
        """What changes that are not applied are kept under."""
        return self.kind.key

    def entered(self) -> None:
        self._closed = False

    def left(self) -> None:
        if not self.commit():
            self.stop_editing()
        if not self._closed:
            self.console.left_edits.keep(self)

    def focused_flow(self) -> Flow | None:
        return getattr(self.kind, "flow", None)

    def title(self) -> str:
        return self.kind.title

    def row_count(self) -> int:
        return len(self.rows)

    def row_text(self, index: int) -> str:
        return " ".join(self.kind.text_of(cell[:_SEARCHED]) for cell in self.rows[index].cells)

    def search(self, pattern: str, backwards: bool = False) -> bool:
        # What is typed belongs to the cell it stands in, so that comes first.
        return self.commit() and super().search(pattern, backwards)

    def nothing(self) -> str:
        return "There are no rows; a adds one."

    def why_not(self, command: str) -> str:
        match command.partition(" ")[0].rpartition(".")[2]:
            case "undo":
                return "" if self.rows.can_undo else "nothing was changed here"
            case "redo":
                return "" if self.rows.can_redo else "nothing was undone"
            case "delete" | "clear" | "editor" | "load" | "load_escaped" | "save":
                return "" if len(self.rows) else "there are no rows"
        return ""

    # -- rows ---------------------------------------------------------------------------------------------------------

    @property
    def cell(self) -> bytes:
        """The bytes of the focused cell."""
        return self.rows[self.scroll.focus].cells[self.column]

    def set_cell(self, data: bytes) -> None:
        """Other bytes in the focused cell."""
        at = self.scroll.focus
        self.rows.put(at, self.rows[at].with_cell(self.column, data))
        self._show_problem(at)
        self.console.request_frame(now=True)

    def add(self, before: bool = False) -> None:
        """An empty row behind the focused one, or before it, that is typed into."""
        self.stop_editing()
        at = min(self.scroll.focus + (not before), len(self.rows)) if len(self.rows) else 0
        self.rows.insert(at)
        self.scroll.count = len(self.rows)
        self.scroll.go(at)
        self.column, self._new_row = 0, True
        self.begin_editing()

    def delete(self) -> None:
        """Take the focused row out."""
        self.rows.delete(self.scroll.focus)
        self._rows_changed()

    def clear(self) -> None:
        """Take all rows out."""
        self.rows.clear()
        self._rows_changed()

    def undo(self, again: bool = False) -> None:
        """Take the last change of the rows back, or make it again."""
        at = self.rows.redo() if again else self.rows.undo()
        self._rows_changed()
        if len(self.rows):
            self.scroll.go(min(at, len(self.rows) - 1))

    def _rows_changed(self) -> None:
        self._problem = ""
        self.scroll.count = len(self.rows)
        self.scroll.focus = max(min(self.scroll.focus, len(self.rows) - 1), 0)
        self.console.request_frame(now=True)

    # -- moving -------------------------------------------------------------------------------------------------------

    def navigate(self, move: str) -> None:
        self._problem = ""
        last = len(self.kind.columns) - 1
        match move:
            case "left":
                self.column = max(self.column - 1, 0)
            case "right":
                self.column = min(self.column + 1, last)
            case "next":
                self._step_cell(1)
            case "previous":
                self._step_cell(-1)
            case "select":
                self.open_cell()
            case _:
                super().navigate(move)
        self.console.request_frame(now=True)

    def _step_cell(self, step: int) -> bool:
        """To the cell behind or before, in the row below or above where this one ends; False: there is none."""
        place = self.scroll.focus * len(self.kind.columns) + self.column + step
        if not 0 <= place < len(self.rows) * len(self.kind.columns):
            return False
        self.scroll.count = len(self.rows)
        self.scroll.go(place // len(self.kind.columns))
        self.column = place % len(self.kind.columns)
        return True

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if not self.commit():
            return True
        index = self.scroll.top + row - self._list_top
        if button == 1 and row >= self._list_top and 0 <= index < len(self.rows):
            was = self.scroll.focus, self.column
            self.column = self._look.column_at(column, size[0])
            if was[0] == index and was[1] != self.column:
                self.console.request_frame(now=True)
                return True
        return super().clicked(size, button, column, row)

    # -- editing a cell -----------------------------------------------------------------------------------------------

    def open_cell(self) -> None:
        """Edit the focused cell; a table of its own opens where it is one."""
        if not len(self.rows):
            self.add()
        elif self.column in self.kind.nested:
            self._open_nested()
        elif len(self.cell) > LARGEST_CELL:
            self.console.message("this cell is larger than 64 kB: e opens it in an editor, r loads a file", "warn")
        else:
            self.begin_editing()

    @property
    def _can_be_typed(self) -> bool:
        return self.column not in self.kind.nested and len(self.cell) <= LARGEST_CELL

    def _open_nested(self) -> None:
        at, column = self.scroll.focus, self.column
        kind = self.kind.nested_kind(self.rows[at], column)

        def done(applied: bool) -> None:
            if applied:
                self.scroll.go(at)
                self.column = column
                self.set_cell(kind.made)  # type: ignore[attr-defined]

        self.console.open_pane(Grid(self.console, kind, done))

    def begin_editing(self) -> None:
        """The focused cell becomes a field."""
        row, column = self.rows[self.scroll.focus], self.column

        def check(data: bytes) -> str:
            return reason_of(self.kind.check(row.with_cell(column, data).cells), column)

        self.field = CellField(self.cell, self.kind, check, getattr(self.console, "kill_ring", None))
        self.editing = True
        self.console.request_frame(now=True)

    def editing_keys(self) -> Sequence[tuple[str, str]]:
        keys = self.console.keys.keymap.keys_for("console.text.apply", ("text",))
        apply = ((show_chord(keys), "apply all"),) if keys else ()
        return (("enter", "set"), ("tab", "set, next cell"), *apply, ("esc", "leave it as it was"))

    def typed(self, key: str) -> bool:
        if self.field is None:
            return False
        match key:
            case "esc":
                self._drop_new_row()
                self.stop_editing()
                self._problem = ""
            case "enter":
                self.commit()
            case "up" | "down":
                if self.commit():
                    self.navigate(key)
            case "tab" if self.field.complete():
                pass
            case "tab" | "shift tab":
                step = 1 if key == "tab" else -1
                if (
                    self.commit()
                    and not self._step_cell(step)
                    and step > 0
                    and not self.rows[self.scroll.focus].is_empty
                ):
                    self.add()
                elif self.field is None and self._can_be_typed:
                    self.begin_editing()
            case _ if not self.field.press(key):
                return False
        self.console.request_frame(now=True)
        return True

    def pasted(self, text: str) -> bool:
        if self.field is None:
            return False
        self.field.paste(text)
        self.console.request_frame(now=True)
        return True

    def stop_editing(self) -> None:
        """The field is a cell again."""
        self.field, self.editing, self._new_row = None, False, False

    def _drop_new_row(self) -> None:
        if self._new_row and self.rows[self.scroll.focus].is_empty:
            self.rows.forget_insert(self.scroll.focus)
            self._rows_changed()

    def commit(self) -> bool:
        """Take what was typed into the cell; False: it stands for no bytes, and the field stays."""
        if self.field is None:
            return True
        try:
            data = self.field.data()
        except ValueError:
            return False
        is_changed = self.field.is_changed
        self.stop_editing()
        if is_changed:
            self.set_cell(data)
        else:
            self._show_problem(self.scroll.focus)
        return True

    def _show_problem(self, at: int) -> None:
        self._problem = reason_of(self.bad(self.rows[at]), self.column)

    def bad(self, row: Row) -> BadCell | None:
        """Why a row cannot be applied; what came so may stay so (P1)."""
        return self.kind.check(row.cells) if row.is_touched and not row.is_empty else None

    # -- applying and leaving -----------------------------------------------------------------------------------------

    def apply(self, over: bool = False) -> None:
        """Put the rows in place and close; a bad cell gets the focus instead. `over`: also over what others changed."""
        if not self.commit():
            return
        if not self.is_changed:
            self.console.message(f"{self.kind.title} unchanged")
            self.close()
            return
        kept = [row for row in self.rows if not row.is_empty]
        for at, row in enumerate(self.rows):
            if (bad := self.bad(row)) is not None:
                self.scroll.count = len(self.rows)
                self.scroll.go(at)
                self.column, self._problem = bad.column, bad.reason
                self.console.message(f"row {at + 1}: {bad.reason}", "error", log=False)
                return
        if self.is_stale and not over:
            self._ask_over()
            return
        self._put(kept)

    def _put(self, kept: list[Row]) -> None:
        dropped = len(self.rows) - len(kept)
        try:
            done = self.kind.apply(kept)
        except ValueError as error:
            if str(error):
                self._problem = str(error)
                self.console.message(str(error), "error", log=False)
            return
        if dropped:
            done += f"; {dropped} empty row{' was' if dropped == 1 else 's were'} left out"
        self.console.message(done)
        self.close(applied=True)

    def leave(self) -> None:
        """Close; ask before changes are lost."""
        if not self.is_changed:
            self.close()
            return
        choices = (("a", "apply", self.apply), ("d", "discard", self.close), ("esc", "stay", lambda: None))
        self.console.show(Leave(f"{self.kind.title}: {self.rows.changes()}", choices))

    def _ask_over(self) -> None:
        what = f"{self.kind.title}: changed by somebody else meanwhile"
        choices = (
            ("a", "apply mine over it", lambda: self.apply(over=True)),
            ("r", "read again, dropping mine", self.reload),
            ("esc", "stay", lambda: None),
        )
        self.console.show(Leave(what, choices))

    def reload(self) -> None:
        """The rows as they are now; undo brings back what was typed."""
        self._source, self._is_stale = self.kind.source(), False
        self.rows.reload(self.kind.read())
        self._rows_changed()

    def close(self, applied: bool = False) -> None:
        """Leave without a question."""
        self.stop_editing()
        self._closed = True
        if self.console.focused_pane is self:
            self.console.close_pane()
        if self._done is not None:
            self._done(applied)

    # -- painting -----------------------------------------------------------------------------------------------------

    def head(self, columns: int) -> list[Line]:
        return self._look.head(columns)

    def is_plain(self, index: int) -> bool:
        return True

    def row_runs(self, index: int, columns: int) -> Line:
        return self._look.row(index, columns)

    def box(self, columns: int) -> HelpBox | None:
        return self._look.box() if len(self.rows) else None

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        found = super().get_cursor_coords(size)
        return (min(self._look.cursor, size[0] - 1), found[1]) if found is not None else None
