"""The detail pane: one flow, in tabs (console.md §3.2). Shows the view's focused flow and follows it.

Headers and body are one text that scrolls together (widgets/text_viewer.py), messages are a list (conversation.py). It
is painted anew when the flow changes, also while it is in flight. What stands in the tabs is kept by detail_content.py;
editing and resuming are commands of others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream.console.pane import Copied, Pane
from midstream.console.panes import detail_tabs
from midstream.console.panes.detail_content import Content
from midstream.console.panes.detail_head import Head
from midstream.console.panes.detail_reasons import ABOUT, why_not
from midstream.console.panes.detail_tabs import MESSAGES, REQUEST
from midstream.console.panes.viewer_search import ViewerSearch
from midstream.console.widgets.canvas import RowsCanvas, paint_blank, paint_row
from midstream.console.widgets.copy_mode import KEYS, CopyMode
from midstream.flows.errors import CommandError
from midstream.work.slices import Budget

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.finder import Finder
    from midstream.console.panes.messages_text import ChunkLike
    from midstream.console.widgets.hits import Hits
    from midstream.flows.flow import Flow
    from midstream.store.view import Change

_TICK = 0.5


class Detail(Pane):
    """See the module. `tab` is the name of the shown tab; it stays when another flow is shown."""

    name = "detail"
    contexts: ClassVar[tuple[str, ...]] = ("detail", "global")
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.view = console.view
        self.tab = REQUEST
        self.clock = time.time
        self.opened: ChunkLike | None = None  # a message that is shown alone
        self._flow: Flow | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self.content = Content(console, lambda: self.clock())  # noqa: PLW0108 - tests set another clock
        self.copy = CopyMode(self.content.viewer, self._copying_ended)
        self.searching = ViewerSearch(console, self._show_hit)
        self._head = Head(console)
        self._columns = 80

    # -- the flow -----------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._on_change not in self.view.on_change:
            self.view.on_change.append(self._on_change)
        self.content.links.forget()
        self.content.stale = True

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
        self._ticker = self._loop = self._flow = self.opened = None
        self.editing = False
        self.copy.leave()
        self.searching.forget()
        self.content.forget()

    def focused_flow(self) -> Flow | None:
        id_ = self.view.focus_id
        if id_ is None or id_ not in self.view:
            self._flow = None
        elif self._flow is None or self._flow.id != id_:
            # Kept while it is shown: a flow that is not in memory would be read anew for each frame.
            self._flow = self.view.get(id_)
        return self._flow

    def tabs(self) -> list[str]:
        """The tabs of the shown flow."""
        flow = self.focused_flow()
        return detail_tabs.tabs_of(flow) if flow is not None else []

    def shown_tab(self) -> str:
        """The tab that is shown now."""
        tabs = self.tabs()
        return self.tab if self.tab in tabs or not tabs else tabs[0]

    def show_tab(self, tab: str) -> None:
        """Show a tab by its name; one that the flow has not shows the first."""
        self.tab = tab
        self.opened = None
        self._show_anew()

    def _on_change(self, change: Change) -> None:
        if change.kind == "add" and change.id is not None:
            self.content.links.added(change.id)
        elif change.kind in ("remove", "refresh"):
            self.content.links.forget()
        shown = self._flow.id if self._flow is not None else None
        is_replay = change.kind == "add" and change.id in self.view and self.view.row(change.id or "").replay
        if change.kind in ("focus", "refresh") or change.id == shown or is_replay:
            self.content.stale = True
            self.console.request_frame()

    def _tick(self) -> None:
        self._ticker = None
        self.content.stale = self.content.stale or self.shown_tab() == detail_tabs.TIMING
        self.console.request_frame()

    # -- moving -------------------------------------------------------------------------------------------------------

    def title(self) -> str:
        return "detail"

    @property
    def _shows_list(self) -> bool:
        return self.shown_tab() == MESSAGES and self.opened is None

    @property
    def message(self) -> ChunkLike | None:
        """The message that is shown or selected, on the tab of that name."""
        if self.shown_tab() != MESSAGES:
            return None
        return self.opened if self.opened is not None else self.content.conversation.selected

    def why_not(self, command: str) -> str:
        name = command.split(" ", 1)[0]
        flow = self.focused_flow()
        return why_not(name, self, flow) if flow is not None and name.startswith(ABOUT) else ""

    def navigate(self, move: str) -> None:
        self.refresh()
        sideways = {"left": -1, "right": 1} if self.content.viewer.wrap else {}
        steps = {"next": 1, "previous": -1, **sideways}
        tabs = self.tabs()
        if move in steps and tabs:
            here = tabs.index(self.shown_tab())
            self.show_tab(tabs[(here + steps[move]) % len(tabs)])
        elif move == "select":
            self._enter()
        elif self._shows_list:
            if self.content.conversation.move(move):
                self.content.stale = True
        elif not self.content.viewer.move(move):
            return
        self.console.request_frame(now=True)

    def _enter(self) -> None:
        if self._shows_list:
            self.opened = self.content.conversation.selected
            if self.opened is not None:
                self._show_anew()
            return
        action = self.content.enter_on(self.content.viewer.cursor[0])
        if action is None:
            self.console.message("enter does nothing on this line", log=False)
        else:
            action()

    def cancel(self) -> bool:
        """Stop what is being made or searched, close the message that is open; False: there is nothing of the kind."""
        body = self.content.body
        if self.searching.cancel() or (body is not None and body.stop()):
            self.content.stale = True
            self.console.request_frame(now=True)
            return True
        if self._shows_list and self.content.conversation.filter is not None:
            self.content.conversation.set_filter("")
            self.console.request_frame(now=True)
            return True
        return self.back()

    def back(self) -> bool:
        """From a message that is shown alone to the list of all."""
        if self.opened is None:
            return False
        self.opened = None
        self._show_anew()
        return True

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if button in (4, 5):
            self._wheel(-3 if button == 4 else 3, row)
            self.console.request_frame(now=True)
            return True
        if button != 1:
            return False
        if row == 1:
            for first, last, name in self._head.places:
                if first <= column <= last:
                    self.show_tab(name)
                    return True
            return False
        return self._clicked_row(row)

    def _clicked_row(self, row: int) -> bool:
        at = row - self._head.rows
        if at < 0:
            return False
        if self._shows_list:
            number = self.content.conversation.scroll.top + at
            if at >= self.content.list_rows or number >= len(self.content.conversation):
                return False
            if number == self.content.conversation.scroll.focus:
                self._enter()
            self.content.conversation.go(number)
            self.content.stale = True
        else:
            self.content.viewer.put(self.content.viewer.step(self.content.viewer.top_spot, at))
        self.console.request_frame(now=True)
        return True

    def _wheel(self, rows: int, row: int) -> None:
        if self._shows_list and row - self._head.rows < self.content.list_rows:
            self.content.conversation.scroll.wheel(rows)
            self.content.conversation.scroll.follow = False
            self.content.stale = True
        else:
            (self.content.below if self._shows_list else self.content.viewer).scroll(rows)

    # -- searching ----------------------------------------------------------------------------------------------------

    def search(self, pattern: str, backwards: bool = False) -> bool:
        """Short searches end here; longer ones go on in slices and tell their result by a message.

        What the request has not may be in the response, and the other way round: then that tab is shown.
        """
        if not pattern:
            self.searching.forget()
            self.content.viewer.look_for(None)
            self.content.conversation.finder = self.content.below.finder = None
            self.console.request_frame(now=True)
            return True
        if self._search_here(pattern, backwards):
            return True
        tab, flow = self.shown_tab(), self.focused_flow()
        if flow is None or not (beside := detail_tabs.searched_beside(flow, tab)):
            return False
        self.show_tab(beside)
        if self._search_here(pattern, backwards):
            return True
        self.show_tab(tab)
        return False

    def _search_here(self, pattern: str, backwards: bool) -> bool:
        finder: Finder | None = self.console.search.finder
        self.content.unfold()
        self.refresh()
        if self._shows_list:
            pieces = self.content.conversation.pieces
            return self.searching.start(pattern, pieces, self.content.conversation.scroll.focus, backwards)
        if self.content.viewer.finder is None or self.content.viewer.finder.pattern != pattern:
            self.content.viewer.look_for(finder if finder and finder.pattern == pattern else None)
        return self.searching.start(pattern, self.content.viewer.pieces, self.content.viewer.cursor[0], backwards)

    def _show_hit(self, hits: Hits) -> None:
        piece, number = hits.place
        if self._shows_list:
            self.content.conversation.finder = hits.finder
            self.content.conversation.go(piece)
            self.content.below.look_for(hits.finder)
            self.content.stale = True
        else:
            if self.content.viewer.finder is not hits.finder:
                self.content.viewer.look_for(hits.finder)
            self.content.viewer.show_hit(piece, number)
        self.console.request_frame(now=True)

    def search_hits(self) -> tuple[int, int] | None:
        hits = self.searching.hits
        return (hits.at + 1, len(hits)) if hits is not None and hits.complete and hits.at >= 0 else None

    def search_place(self) -> object:
        viewer = self.content.viewer
        spot = self.content.conversation.scroll.focus if self._shows_list else (viewer.top_spot, viewer.cursor)
        return self.shown_tab(), spot

    def search_return(self, place: object) -> None:
        assert isinstance(place, tuple)
        tab, spot = place
        if tab != self.shown_tab():
            self.show_tab(tab)
        if self._shows_list:
            if isinstance(spot, int):
                self.content.conversation.go(spot)
        elif isinstance(spot, tuple):
            self.content.viewer.go_back(*spot)

    # -- copying ------------------------------------------------------------------------------------------------------

    def start_copying(self) -> None:
        """Begin copy mode; CommandError where there is no text."""
        if self._shows_list:
            if self.content.conversation.selected is None:
                raise CommandError("there is no message to copy from")
            self._enter()
        self.refresh()
        self.editing = True
        self.copy.start()
        self.console.request_frame(now=True)

    def typed(self, key: str) -> bool:
        used = self.copy.press(key)
        self.console.request_frame(now=True)
        return used

    def editing_keys(self) -> Sequence[tuple[str, str]]:
        return KEYS

    def _copying_ended(self, copied: bool) -> None:
        self.editing = False
        if copied:
            # What is selected is settled now: the next key may come before the first step of this.
            self.console.spawn(self._copy(self.copy.text()), "copying")

    async def _copy(self, selected: Iterator[str]) -> None:
        collected: list[str] = []
        budget = Budget()
        try:
            for part in selected:
                collected.append(part)
                if budget.spent():
                    await budget.rest()
        except ValueError as error:
            raise CommandError(str(error)) from None
        finally:
            self.copy.leave()
        text = "".join(collected)
        where = await self.console.master.clipboard.copy(text)
        self.console.message(f"copied {len(text):,} character{'s' if len(text) != 1 else ''} to {where}", log=False)

    def copies(self) -> Mapping[str, Callable[[], Copied]]:
        return {} if self._shows_list else self.content.copies_at(self.content.viewer.cursor[0])

    # -- painting -----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Make what is shown anew, if anything has changed."""
        if (flow := self.focused_flow()) is not None:
            self.content.refresh(flow, self.shown_tab(), self.opened, self._columns)

    def _show_anew(self) -> None:
        """Another text: nothing of the search through the last one is worth keeping."""
        self.content.stale = True
        self.searching.forget()
        self.refresh()
        self.console.request_frame(now=True)

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, rows = size
        flow = self.focused_flow()
        if flow is None:
            painted = [paint_row([("dim", "  no flow")], columns)]
            painted.extend(paint_blank(columns) for _ in range(rows - 1))
            return RowsCanvas(painted[:rows], columns)
        has_other_width, self._columns = columns != self._columns, columns
        self.refresh()
        if has_other_width and not self._shows_list:
            self.searching.again(self.content.viewer.pieces)
        room, words = max(rows - self._head.rows, 0), self.searching.words
        if self._shows_list:
            shown = self.content.paint_list(columns, room, focus, words)
        else:
            shown = self.content.paint_text(columns, room, words)
        # The head tells where the text stands, which is known now.
        painted = [*self._head.paint(flow, self, columns), *shown]
        if (flow.live or flow.intercepted) and self._ticker is None and self._loop is not None:
            self._ticker = self._loop.call_later(_TICK, self._tick)
        return RowsCanvas(painted[:rows], columns, self.get_cursor_coords(size) if focus else None)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        if self.focused_flow() is None:
            return None
        if self._shows_list:
            scroll = self.content.conversation.scroll
            at, column = scroll.focus - scroll.top, 0
        else:
            at = self.content.viewer.cursor_row + self.content.pinned
            column = self.copy.column + 1 if self.copy.on else 0
        row = self._head.rows + at
        return (min(column, size[0] - 1), row) if 0 <= row < size[1] else None
