"""The detail pane: one flow, in tabs (console.md §3.2). Shows the view's focused flow and follows it.

Headers and body are one text that scrolls together; the body is read through a line index, and the pane is painted anew
when the flow changes, also while it is in flight. Editing and resuming are commands of others.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream.console.pane import Pane
from midstream.console.panes import detail_tabs
from midstream.console.panes.connection_text import connection_pieces
from midstream.console.panes.detail_tabs import CONNECTION, EDITS, MESSAGES, REQUEST, RESPONSE
from midstream.console.panes.edits_text import edits_pieces
from midstream.console.panes.facts import heading
from midstream.console.panes.messages_text import ClosingPieces, MessagePieces
from midstream.console.search import SlicedSearch
from midstream.console.widgets import cells
from midstream.console.widgets.body_viewer import BodyView
from midstream.console.widgets.canvas import PaintedRow, RowsCanvas, Run, paint_blank, paint_row
from midstream.console.widgets.pieces import FixedPieces, JoinedPieces, Pieces
from midstream.console.widgets.text_viewer import TextViewer
from midstream.contentviews.messages import metadata_of
from midstream.contentviews.registries import AUTO, registry_of
from midstream.flows.http import HTTPFlow
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow
    from midstream.store.view import Change

_HEAD_ROWS = 2  # title and tabs
_TICK = 0.5
_BODIES = (REQUEST, RESPONSE)  # the tabs that have one


class Detail(Pane):
    """See the module. `tab` is the name of the shown tab; it stays when another flow is shown."""

    name = "detail"
    contexts: ClassVar[tuple[str, ...]] = ("detail", "global")
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.view = console.view
        self.viewer = TextViewer()
        self.tab = REQUEST
        self.folded = True  # long header values show their beginning only
        self._flow_id: str | None = None
        self._stale = True
        self._views = registry_of(console.master)
        worker = console.master.worker
        self._bodies = {tab: BodyView(self._body_changed, console.spawn, self._views, worker) for tab in _BODIES}
        # The views, the one chosen by the option, and what addons want to be shown, at the last refresh.
        self._shown_by: tuple[int, str, int] = (0, "", 0)
        self._shown: Flow | None = None  # what may be shown of the flow
        self._searches = SlicedSearch(console, self._show_match)
        self._pattern, self._backwards = "", False
        self._places: list[tuple[int, int, str]] = []
        self.clock = time.time
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None

    # -- the flow -----------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._on_change not in self.view.on_change:
            self.view.on_change.append(self._on_change)
        self._stale = True

    def got_focus(self) -> None:
        options = self.console.master.options
        if self.view.follow and "console_focus_follow" in options:
            # Somebody reads one flow now: the next one to arrive must not take its place (and be edited instead).
            options.update(console_focus_follow=False)

    def left(self) -> None:
        if self._on_change in self.view.on_change:
            self.view.on_change.remove(self._on_change)
        if self._ticker is not None:
            self._ticker.cancel()
        self._ticker = self._loop = None
        self._searches.cancel()
        self._shown = None
        for body in self._bodies.values():
            body.forget()

    def focused_flow(self) -> Flow | None:
        id_ = self.view.focus_id
        return self.view.get(id_) if id_ is not None else None

    def tabs(self) -> list[str]:
        """The tabs of the shown flow."""
        flow = self.focused_flow()
        return detail_tabs.tabs_of(flow) if flow is not None else []

    def show_tab(self, tab: str) -> None:
        """Show a tab by its name; one that the flow has not shows the first."""
        self.tab = tab
        self._stale = True
        self.viewer.show(FixedPieces([]))
        self.console.request_frame(now=True)

    def _on_change(self, change: Change) -> None:
        if change.kind in ("focus", "refresh") or change.id == self._flow_id:
            self._stale = True
            self.console.request_frame()

    def _tick(self) -> None:
        self._ticker = None
        self.console.request_frame()

    def _body_changed(self) -> None:
        self._stale = True
        self.console.request_frame()

    # -- the body -----------------------------------------------------------------------------------------------------

    @property
    def body(self) -> BodyView | None:
        """The body of the shown tab, if it has one."""
        flow, tab = self.focused_flow(), self._shown_tab()
        if not isinstance(flow, HTTPFlow) or (tab == RESPONSE and flow.response is None):
            return None
        return self._bodies.get(tab)

    @property
    def modes(self) -> list[str]:
        """The ways to show a body."""
        return self._views.available_views()

    @property
    def mode(self) -> str:
        """How the body of the shown tab is shown."""
        return self.body.mode if self.body is not None else "auto"

    def set_mode(self, mode: str) -> None:
        """Show the body of this tab another way, and so whenever this flow is shown; ValueError for an unknown one."""
        flow = self.focused_flow()
        if flow is not None and self.body is not None:
            self.body.set_mode(mode)
            self.view.settings(flow.id)[_setting(self._shown_tab())] = self.body.mode
            self._stale = True
        self.console.request_frame(now=True)

    def toggle_raw(self) -> None:
        """Switch between the body as it came and the form that the option asks for."""
        pretty = self._default_mode()
        self.set_mode("raw" if self.mode != "raw" else pretty if pretty in self.modes and pretty != "raw" else AUTO)

    def toggle_wrap(self) -> None:
        """Wrap long lines or scroll sideways."""
        wraps = self.viewer.toggle_wrap()
        self.console.message("long lines wrap" if wraps else "long lines are cut; left and right scroll")
        self.console.request_frame(now=True)

    def toggle_folds(self) -> None:
        """Show long header values in full, or only their beginning."""
        self.folded = not self.folded
        self._stale = True
        self.console.request_frame(now=True)

    # -- moving -------------------------------------------------------------------------------------------------------

    def title(self) -> str:
        return "detail"

    def navigate(self, move: str) -> None:
        sideways = {"left": -1, "right": 1} if self.viewer.wrap else {}
        steps = {"next": 1, "previous": -1, **sideways}
        tabs = self.tabs()
        if move in steps and tabs:
            here = tabs.index(self._shown_tab()) if self._shown_tab() in tabs else 0
            self.show_tab(tabs[(here + steps[move]) % len(tabs)])
        elif self.viewer.move(move):
            self.console.request_frame(now=True)

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if button in (4, 5):
            self.viewer.scroll(-3 if button == 4 else 3)
            self.console.request_frame(now=True)
            return True
        if button == 1 and row == 1:
            for first, last, name in self._places:
                if first <= column <= last:
                    self.show_tab(name)
                    return True
        return False

    # -- searching ----------------------------------------------------------------------------------------------------

    def search(self, pattern: str, backwards: bool = False) -> bool:
        """Short searches end here; longer ones go on in slices and tell their result by a message."""
        self._searches.cancel()
        self._pattern = pattern
        if not pattern:
            self.viewer.pattern, self.viewer.found = "", None
            self.viewer.changed()
            return True
        if self.folded:
            # What is folded away would not be found.
            self.folded, self._stale = False, True
        self._refresh()
        self._backwards = backwards
        if self.viewer.step(pattern, backwards):
            self.console.request_frame(now=True)
            return True
        return self._searches.start(self.viewer.matches(pattern, backwards), pattern)

    def _show_match(self, piece: int) -> None:
        self.viewer.mark(piece, self._pattern, self._backwards)
        self.console.request_frame(now=True)

    # -- painting -----------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, rows = size
        flow = self.focused_flow()
        if flow is None:
            painted = [paint_row([("dim", "  no flow")], columns)]
            painted.extend(paint_blank(columns) for _ in range(rows - 1))
            return RowsCanvas(painted[:rows], columns)
        self._refresh()
        head = self._head(flow, columns)
        painted = [*head, *self.viewer.paint(columns, max(rows - len(head), 0))]
        if (flow.live or flow.intercepted) and self._ticker is None and self._loop is not None:
            self._ticker = self._loop.call_later(_TICK, self._tick)
        return RowsCanvas(painted[:rows], columns, self.get_cursor_coords(size) if focus else None)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        return (0, _HEAD_ROWS) if size[1] > _HEAD_ROWS else None

    def _head(self, flow: Flow, columns: int) -> list[PaintedRow]:
        now = self.clock()
        row = self.view.row(flow.id) if flow.id in self.view else None
        state = [*detail_tabs.replay_runs(flow, self.view), *detail_tabs.state_runs(flow, now)]
        right = sum(cells.width(cells.prepare(text)) for _, text in state)
        title = paint_row(detail_tabs.title_runs(self._shown or flow, row, now), max(columns - right - 1, 0))
        title = [*title, *paint_row([("text", " "), *state], min(right + 1, columns))]
        tab_runs, self._places = detail_tabs.tab_runs(flow, self.tabs(), self._shown_tab())
        return [title, self._tab_row(tab_runs, columns)]

    def _tab_row(self, runs: list[Run], columns: int) -> PaintedRow:
        right = f"{'m view: ' + visible(self.mode) + '   ' if self.body is not None else ''}{self.viewer.position} "
        used = sum(cells.width(text) for _, text in runs)
        if used + len(right) + 1 <= columns:
            runs = [*runs, ("text", " " * (columns - used - len(right))), ("hint", right)]
        return paint_row(runs, columns)

    def _shown_tab(self) -> str:
        tabs = self.tabs()
        return self.tab if self.tab in tabs or not tabs else tabs[0]

    def _refresh(self) -> None:
        """Make the pieces of the shown tab anew if anything has changed. Costs a few rows, never a body."""
        flow = self.focused_flow()
        if flow is None:
            return
        showing = self.console.master.showing
        shown_by = (self._views.revision, self._default_mode(), showing.revision)
        same, views_are_same = flow.id == self._flow_id, shown_by == self._shown_by
        if same and views_are_same and not self._stale:
            return
        self._flow_id, self._shown_by = flow.id, shown_by
        if not (same and views_are_same):
            self._choose_modes(flow)
        self._stale = False
        self._shown = showing.flow(flow, last=0)
        pieces = self._pieces(self._shown, flow)
        # A body that is ready at once tells so while it is being shown; that is this refresh.
        self._stale = False
        self.viewer.show(pieces, keep_place=same)

    def _default_mode(self) -> str:
        options = self.console.master.options
        return options.console_default_contentview.lower() if "console_default_contentview" in options else AUTO

    def _choose_modes(self, flow: Flow) -> None:
        """As this flow was shown before, else as the option says; a view whose script has gone is passed over."""
        known = self._views.available_views()
        settings = self.view.settings(flow.id)
        for tab, body in self._bodies.items():
            wanted = settings.get(_setting(tab), self._default_mode())
            mode = wanted if wanted in known else AUTO
            if body.mode != mode:
                body.forget()
                body.mode = mode

    def _pieces(self, flow: Flow, whole: Flow) -> Pieces:
        """Of a flow as it may be shown; its messages are those of the `whole` one."""
        tab = self._shown_tab()
        if tab == CONNECTION:
            return FixedPieces(connection_pieces(flow))
        if tab == EDITS:
            return FixedPieces(edits_pieces(flow, self.console.master.showing.text))
        if tab == MESSAGES:
            show = self.console.master.showing.content
            messages: Pieces = MessagePieces(detail_tabs.messages_of(whole), whole, show)  # type: ignore[arg-type]
            if not len(messages):
                messages = FixedPieces(detail_tabs.messages_sentence(whole))
            return JoinedPieces([messages, ClosingPieces(flow)]) if isinstance(flow, HTTPFlow) else messages
        if not isinstance(flow, HTTPFlow):
            return FixedPieces(detail_tabs.dns_pieces(flow, tab))
        if tab == RESPONSE and flow.response is None:
            return FixedPieces(detail_tabs.response_pieces(flow, self.folded))
        message = flow.response if tab == RESPONSE and flow.response is not None else flow.request
        make = detail_tabs.response_pieces if tab == RESPONSE else detail_tabs.request_pieces
        above = make(flow, self.folded)
        body = self._bodies[tab]
        body.show(detail_tabs.body_of(message), metadata_of(message, flow))
        title = heading("Body", body.note)
        return JoinedPieces(
            [FixedPieces([*above, title]), body.pieces, FixedPieces(detail_tabs.trailer_pieces(message))]
        )


def _setting(tab: str) -> str:
    """Where the view remembers how a flow's body is shown; the tabs have numbers there, as others expect."""
    return f"flowview_mode_{_BODIES.index(tab)}"
