"""The messages of a websocket, TCP or UDP flow as `Pieces`: one piece per message, made when it is painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from midstream.console.widgets.canvas import Run
from midstream.console.widgets.pieces import LONGEST_PIECE, FixedPieces, Piece, is_exact
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketData, close_words
from midstream.text.escape import visible, visible_bytes
from midstream.text.hexdump import looks_binary
from midstream.text.sizes import human_size
from midstream.text.times import clock

_SEARCHED_AT_ONCE = 256 * 1024
_HEX_BYTES = 512


class ChunkLike(Protocol):
    """What messages of all protocols have."""

    from_client: bool
    content: bytes
    timestamp: float


class MessagePieces:
    """See the module. The list is the flow's own, so a message that comes in is simply there at the next frame."""

    def __init__(self, messages: Sequence[ChunkLike], flow: Flow, show: Callable[[bytes], bytes] = bytes) -> None:
        self.messages = messages
        self.flow = flow
        self._show = show  # what may be shown of a content

    def __len__(self) -> int:
        return len(self.messages)

    def piece(self, index: int) -> Piece:
        message = self.messages[index]
        arrow, role = ("→", "method") if message.from_client else ("←", "method.write")
        prefix: list[Run] = [
            ("dim", f"{clock(message.timestamp)} "),
            (role, f"{arrow} "),
            ("dim", f"{human_size(len(message.content)):>5}  "),
        ]
        if self.flow.intercepted and index == len(self.messages) - 1:
            prefix.append(("held", "‖ held  "))
        if getattr(message, "dropped", False):
            prefix.append(("failed", "dropped  "))
        if getattr(message, "injected", False):
            prefix.append(("edited", "injected  "))
        return Piece(prefix, _content(self._show(message.content)))

    def find(self, pattern: str, start: int, backwards: bool) -> Iterator[int | None]:
        exact = is_exact(pattern)
        wanted = pattern.encode("utf-8", "surrogateescape")
        looked_at = 0
        for index in range(start, -1, -1) if backwards else range(start, len(self.messages)):
            content = self.messages[index].content
            if wanted in (content if exact else content.lower()):
                yield index
            looked_at += len(content) + 256
            if looked_at > _SEARCHED_AT_ONCE:
                looked_at = 0
                yield None


class ClosingPieces(FixedPieces):
    """How a WebSocket was closed, below its messages; nothing while it is open."""

    def __init__(self, flow: HTTPFlow) -> None:
        super().__init__(())
        self.flow = flow

    def __len__(self) -> int:
        data = self.flow.websocket
        if data is None or data.timestamp_end is None:
            return 0
        if not self._pieces:
            self._pieces = [_closing(data, data.timestamp_end)]
        return 1


def _closing(data: WebSocketData, moment: float) -> Piece:
    who = {True: "closed by the client", False: "closed by the server", None: "ended by the proxy"}
    runs: list[Run] = [("strong", who[data.closed_by_client])]
    if data.close_code is not None:
        runs.append(("text", f"  {data.close_code}"))
    if words := close_words(data):
        runs.append(("text", f"  {visible(words)}"))
    return Piece([("dim", f"{clock(moment)} ")], runs)


def _content(content: bytes) -> list[Run]:
    if looks_binary(content):
        return _cut("dim", content[:_HEX_BYTES].hex(" "), len(content) - _HEX_BYTES)
    return _cut("text", visible_bytes(content[:LONGEST_PIECE], expand_tabs=True), len(content) - LONGEST_PIECE)


def _cut(role: str, text: str, more: int) -> list[Run]:
    runs: list[Run] = [(role, text)]
    if more > 0:
        runs.append(("dim", f" … {human_size(more)} more"))
    return runs
