"""The messages of a conversation as text: a row for each in a list, and all of one. Made when it is painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from midstream.console.finder import Finder
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Run
from midstream.console.widgets.pieces import LONGEST_PIECE, Piece, Pieces
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketData, WebSocketMessage, close_words
from midstream.text.escape import visible, visible_bytes
from midstream.text.hexdump import looks_binary
from midstream.text.sizes import human_size
from midstream.text.times import NO_CLOCK, clock

_SEARCHED = 64 * 1024  # bytes of a message
_HEX_BYTES = 512
_ROW = 400  # bytes of a message that a row of the list may show
_STEP = 32  # messages between two rests


class ChunkLike(Protocol):
    """What messages of all protocols have."""

    from_client: bool
    content: bytes
    timestamp: float


class MessagePieces:
    """One piece per message: the list is the flow's own, so a message that comes in is simply there at the next frame.

    `indices`: only these of them.
    """

    def __init__(
        self,
        messages: Sequence[ChunkLike],
        flow: Flow,
        show: Callable[[bytes], bytes] = bytes,
        indices: Sequence[int] | None = None,
    ) -> None:
        self.messages = messages
        self.flow = flow
        self._show = show  # what may be shown of a content
        self._indices = indices

    def __len__(self) -> int:
        return len(self.messages) if self._indices is None else len(self._indices)

    def piece(self, index: int) -> Piece:
        message = self.messages[index if self._indices is None else self._indices[index]]
        prefix = [("dim", f"{moment(message)} "), arrow(message), ("dim", f"{human_size(len(message.content)):>5}  ")]
        prefix += flags(message, self.flow)
        return Piece(prefix, _content(self._show(message.content)))

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        yield 0, self

    def hits(self, finder: Finder) -> Iterator[int | None]:
        messages = self.messages
        for number in range(len(self)):
            index = number if self._indices is None else self._indices[number]
            if index < len(messages) and finder.holds(messages[index].content[:_SEARCHED]):
                yield number
            if number % _STEP == 0:
                yield None


def moment(message: ChunkLike) -> str:
    """When it came, if that is known; else the id of an event, if it has one. Eight cells."""
    if message.timestamp:
        return clock(message.timestamp)
    id_ = getattr(message, "id", "")
    return cells.fit(visible(f"#{id_}"), len(NO_CLOCK)) if id_ else NO_CLOCK


def arrow(message: ChunkLike) -> Run:
    """Which way it went."""
    return ("method", "→ ") if message.from_client else ("method.write", "← ")


def kind_of(message: ChunkLike) -> str:
    """What it is, in at most six letters: `json`, `text`, `binary`; of events their name."""
    if (kind := getattr(message, "kind", None)) is not None:
        return str(kind)
    start = message.content[:64].lstrip()[:1]
    is_text = message.is_text if isinstance(message, WebSocketMessage) else not looks_binary(message.content[:1024])
    if not is_text:
        return "binary"
    return "json" if start in (b"{", b"[") and start else "text"


def flags(message: ChunkLike, flow: Flow) -> list[Run]:
    """What else is to be known of it."""
    found: list[Run] = []
    if flow.intercepted and is_last(message, flow):
        found.append(("held", "‖ held  "))
    if getattr(message, "dropped", False):
        found.append(("failed", "dropped  "))
    if getattr(message, "injected", False):
        found.append(("edited", "injected  "))
    return found


def is_last(message: ChunkLike, flow: Flow) -> bool:
    """Whether it is the newest one, which is the one that may be held."""
    of = flow.websocket if isinstance(flow, HTTPFlow) else flow
    messages: Sequence[object] = getattr(of, "messages", ())
    return bool(messages) and messages[-1] is message


def row_text(content: bytes) -> Run:
    """The beginning of a message, for a row."""
    if looks_binary(content[:_ROW]):
        return "dim", content[: _ROW // 3].hex(" ")
    return "text", visible_bytes(content[:_ROW], expand_tabs=True)


def closing_runs(flow: Flow) -> list[Run]:
    """How a WebSocket was closed; nothing while it is open."""
    data = flow.websocket if isinstance(flow, HTTPFlow) else None
    if data is None or data.timestamp_end is None:
        return []
    return [("dim", f"{clock(data.timestamp_end)} "), *_closing(data)]


def _closing(data: WebSocketData) -> list[Run]:
    who = {True: "closed by the client", False: "closed by the server", None: "ended by the proxy"}
    runs: list[Run] = [("strong", who[data.closed_by_client])]
    if data.close_code is not None:
        runs.append(("text", f"  {data.close_code}"))
    if words := close_words(data):
        runs.append(("text", f"  {visible(words)}"))
    return runs


def _content(content: bytes) -> list[Run]:
    if looks_binary(content):
        return _cut("dim", content[:_HEX_BYTES].hex(" "), len(content) - _HEX_BYTES)
    return _cut("text", visible_bytes(content[:LONGEST_PIECE], expand_tabs=True), len(content) - LONGEST_PIECE)


def _cut(role: str, text: str, more: int) -> list[Run]:
    runs: list[Run] = [(role, text)]
    if more > 0:
        runs.append(("dim", f" … {human_size(more)} more"))
    return runs
