"""Plays the client's part of a recorded WebSocket once more.

Started by a replay (`proxy/replay.py`) whose handshake the server has agreed to. What reached the server before goes to
it again, in the same order; what the server says is passed, shown and kept by `serve.py` as for any client.

A message is sent once as many messages have come from the server as had come before it in the recording, or when the
server has said nothing new for `PATIENCE`: a server that says less than before holds the replay up once, and not at
each message.
"""

import asyncio

from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketData, WebSocketMessage
from midstream.proxy.duplex import while_lasting
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.websocket.handshake import agreement, extensions_in
from midstream.proxy.websocket.serve import largest_message
from midstream.wire.websocket import (
    PING,
    PONG,
    Broken,
    Close,
    Control,
    Message,
    Reader,
    Writer,
    close_frame,
    frame,
    may_close_with,
)

PATIENCE = 2.0
"""Seconds without a message from the server; then the recording goes on without those that it should have sent."""

_FINAL = 0x80
_NORMAL = 1000


async def play(stream: Stream, flow: HTTPFlow, recorded: WebSocketData | None, settings: Settings) -> None:
    """Say what the client said, then close, and read until the end."""
    player = _Player(stream, flow, recorded or WebSocketData(), settings)
    try:
        await while_lasting(player.over, player.listen(), player.speak())
    except OSError:
        pass  # whatever ended it, the flow shows it
    finally:
        stream.close()


class _Player:
    """One WebSocket while it lasts."""

    __slots__ = ("_heard", "_is_speaking", "_news", "_pongs", "_reader", "_recorded", "_stream", "over")

    def __init__(self, stream: Stream, flow: HTTPFlow, recorded: WebSocketData, settings: Settings) -> None:
        agreed = agreement(extensions_in(flow.response.headers)) if flow.response is not None else None
        self.over = asyncio.Event()
        """There is nothing more to say or to hear."""
        self._stream = stream
        self._recorded = recorded
        self._reader = Reader(False, agreed[1] if agreed is not None else None, largest_message(settings))
        self._heard = 0
        self._news = asyncio.Event()
        # A pong must not go between the pieces of a message.
        self._is_speaking = False
        self._pongs: list[bytes] = []

    async def listen(self) -> None:
        """Count what the server says, and answer its pings and its close."""
        while data := await self._stream.read():
            for event in self._reader.feed(data):
                match event:
                    case Message():
                        self._heard += 1
                        self._news.set()
                    case Control(opcode=opcode, raw=raw):
                        if opcode == PING:
                            self._pong(raw[2:])
                    case Close(code=code):
                        if not self._is_speaking:
                            self._stream.write(close_frame(_sendable(code), "", True))
                        self.over.set()
                    case Broken():
                        self.over.set()
        self.over.set()

    def _pong(self, payload: bytes) -> None:
        self._pongs.append(frame(_FINAL | PONG, payload, True))
        if not self._is_speaking:
            self._send_pongs()

    def _send_pongs(self) -> None:
        self._stream.write(b"".join(self._pongs))
        self._pongs.clear()

    async def speak(self) -> None:
        """Send what the recording has of the client, and end as it ended."""
        due = 0  # messages that the server should have sent by now
        for message in self._recorded.messages:
            if message.from_client and not message.dropped:
                due = await self._until_heard(due)
                await self._say(message)
            elif not message.from_client and not message.injected:
                due += 1
        await self._until_heard(due)
        if self._recorded.closed_by_client is False:
            await self._until_heard(self._heard + 1)  # it closed before, and may do so again
        self._stream.write(close_frame(_sendable(self._recorded.close_code), self._recorded.close_reason or "", True))
        await self.over.wait()

    async def _say(self, message: WebSocketMessage) -> None:
        self._is_speaking = True
        for piece in Writer(True, None).made(message.type, message.content):
            self._stream.write(piece)
            await self._stream.drain()
        self._is_speaking = False
        self._send_pongs()

    async def _until_heard(self, due: int) -> int:
        """Wait for so many messages of the server in all, as long as some come; how many are to be reckoned with."""
        while self._heard < due:
            self._news.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._news.wait()
            except TimeoutError:
                return self._heard
        return due


def _sendable(code: int | None) -> int:
    """The code to close with: some only say that there was none (RFC 6455 §7.4.1)."""
    return code if code is not None and may_close_with(code) else _NORMAL
