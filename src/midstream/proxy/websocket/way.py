"""One direction of a WebSocket, and what travels in it in order.

Used by `serve.py` only, which decides when each item has its turn.
"""

import asyncio
from collections.abc import Iterable, Iterator

from midstream.flows.websocket import WebSocketMessage
from midstream.proxy.errors import Unsendable
from midstream.proxy.held import Holding
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.keeper import MESSAGE_OVERHEAD
from midstream.wire.websocket import BINARY, TEXT, Broken, Close, Message, Reader, Writer, close_frame
from midstream.wire.websocket_deflate import SLICE, Deflate

MOST_QUEUED = 1024 * 1024
"""So many bytes of one direction may queue behind a message that waits; then that side is not read any more."""

Item = Message | Close | Broken | WebSocketMessage | None
"""What came; what was injected; and the end without a close frame (None)."""


class Way:
    """One direction. `compresses`: how the source does it, `expects`: how the sink thinks that it is done, which is the
    same unless an addon meddled. `most`: bytes of a message.
    """

    __slots__ = ("_controls", "_under_way", "closed", "counted", "from_client", "is_read", "queued", "reader", "room",
                 "sink", "source", "writer")  # fmt: skip

    def __init__(
        self, source: Stream, sink: Stream, compresses: Deflate | None, expects: Deflate | None, most: int, /, *,
        from_client: bool,
    ) -> None:  # fmt: skip
        self.source = source
        self.sink = sink
        self.reader = Reader(from_client, compresses, most)
        self.writer = Writer(from_client, expects, compresses == expects)
        self.from_client = from_client
        self.closed = False
        """A close frame has gone this way: nothing follows it."""
        self.is_read = True
        """The source is still read, so that its end will be noticed."""
        self.queued = 0
        """Bytes that wait for their turn; `room` is set when they become fewer."""
        self.counted = 0
        """Bytes of the message that comes in, as they were counted last."""
        self.room = asyncio.Event()
        # The pieces of a long message that is being sent, and the pings and pongs that must not go between them.
        self._under_way: Iterator[bytes] | None = None
        self._controls: list[bytes] = []

    @property
    def is_under_way(self) -> bool:
        """A long message has begun to go: call `go_on` until it says that it has gone."""
        return self._under_way is not None

    def go_on(self) -> None:
        """Do the next slice of the work that a long message takes."""
        assert self._under_way is not None
        piece = next(self._under_way, None)
        if piece is None:
            self._under_way = None
            for raw in self._controls:
                self.sink.write(raw)
                self.queued -= len(raw)
            self._controls.clear()
            self.room.set()
        elif piece:
            self.sink.write(piece)

    def send_control(self, raw: bytes) -> None:
        """Send a ping or a pong, at once unless that would be in the middle of a frame."""
        if self._under_way is None:
            self.sink.write(raw)
        else:
            self._controls.append(raw)
            self.queued += len(raw)

    def fits(self, holding: Holding, most: int) -> bool:
        """Count what there is of the message that comes in. False: all that the proxy holds is too much, so this
        message is given up.
        """
        grown = self.reader.pending - self.counted
        self.counted += grown
        if grown < 0:
            holding.give_back(-grown)
        elif grown and not holding.take(grown, most) and self.counted > MOST_QUEUED:
            self.reader.give_up()
            holding.give_back(self.counted)
            return False
        return True

    def close(self, code: int, reason: str) -> None:
        """Send a close frame of our own, unless the receiver has one."""
        if self._under_way is not None:
            self.sink.abort()  # in the middle of a frame nothing can be said
        elif not self.closed:
            self.sink.write(close_frame(code, reason, self.from_client))
        self.closed = True

    def send(self, item: Message | WebSocketMessage, shown: WebSocketMessage) -> None:
        """Send what addons, who were shown `shown`, left of a message; of a long one, `go_on` does it. Raises
        Unsendable.
        """
        if self.closed:
            return
        if shown.dropped:
            if isinstance(item, Message):
                self.writer.dropped(item)
            return
        pieces = self._pieces(item, shown)
        if len(shown.content) > SLICE or (isinstance(item, Message) and len(item.raw) > SLICE):
            self._under_way = iter(pieces)
        else:
            self.sink.write(b"".join(pieces))

    def _pieces(self, item: Message | WebSocketMessage, shown: WebSocketMessage) -> Iterable[bytes]:
        if not isinstance(item, Message):
            return self.writer.made(*_checked(shown))
        if shown.content is item.content and shown.type == item.opcode:
            return self.writer.unchanged(item)
        opcode, content = _checked(shown)
        if content == item.content and opcode == item.opcode:
            return self.writer.unchanged(item)
        return self.writer.changed(item._replace(opcode=opcode), content)


def weight(item: Item) -> int:
    """What it costs to keep it."""
    match item:
        case Message():
            return len(item.raw) + len(item.content) + MESSAGE_OVERHEAD
        case WebSocketMessage():
            return len(item.content) + MESSAGE_OVERHEAD
        case _:
            return 0


def _checked(shown: WebSocketMessage) -> tuple[int, bytes]:
    """Opcode and content of a message as addons left it. Raises Unsendable."""
    content: object = shown.content
    if not isinstance(content, bytes | bytearray | memoryview):
        raise Unsendable(f"a message cannot be sent: its content is {type(content).__name__}, not bytes", shown)
    if shown.type not in (TEXT, BINARY):
        raise Unsendable(f"a message cannot be sent: {shown.type!r} is no type of message", shown)
    return shown.type, bytes(content)
