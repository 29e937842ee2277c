"""The flow list: the pane that everything starts from (console.md §3.1, §6).

It paints the visible part of `console.view` and moves its focus. The place belongs to flows: the focused id is the
view's, the id at the top is remembered here, so rows that come and go above do not move the picture. Commands on flows
are not here: keys run them with `@focus`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream.console.pane import Pane
from midstream.console.panes import flow_row, timeline
from midstream.console.panes.flow_list_empty import no_flows, nothing_matches
from midstream.console.search import SlicedSearch
from midstream.console.widgets.canvas import PaintedRow, RowsCanvas, overlay, paint_blank, paint_row
from midstream.console.widgets.table import Placed, heading, lay_out, row
from midstream.store.order import LAZY_ORDERS

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow
    from midstream.store.rows import Row
    from midstream.store.view import Change

WHEEL_ROWS = 3
_TICK = 0.5  # in-flight times are painted twice a second
_TIDY = 1.0  # rows ordered by size move to their places once a second
_DOUBLE_CLICK = 0.4
_SEARCH_SLICE = 500
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
        self.painted_rows = 0  # rows painted anew so far; tests count the work by it
        self._top_id: str | None = None
        self._top = 0
        self._height = 20
        self._reveal = True
        self._anchored = False
        self._offset: int | None = None  # the screen row of the focus when it was last painted
        self._digits = 3
        self._visible: frozenset[str] = frozenset()
        self._cache: dict[tuple[str, bool, bool], tuple[tuple[int, int], PaintedRow]] = {}
        self._cache_for: tuple[Placed, ...] = ()
        self.clock = time.time
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._tidier: asyncio.TimerHandle | None = None
        self._last_click = (0.0, -1)
        self._searches = SlicedSearch(console, self._found)

    # -- shown and hidden ---------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._on_change not in self.view.on_change:
            self.view.on_change.append(self._on_change)
            self.console.master.options.changed.connect(self._on_options)
        self._reveal = True

    def left(self) -> None:
        if self._on_change in self.view.on_change:
            self.view.on_change.remove(self._on_change)
            self.console.master.options.changed.disconnect(self._on_options)
        for timer in (self._ticker, self._tidier):
            if timer is not None:
                timer.cancel()
        self._ticker = self._tidier = self._loop = None
        self._searches.cancel()

    def _on_change(self, change: Change) -> None:
        if change.kind == "update":
            if self.view.order in LAZY_ORDERS:
                self._tidy_later()
            if change.id not in self._visible:
                return
        elif change.kind == "focus":
            self._reveal = True
        elif change.kind == "refresh":
            self._anchored = True
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
        self.view.tidy()

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
            case "console.search" | "console.flows.clear" if not len(self.view):
                return "there are no flows"
            case "console.filter.pop" if not self.console.breadcrumbs.texts:
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
        here = self._focus_position()
        page = max(self._height - 1, 1)
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
            self._scroll(-page if move == "page_up" else page)
        self._set_follow(move == "end" or (self.view.follow and places[move] >= here))
        self._focus_index(places[move])

    def search(self, pattern: str, backwards: bool = False) -> bool:
        self._searches.cancel()
        return not pattern or self._searches.start(self._matches(pattern.casefold(), backwards), pattern)

    def _matches(self, wanted: str, backwards: bool) -> Iterator[int | None]:
        """The positions of matching rows from the focus on, around the end; None after each slice of work."""
        shown, here = self.view.shown, self._focus_position()
        for step in range(1, len(shown) + 1):
            count = len(shown)  # rows come and go while the search rests
            if not count:
                return
            index = (here - step if backwards else here + step) % count
            if wanted in _search_text(self.view.row(shown[index])):
                yield index
            if step % _SEARCH_SLICE == 0:
                yield None

    def _found(self, index: int) -> None:
        self._set_follow(False)
        self._focus_index(index)

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if button in (4, 5):
            if button == 4:
                self._set_follow(False)
            self._scroll(-WHEEL_ROWS if button == 4 else WHEEL_ROWS)
            self._keep_focus_visible()
            self.console.request_frame(now=True)
            return True
        index = self._place(len(self.view.shown), size[1] - 1) + row - 1
        if button != 1 or row < 1 or index >= len(self.view.shown):
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

    def _focus_position(self) -> int:
        id_ = self.view.focus_id
        index = self.view.index(id_) if id_ is not None else None
        return index if index is not None else 0

    def _focus_index(self, index: int) -> None:
        shown = self.view.shown
        if shown:
            self.view.set_focus(shown[max(0, min(index, len(shown) - 1))])
            self._reveal = True
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

    # -- the place ----------------------------------------------------------------------------------------------------

    def _place(self, count: int, height: int) -> int:
        """The index at the top: that of the remembered id, moved only as far as the focus asks for."""
        known = self.view.index(self._top_id) if self._top_id is not None else None
        top = known if known is not None else self._top
        focus = self._focus_position()
        if self._anchored and self._offset is not None:
            # Another filter or order: all rows may have moved, and the focused one stays where the eye is.
            top = focus - self._offset
        if self._reveal:
            if focus < top:
                top = focus
            elif focus >= top + height:
                top = focus - height + 1
        return max(0, min(top, count - height))

    def _remember(self, top: int) -> None:
        shown = self.view.shown
        self._top = top
        self._top_id = shown[top] if top < len(shown) else None

    def _scroll(self, rows: int) -> None:
        count = len(self.view.shown)
        top = self._place(count, self._height) + rows
        self._reveal = self._anchored = False
        self._remember(max(0, min(top, count - self._height)))

    def place_focus(self, place: str) -> None:
        below = {"top": 0, "centre": self._height // 2, "bottom": self._height - 1}[place]
        top = self._focus_position() - below
        self._reveal = self._anchored = False
        self._remember(max(0, min(top, len(self.view.shown) - self._height)))

    def _keep_focus_visible(self) -> None:
        if not self.view.shown:
            return
        focus = self._focus_position()
        inside = min(max(focus, self._top), self._top + self._height - 1)
        if inside != focus:
            self._focus_index(inside)

    # -- painting -----------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, height = size[0], size[1] - 1
        shown = self.view.shown
        if not shown:
            return self._render_empty(size)
        if height != self._height:
            self._height = max(height, 1)
            self._reveal = True
        top = self._place(len(shown), self._height)
        self._reveal = self._anchored = False
        self._remember(top)
        offset = self._focus_position() - top
        self._offset = offset if 0 <= offset < self._height else None
        self.new_below = min(self.new_below, max(len(shown) - top - height, 0))
        rows = [self.view.row(id_) for id_ in shown[top : top + height]]
        self._visible = frozenset(each.id for each in rows)
        self._digits = max(self._digits, *(len(str(each.number)) for each in rows))
        layout = lay_out(flow_row.COLUMNS, columns, (("number", self._digits),))
        painted = [paint_row(heading(layout), columns, "title"), *self._paint(rows, layout, columns, focus)]
        painted.extend(paint_blank(columns) for _ in range(height + 1 - len(painted)))
        if any(flow_row.is_ticking(each) for each in rows):
            self._tick_later()
        return RowsCanvas(painted[: size[1]], columns, self.get_cursor_coords(size) if focus else None)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        if not self.view.shown:
            return None
        at = self._focus_position() - self._top + 1
        return (0, at) if 1 <= at < size[1] else None

    def _render_empty(self, size: tuple[int, int]) -> urwid.Canvas:
        self._visible = frozenset()
        self._top, self._top_id, self.new_below, self._digits = 0, None, 0, 3
        lines = nothing_matches(self) if len(self.view) else no_flows(self)
        above = max((size[1] - len(lines)) // 3, 0)
        painted = [paint_blank(size[0]) for _ in range(above)]
        painted.extend(paint_row(line, size[0]) for line in lines)
        painted.extend(paint_blank(size[0]) for _ in range(size[1] - len(painted)))
        return RowsCanvas(painted[: size[1]], size[0])

    def _paint(self, rows: list[Row], layout: tuple[Placed, ...], columns: int, focus: bool) -> list[PaintedRow]:
        if layout != self._cache_for:
            self._cache.clear()
            self._cache_for = layout
        now = self.clock()
        last = layout[-1]
        bar_cells = last.cells + last.gap if last.name == "timeline" else 0
        axis = timeline.axis_of(rows, now)
        kept: dict[tuple[str, bool, bool], tuple[tuple[int, int], PaintedRow]] = {}
        painted = []
        for each in rows:
            is_focused = each.id == self.view.focus_id
            key = (each.id, is_focused, focus)
            cached = self._cache.get(key)
            revision = (each.revision, self.console.master.showing.revision)
            if cached is None or cached[0] != revision or flow_row.is_ticking(each):
                cached = (revision, self._paint_one(each, layout, columns - bar_cells, is_focused, focus, now))
                self.painted_rows += 1
            kept[key] = cached
            line = cached[1]
            if bar_cells:
                role = _bar_role(each) if not is_focused else _focus_role(focus)
                text = timeline.bar(each, self.view.get(each.id), axis, last.cells, now)
                line = [*line, *paint_row([(role, " " * last.gap + text)], bar_cells, role)]
            painted.append(line)
        self._cache = kept
        return painted

    def _paint_one(
        self, each: Row, layout: tuple[Placed, ...], columns: int, is_focused: bool, focus: bool, now: float
    ) -> PaintedRow:
        url_cells = next(placed.cells for placed in layout if placed.name == "url")
        cells_of = flow_row.texts(each, url_cells, now, self.console.master.showing.text)
        placed = layout[:-1] if layout[-1].name == "timeline" else layout
        if not is_focused:
            return paint_row(row(placed, cells_of), columns)
        role, signs = flow_row.marks(each)
        cells_of["marks"] = (role, ">" + signs[0])
        role = _focus_role(focus)
        return paint_row(overlay(row(placed, cells_of), role), columns, role)


def _focus_role(focus: bool) -> str:
    return "focus" if focus else "focus.idle"


def _bar_role(each: Row) -> str:
    if each.held:
        return "held"
    if each.failed:
        return "failed"
    return "live" if flow_row.is_ticking(each) else "dim"


def _search_text(each: Row) -> str:
    port = f":{each.port}" if each.port else ""
    return f"{each.method} {each.host}{port}{each.path} {each.status or ''} {each.failed}".casefold()
