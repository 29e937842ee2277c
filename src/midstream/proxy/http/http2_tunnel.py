"""A stream of an HTTP/2 connection as a `Stream` of bytes: for what a CONNECT opens (RFC 9113 §8.5, RFC 8441).

Made by the HTTP/2 sides when an exchange gives its stream away. Data is DATA frames, the end of a direction END_STREAM.
"""

from __future__ import annotations

import asyncio

from h2.errors import ErrorCodes

from midstream.proxy.http.http2_stream import Http2Stream, StreamReset
from midstream.proxy.streams.stream import Stream


class Http2Tunnel(Stream):
    """See the module."""

    __slots__ = ("_closed", "_pushed", "_stream")

    def __init__(self, stream: Http2Stream) -> None:
        super().__init__()
        self._stream = stream
        self._pushed = b""
        self._closed = asyncio.Event()
        stream.on_failed = self._failed
        if stream.failure is not None:
            self._failed(stream.failure)

    async def read(self) -> bytes:
        if data := self.take():
            return data
        if data := await self._stream.read():
            return data
        self._end()
        return b""

    def take(self) -> bytes:
        data = self._pushed + self._stream.take() if self._pushed else self._stream.take()
        self._pushed = b""
        return data

    def unread(self, data: bytes) -> None:
        self._pushed = data + self._pushed if self._pushed else data

    def write(self, data: bytes) -> None:
        self._stream.send(data)

    async def drain(self) -> None:
        await self._stream.drain()

    async def flush(self) -> None:
        await self._stream.drain()

    def write_eof(self) -> None:
        self._stream.finish([])

    def close(self) -> None:
        """What the peer still sends is not wanted; what is queued for it goes out as there is room."""
        self._stream.finish([])
        if self._stream.sent_end:
            self._stream.reset(ErrorCodes.NO_ERROR)
        self._closed.set()

    def abort(self) -> None:
        self._stream.reset(ErrorCodes.CONNECT_ERROR)  # RFC 9113 §8.5: what a reset of TCP is here
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def _failed(self, _failure: StreamReset) -> None:
        self._closed.set()
        self._end()

    def _end(self) -> None:
        self.at_eof = True
        if not self.lost:
            self.lost = True
            if self.on_lost is not None:
                self.on_lost()
