"""The flow list: the pane that everything starts from (console.md §3.1, §6).

It shows the visible part of `console.view` and moves its focus, with the body of the focused flow below it while the
peek is open. Where it stands is in flow_place.py, what rows look like in flow_paint.py. Commands on flows are not here:
keys run them with `@focus`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream.console.pane import Pane
from midstream.console.panes import flow_row
from midstream.console.panes.flow_list_empty import no_flows, nothing_matches
from midstream.console.panes.flow_paint import FlowPainter
from midstream.console.panes.flow_place import Place
from midstream.console.panes.peek import Peek
from midstream.console.search_rows import SearchRows
from midstream.console.widgets.canvas import RowsCanvas, paint_blank, paint_row
from midstream.store.order import LAZY_ORDERS

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow
    from midstream.store.rows import Row
    from midstream.store.view import Change

WHEEL_ROWS = 3
_TICK = 0.5  # in-flight times are painted twice a second
_TIDY = 1.0  # rows ordered by size move to their places once a second
_MANY_MOVED = 2000  # that are not moved in one go
_DOUBLE_CLICK = 0.4
_OF_ROWS = frozenset(
    {"console.search", "console.flows.clear", "console.peek", "console.timeline.cycle", "console.tree.reveal"}
)
_FOLLOW_OPTION = "console_focus_follow"


class FlowList(Pane):
    """See the module. `new_below` counts the rows that came below the picture since it last showed the end."""

    name = "flows"
    contexts: ClassVar[tuple[str, ...]] = ("flows", "list", "global")
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.view = console.view
        self.new_below = 0
        self.painter = FlowPainter(console)
        self.peek = Peek(console)
        self._place = Place(console.view)
        self._visible: frozenset[str] = frozenset()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._tidier: asyncio.TimerHandle | None = None
        self._last_click = (0.0, -1)

    # -- shown and hidden ---------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._on_change not in self.view.on_change:
            self.view.on_change.append(self._on_change)
            self.console.master.options.changed.connect(self._on_options)
        self._place.reveal = True

    def left(self) -> None:
        if self._on_change in self.view.on_change:
            self.view.on_change.remove(self._on_change)
            self.console.master.options.changed.disconnect(self._on_options)
        for timer in (self._ticker, self._tidier):
            if timer is not None:
                timer.cancel()
        self._ticker = self._tidier = self._loop = None

    def _on_change(self, change: Change) -> None:
        if change.kind == "update":
            if self.view.order in LAZY_ORDERS:
                self._tidy_later()
            if change.id not in self._visible:
                return
        elif change.kind == "focus":
            self._place.reveal = True
        elif change.kind == "refresh":
            self._place.anchored = True
        elif change.kind == "add" and self._adds_below and change.id in self.view.shown:
            self.new_below += 1
        self.console.request_frame()

    def _on_options(self, updated: set[str]) -> None:
        if _FOLLOW_OPTION in updated:
            if self.view.follow:
                self._focus_index(self._newest())
            self.console.request_frame()

    def _tidy_later(self) -> None:
        if self._tidier is None and self._loop is not None:
            self._tidier = self._loop.call_later(_TIDY, self._tidy)

    def _tidy(self) -> None:
        self._tidier = None
        if self.view.untidy <= _MANY_MOVED:
            self.view.tidy()
        else:
            self.console.spawn(self.view.reorder(self.view.order, self.view.reversed), "sort the flow list")

    def _tick_later(self) -> None:
        if self._ticker is None and self._loop is not None:
            self._ticker = self._loop.call_later(_TICK, self._tick)

    def _tick(self) -> None:
        self._ticker = None
        self.console.request_frame()

    def why_not(self, command: str) -> str:
        if "@marked" in command:
            return "" if self._has_marks else "no flow is marked"
        match command.partition(" ")[0]:
            case name if name in _OF_ROWS and not len(self.view):
                return "there are no flows"
            case "console.filter.pop" if not self.console.breadcrumbs.texts and not self.view.marked_only:
                return "no filter is set"
            case "console.filter.toggle.all" if not self.console.breadcrumbs.texts:
                return "no filter is set"
            case "console.filter.save.as" if not any(crumb.on for crumb in self.console.breadcrumbs.crumbs):
                return "no filter is set"
            case "view.properties.marked.toggle" if not self.view.marked_only and not self._has_marks:
                return "no flow is marked"
            case "flow.mark" if not self._has_marks:
                return "no flow is marked"
            case "console.command.confirm" if "@hidden" in command and len(self.view) == len(self.view.shown):
                return "no flow is hidden"
        return ""

    @property
    def _has_marks(self) -> bool:
        return bool(self.console.tally.marked)

    # -- moving -------------------------------------------------------------------------------------------------------

    def focused_flow(self) -> Flow | None:
        id_ = self.view.focus_id
        return self.view.get(id_) if id_ is not None else None

    def navigate(self, move: str) -> None:
        count = len(self.view.shown)
        if move == "select":
            if self.focused_flow() is not None:
                self.console.open_pane("detail")
            return
        if not count:
            if move == "end":
                self._set_follow(True)
            return
        here = self._place.focus
        page = max(self._place.height - 1, 1)
        places = {
            "up": here - 1,
            "down": here + 1,
            "previous": here - 1,
            "next": here + 1,
            "page_up": here - page,
            "page_down": here + page,
            "start": 0,
            "end": count - 1,
        }
        if move not in places:
            return
        if move in ("page_up", "page_down"):
            self._place.scroll(-page if move == "page_up" else page)
        self._set_follow(move == "end" or (self.view.follow and places[move] >= here))
        self._focus_index(places[move])

    def search_rows(self) -> SearchRows:
        return SearchRows(
            lambda: len(self.view.shown),
            lambda: self._place.focus,
            lambda index: _search_text(self.view.row(self.view.shown[index])),
            self._found,
            lambda index: self.view.shown[index],
        )

    def search_place(self) -> tuple[str | None, bool]:
        return self.view.focus_id, self.view.follow

    def search_return(self, place: object) -> None:
        assert isinstance(place, tuple)
        id_, follow = place
        index = self.view.index(id_) if id_ is not None else None
        if index is not None:
            self._focus_index(index)
        self._set_follow(follow)

    def _found(self, index: int) -> None:
        self._set_follow(False)
        self._focus_index(index)

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if self.peek.clicked(size, button, column, row):
            return True
        if button in (4, 5):
            if button == 4:
                self._set_follow(False)
            self._place.scroll(-WHEEL_ROWS if button == 4 else WHEEL_ROWS)
            self._keep_focus_visible()
            self.console.request_frame(now=True)
            return True
        heading = int(self.painter.is_table)
        if button != 1:
            return False
        if row < heading:
            return self._sort_by(self.painter.order_at(column))
        index = self._place.found() + (row - heading) // self.painter.lines
        if index >= len(self.view.shown):
            return False
        if index != len(self.view.shown) - 1:
            self._set_follow(False)
        self._focus_index(index)
        now = time.monotonic()
        is_double = self._last_click[1] == index and now - self._last_click[0] < _DOUBLE_CLICK
        self._last_click = (now, index)
        if is_double:
            self.navigate("select")
        return True

    def dragged(self, size: tuple[int, int], column: int, row: int) -> None:
        self.peek.dragged(size, column, row)

    def resize(self, by: int) -> bool:
        return self.peek.resize(by)

    def _sort_by(self, order: str) -> bool:
        """By this order; by the same once more in the other direction."""
        options = self.console.master.options
        if not order or "view_order" not in options or not self.view.shown:
            return False
        options.update(view_order=order, view_order_reversed=order == self.view.order and not self.view.reversed)
        return True

    def _focus_index(self, index: int) -> None:
        shown = self.view.shown
        if shown:
            self.view.set_focus(shown[max(0, min(index, len(shown) - 1))])
            self._place.reveal = True
            self.console.request_frame(now=True)

    @property
    def _adds_below(self) -> bool:
        return self.view.order == "time" and not self.view.reversed

    def _newest(self) -> int:
        return 0 if self.view.reversed else len(self.view.shown) - 1

    def _set_follow(self, follow: bool) -> None:
        if follow == self.view.follow:
            return
        options = self.console.master.options
        if _FOLLOW_OPTION in options:
            # The option is what `F` toggles and what the status bar shows; the view addon hands it on.
            options.update(**{_FOLLOW_OPTION: follow})
        self.view.follow = follow

    def place_focus(self, place: str) -> None:
        self._place.put_focus(place)

    def _keep_focus_visible(self) -> None:
        if not self.view.shown:
            return
        focus, top = self._place.focus, self._place.top
        inside = min(max(focus, top), top + self._place.height - 1)
        if inside != focus:
            self._focus_index(inside)

    # -- painting -----------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        if not self.view.shown:
            return self._render_empty(size)
        columns, rows = self.peek.list_size(size)
        top = self._place.settle((rows - self.painter.is_table) // self.painter.lines)
        height = self._place.height
        visible = [self.view.row(id_) for id_ in self.view.shown[top : top + height]]
        self.new_below = min(self.new_below, max(len(self.view.shown) - top - height, 0))
        self._visible = frozenset(each.id for each in visible)
        painted = self.painter.paint(visible, columns, focus)[:rows]
        painted.extend(paint_blank(columns) for _ in range(rows - len(painted)))
        if any(flow_row.is_ticking(each) for each in visible):
            self._tick_later()
        if self.peek.is_open:
            painted = self.peek.beside(painted, self.focused_flow(), size)
        return RowsCanvas(painted, size[0], self.get_cursor_coords(size) if focus else None)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        if not self.view.shown:
            return None
        at = (self._place.focus - self._place.top) * self.painter.lines + self.painter.is_table
        return (0, at) if self.painter.is_table <= at < self.peek.list_size(size)[1] else None

    def _render_empty(self, size: tuple[int, int]) -> urwid.Canvas:
        self._visible = frozenset()
        self.new_below = 0
        self._place.reset()
        self.painter.forget()
        lines = nothing_matches(self) if len(self.view) else no_flows(self, *size)
        above = max((size[1] - len(lines)) // 3, 0)
        painted = [paint_blank(size[0]) for _ in range(above)]
        painted.extend(paint_row(line, size[0]) for line in lines)
        painted.extend(paint_blank(size[0]) for _ in range(size[1] - len(painted)))
        return RowsCanvas(painted[: size[1]], size[0])


def _search_text(each: Row) -> str:
    port = f":{each.port}" if each.port else ""
    # Line breaks, so that $ finds the end of a path.
    return f"{each.method} {each.host}{port}{each.path}\n{each.status or ''} {each.failed}\n{each.shared.comment}"
