"""What the detail pane shows of the flow and the tab that it was given: the viewers, the bodies, the list of messages.

The pane (detail.py) says which flow, which tab and how wide; this makes the text anew when any of it has changed, keeps
how each flow's bodies are shown, and paints all but the head. Nothing here reads keys or knows of other flows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.fetching import Fetching, sentence_of
from midstream.console.pane import Copied
from midstream.console.panes import detail_tabs
from midstream.console.panes.body_bar import PointerLine, bar_row
from midstream.console.panes.conversation import Conversation
from midstream.console.panes.detail_tabs import MESSAGES, REQUEST, RESPONSE, Shape
from midstream.console.panes.detail_text import MESSAGE, Built, Texts
from midstream.console.panes.event_stream import EventStream, is_event_stream
from midstream.console.panes.facts import sentence
from midstream.console.panes.line_values import json_value
from midstream.console.panes.messages_text import closing_runs
from midstream.console.panes.replay_links import ReplayLinks
from midstream.console.widgets import cells
from midstream.console.widgets.body_viewer import BodyView
from midstream.console.widgets.canvas import PaintedRow, Run, paint_blank
from midstream.console.widgets.pieces import FixedPieces, Piece
from midstream.console.widgets.text_viewer import TextViewer
from midstream.contentviews.registries import AUTO, registry_of
from midstream.flows.http import HTTPFlow, Message

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.panes.messages_text import ChunkLike
    from midstream.flows.flow import Flow

_BODIES = (REQUEST, RESPONSE)  # the tabs that have one
_WIDE = 100  # columns from which the keys of a body are told beside it


class What(NamedTuple):
    """Which text is shown: another one begins at its beginning."""

    flow: str = ""
    tab: str = ""
    opened: int = 0


class Content:
    """See the module. `stale` says that something has changed; `refresh` then makes the text anew."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self.console = console
        self.viewer = TextViewer(has_cursor=True)
        self.below = TextViewer()  # the selected message, below the list
        self.conversation = Conversation(console)
        self.events = EventStream()
        self.links = ReplayLinks(console.view)
        self.pointer = PointerLine(console)
        self.stale = True
        self.folded = True  # long header values show their beginning only
        self.collapsed = False  # of the headers only their number is shown
        self.pinned = 0  # rows above the text: the line of a body that is scrolled
        self.list_rows = 0  # of the messages tab: rows that the list takes
        self.columns = 80
        self._clock = clock
        self._views = registry_of(console.master)
        worker = console.master.worker
        self._bodies = {
            tab: BodyView(self._body_changed, console.spawn, self._views, worker) for tab in (*_BODIES, MESSAGE)
        }
        self._fetching = Fetching(console, self._body_changed)
        self._texts = Texts(console, self.links, self.toggle_headers)
        self._built = Built(FixedPieces([]))
        # The views, the one chosen by the option, and what addons want to be shown, at the last refresh.
        self._shown_by: tuple[int, str, int] = (0, "", 0)
        self._what = What()
        self._flow: Flow | None = None
        self._tab = ""
        self._opened: ChunkLike | None = None
        self._selected: ChunkLike | None = None

    def _body_changed(self) -> None:
        self.stale = True
        self.console.request_frame()

    def forget(self) -> None:
        """Nothing is shown any more: end all work, let go of flow and bodies."""
        for body in self._bodies.values():
            body.forget()
        self.pointer.forget()
        self._fetching.forget()
        self._flow = self._opened = None
        self._what, self._built = What(), Built(FixedPieces([]))
        self.viewer.show(self._built.pieces)
        self.below.show(self._built.pieces)
        self.conversation = Conversation(self.console)
        self.events = EventStream()
        self.stale = True

    # -- how bodies are shown -----------------------------------------------------------------------------------------

    @property
    def body(self) -> BodyView | None:
        """The body on the screen, if there is one."""
        if self._tab == MESSAGES:
            return self._bodies[MESSAGE] if self._built.body_at is not None else None
        flow = self._flow
        if not isinstance(flow, HTTPFlow) or (self._tab == RESPONSE and flow.response is None):
            return None
        return self._bodies.get(self._tab)

    @property
    def modes(self) -> list[str]:
        """The ways to show a body."""
        return self._views.available_views()

    @property
    def mode(self) -> str:
        """How the body on the screen is shown."""
        return self.body.mode if self.body is not None else AUTO

    def set_mode(self, mode: str) -> None:
        """Show the body of this tab another way, and so whenever this flow is shown; ValueError for an unknown one."""
        if self._flow is not None and self.body is not None:
            self.body.set_mode(mode)
            self.console.view.settings(self._flow.id)[_setting(self._tab)] = self.body.mode
            self.stale = True
        self.console.request_frame(now=True)

    def toggle_raw(self) -> None:
        """Switch between the body as it came and the form that the option asks for; make the form that waits."""
        if self.body is not None and self.mode != "raw" and self.body.ask():
            self.stale = True
            self.console.request_frame(now=True)
            return
        pretty = self._default_mode()
        self.set_mode("raw" if self.mode != "raw" else pretty if pretty in self.modes and pretty != "raw" else AUTO)

    def toggle_wrap(self) -> None:
        """Wrap long lines or scroll sideways."""
        wraps = self.viewer.toggle_wrap()
        self.console.message("long lines wrap" if wraps else "long lines are cut; left and right scroll", log=False)
        self.console.request_frame(now=True)

    def toggle_folds(self) -> None:
        """Show long header values in full, or only their beginning."""
        self.folded = not self.folded
        self.stale = True
        self.console.request_frame(now=True)

    def toggle_headers(self) -> None:
        """Show the headers, or only how many there are."""
        self.collapsed = not self.collapsed
        self.stale = True
        self.console.request_frame(now=True)

    def unfold(self) -> None:
        """Show everything: what is folded away would not be found."""
        if self.folded or self.collapsed:
            self.folded, self.collapsed, self.stale = False, False, True

    def _default_mode(self) -> str:
        options = self.console.master.options
        return options.console_default_contentview.lower() if "console_default_contentview" in options else AUTO

    def _choose_modes(self, flow: Flow) -> None:
        """As this flow was shown before, else as the option says; a view whose script has gone is passed over."""
        known = self._views.available_views()
        settings = self.console.view.settings(flow.id)
        for tab, body in self._bodies.items():
            wanted = settings.get(_setting(tab), self._default_mode())
            mode = wanted if wanted in known else AUTO
            if body.mode != mode:
                body.forget()
                body.mode = mode

    # -- making the text ----------------------------------------------------------------------------------------------

    def refresh(self, flow: Flow, tab: str, opened: ChunkLike | None, columns: int) -> None:
        """Make the text of a tab anew if anything has changed. Costs a few rows, never a body."""
        showing = self.console.master.showing
        shown_by = (self._views.revision, self._default_mode(), showing.revision)
        what = What(flow.id, tab, id(opened) if opened is not None else 0)
        same, views_are_same = what == self._what, shown_by == self._shown_by
        if flow.live and is_event_stream(flow) and tab == MESSAGES:
            self.stale = True
        if same and views_are_same and not self.stale and columns == self.columns:
            return
        if flow.id != self._what.flow:
            self.events = EventStream()
            self.pointer.forget()
        other_views = not views_are_same or flow.id != self._what.flow
        self._what, self._shown_by, self._opened, self._tab, self.columns = what, shown_by, opened, tab, columns
        self._flow = flow
        if other_views:
            self._choose_modes(flow)
        self.stale = False
        if tab == MESSAGES:
            self._refresh_messages(flow, opened, same)
        else:
            if not self._fetching.is_whole(flow) and showing.flows:  # what is shown is made of all of it
                self._show_reading(flow, same)
                return
            shown = showing.flow(flow, last=0)
            shape = Shape(columns - 1, self.folded, self.collapsed)
            self._built = self._texts.of(tab, shown, shape, self._bodies.get(tab), self._clock())
            self.viewer.show(self._built.pieces, keep_place=same)
        # A body that is ready at once tells so while it is being shown; that is this refresh.
        self.stale = False

    def _show_reading(self, flow: Flow, same: bool) -> None:
        self._built = Built(FixedPieces([sentence(sentence_of(flow), "dim")]))
        for viewer in (self.viewer, self.below):
            viewer.show(self._built.pieces, keep_place=same)

    def _refresh_messages(self, flow: Flow, opened: ChunkLike | None, same: bool) -> None:
        if not self._fetching.is_whole(flow):
            self._show_reading(flow, same)
            return
        self.conversation.show(flow, self._messages(flow))
        message = opened if opened is not None else self.conversation.selected
        if message is None:
            closing = [Piece([("text", "  ")], runs)] if (runs := closing_runs(flow)) else []
            self._built = Built(FixedPieces([*detail_tabs.messages_sentence(flow), *closing]))
            self.below.show(FixedPieces([]))
            return
        body = self._bodies[MESSAGE]
        self._built = self._texts.message(message, flow, body, alone=opened is not None)
        if opened is not None:
            self.viewer.show(self._built.pieces, keep_place=same)
        else:
            self.below.show(self._built.pieces, keep_place=same and message is self._selected)
        self._selected = message

    def _messages(self, flow: Flow) -> list[ChunkLike]:
        if not is_event_stream(flow) or not isinstance(flow, HTTPFlow):
            return detail_tabs.messages_of(flow)  # type: ignore[return-value]
        if self.events.read(flow):
            self.stale = True
            self.console.request_frame()
        return self.events.messages  # type: ignore[return-value]

    @property
    def message_count(self) -> int:
        """How many messages or events are known of the flow."""
        flow = self._flow
        if flow is None:
            return 0
        return len(self.events.messages) if is_event_stream(flow) else detail_tabs.message_count(flow)

    def enter_on(self, piece: int) -> Callable[[], object] | None:
        """What enter does on a line."""
        return self._built.enter.get(piece)

    def copies_at(self, piece: int) -> dict[str, Callable[[], Copied]]:
        """What can be copied of the line under the cursor; two headers in a line are both offered."""
        if not 0 <= piece < len(self.viewer.pieces):
            return {}
        found: dict[str, Callable[[], Copied]] = {"line": lambda: self.viewer.text_of(piece).strip()}
        start = self._built.body_at
        if start is not None and piece > start and (pointer := self._pointer_at(piece)):
            found["name"] = lambda: pointer
            found["value"] = lambda: json_value(self.viewer.text_of, piece, len(self.viewer.pieces))
            return found
        shown = self.viewer.pieces.piece(piece)
        names = [text for role, text in shown.prefix if role == "header.name"]
        name = self._whole_name("".join(names).strip())
        others = [number for number, (role, _) in enumerate(shown.runs) if role == "header.name"]
        if name and not others:
            found["name"] = lambda: name
            found["value"] = lambda: self._whole_value(name) or "".join(text for _, text in shown.runs).strip()
        elif name:
            second = self._whole_name(shown.runs[others[0]][1].strip())
            parts = shown.runs[: others[0]], shown.runs[others[0] + 1 :]
            found["name"] = lambda: {name: name, second: second}
            found["value"] = lambda: {
                each: self._whole_value(each) or "".join(text for _, text in runs).strip()
                for each, runs in zip((name, second), parts, strict=True)
            }
        return found

    def _whole_name(self, name: str) -> str:
        """The name of a header, which may be cut on the screen."""
        if not name.endswith(cells.ELLIPSIS) or self._tab not in _BODIES or self._flow is None:
            return name
        message = getattr(self._flow, self._tab.lower(), None)
        every = message.headers if isinstance(message, Message) else ()
        return next((each for each in every if each.startswith(name.removesuffix(cells.ELLIPSIS))), name)

    def _whole_value(self, name: str) -> str:
        """The value of a header, which may be folded on the screen."""
        if self._tab not in _BODIES or self._flow is None:
            return ""
        message = getattr(self.console.master.showing.flow(self._flow, last=0), self._tab.lower(), None)
        return str(message.headers.get(name, "")) if isinstance(message, Message) else ""

    # -- painting -----------------------------------------------------------------------------------------------------

    def paint_text(self, columns: int, rows: int, search: str) -> list[PaintedRow]:
        """The text of the tab, in so many rows; the line above a body stays visible while that is scrolled."""
        self.pinned = 0
        at = self._built.body_at
        if at is None or rows < 2:
            return self.viewer.paint(columns, rows)
        painted = self.viewer.paint(columns, rows)
        if at < self.viewer.top:
            self.pinned = 1
            painted = [paint_blank(columns), *self.viewer.paint(columns, rows - 1)]
            painted[0] = self._bar(columns, search, on=False)
        elif (row := self.viewer.row_of(at)) is not None and row < rows:
            painted[row] = self._bar(columns, search, on=self.viewer.cursor[0] == at)
        return painted

    def paint_list(self, columns: int, rows: int, focus: bool, search: str) -> list[PaintedRow]:
        """The list of messages, and the selected one below it."""
        if not len(self.conversation) and self.conversation.filter is None:
            self.below.show(self._built.pieces)
            self.list_rows = 0
            return self.below.paint(columns, rows)
        self.list_rows = self.conversation.list_rows(rows)
        painted = self.conversation.paint(columns, self.list_rows, focus)
        left = rows - self.list_rows
        if left > 0:
            title: list[Run] = [("hint", "enter alone  ")] if columns >= _WIDE else []
            note = self._bodies[MESSAGE].note
            painted.append(bar_row(("border", "-- message"), note, [*_words(search), *title], columns, on=False))
            shown = self.below.paint(columns, left - 1)
            # Its own heading is the line above.
            if self._built.body_at is not None and self.below.top == 0:
                shown = [*shown[1:], paint_blank(columns)] if shown else []
            painted += shown
        return painted[:rows]

    def _bar(self, columns: int, search: str, on: bool) -> PaintedRow:
        body = self.body
        note = body.note if body is not None else ""
        right: list[Run] = []
        if pointer := self._pointer_at(self.viewer.cursor[0]):
            right.append(("syntax.key", cells.cut(pointer, max(columns // 3, 8), cells.ELLIPSIS) + "  "))
        right += _words(search)
        if columns >= _WIDE:
            right += self.console_hints()
        word = "▾ Message" if self._tab == MESSAGES else "▾ Body"
        return bar_row(("title", word), note, right, columns, on)

    def console_hints(self) -> list[Run]:
        """The keys of a body."""
        pane = self.console.focused_pane
        hint = getattr(pane, "key_hint", None)
        if hint is None:
            return []
        word = "raw " if self.mode != "raw" else "pretty "
        return [*hint("console.flowview.raw", word), ("text", " "), *hint("console.flowview.wrap", "wrap ")]

    def _pointer_at(self, piece: int) -> str:
        at = self._built.body_at
        if at is None or self.body is None:
            return ""
        first = at + 1
        for begins, part in self._built.pieces.parts():
            if part is self.body.pieces:
                first = begins
        return self.pointer.of(self.body, piece - first) if piece >= first else ""


def _words(text: str) -> list[Run]:
    return [("match", f" {text} "), ("text", "  ")] if text else []


def _setting(tab: str) -> str:
    """Where the view remembers how a flow's body is shown; the tabs have numbers there, as others expect."""
    return f"flowview_mode_{(*_BODIES, MESSAGE, MESSAGES).index(tab) if tab != MESSAGES else len(_BODIES)}"
