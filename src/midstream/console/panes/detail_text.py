"""The texts of the detail pane's tabs: which pieces they are made of, where the body begins, and what enter does where.

Made anew when the flow or the width changes; costs a few rows, never a body. The pane (detail.py) shows and searches
them; messages in a list are conversation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.go_to import focus_flow
from midstream.console.panes import detail_tabs
from midstream.console.panes.connection_text import connection_pieces
from midstream.console.panes.detail_tabs import CONNECTION, EDITS, REQUEST, RESPONSE, TIMING, Shape
from midstream.console.panes.edits_text import edits_pieces
from midstream.console.panes.facts import blank, facts, heading
from midstream.console.panes.messages_text import ChunkLike, flags, kind_of, moment
from midstream.console.panes.timing_text import timing_pieces
from midstream.console.widgets.body_viewer import Body, BodyView
from midstream.console.widgets.pieces import FixedPieces, JoinedPieces, Piece, Pieces
from midstream.contentviews.api import Metadata
from midstream.contentviews.messages import metadata_of
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPMessage
from midstream.flows.udp import UDPMessage
from midstream.flows.websocket import WebSocketMessage

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.panes.replay_links import ReplayLinks
    from midstream.flows.flow import Flow

MESSAGE = "message"
"""The body of a message of a conversation, beside those of the tabs `Request` and `Response`."""


class Built(NamedTuple):
    """A text: `body_at` is the line above its body, if it has one; `enter` what the key does on a line."""

    pieces: Pieces
    body_at: int | None = None
    enter: Mapping[int, Callable[[], object]] = {}


class Texts:
    """See the module."""

    def __init__(self, console: Console, links: ReplayLinks, collapse: Callable[[], object]) -> None:
        self._console = console
        self._links = links
        self._collapse = collapse

    def of(self, tab: str, flow: Flow, shape: Shape, body: BodyView | None, now: float) -> Built:
        """The text of a tab; the flow as it may be shown."""
        if tab == TIMING:
            return Built(FixedPieces(timing_pieces(flow, now, shape.columns)))
        if tab == CONNECTION:
            return self._connection(flow)
        if tab == EDITS:
            return self._edits(flow)
        if not isinstance(flow, HTTPFlow):
            return Built(FixedPieces(detail_tabs.dns_pieces(flow, tab)))
        if tab == RESPONSE and flow.response is None:
            return Built(FixedPieces(detail_tabs.response_pieces(flow, shape)))
        message = flow.response if tab == RESPONSE and flow.response is not None else flow.request
        above = (detail_tabs.response_pieces if tab == RESPONSE else detail_tabs.request_pieces)(flow, shape)
        enter = {at: self._collapse for at, piece in enumerate(above) if detail_tabs.is_headers_heading(piece)}
        assert body is not None
        body.show(detail_tabs.body_of(message), metadata_of(message, flow))
        trailers = FixedPieces(detail_tabs.trailer_pieces(message, shape))
        why = detail_tabs.body_sentences(message, flow, "request" if tab == REQUEST else "response")
        parts: list[Pieces] = [FixedPieces([*above, heading("▾ Body")]), FixedPieces(why), body.pieces, trailers]
        return Built(JoinedPieces(parts), len(above), enter)

    def message(self, message: ChunkLike, flow: Flow, body: BodyView, *, alone: bool) -> Built:
        """One message of a conversation, with what is to be known of it if it stands alone."""
        content = self._console.master.showing.content(message.content)
        body.show(Body(content), _metadata(message, flow))
        above: list[Piece] = []
        if alone:
            known = [
                ("from", "the client" if message.from_client else "the server"),
                ("time", moment(message) if message.timestamp else "before it was looked at"),
            ]
            known.append(("type", kind_of(message)))
            if event_id := getattr(message, "id", ""):
                known.append(("id", event_id))
            if state := ", ".join(text.strip() for _, text in flags(message, flow)):
                known.append(("state", state))
            above = [*facts(known), blank()]
        return Built(JoinedPieces([FixedPieces([*above, heading("▾ Message")]), body.pieces]), len(above))

    def _connection(self, flow: Flow) -> Built:
        ids = [each for each in (self._links.parent(flow), *self._links.children(flow)) if each is not None]
        above: list[Piece] = []
        enter: dict[int, Callable[[], object]] = {}
        if ids:
            above.append(heading("Replays"))
            for id_ in ids:
                word = "replay of" if id_ == self._links.parent(flow) else "replayed as"
                enter[len(above)] = partial(focus_flow, self._console, id_)
                row = self._console.view.row(id_)
                where = self._console.master.showing.text(f"{row.method} {row.host}{row.path}")
                above += facts([(word, f"{row.number}  {where[:200]}   (enter goes there)")])
            above.append(blank())
        return Built(FixedPieces([*above, *connection_pieces(flow)]), None, enter)

    def _edits(self, flow: Flow) -> Built:
        pieces, numbers = edits_pieces(flow, self._console.master.showing.text)
        enter = {at: self._undoing(number) for at, number in numbers.items()}
        return Built(FixedPieces(pieces), None, enter)

    def _undoing(self, number: int) -> Callable[[], object]:
        return lambda: self._console.run_command(f"flow.undo @focus {number}")


def _metadata(message: ChunkLike, flow: Flow) -> Metadata:
    if isinstance(message, WebSocketMessage | TCPMessage | UDPMessage):
        return metadata_of(message, flow)
    return Metadata(flow=flow)
