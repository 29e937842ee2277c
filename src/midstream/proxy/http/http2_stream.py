"""One stream of an HTTP/2 connection: what has arrived on it, and what waits for room on its way out.

Made by `http2_link.py` for each stream of either role; the HTTP/2 sides of an exchange read and write it. It
knows no fields and no flows. Who reads slowly, or gets no room, waits here, and only here.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from h2.errors import ErrorCodes

from midstream.proxy.http.http2_terms import name_of

if TYPE_CHECKING:
    from midstream.proxy.http.http2_link import Http2Link

FieldList = list[tuple[bytes, bytes]]

# What a writer may leave behind unsent before `drain` holds it back.
HIGH_WATER: Final = 64 * 1024
# A body is read in pieces of at least this size, if that has arrived, so that what is on its way through stays little.
PIECE: Final = 64 * 1024


class StreamReset(ConnectionResetError):
    """The stream ended before its time, by the peer or with its connection."""

    def __init__(self, text: str, code: ErrorCodes | int | None = None) -> None:
        super().__init__(text)
        self.code = code
        """What the peer said, if it did."""

    @property
    def processed(self) -> bool:
        """False: the peer says that it did nothing with the request, which may be sent again (RFC 9113 §8.7)."""
        return self.code != ErrorCodes.REFUSED_STREAM


class LinkLost(StreamReset):
    """The connection ended, and the stream with it."""


def reset_by(peer: str, code: ErrorCodes | int | None) -> StreamReset:
    """What a RST_STREAM says."""
    return StreamReset(f"the {peer} reset the stream ({name_of(code)})", code)


def left_out(code: ErrorCodes | int | None) -> StreamReset:
    """What a goodbye of the server says to requests that it did not look at."""
    if code == ErrorCodes.HTTP_1_1_REQUIRED:
        return StreamReset(f"the server said goodbye ({name_of(code)})", code)
    return StreamReset("the server said goodbye before it took the request", ErrorCodes.REFUSED_STREAM)


class Http2Stream:
    """See the module. One task reads and one writes; these may be two tasks."""

    __slots__ = (
        "_consumed",
        "_drainer",
        "_heads",
        "_last",
        "_link",
        "_pieces",
        "_reader",
        "_unsent",
        "_unsent_size",
        "ended",
        "failure",
        "id",
        "late_fields",
        "on_failed",
        "sent_end",
        "window",
    )

    def __init__(self, link: Http2Link, window: int, stream_id: int = 0) -> None:
        self.id = stream_id
        """0 until the first header of a stream of ours is out."""
        self.ended = False
        """The peer has ended its direction; what arrived may still be unread."""
        self.sent_end = False
        """Our direction has ended, END_STREAM included."""
        self.failure: StreamReset | None = None
        self.on_failed: Callable[[StreamReset], None] | None = None
        """Called once when the stream ends before its time."""
        self.late_fields: FieldList | None = None
        """The trailers, once `read` has come to the end."""
        self.window = window
        """How much may wait unread."""
        self._link = link
        self._heads: deque[tuple[FieldList, bool]] = deque()
        self._pieces: deque[bytes] = deque()
        self._consumed = 0  # bytes for which the peer was given no new room yet
        self._unsent: deque[bytes] = deque()
        self._unsent_size = 0
        self._last: FieldList | None = None  # trailers that end the stream behind what is unsent
        self._reader: asyncio.Future[None] | None = None
        self._drainer: asyncio.Future[None] | None = None

    # -- reading --

    async def read_head(self) -> tuple[FieldList, bool]:
        """The next header of a response, and whether the stream ends with it. Raises StreamReset."""
        while not self._heads:
            if self.failure is not None:
                raise self.failure
            await self._arrival()
        return self._heads.popleft()

    async def read(self) -> bytes:
        """Some bytes of the body, `b""` at its end. Raises StreamReset."""
        while not self._pieces:
            if self.ended:
                return b""
            if self.failure is not None:
                raise self.failure
            await self._arrival()
        return self.take(PIECE)

    def take(self, enough: int = sys.maxsize) -> bytes:
        """What has arrived and is unread, and no more once that is enough. The peer may send as much again."""
        pieces = self._pieces
        if len(pieces) == 1:
            data = pieces.popleft()
        else:
            size, taken = 0, []
            while pieces and size < enough:
                taken.append(pieces.popleft())
                size += len(taken[-1])
            data = b"".join(taken)
        self._give_room(len(data))
        return data

    def _give_room(self, size: int) -> None:
        if size:
            self._consumed = self._link.give_room(self, self._consumed + size)

    async def _arrival(self) -> None:
        self._reader = self._link.loop.create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    # -- writing --

    @property
    def writable(self) -> bool:
        """Whether the peer would still take something."""
        return self.failure is None and not self.sent_end and self._last is None

    @property
    def finished(self) -> bool:
        """Whether all of ours is out, or goes out by itself."""
        return self.sent_end or self._last is not None

    def send_head(self, fields: FieldList, *, end: bool) -> None:
        """A header; the first one of ours opens the stream. On a stream that is over it is dropped."""
        if self.writable:
            self._link.send_head(self, fields, end=end)

    def send(self, data: bytes, *, end: bool = False) -> None:
        """A part of the body, as far as there is room at once; the rest goes by itself when there is."""
        if not self.writable:
            return
        if data:
            self._unsent.append(data)
            self._unsent_size += len(data)
        if end:
            self._last = []
        self._link.send_waiting(self)

    def finish(self, trailers: FieldList) -> None:
        """The body is complete."""
        if self.writable:
            self._last = trailers
            self._link.send_waiting(self)

    async def drain(self) -> None:
        """Wait until the peer has room again; once the stream is finished, until it has everything.

        Raises StreamReset, OSError.
        """
        while self.failure is None and (
            self._unsent_size > HIGH_WATER or (self._last is not None and not self.sent_end)
        ):
            self._drainer = self._link.loop.create_future()
            try:
                await self._drainer
            finally:
                self._drainer = None
        if self.failure is not None and not self.sent_end:
            raise self.failure
        await self._link.carrier.drain()

    def reset(self, code: ErrorCodes | int, *, passed_on: bool = False) -> None:
        """End it before its time; harmless on a stream that is over. `passed_on`: it is not the peer's fault."""
        self._link.reset(self, code, passed_on=passed_on)

    @property
    def over(self) -> bool:
        """Nothing goes in either direction any more."""
        return self.failure is not None or (self.ended and self.sent_end)

    # -- what the connection calls --

    def head_arrived(self, fields: FieldList, *, ends: bool) -> None:
        self._heads.append((fields, ends))
        self.ended = self.ended or ends
        self._wake(self._reader)

    def put_back(self, data: bytes) -> None:
        """What was taken is read again, first."""
        if data:
            self._pieces.appendleft(data)
            self._consumed -= len(data)

    def data_arrived(self, data: bytes, size: int, *, ends: bool) -> None:
        """`size`: of the frame, which may be padded."""
        if data:
            self._pieces.append(data)
        self.ended = self.ended or ends
        self._give_room(size - len(data))
        self._wake(self._reader)

    def trailers_arrived(self, fields: FieldList) -> None:
        self.late_fields = fields
        self.ended = True
        self._wake(self._reader)

    def next_piece(self, most: int) -> bytes:
        """Take up to `most` bytes of what is unsent."""
        data = self._unsent.popleft()
        if len(data) > most:
            self._unsent.appendleft(data[most:])
            data = data[:most]
        self._unsent_size -= len(data)
        if self._unsent_size <= HIGH_WATER:
            self._wake(self._drainer)
        return data

    @property
    def waiting(self) -> bool:
        """Whether a part of the body is unsent."""
        return bool(self._unsent)

    @property
    def last(self) -> FieldList | None:
        """The trailers that are to end the stream now that nothing else is unsent; None: it goes on."""
        return self._last

    def end_sent(self) -> None:
        self.sent_end = True
        self._wake(self._drainer)

    def fail(self, failure: StreamReset) -> None:
        """The stream is gone; what had arrived can still be read."""
        if self.failure is None:
            self.failure = failure
            self._unsent.clear()
            self._unsent_size = 0
            self._wake(self._reader)
            self._wake(self._drainer)
            if self.on_failed is not None:
                self.on_failed(failure)

    @staticmethod
    def _wake(waiter: asyncio.Future[None] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
