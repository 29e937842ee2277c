"""The bodies of one HTTP/2 stream, as `exchange` reads and writes them; the same for requests and for responses.

Used by `downstream_h2` and `upstream_h2`. Windows and waiting are the business of `http2_stream.py`; here bodies are
compared with what their heads said of them.
"""

from __future__ import annotations

from collections.abc import Callable

from midstream.proxy.http.http2_stream import Http2Stream
from midstream.proxy.http.writer import PIECE, WrongLength
from midstream.wire.http1 import NO_BODY, Fields, Framing, Limits, Refused
from midstream.wire.http2 import BodyLength, read_http2_trailers


class Http2Body:
    """Reads one body; fulfils `BodyReader`."""

    __slots__ = ("_length", "_limits", "_stream", "body_done", "expect", "malformed", "trailers")

    truncated = False  # streams end by a flag of their own

    def __init__(self, stream: Http2Stream, limits: Limits, expect: Callable[[float, str], None]) -> None:
        self.expect = expect
        self.trailers: Fields = ()
        self.body_done = False
        self.malformed = False
        """The body is not what its head said; the stream is to be reset (RFC 9113 §8.1.1)."""
        self._stream = stream
        self._limits = limits
        self._length = BodyLength(NO_BODY)

    def begin(self, framing: Framing) -> None:
        """What is read next is a body framed like this."""
        self._length = BodyLength(framing)
        self.body_done = False

    def body_now(self, framing: Framing) -> bytes | None:
        """The whole body if it needs no waiting; a malformed one is left to `read_piece`."""
        stream = self._stream
        if not stream.ended or stream.late_fields is not None or self.body_done:
            return b"" if self.body_done else None
        data = stream.take()
        if (framing >= 0 and len(data) != framing) or (framing == NO_BODY and data):
            stream.put_back(data)
            return None
        self.body_done = True
        return data

    async def read_piece(self) -> bytes:
        """Some bytes of the body, `b""` at its end. Raises Refused, StreamReset."""
        if self.body_done:
            return b""
        try:
            if data := await self._stream.read():
                self._length.take(len(data))
                return data
            self._length.end()
            if self._stream.late_fields:
                self.trailers = read_http2_trailers(self._stream.late_fields, self._limits)
        except Refused:
            self.malformed = True
            raise
        self.body_done = True
        return b""


class Http2Sink:
    """Writes one body whose head is out; fulfils `BodySink`. `be_patient` is called before each wait for the peer."""

    __slots__ = ("_be_patient", "_framing", "_left", "_stream")

    def __init__(self, stream: Http2Stream, framing: Framing, be_patient: Callable[[], None]) -> None:
        self._stream = stream
        self._framing = framing
        self._left = max(framing, 0)
        self._be_patient = be_patient

    async def write(self, data: bytes) -> None:
        """One piece, of any size. Waits while the peer has no room. Raises WrongLength, StreamReset, OSError."""
        if not data or self._framing == NO_BODY:
            return
        if self._framing >= 0:
            if len(data) > self._left:
                raise WrongLength(f"the body is longer than its content-length of {self._framing}")
            self._left -= len(data)
        for start in range(0, len(data), PIECE):
            self._stream.send(data[start : start + PIECE] if len(data) > PIECE else data)
            self._be_patient()
            await self._stream.drain()

    async def end(self, trailers: Fields) -> None:
        """The body is complete. Raises WrongLength, StreamReset, OSError."""
        if self._framing >= 0 and self._left:
            raise WrongLength(f"the body ends {self._left} bytes before its content-length of {self._framing}")
        self._stream.finish(list(trailers))
        self._be_patient()
        await self._stream.drain()
