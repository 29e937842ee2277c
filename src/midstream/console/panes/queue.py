"""The intercept queue: the flows that wait for a person, in the order in which they were held (console.md §3.8).

What is held the console's tally knows; letting go, killing and editing are commands that keys run with `@focus`. The
focus belongs to a flow: when it is let go, the next one in the queue has it. Flows that the list's filter hides are
here all the same.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream.console.panes import flow_row
from midstream.console.panes.list_pane import ListPane
from midstream.console.search_rows import SearchRows
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, PaintedRow, Run, line_width, paint_row
from midstream.console.widgets.table import fit_runs
from midstream.flows.http import HTTPFlow
from midstream.text.escape import visible
from midstream.text.times import human_duration

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow
    from midstream.store.view import Change

_TICK = 0.5
_BAR = 20
_PATIENCE_FROM = 100  # columns from which there is room for what the client is known to wait
_SIZE_FROM = 50
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_GRPC_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")


_STEPS = (
    ("flow.resume @focus", "lets one go"),
    ("flow.step @focus", "lets a request go, and holds its response"),
    ("flow.kill @focus", "ends one"),
    ("flow.resume @all", "lets all go"),
)


class Queue(ListPane):
    """See the module."""

    name = "queue"
    contexts: ClassVar[tuple[str, ...]] = ("queue", "list", "global")
    box_beside = False

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._id: str | None = None
        self._patience: dict[str, float | None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self.clock = time.monotonic

    # -- shown and hidden ---------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._on_change not in self.console.view.on_change:
            self.console.view.on_change.append(self._on_change)

    def left(self) -> None:
        if self._on_change in self.console.view.on_change:
            self.console.view.on_change.remove(self._on_change)
        if self._ticker is not None:
            self._ticker.cancel()
        self._ticker = self._loop = None
        self._patience.clear()

    def got_focus(self) -> None:
        focus = self.console.view.focus_id
        if self._id not in self.console.tally.held and focus in self.console.tally.held:
            self._id = focus
        self._settle()
        self._lead()

    def _on_change(self, change: Change) -> None:
        held = self.console.tally.held
        if change.kind == "focus" and change.id in held and change.id != self._id:
            self._id = change.id  # another pane or a command went there
        if change.kind in ("refresh", "focus") or change.id in held or change.id in self._patience:
            self.console.request_frame()

    def _tick(self) -> None:
        self._ticker = None
        self.console.request_frame()

    # -- the focus ----------------------------------------------------------------------------------------------------

    @property
    def _ids(self) -> Sequence[str]:
        return list(self.console.tally.held)

    def _settle(self) -> Sequence[str]:
        """The flows of the queue; the focus goes where its flow went, or to the one that took its place."""
        ids = self._ids
        if self._id in self.console.tally.held:
            self.scroll.focus = ids.index(self._id)
        elif ids:
            self.scroll.focus = min(self.scroll.focus, len(ids) - 1)
            self._id = ids[self.scroll.focus]
            if self.console.focused_pane is self:
                self._lead()
        else:
            self._id, self.scroll.focus = None, 0
        self.scroll.count = len(ids)
        return ids

    def _lead(self) -> None:
        """Details and peek beside the queue show its flow, unless the filter hides it."""
        view = self.console.view
        if self._id is not None and self._id in view.shown and view.focus_id != self._id:
            view.set_focus(self._id)

    def meant_id(self) -> str | None:
        self._settle()
        return self._id

    def focused_flow(self) -> Flow | None:
        self._settle()
        return self.console.view.get(self._id) if self._id is not None else None

    def _stand(self) -> None:
        ids = self._ids
        self._id = ids[self.scroll.focus] if self.scroll.focus < len(ids) else None
        self._lead()

    def navigate(self, move: str) -> None:
        self._settle()
        if move == "select":
            if self._id is not None:
                self.console.run_command("console.view.flow @focus")
            return
        super().navigate(move)
        self._stand()

    def _go(self, index: int) -> None:
        super()._go(index)
        self._stand()

    def place_focus(self, place: str) -> None:
        self._settle()
        super().place_focus(place)

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        self._settle()
        used = super().clicked(size, button, column, row)
        self._stand()
        return used

    def search_rows(self) -> SearchRows:
        return SearchRows(
            self.row_count, lambda: self.scroll.focus, self.row_text, self._go, lambda index: self._ids[index]
        )

    def why_not(self, command: str) -> str:
        held = self.console.tally.held
        word = command.partition(" ")[0]
        if not held:
            about_it = word.startswith(("console.edit", "console.copy", "console.choose", "console.search"))
            if about_it or "@focus" in command or command == "flow.resume @all":
                return "nothing is held"
        elif word == "flow.step" and self._id is not None and held.get(self._id) == "response":
            return "its response is held already; nothing comes after it"
        return ""

    # -- painting -----------------------------------------------------------------------------------------------------

    def title(self) -> str:
        return f"queue {len(self.console.tally.held):,} held"

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        ids = self._settle()
        if ids and self._ticker is None and self._loop is not None:
            self._ticker = self._loop.call_later(1.0 if self.console.is_plain else _TICK, self._tick)
        return super().render(size, focus)

    def head(self, columns: int) -> Sequence[Line]:
        options = self.console.master.options
        count = len(self.console.tally.held)
        rule = options.intercept if "intercept" in options else None
        line: list[Run] = [("title", f" queue  {count:,} held")]
        if rule:
            on = options.intercept_active
            line += [("title", "   rule: "), ("strong" if on else "dim", visible(str(rule)))]
            line += [] if on else [("held", " (off)")]
        else:
            line.append(("dim", "   no rule"))
        hint = [*self.key_hint("console.command.set intercept", "rule")]
        gap = columns - line_width(line) - line_width(hint) - 1
        return [[*line, ("text", " " * gap), *hint] if hint and gap > 1 else line]

    def nothing(self) -> str:
        return "Nothing is held."

    def row_count(self) -> int:
        return len(self.console.tally.held)

    def row_text(self, index: int) -> str:
        row = self.console.view.row(self._ids[index])
        return f"{row.number} {row.held} {row.method} {self.console.master.showing.text(row.host + row.path)}"

    def row_runs(self, index: int, columns: int) -> Line:
        id_ = self._ids[index]
        row = self.console.view.row(id_)
        waited = max(self.clock() - self.console.tally.held_since.get(id_, self.clock()), 0.0)
        sign = ">" if id_ == self._id else " "
        runs: list[Run] = [
            ("held", f"{sign}{row.number:>4}  "),
            ("held", f"{row.held:<8} "),
            ("text", f"{human_duration(waited):>6}  "),
        ]
        role, method = flow_row.method(row)
        address = [(role, cells.fit(method, 7)), *flow_row.address(row, self.console.master.showing.text)]
        end: list[Run] = []
        if columns >= _SIZE_FROM:
            role, size = flow_row.size(row)
            end.append((role, f"  {size:>6}"))
        if columns >= _PATIENCE_FROM:
            end += self._patience_runs(id_, waited)
        room = max(columns - line_width(runs) - line_width(end), 0)
        return [*runs, *fit_runs(address, room), *end]

    def _patience_runs(self, id_: str, waited: float) -> list[Run]:
        """How long the client waits, as far as its request says so."""
        if id_ not in self._patience:
            self._patience[id_] = _patience_of(self.console.view.get(id_))
        patience = self._patience[id_]
        if patience is None:
            return [("dim", cells.fit("  -", 30 + _BAR))]
        gone = min(int(_BAR * waited / patience), _BAR) if patience > 0 else _BAR
        words = cells.fit(f"  client gives up at {human_duration(patience)}", 28)
        return [("dim", words), ("held", "  " + "█" * gone), ("dim", "▒" * (_BAR - gone))]

    def _paint_list(self, columns: int, room: int, focus: bool) -> list[PaintedRow]:
        painted = super()._paint_list(columns, room, focus)
        if not self.scroll.count:
            steps = self._first_steps()[: max(room - 3, 0)]
            painted[3 : 3 + len(steps)] = [paint_row(line, columns) for line in steps]
        return painted

    def _first_steps(self) -> list[Line]:
        """How something comes to be held."""
        rule = self.key_hint("console.command.set intercept", "~m POST")
        return [
            [("text", "  To hold flows that match a filter:  "), *rule],
            [("dim", "  also ~q only requests, ~s only responses, ~all")],
            [],
            *(_indented(hint) for command, words in _STEPS if (hint := self.key_hint(command, words))),
        ]


def _indented(hint: list[Run]) -> Line:
    return [("text", "  "), *hint]


def _patience_of(flow: Flow | None) -> float | None:
    if not isinstance(flow, HTTPFlow):
        return None
    match = _GRPC_TIMEOUT.fullmatch(flow.request.headers.get("grpc-timeout", ""))
    return int(match[1]) * _UNITS[match[2]] if match is not None else None
