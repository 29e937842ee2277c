"""The first lines of a body or of a conversation, as the peek of a list shows them. Whole bodies: detail.py.

Made at once from the beginning of the body, so that it costs a millisecond or two whatever the size, and kept until
the body is another one. A cut text is shown as it came: half a JSON cannot be made pretty.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from midstream.console.fetching import Fetching, sentence_of
from midstream.console.panes import detail_tabs
from midstream.console.panes.facts import sentence
from midstream.console.panes.messages_text import MessagePieces
from midstream.console.widgets.body_viewer import Body, BodyView
from midstream.console.widgets.canvas import PaintedRow
from midstream.console.widgets.pieces import FixedPieces, Pieces
from midstream.console.widgets.text_viewer import TextViewer
from midstream.contentviews.messages import metadata_of
from midstream.contentviews.registries import registry_of
from midstream.flows import encodings
from midstream.flows.http import HTTPFlow, Message
from midstream.text.hexdump import looks_binary
from midstream.text.sizes import human_size

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

_BEGINNING = 16 * 1024  # bytes that are looked at

REQUEST, RESPONSE, MESSAGES = "request", "response", "messages"


class BodyPreview:
    """Belongs to one pane. `rows` are painted lines; `title` says what they show: `response body  json, 64b`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._views = registry_of(console.master)
        self._viewer = TextViewer()
        self._fetching = Fetching(console, lambda: None)
        self._shown: tuple[object, ...] = ()
        self._note = ""

    def side_of(self, flow: Flow) -> str:
        """What matters of a flow: its messages, else the response, else (or while it is held) the request."""
        if detail_tabs.has_messages(flow):
            return MESSAGES
        response = getattr(flow, "response", None)
        return RESPONSE if response is not None else REQUEST

    def title(self, flow: Flow, side: str = "") -> str:
        """What `rows` shows of a flow."""
        side = side or self.side_of(flow)
        self._prepare(flow, side)
        return f"{side} {'body' if side != MESSAGES else ''} {self._note}".replace("  ", " ").strip()

    def rows(self, flow: Flow, side: str, columns: int, rows: int) -> list[PaintedRow]:
        """Exactly `rows` rows of `columns` cells."""
        if rows <= 0:
            return []
        side = side or self.side_of(flow)
        self._prepare(flow, side)
        painted = self._viewer.paint(columns, rows)
        if side != MESSAGES:
            return painted
        self._viewer.move("end")  # the newest ones are what happens now
        return self._viewer.paint(columns, rows)

    def scroll(self, rows: int) -> None:
        """Move the picture by rows, until another body is shown."""
        self._viewer.scroll(rows)

    def _prepare(self, flow: Flow, side: str) -> None:
        message = getattr(flow, side, None) if side != MESSAGES else None
        is_whole = self._fetching.is_whole(flow)
        raw = message.held_content if isinstance(message, Message) else None
        count = detail_tabs.message_count(flow) if side == MESSAGES else 0
        revisions = self._views.revision, self._console.master.showing.revision
        # The body itself and not its number: while it is held here, no other one can get the same number.
        shown = (flow.id, side, message, raw, is_whole, count, flow.intercepted, *revisions)
        if len(shown) == len(self._shown) and all(a is b or a == b for a, b in zip(shown, self._shown, strict=True)):
            return
        self._shown = shown
        pieces, self._note = self._pieces(flow, side) if is_whole else (_reading(flow), "")
        self._viewer.show(pieces)

    def _pieces(self, flow: Flow, side: str) -> tuple[Pieces, str]:
        showing = self._console.master.showing
        if side == MESSAGES:
            messages = detail_tabs.messages_of(flow)
            if not messages:
                return FixedPieces(detail_tabs.messages_sentence(flow)), ""
            return MessagePieces(messages, flow, showing.content), f"{len(messages):,}"  # type: ignore[arg-type]
        flow = showing.flow(flow, last=0)
        message = getattr(flow, side, None)
        if not isinstance(flow, HTTPFlow):
            return FixedPieces(detail_tabs.dns_pieces(flow, side.capitalize())), ""
        if not isinstance(message, Message):
            return FixedPieces(detail_tabs.response_pieces(flow, detail_tabs.Shape(80))), ""
        return self._body(message, flow)

    def _body(self, message: Message, flow: HTTPFlow) -> tuple[Pieces, str]:
        body = detail_tabs.body_of(message)
        view = BodyView(lambda: None, _not_now, self._views, self._console.master.worker)
        metadata = metadata_of(message, flow)
        content, is_cut = _beginning(body)
        if content is None or not is_cut:
            view.show(body._replace(raw=content, encoding="") if content is not None else body, metadata)
            return view.pieces, view.note
        view.set_mode("hex dump" if looks_binary(content) else "raw")
        view.show(body._replace(raw=content, encoding=""), metadata)
        return view.pieces, f"{human_size(len(body.raw or b''))}, its first {human_size(len(content))}"


def _beginning(body: Body) -> tuple[bytes | None, bool]:
    """The first bytes of the content, and whether there are more; what cannot be decoded stays as it came."""
    if body.raw is None:
        return None, False
    content, is_cut = body.raw, False
    if body.raw and encodings.codings(body.encoding):
        try:
            content, is_cut = encodings.decode_beginning(body.raw, body.encoding, _BEGINNING)
        except ValueError:
            pass
    return content[:_BEGINNING], is_cut or len(content) > _BEGINNING


def _reading(flow: Flow) -> Pieces:
    return FixedPieces([sentence(sentence_of(flow), "dim")])


def _not_now(work: Coroutine[Any, Any, object], name: str) -> None:
    work.close()
