"""Reads HTTP/1 messages, head then body, off a byte stream; the same for requests and for responses.

Used by `downstream_h1` and `upstream_h1`. It holds what arrived beyond the present message (pipelined requests, the
first bytes of a tunnel) and never more of a head or of chunk framing than the limits allow.
"""

from collections.abc import Callable

from midstream.proxy.streams.stream import Stream
from midstream.wire.http1 import CHUNKED, UNTIL_CLOSE, ChunkedReader, Fields, Limits, Refused, find_head_end

# A body is handed on in pieces of at most this many bytes, so that one peer's burst never holds the loop.
PIECE = 256 * 1024


class Truncated(ConnectionError):
    """The peer ended in the middle of a message."""


class MessageReader:
    """One direction of an HTTP/1 connection."""

    __slots__ = ("_buffer", "_chunks", "_left", "expect", "head_timeout", "in_head", "limits", "stream", "trailers")

    def __init__(
        self, stream: Stream, limits: Limits, expect: Callable[[float, str], None], head_timeout: float
    ) -> None:
        self.stream = stream
        self.limits = limits
        self.expect = expect
        """Sets how long to be patient, and what to say when that was in vain."""
        self.head_timeout = head_timeout
        self.in_head = False
        """A head has begun and not ended."""
        self.trailers: Fields = ()
        self._buffer = b""
        self._left = 0  # body bytes still due; below zero one of the Framing constants
        self._chunks: ChunkedReader | None = None

    async def read_head(self) -> bytes:
        """The next head with its empty line; `b""` when the peer ended before it. Raises Refused, Truncated,
        OSError.
        """
        buffer = self._buffer or await self.stream.read()
        try:
            end = find_head_end(buffer)
        except Refused:
            self._buffer = buffer  # for the row that shows what was refused
            raise
        if end < 0:
            buffer, end = await self._rest_of_head(buffer)
            if end == 0:
                return b""
        if end == len(buffer):
            self._buffer = b""
            return buffer
        self._buffer = buffer[end:]
        return buffer[:end]

    async def _rest_of_head(self, start: bytes) -> tuple[bytes, int]:
        """A head that came in pieces: whatever has arrived, and where the head ends in it; 0 for no head at all."""
        pieces = bytearray(start)
        seen = 0
        self.in_head = bool(start)
        if start:
            # From its first byte a head has so long, however slowly its pieces drip in.
            self.expect(self.head_timeout, f"no whole message head came within {self.head_timeout:g} s")
        while True:
            try:
                end = find_head_end(pieces, seen, self.limits)
            except Refused:
                self._buffer = bytes(pieces)
                raise
            if end >= 0:
                break
            data = await self.stream.read()
            if not data:
                self._buffer = b""
                self.in_head = False
                if pieces.strip(b"\r\n"):
                    raise Truncated("the connection ended inside a message head")
                return b"", 0
            seen = max(0, len(pieces) - 3)
            pieces += data
        self.in_head = False
        return bytes(pieces), end

    def begin_body(self, framing: int) -> None:
        """What `read_piece` and `body_now` read next is a body framed like this."""
        self._left = framing if framing != -1 else 0
        self.trailers = ()
        self._chunks = ChunkedReader(self.limits) if framing == CHUNKED else None

    def body_now(self, framing: int) -> bytes | None:
        """The whole body if it needs no waiting: there is none, or its Content-Length has arrived already."""
        if framing <= 0 and framing >= -1:
            return b""
        buffer = self._buffer
        if framing > 0 and len(buffer) >= framing:
            self._left = 0
            if len(buffer) == framing:
                self._buffer = b""
                return buffer
            self._buffer = buffer[framing:]
            return buffer[:framing]
        return None

    async def read_piece(self) -> bytes:
        """Some bytes of the body, `b""` at its end. Raises Refused (chunk framing), Truncated, OSError."""
        left = self._left
        if left == 0:
            return b""
        if self._chunks is not None:
            return await self._read_chunked(self._chunks)
        data = self._buffer or await self.stream.read()
        self._buffer = b""
        if not data:
            if left == UNTIL_CLOSE:
                self._left = 0
                return b""
            raise Truncated(f"the connection ended {left} bytes before the end of the body")
        if len(data) > PIECE:
            data, self._buffer = data[:PIECE], data[PIECE:]
        if left == UNTIL_CLOSE:
            return data
        if len(data) > left:
            data, self._buffer = data[:left], data[left:] + self._buffer
        self._left = left - len(data)
        return data

    async def _read_chunked(self, chunks: ChunkedReader) -> bytes:
        while True:
            data = self._buffer or await self.stream.read()
            self._buffer = b""
            if not data:
                raise Truncated("the connection ended inside a chunked body")
            if len(data) > PIECE:
                data, self._buffer = data[:PIECE], data[PIECE:]
            pieces = chunks.feed(data)
            if chunks.done:
                self._left = 0
                self._chunks = None
                self._buffer = chunks.rest + self._buffer
                self.trailers = chunks.trailers
            if pieces:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if chunks.done:
                return b""

    @property
    def body_done(self) -> bool:
        """Whether the present body has been read to its end."""
        return self._left == 0

    @property
    def truncated(self) -> bool:
        """Whether the stream ended without the goodbye that it has for that."""
        return self.stream.truncated

    @property
    def at_rest(self) -> bool:
        """Whether the present body has been read to its end, and nothing arrived beyond it."""
        return self._left == 0 and not self._buffer

    def take_surplus(self) -> bytes:
        """What arrived beyond the present message, for whoever reads the stream from here on."""
        data, self._buffer = self._buffer, b""
        return data
