"""Two streams joined back to back in memory: for tests, and for flows that start inside the program.

What one end writes the other reads. Buffers are bounded like those of TCP, so that backpressure can be tested.
"""

import asyncio

from midstream.proxy.streams.stream import Stream


class MemoryStream(Stream):
    """One end of a pair; see `memory_pair`."""

    __slots__ = (
        "_closed",
        "_drained",
        "_eof_sent",
        "_inbox",
        "_peer",
        "_readable",
        "_reading",
        "_reset",
        "_size",
        "capacity",
    )

    def __init__(self, capacity: int = 64 * 1024) -> None:
        super().__init__()
        self.capacity = capacity
        self.peername = ("127.0.0.1", 50000)
        self.sockname = ("127.0.0.1", 8080)
        self._peer: MemoryStream | None = None
        self._inbox: list[bytes] = []
        self._size = 0
        self._readable = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._closed = asyncio.Event()
        self._eof_sent = self._reset = self._reading = False

    async def read(self) -> bytes:
        while not self._inbox:
            if self._reset:
                raise ConnectionResetError("the peer reset the connection")
            if self.at_eof or self._closed.is_set():
                return b""
            self._readable.clear()
            self._reading = True
            try:
                await self._readable.wait()
            finally:
                self._reading = False
        return self.take()

    def take(self) -> bytes:
        data = b"".join(self._inbox)
        self._inbox.clear()
        self._size = 0
        if self._peer is not None:
            self._peer._drained.set()
        return data

    def unread(self, data: bytes) -> None:
        if data:
            self._inbox.insert(0, data)
            self._size += len(data)

    def write(self, data: bytes) -> None:
        peer = self._peer
        if data and peer is not None and not self._eof_sent and not self._closed.is_set():
            peer._inbox.append(data)
            peer._size += len(data)
            peer._readable.set()
            if peer._size > peer.capacity:
                self._drained.clear()
            if peer.on_data is not None and not peer._reading:
                peer.on_data()

    async def drain(self) -> None:
        await self._drained.wait()
        if self._closed.is_set() or self._reset:
            raise ConnectionResetError("the peer closed the connection")

    async def flush(self) -> None:
        pass  # what is written lies with the peer at once

    def write_eof(self) -> None:
        if not self._eof_sent:
            self._eof_sent = True
            if self._peer is not None:
                self._peer._end(reset=False)

    def close(self) -> None:
        self.write_eof()
        self._shut()
        if self._peer is not None and self._peer._closed.is_set() is False:
            self._peer._drained.set()

    def abort(self) -> None:
        if not self._closed.is_set() and self._peer is not None:
            self._eof_sent = True
            self._peer._end(reset=True)
        self._shut()

    @property
    def closed(self) -> bool:
        """This end was closed, by whichever side."""
        return self._closed.is_set()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def _shut(self) -> None:
        self._closed.set()
        self._readable.set()
        self._drained.set()

    def _end(self, *, reset: bool) -> None:
        self.at_eof = True
        if reset:
            self._reset = True
            self._inbox.clear()
            self._shut()
        self._readable.set()
        if not self.lost:
            self.lost = True
            if self.on_lost is not None:
                self.on_lost()


def memory_pair(capacity: int = 64 * 1024) -> tuple[MemoryStream, MemoryStream]:
    """Two ends; up to `capacity` bytes wait in each direction before `drain` holds a writer back."""
    left, right = MemoryStream(capacity), MemoryStream(capacity)
    left._peer, right._peer = right, left
    return left, right
