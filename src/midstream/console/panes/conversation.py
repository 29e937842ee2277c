"""The messages tab of the detail pane: a list with one row for each message, and the selected one pretty below it.

Serves WebSocket, TCP and UDP flows and the events of event streams. The list is the flow's own: rows are made when they
are painted, so that a hundred thousand messages cost as much as ten. While the last one is selected the newest is
followed; the selection belongs to a message and stays with it when the oldest are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.finder import Finder
from midstream.console.panes.messages_text import (
    ChunkLike,
    MessagePieces,
    arrow,
    closing_runs,
    flags,
    kind_of,
    moment,
    row_text,
)
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import PaintedRow, Run, overlay, paint_blank, paint_row
from midstream.console.widgets.pieces import places
from midstream.console.widgets.scroll import Scroll
from midstream.console.widgets.wrapping import painted_over
from midstream.text.sizes import human_size
from midstream.work.slices import Budget

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

_SPLIT_FROM = 10  # rows from which the selected message is shown below
_KIND = 6  # cells
_SEARCHED = 64 * 1024
_CHECKED_EACH = 64  # messages between two looks at the clock


class Conversation:
    """See the module. `show` takes what there is; then `paint`, `move` and `selected` are about that."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.scroll = Scroll()
        self.scroll.follow = True
        self.filter: Finder | None = None
        self.finder: Finder | None = None  # what is marked in the rows
        self.messages: Sequence[ChunkLike] = ()
        self.painted = 0  # rows made so far; tests count the work by it
        self._flow: Flow | None = None
        self._focused: ChunkLike | None = None
        self._first: ChunkLike | None = None
        self._shown: list[int] | None = None  # of the messages those that the filter lets through
        self._checked = 0

    def show(self, flow: Flow, messages: Sequence[ChunkLike]) -> None:
        """Show the messages of a flow; of another flow than before, from its newest on."""
        if self._flow is None or flow.id != self._flow.id:
            self.scroll = Scroll()
            self.scroll.follow = True
            self._focused = self._first = None
            self._shown, self._checked = None, 0
        self._flow, self.messages = flow, messages
        self._settle()

    def _settle(self) -> None:
        """Follow what has come and gone since."""
        if self._first is not None and (not self.messages or self.messages[0] is not self._first):
            self._shown, self._checked = (None if self.filter is None else []), 0
            self._find_again()
        self._first = self.messages[0] if self.messages else None
        if self.filter is not None:
            self._check()
        self.scroll.resize(len(self), self.scroll.height)

    def _find_again(self) -> None:
        """The oldest are gone, so the selected one has another number: a smaller one."""
        if self._focused is None or self.scroll.follow or self.filter is not None:
            return
        top = self.scroll.focus - self.scroll.top
        for index in range(min(self.scroll.focus, len(self.messages) - 1), -1, -1):
            if self.messages[index] is self._focused:
                self.scroll.focus, self.scroll.top = index, max(index - top, 0)
                return
        self.scroll.focus = self.scroll.top = 0

    # -- filtering ----------------------------------------------------------------------------------------------------

    def set_filter(self, pattern: str) -> None:
        """Show only the messages that hold it; an empty pattern shows all."""
        self.filter = Finder(pattern) if pattern else None
        self._shown, self._checked = ([] if pattern else None), 0
        self.scroll.focus, self.scroll.top, self.scroll.follow = 0, 0, True
        self._settle()

    def _check(self) -> None:
        """Ask the filter about messages that have come, for a few milliseconds; the next frame goes on."""
        assert self.filter is not None
        if self._shown is None:
            self._shown = []
        budget = Budget()
        while self._checked < len(self.messages):
            if self.filter.holds(self.messages[self._checked].content[:_SEARCHED]):
                self._shown.append(self._checked)
            self._checked += 1
            if self._checked % _CHECKED_EACH == 0 and budget.spent():
                self._console.request_frame()
                return

    def __len__(self) -> int:
        return len(self.messages) if self._shown is None else len(self._shown)

    def message(self, number: int) -> ChunkLike:
        """The message in a row of the list."""
        return self.messages[number if self._shown is None else self._shown[number]]

    @property
    def selected(self) -> ChunkLike | None:
        """The message under the cursor."""
        return self.message(min(self.scroll.focus, len(self) - 1)) if len(self) else None

    @property
    def pieces(self) -> MessagePieces:
        """What a search goes through: the messages of the list."""
        assert self._flow is not None
        return MessagePieces(self.messages, self._flow, self._console.master.showing.content, self._shown)

    @property
    def words(self) -> list[str]:
        """Where the list stands, for a title bar: the longest first, then shorter forms."""
        follow = "following   " if self.scroll.follow and self._flow is not None and self._flow.live else ""
        filtered = f"   only /{self.filter.pattern}/" if self.filter is not None else ""
        place = f"{min(self.scroll.focus + 1, len(self)):,} of {len(self):,}"
        return [follow + place + filtered, place + filtered, place]

    # -- moving -------------------------------------------------------------------------------------------------------

    def move(self, move: str) -> bool:
        """Do one of the moves of `Pane.navigate`; False: it is none of ours."""
        self.scroll.count = len(self)
        if not self.scroll.move(move):
            return False
        self.scroll.follow = len(self) > 0 and self.scroll.focus == len(self) - 1
        return True

    def go(self, number: int) -> None:
        """Select a row."""
        self.scroll.count = len(self)
        self.scroll.go(number)
        self.scroll.follow = self.scroll.focus == len(self) - 1

    def list_rows(self, rows: int) -> int:
        """How many of so many rows the list takes; the rest is for the selected message."""
        if rows < _SPLIT_FROM:
            return rows
        closing = 1 if self._flow is not None and closing_runs(self._flow) else 0
        return min(len(self) + closing, rows * 3 // 5) if len(self) else rows

    # -- painting -----------------------------------------------------------------------------------------------------

    def paint(self, columns: int, rows: int, focus: bool) -> list[PaintedRow]:
        """Exactly `rows` rows of the list."""
        closing = closing_runs(self._flow) if self._flow is not None else []
        room = rows - 1 if closing and rows > 1 else rows
        self.scroll.resize(len(self), room)
        self._focused = self.selected
        last = min(self.scroll.top + room, len(self))
        painted = [self._row(number, columns, focus) for number in range(self.scroll.top, last)]
        if closing and last == len(self) and len(painted) < rows:
            painted.append(paint_row([("text", "  "), *closing], columns))
        painted.extend(paint_blank(columns) for _ in range(rows - len(painted)))
        return painted[:rows]

    def _row(self, number: int, columns: int, focus: bool) -> PaintedRow:
        assert self._flow is not None
        self.painted += 1
        message = self.message(number)
        content = self._console.master.showing.content(message.content)
        role, text = row_text(content)
        body: list[Run] = [(role, cells.prepare(text))]
        for finder in (self.finder, self.filter):
            if finder is not None and (found := places(body, finder)):
                body = painted_over(body, [(start, end, "match") for start, end in found])
                break
        on = number == self.scroll.focus
        runs: list[Run] = [("text", ">" if on else " "), ("dim", f" {moment(message)} "), arrow(message)]
        if columns >= 60:
            runs.append(("dim", f"{cells.fit(kind_of(message), _KIND)} "))
        runs += [("dim", f"{human_size(len(message.content)):>5}  "), *flags(message, self._flow), *body]
        if not on:
            return paint_row(runs, columns)
        role = "focus" if focus else "focus.idle"
        return paint_row(overlay(runs, role), columns, role)
