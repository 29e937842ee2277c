"""One UDP conversation as a `Stream`: what two addresses say to each other, a datagram at a time.

Made by `UDPListener` for each address that speaks to us, and by `dial_udp` for a server; it knows no socket. Datagrams
keep their borders: a read gives one, a write sends one. As UDP allows, datagrams are dropped where they would have to
wait without a bound: arriving ones while `MOST_WAITING` are unread, leaving ones while the system takes no more.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from midstream.proxy.streams.stream import Stream

# What may wait unread; the datagram that comes next is dropped, as a socket does whose buffer is full.
MOST_WAITING = 256
MOST_WAITING_BYTES = 256 * 1024
LARGEST = 65507
"""What fits into a datagram over IPv4 (RFC 768 and RFC 791: 65535 less both headers)."""


class DatagramStream(Stream):
    """One conversation. `send` takes a datagram for the peer and never waits; `on_close` is told of the end, once, and
    whether it was aborted.
    """

    transport = "udp"

    __slots__ = ("_closed", "_error", "_inbox", "_loop", "_on_close", "_reader", "_send", "_waiting", "dropped", "why")

    def __init__(self, send: Callable[[bytes], None], on_close: Callable[[bool], None]) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._on_close = on_close
        self._inbox: deque[bytes] = deque()
        self._waiting = 0  # bytes in _inbox
        self._reader: asyncio.Future[None] | None = None
        self._error: OSError | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.dropped = 0
        """Datagrams that came while too many were unread."""
        self.why = ""
        """Why the conversation was ended by whoever carries it."""

    # -- what the carrier calls --

    def arrive(self, data: bytes) -> None:
        """A datagram from the peer."""
        if self.at_eof:
            return
        if len(self._inbox) >= MOST_WAITING or self._waiting + len(data) > MOST_WAITING_BYTES:
            self.dropped += 1
            return
        self._inbox.append(data)
        self._waiting += len(data)
        if self._reader is not None:
            self._wake()
        elif self.on_data is not None:
            self.on_data()

    def fail(self, error: OSError) -> None:
        """The network says that something we sent has not arrived: who reads next is told, once."""
        self._error = error
        self._wake()

    def end(self, why: str) -> None:
        """The carrier has no more room for this conversation, or ends itself."""
        self.why = why
        on_lost = self.on_lost
        self.close()
        if not self.lost:
            self.lost = True
            if on_lost is not None:
                on_lost()

    # -- Stream --

    async def receive(self) -> bytes | None:
        """The next datagram, which may be empty; None once the conversation is closed. Raises OSError, and may be
        asked again after that.
        """
        while not self._inbox:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self.at_eof:
                return None
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._pop()

    async def read(self) -> bytes:
        """The next datagram that is not empty."""
        while (data := await self.receive()) is not None:
            if data:
                return data
        return b""

    def take(self) -> bytes:
        return self._pop() if self._inbox else b""

    def unread(self, data: bytes) -> None:
        if data:
            self._inbox.appendleft(data)
            self._waiting += len(data)

    async def peek(self, n: int = 1) -> bytes:
        """The next datagram, also when it is shorter than `n`: what follows is another message."""
        data = await self.read()
        self.unread(data)
        return data

    def write(self, data: bytes) -> None:
        """Send `data` as one datagram, also when it is empty."""
        if not self.at_eof:
            self._send(data)

    async def drain(self) -> None:
        if self.at_eof:
            raise ConnectionResetError("the conversation is closed")

    async def flush(self) -> None:
        await self.drain()

    def write_eof(self) -> None:
        pass  # UDP knows no end

    def close(self) -> None:
        self._close(aborted=False)

    def abort(self) -> None:
        """Close it, and if a client began it, hear nothing of that client for a while."""
        self._close(aborted=True)

    async def wait_closed(self) -> None:
        await asyncio.shield(self._closed)

    # -- within --

    def _close(self, *, aborted: bool) -> None:
        if not self.at_eof:
            self.at_eof = True
            self._inbox.clear()
            self._wake()
            self._closed.set_result(None)
            self._send = _nowhere
            self.on_lost = self.on_data = None  # no cycle: what is over is freed at once
            on_close, self._on_close = self._on_close, _nothing
            on_close(aborted)

    def _pop(self) -> bytes:
        data = self._inbox.popleft()
        self._waiting -= len(data)
        return data

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def _nowhere(data: bytes) -> None:
    pass


def _nothing(aborted: bool) -> None:
    pass
