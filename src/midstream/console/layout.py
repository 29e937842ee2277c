"""The whole screen as one box widget: tab bar, workspace, filter line or prompt, status bar, key hints; boxes over it.

The main loop paints it; the console says what is open. It holds no state of its own but where things were painted, so
that a click finds them. Below 60x16 only the pane, the status bar and the prompt remain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import urwid

from midstream.console import disabled, hints, status
from midstream.console.overlays import choice_lines, menu_lines
from midstream.console.widgets.canvas import Line, line_width, paint
from midstream.console.workspace import Workspace

if TYPE_CHECKING:
    from midstream.console.console import Console

SMALL = (60, 16)


class Layout(urwid.Widget):
    """See the module."""

    _sizing = frozenset([urwid.Sizing.BOX])
    _selectable = True
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._tabs: list[tuple[int, int, str]] = []
        self._hints: list[tuple[int, int, str]] = []
        self._status: list[tuple[int, int, str]] = []
        self._status_row = -1
        self._workspace = Workspace(console)
        self._top = 0  # the first row of the workspace
        self.has_toasts = True  # whether the screen is large enough for them
        self._box_at: tuple[int, int, int, int] | None = None  # left, top, columns, rows of the topmost box

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, rows = size
        console = self._console
        prompt_open = console.active_prompt is not None
        small = columns < SMALL[0] or rows < SMALL[1]
        has_tabs = not small and bool(getattr(console.master.options, "console_layout_headers", True))
        has_hints = not small and console.shows_hints
        has_filter = not small or prompt_open or console.messages.shown is not None
        has_status = rows > has_filter + 1
        body_rows = rows - has_tabs - has_hints - has_filter - has_status
        parts: list[tuple[urwid.Canvas, object, bool]] = []
        self._tabs, self._hints, self._top = [], [], int(has_tabs)
        if has_tabs:
            line, self._tabs = status.tab_bar(console, columns)
            parts.append((paint([line], columns, 1), None, False))
        if body_rows > 0:
            body = self._workspace.paint((columns, body_rows), focus and not prompt_open, small)
            parts.append((body, None, not prompt_open))
        if has_filter:
            parts.append((self._filter_or_prompt(columns, focus), None, prompt_open))
        self._status_row = rows - has_hints - 1 if has_status else -1
        if has_status:
            under = console.active_prompt.under() if console.active_prompt is not None else None
            bar, self._status = status.status_bar(console, columns) if under is None else (under, [])
            parts.append((paint([bar], columns, 1, "bar" if under is None else "prompt"), None, False))
        if has_hints:
            hint, self._hints = hints.hint_line(console, columns)
            parts.append((paint([hint], columns, 1), None, False))
        canvas: urwid.Canvas = urwid.CanvasCombine(parts)
        self.has_toasts = not small
        if not small and console.messages.toasts:
            lines = console.messages.toast_lines(columns, max(body_rows // 2, 1))
            covered = range(self._top + body_rows - len(lines), self._top + body_rows)
            at_the_top = canvas.cursor is not None and canvas.cursor[1] in covered  # where somebody works
            place = "top corner" if at_the_top else "corner"
            canvas = self._over(canvas, lines, (columns, body_rows, self._top), place)
        return self._with_boxes(canvas, columns, body_rows, self._top) if body_rows > 0 else canvas

    # --- parts ------------------------------------------------------------------------------------------------------

    def _filter_or_prompt(self, columns: int, focus: bool) -> urwid.Canvas:
        prompt = self._console.active_prompt
        if prompt is None:
            return paint([status.filter_line(self._console, columns)], columns, 1)
        line, cursor = prompt.line(columns)
        return paint([line], columns, 1, "prompt", (min(cursor, columns - 1), 0) if focus else None)

    def _with_boxes(self, canvas: urwid.Canvas, columns: int, rows: int, top: int) -> urwid.Canvas:
        """The open boxes over the panes, each over those below it; a prompt's completions over all of them."""
        prompt, keys = self._console.active_prompt, self._console.keys
        self._box_at = None
        for box in self._console.boxes:
            lines = box.lines(min(columns, box.widest), rows)
            cursor = box.cursor if box is self._console.overlay and prompt is None else None
            canvas = self._over(canvas, lines, (columns, rows, top), box.place, cursor)
        if prompt is not None:
            if prompt.candidates is not None and (len(prompt.candidates.choices) > 1 or prompt.is_offered):
                lines = choice_lines(prompt.candidates, prompt.chosen, columns, min(rows, 12))
                canvas = self._over(canvas, lines, (columns, rows, top), "left")
        elif keys.menu_is_open and self._console.overlay is None:
            flow = self._console.focused_flow()
            shown = [(binding, disabled.why_not(self._console, binding, flow)) for binding in keys.following]
            lines = menu_lines(keys.pending, keys.title, shown, columns, rows)
            canvas = self._over(canvas, lines, (columns, rows, top), "corner")
        return canvas

    def _over(
        self,
        canvas: urwid.Canvas,
        lines: list[Line],
        room: tuple[int, int, int],
        place: str,
        cursor: tuple[int, int] | None = None,
    ) -> urwid.Canvas:
        """Lines as a box at its place in the `room` (columns, rows, first row) of the panes."""
        columns, rows, top = room
        lines = lines[-rows:]
        if not lines:
            return canvas
        width = min(columns, max(line_width(line) for line in lines))
        left = {"left": 0, "corner": columns - width, "top corner": columns - width}.get(place, (columns - width) // 2)
        below = rows - len(lines)
        first = {"centre": below // 2, "top": min(2, below), "top corner": min(1, below)}.get(place, below)
        at = None if cursor is None else (min(cursor[0] + 2, width - 1), min(cursor[1] + 1, len(lines) - 1))
        if at is not None:
            self._box_at = left, top + first, width, len(lines)
        box = paint(lines, width, len(lines), "menu", at)
        return urwid.CanvasOverlay(urwid.CompositeCanvas(box), canvas, left, top + first)

    # --- mouse ------------------------------------------------------------------------------------------------------

    def click(self, size: tuple[int, int], button: int, column: int, row: int) -> None:
        """A press at a cell of the screen."""
        if self._tabs and row == 0:
            for first, last, name in self._tabs:
                if first <= column <= last:
                    self._console.open_pane(name)
            return
        if self._hints and row == size[1] - 1:
            self.click_hint(size, column, row)
            return
        if self._status_row == row:
            self._click_status(button, column)
            return
        self._workspace.press(button, column, row - self._top)

    def _click_status(self, button: int, column: int) -> None:
        for first, last, command in self._status:
            if button == 1 and first <= column <= last and command.split()[0] in self._console.master.commands.commands:
                self._console.run_command(command)
                return

    def drag(self, column: int, row: int) -> None:
        """The mouse moves with its button down."""
        self._workspace.drag(column, row - self._top)

    def release(self) -> None:
        """The button is up."""
        self._workspace.release()

    def click_box(self, button: int, column: int, row: int) -> bool:
        """A press while a box is open: False when it is outside of the topmost one."""
        box = self._console.overlay
        if box is None or self._box_at is None:
            return False
        left, top, columns, rows = self._box_at
        if button in (4, 5):
            box.wheel(-1 if button == 4 else 1)
            return True
        column, row = column - left - 2, row - top - 1
        if not (0 <= column < columns - 4 and 0 <= row < rows - 2):
            return False
        return button == 1 and box.click(column, row)

    def click_hint(self, size: tuple[int, int], column: int, row: int) -> None:
        """A press that counts only on a hint: something else has the keys."""
        for first, last, key in self._hints:
            if row == size[1] - 1 and first <= column <= last:
                self._console.input.press(key)
                return
