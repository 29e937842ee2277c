"""Writes one message body to a stream in the framing that its head announced.

Used for requests and responses alike. A body that does not match its head is never finished: the connection is no
longer usable then, which is what tells the peer.
"""

from collections.abc import Callable

from midstream.proxy.streams.stream import Stream
from midstream.wire.http1 import CHUNKED, NO_BODY, UNTIL_CLOSE, Fields, chunk, last_chunk

# Pieces of a large body, so that a slow reader holds back its own connection only and TLS never encrypts 64 MB in one
# go.
PIECE = 128 * 1024


class WrongLength(Exception):
    """The body is longer or shorter than the Content-Length that was sent already."""


class BodyWriter:
    """The body of one message, after its head. `be_patient` is called before each wait for the peer, `on_whole` when it
    is given all that its Content-Length announces: it may leave as soon as it has taken that.
    """

    __slots__ = ("_be_patient", "_framing", "_left", "_on_whole", "_stream")

    def __init__(
        self, stream: Stream, framing: int, be_patient: Callable[[], None], on_whole: Callable[[], None] | None = None
    ) -> None:
        self._stream = stream
        self._framing = framing
        self._be_patient = be_patient
        self._on_whole = on_whole
        self._left = max(framing, 0)

    async def write(self, data: bytes) -> None:
        """One piece, of any size. Waits while the peer takes no more. Raises WrongLength, OSError."""
        framing = self._framing
        if not data or framing == NO_BODY:
            return
        if framing >= 0:
            if len(data) > self._left:
                raise WrongLength(f"the body is longer than its Content-Length of {framing}")
            self._left -= len(data)
            if not self._left and self._on_whole is not None:
                self._on_whole()
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE] if len(data) > PIECE else data
            self._stream.write(chunk(piece) if framing == CHUNKED else piece)
            self._be_patient()
            await self._stream.drain()

    async def end(self, trailers: Fields) -> None:
        """The body is complete. Raises WrongLength, OSError."""
        if self._framing == CHUNKED:
            self._stream.write(last_chunk(trailers))
        elif self._framing == UNTIL_CLOSE:
            self._stream.write_eof()
            return
        elif self._left:
            raise WrongLength(f"the body ends {self._left} bytes before its Content-Length of {self._framing}")
        self._be_patient()
        await self._stream.drain()
