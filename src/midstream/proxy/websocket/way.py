"""One direction of a WebSocket, and what travels in it in order.

Used by `serve.py` only, which decides when each item has its turn.
"""

import asyncio

from midstream.flows.websocket import WebSocketMessage
from midstream.proxy.errors import Unsendable
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.keeper import MESSAGE_OVERHEAD
from midstream.wire.websocket import BINARY, TEXT, Broken, Close, Message, Reader, Writer, close_frame
from midstream.wire.websocket_deflate import Deflate

Item = Message | Close | Broken | WebSocketMessage | None
"""What came; what was injected; and the end without a close frame (None)."""


class Way:
    """One direction. `compresses`: how the source does it, `expects`: how the sink thinks that it is done, which is the
    same unless an addon meddled. `most`: bytes of a message.
    """

    __slots__ = ("closed", "from_client", "is_read", "queued", "reader", "room", "sink", "source", "writer")

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
        self.room = asyncio.Event()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame of our own, unless the receiver has one."""
        if not self.closed:
            self.closed = True
            self.sink.write(close_frame(code, reason, self.from_client))

    def send(self, item: Message | WebSocketMessage, shown: WebSocketMessage) -> None:
        """Send what addons, who were shown `shown`, left of a message. Raises Unsendable."""
        if self.closed:
            return
        if shown.dropped:
            if isinstance(item, Message):
                self.writer.dropped(item)
        elif not isinstance(item, Message):
            self.sink.write(self.writer.made(*_checked(shown)))
        elif shown.content is item.content and shown.type == item.opcode:
            self.sink.write(self.writer.unchanged(item))
        else:
            opcode, content = _checked(shown)
            if content == item.content and opcode == item.opcode:
                self.sink.write(self.writer.unchanged(item))
            else:
                self.sink.write(self.writer.changed(item._replace(opcode=opcode), content))


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
