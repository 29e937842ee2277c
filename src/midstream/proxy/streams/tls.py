"""TLS over any other stream, by `ssl.MemoryBIO`: so the ClientHello can be peeked at first, and TLS inside TLS works.

The code that sets up a connection peeks at `below`, lets addons build the `ssl.SSLObject`, and calls `handshake`;
from then on this is a stream like the others. It chooses no certificate, no protocol and no trust: that came with the
object. Ciphertext is read from below only when somebody wants plain text, so backpressure passes through; and, within
a bound, by a stream that was told to `listen_for_goodbye`.
"""

import asyncio
import ssl
from typing import Final

from midstream.proxy.streams.stream import Stream

_READ: Final = 65536  # more than a record holds; OpenSSL hands out one record at a time
_AHEAD: Final = 65536  # plain text that may wait while we look for a goodbye behind it
_WRITE: Final = 262_144  # larger writes are encrypted in slices, so that the BIO does not grow with the body


class TLSStream(Stream):
    """One TLS connection over `below`, which belongs to it from now on. Useful only after `handshake`."""

    __slots__ = (
        "_below",
        "_ended",
        "_incoming",
        "_outgoing",
        "_pushed",
        "_tls",
        "_unsent",
        "_write_ended",
        "broken",
        "heard",
    )

    def __init__(self, below: Stream) -> None:
        super().__init__()
        self._below = below
        self._tls: ssl.SSLObject | None = None
        self._incoming = self._outgoing = _NO_BIO
        self._pushed = b""  # what was unread
        self._unsent: list[bytes | memoryview] = []  # waits for the peer's part of a TLS 1.2 renegotiation
        self.broken: Exception | None = None
        """What ended TLS after the handshake, if it was no goodbye: an alert, or a broken record."""
        self.heard = False
        """The peer has said something inside TLS."""
        self._ended = False  # the peer said close_notify: nothing more will come, whatever the carrier does
        self._write_ended = False
        self.peername = below.peername
        self.sockname = below.sockname
        self.lost = below.lost
        self.at_eof = below.at_eof
        below.on_lost = self._tell_lost

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The object that knows cipher, version, protocol and certificates; None before `handshake`."""
        return self._tls

    async def handshake(
        self, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, timeout: float | None = None
    ) -> None:
        """Shake hands with the peer, as the server or client that `tls` was made to be, within `timeout` seconds.

        `incoming` and `outgoing` are the BIOs that `tls` was made with. Raises ssl.SSLError (an alert or a failed
        check; SSLEOFError when the peer left without a word), ConnectionError or TimeoutError. The alert that tells
        the peer why has been written by then; the stream is to be closed.
        """
        self._tls, self._incoming, self._outgoing = tls, incoming, outgoing
        async with asyncio.timeout(timeout):
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    self._flush()
                except BaseException:
                    self._flush()
                    self._write_ended = True  # there is nobody to say goodbye to
                    raise
                else:
                    break
                data = await self._below.read()
                if not data:
                    self._write_ended = True
                    raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the peer closed the connection during the TLS handshake")
                incoming.write(data)
        self._flush()

    def listen_for_goodbye(self) -> None:
        """Notice the peer's close_notify also while nobody reads: some say it and keep the TCP connection open."""
        self._below.on_data = self._look

    def _look(self) -> None:
        tls = self._tls
        if tls is None or self._ended or self.broken is not None or len(self._pushed) > _AHEAD:
            return
        if self._take_in(tls) and self.on_data is not None:
            self.on_data()

    def _take_in(self, tls: ssl.SSLObject) -> bool:
        """Decrypt what has arrived, if anything has; whether there was plain text in it."""
        arrived = self._below.take()
        if not arrived:
            return False
        self._incoming.write(arrived)
        data = self._decrypt(tls, self._incoming)
        self._pushed += data
        return bool(data)

    async def read(self) -> bytes:
        if self._pushed:
            data, self._pushed = self._pushed, b""
            return data
        tls, incoming = self._tls, self._incoming
        if tls is None:
            raise ConnectionError("TLS is not set up")
        while True:
            # Asking for more only when there is something spares an exception per read.
            if incoming.pending or tls.pending():
                data = self._decrypt(tls, incoming)
                if data:
                    return data
            if self._ended:
                return b""
            if self.broken is not None:
                raise ConnectionError(f"TLS failed: {_reason(self.broken)}") from self.broken
            data = await self._below.read()
            if not data:
                self.truncated = self._ended = True
                self._tell_lost()
                return b""
            incoming.write(data)

    def _decrypt(self, tls: ssl.SSLObject, incoming: ssl.MemoryBIO) -> bytes:
        """All plain text that has arrived; b"" when only part of a record or no application data has."""
        data = b""
        more: list[bytes] | None = None
        try:
            data = tls.read(_READ)
            while data and (incoming.pending or tls.pending()):
                piece = tls.read(_READ)
                if not piece:
                    self._end()
                    break
                if more is None:
                    more = [data, piece]
                else:
                    more.append(piece)
            if not data:
                self._end()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._end()
        except ssl.SSLError as exc:
            # What came before the bad record is handed out first.
            self.broken = exc
            self._write_ended = True
        if self._outgoing.pending:
            self._flush()  # an answer to a key update, or the alert for what was wrong
        if self._unsent:
            self._retry(tls)
        if data:
            self.heard = True
        return data if more is None else b"".join(more)

    def take(self) -> bytes:
        if self._tls is not None and not self._ended and self.broken is None:
            self._take_in(self._tls)
        data, self._pushed = self._pushed, b""
        return data

    def unread(self, data: bytes) -> None:
        self._pushed = data + self._pushed if self._pushed else data

    def write(self, data: bytes) -> None:
        if self._tls is None or self._write_ended or not data:
            return
        if self._unsent:
            self._unsent.append(data)
        elif len(data) <= _WRITE:
            self._encrypt(self._tls, data)
        else:
            view = memoryview(data)
            for start in range(0, len(view), _WRITE):
                self._encrypt(self._tls, view[start : start + _WRITE])

    def _encrypt(self, tls: ssl.SSLObject, data: bytes | memoryview) -> None:
        if self._unsent:
            self._unsent.append(data)
            return
        try:
            tls.write(data)
        except ssl.SSLWantReadError:
            self._unsent.append(data)
        except ssl.SSLError as exc:
            self.broken = exc
            self._write_ended = True
        if self._outgoing.pending:
            self._below.write(self._outgoing.read())

    def _retry(self, tls: ssl.SSLObject) -> None:
        """Write again what a renegotiation had held up."""
        waiting, self._unsent = self._unsent, []
        for data in waiting:
            self._encrypt(tls, data)

    async def drain(self) -> None:
        if self.broken is not None:
            raise ConnectionError(f"TLS failed: {_reason(self.broken)}") from self.broken
        await self._below.drain()

    async def flush(self) -> None:
        await self._below.flush()

    def write_eof(self) -> None:
        """Sends close_notify and leaves the carrier open, since the peer may have more to say (RFC 8446 §6.1)."""
        tls = self._tls
        if tls is None or self._write_ended:
            return
        self._write_ended = True
        # The ssl module goes on to wait for the peer's close_notify and treats data that comes first as an error;
        # nothing may be there for it to find.
        try:
            while tls.pending():
                self._pushed += tls.read(_READ)
        except ssl.SSLError:
            pass
        unseen = self._incoming.read()
        try:
            tls.unwrap()
        except ssl.SSLError:
            pass
        if unseen:
            self._incoming.write(unseen)
        self._flush()

    def close(self) -> None:
        self.write_eof()
        self._below.close()

    def abort(self) -> None:
        self._write_ended = True
        self._below.abort()

    async def wait_closed(self) -> None:
        await self._below.wait_closed()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._below.write(self._outgoing.read())

    def _end(self) -> None:
        self._ended = True
        self._tell_lost()

    def _tell_lost(self) -> None:
        self._below.on_lost = self._below.on_data = None  # no cycle: who is gone is freed at once, with its SSL object
        self.at_eof = True
        if not self.lost:
            self.lost = True
            if self.on_lost is not None:
                self.on_lost()


def _reason(exc: Exception) -> str:
    """What OpenSSL calls the error, in lower case words."""
    reason = getattr(exc, "reason", None)
    return reason.replace("_", " ").lower() if reason else str(exc)


_NO_BIO: Final = ssl.MemoryBIO()
