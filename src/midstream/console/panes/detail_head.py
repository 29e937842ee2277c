"""The first two rows of the detail pane: what the flow is and what holds it, and its tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.panes import detail_tabs
from midstream.console.panes.detail_tabs import MESSAGES
from midstream.console.widgets.canvas import PaintedRow, Run, line_width, paint_row
from midstream.console.widgets.table import fit_runs
from midstream.flows.attempt import is_draft
from midstream.flows.http import HTTPFlow
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.panes.detail import Detail
    from midstream.flows.flow import Flow

_LEAST_TITLE = 60  # cells that are left of the title before keys are told beside it


class Head:
    """See the module. `places` are the tabs for the mouse: first column, last column, name."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.rows = 2
        self.places: list[tuple[int, int, str]] = []

    def paint(self, flow: Flow, pane: Detail, columns: int) -> list[PaintedRow]:
        """Both rows."""
        return [self._title(flow, pane, columns), self._tabs(flow, pane, columns)]

    def _title(self, flow: Flow, pane: Detail, columns: int) -> PaintedRow:
        now = pane.clock()
        view = self._console.view
        row = view.row(flow.id) if flow.id in view else None
        state = [*detail_tabs.replay_runs(flow, pane.content.links), *detail_tabs.state_runs(flow, now)]
        if flow.intercepted:
            keys = [
                *pane.key_hint("flow.resume @focus", "resume  "),
                *pane.key_hint("flow.kill @focus", "kill "),
            ]
            if line_width(state) + line_width(keys) + _LEAST_TITLE <= columns:
                state += [("text", " "), *keys]
        elif not flow.live and isinstance(flow, HTTPFlow) and is_draft(flow):
            state += pane.key_hint("replay.client @focus", "sends it ")
        right = line_width(state)
        shown = self._console.master.showing.flow(flow, last=0)
        room = max(columns - right - 1, 0)
        title = paint_row(fit_runs(detail_tabs.title_runs(shown, row, now), room), room)
        return [*title, *paint_row([("text", " "), *state], min(right + 1, columns))]

    def _tabs(self, flow: Flow, pane: Detail, columns: int) -> PaintedRow:
        tabs, shown, count = pane.tabs(), pane.shown_tab(), pane.content.message_count
        runs, self.places = detail_tabs.tab_runs(flow, tabs, shown, count)
        if line_width(runs) > columns:
            runs, self.places = detail_tabs.tab_runs(flow, tabs, shown, count, short=True)
        for right in self._right(pane, shown):
            room = columns - line_width(runs) - line_width(right)
            if room >= 1:
                return paint_row([*runs, ("text", " " * room), *right], columns)
        return paint_row(runs, columns)

    def _right(self, pane: Detail, tab: str) -> list[list[Run]]:
        """What stands at the right: the first of these that fits."""
        content = pane.content
        if pane.copy.on:
            return [[("match", f" {pane.copy.words} ")]]
        if tab == MESSAGES and pane.opened is None:
            words = content.conversation.words if content.message_count else []
            return [[("hint", f"{visible(each)} ")] for each in words]
        position: list[Run] = [("hint", f"{content.viewer.position} ")]
        if content.body is None:
            return [position]
        view: list[Run] = [("hint", f"view: {visible(content.mode)}   ")]
        key = pane.key_hint("console.flowview.view", "") or [("hint.key", "m ")]
        return [[*key, *view, *position], position]
