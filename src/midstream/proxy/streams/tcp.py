"""A TCP connection as a `Stream`: an asyncio protocol with bounded buffers in both directions.

Made by the listener for accepted connections and by the dialler for upstream ones. It knows no protocol and no flow.
"""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, cast

from midstream.proxy.streams.stream import Stream, plain_address

# What may wait unread before the kernel is asked to hold the peer back. One read of uvloop is up to 256 KiB.
READ_HIGH_WATER = 256 * 1024
# What may wait unsent before `drain` makes a writer wait.
WRITE_HIGH_WATER = 256 * 1024
# SO_LINGER: on, for no time, which makes closing a reset.
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
# How long a peer may take nothing of what is left for it once we have closed.
FLUSH_PATIENCE = 10.0


class TCPStream(Stream, asyncio.Protocol):
    """One TCP connection. `on_made` is called once when it is up, for streams that a listener accepts."""

    __slots__ = (
        "_closed",
        "_data",
        "_drainers",
        "_error",
        "_is_closed",
        "_loop",
        "_more",
        "_on_made",
        "_read_paused",
        "_reader",
        "_transport",
        "_waiting",
        "_write_paused",
        "on_gone",
    )

    def __init__(self, on_made: Callable[["TCPStream"], None] | None = None) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._on_made = on_made
        self.on_gone: Callable[[], None] | None = None
        """Called once when the socket is closed, which may be long after `close`."""
        self._transport: asyncio.Transport | None = None
        self._data = b""  # arrived and unread; further pieces wait in _more so that nothing is joined twice
        self._more: list[bytes] | None = None
        self._waiting = 0  # bytes in _data and _more
        self._reader: asyncio.Future[None] | None = None
        self._drainers: tuple[asyncio.Future[None], ...] = ()
        self._read_paused = self._write_paused = False
        self._error: Exception | None = None
        self._is_closed = False
        self._closed: asyncio.Future[None] | None = None  # made for who waits for it: thousands of streams may be idle

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH_WATER)
        self.peername = plain_address(transport.get_extra_info("peername"))
        self.sockname = plain_address(transport.get_extra_info("sockname"))
        if self._on_made is not None:
            on_made, self._on_made = self._on_made, None
            on_made(self)

    def data_received(self, data: bytes) -> None:
        if not self._waiting:
            self._data = data
        elif self._more is None:
            self._more = [data]
        else:
            self._more.append(data)
        self._waiting += len(data)
        if self._reader is not None:
            self._wake_reader()
            return
        if self._waiting > READ_HIGH_WATER and not self._read_paused and self._transport is not None:
            self._read_paused = True
            self._transport.pause_reading()
        if self.on_data is not None:
            self.on_data()

    def eof_received(self) -> bool:
        self.at_eof = True
        self._wake_reader()
        self._tell_lost()
        return True  # the transport stays open: the other direction may still have something to say

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and not self.at_eof:  # else all that was said had come: it just takes no more
            self._error = exc
        self.at_eof = True
        self._transport = None
        self._wake_reader()
        self._wake_drainers()
        self._is_closed = True
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        self._tell_lost()
        if self.on_gone is not None:
            self.on_gone()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake_drainers()

    # -- Stream --

    async def read(self) -> bytes:
        while not self._waiting:
            if self.at_eof:
                if self._error is not None:
                    raise ConnectionResetError(f"connection reset: {self._error}") from self._error
                return b""
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self.take()

    def take(self) -> bytes:
        data = self._data
        if self._more:
            data = b"".join([data, *self._more])
            self._more = None
        self._data = b""
        self._waiting = 0
        if self._read_paused and self._transport is not None:
            self._read_paused = False
            self._transport.resume_reading()
        return data

    def unread(self, data: bytes) -> None:
        if data:
            if self._waiting:
                self._more = [self._data, *(self._more or ())]
            self._data = data
            self._waiting += len(data)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        if self._transport is None:
            raise ConnectionResetError("the peer closed the connection")
        if self._write_paused:
            waiter = self._loop.create_future()
            self._drainers += (waiter,)
            await waiter
            if self._transport is None:
                raise ConnectionResetError("the peer closed the connection")

    async def flush(self) -> None:
        if self._transport is not None:
            self._transport.set_write_buffer_limits(0)  # from here on `drain` waits for the last byte
        await self.drain()

    def write_eof(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(OSError, RuntimeError):  # the peer may be gone already
                self._transport.write_eof()

    def close(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.close()
            if left := transport.get_write_buffer_size():
                self._loop.call_later(FLUSH_PATIENCE, self._give_up, left)

    def _give_up(self, before: int) -> None:
        """Who takes nothing of what is left for it takes up no more of our memory."""
        if self._transport is None:
            return
        left = self._transport.get_write_buffer_size()
        if left < before:
            self._loop.call_later(FLUSH_PATIENCE, self._give_up, left)
        else:
            self.abort()

    def abort(self) -> None:
        transport = self._transport
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            # Without this the peer would see a regular end, and take half a body for a whole one.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()

    async def wait_closed(self) -> None:
        if not self._is_closed:
            self._closed = self._closed or self._loop.create_future()
            await asyncio.shield(self._closed)

    @property
    def socket(self) -> Any:
        """What carries it, for questions that only the system can answer. Raises OSError once it is closed."""
        if self._transport is None:
            raise ConnectionResetError("the peer closed the connection")
        return self._transport.get_extra_info("socket")

    # -- within --

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _wake_drainers(self) -> None:
        for waiter in self._drainers:
            if not waiter.done():
                waiter.set_result(None)
        self._drainers = ()

    def _tell_lost(self) -> None:
        if not self.lost:
            self.lost = True
            if self.on_lost is not None:
                self.on_lost()
