"""A connection of pyOpenSSL, with the methods of an `ssl.SSLObject`.

For clients that are asked for certificates (`asking.py`), and for scripts that set such a connection in `tls_start_*`
(`proxy/tls.py`). To `proxy/streams/tls.py` it is an engine like the others.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL

_READ: Final = 65536


class OpenSSLEngine:
    """What `ssl.SSLObject` is for others, with the same methods and errors, around a connection that has no socket."""

    server_hostname = None
    session = None
    session_reused = False  # the library does not say

    def __init__(self, connection: SSL.Connection, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self.context = connection.get_context()
        self._connection = connection
        self._incoming = incoming
        self._outgoing = outgoing
        self._end: SSL.Error | None = None
        self._told = False
        self._unread = False

    def do_handshake(self) -> None:
        """Go on with the handshake. Raises ssl.SSLWantReadError when more has to come first, ssl.SSLError."""
        self._take_in()
        self._unread = True
        try:
            self._connection.do_handshake()
        except SSL.Error as exc:
            raise _as_ssl_error(exc) from None
        finally:
            self._give_out()

    def read(self, length: int = _READ, buffer: None = None) -> bytes:
        """All that can be decrypted now, however long: nothing must stay behind unseen in buffers of the library."""
        self._take_in()
        self._unread = False
        pieces: list[bytes] = []
        try:
            while self._end is None:
                pieces.append(self._connection.recv(length))
        except SSL.WantReadError as exc:
            if not pieces:
                raise _as_ssl_error(exc) from None
        except SSL.Error as exc:
            self._end = exc  # told when what came before it has been
        finally:
            self._give_out()
        if pieces or self._end is None:
            return b"".join(pieces)
        self._told = True
        if isinstance(self._end, SSL.ZeroReturnError):
            return b""
        raise _as_ssl_error(self._end)

    def write(self, data: bytes | memoryview) -> int:
        """Encrypt all of it. Raises ssl.SSLError."""
        try:
            self._connection.sendall(bytes(data))
        except SSL.Error as exc:
            raise _as_ssl_error(exc) from None
        finally:
            self._give_out()
        return len(data)

    def pending(self) -> int:
        """Not 0 when `read` may have something to say: what came along with the handshake, or the end of it all."""
        return int(self._unread or (self._end is not None and not self._told))

    def unwrap(self) -> None:
        """Say close_notify. Raises ssl.SSLError."""
        try:
            self._connection.shutdown()
        except SSL.Error as exc:
            raise _as_ssl_error(exc) from None
        finally:
            self._give_out()

    def version(self) -> str | None:
        """Such as `TLSv1.3`."""
        return self._connection.get_protocol_version_name() if self._connection.get_cipher_name() else None

    def cipher(self) -> tuple[str, str, int] | None:
        """Name, version and bits."""
        name = self._connection.get_cipher_name()
        if name is None:
            return None
        return name, self._connection.get_cipher_version() or "", self._connection.get_cipher_bits() or 0

    def selected_alpn_protocol(self) -> str | None:
        """What was agreed on."""
        return self._connection.get_alpn_proto_negotiated().decode("ascii", "replace") or None

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, Any] | None:
        """The client's certificate in DER, if it showed one; the other form of it is that of a verified one only."""
        chain = self.get_unverified_chain()
        if not chain:
            return None
        return chain[0] if binary_form else {}

    def get_unverified_chain(self) -> list[bytes]:
        """What the client showed, its own certificate first, in DER."""
        own = self._connection.get_peer_certificate(as_cryptography=True)
        if own is None:
            return []
        others = self._connection.get_peer_cert_chain(as_cryptography=True) or []
        return [item.public_bytes(serialization.Encoding.DER) for item in (own, *(o for o in others if o != own))]

    def _take_in(self) -> None:
        data = self._incoming.read()
        if data:
            self._connection.bio_write(data)

    def _give_out(self) -> None:
        try:
            while True:
                self._outgoing.write(self._connection.bio_read(_READ))
        except SSL.WantReadError:
            return


def _as_ssl_error(exc: SSL.Error) -> ssl.SSLError:
    """The error that the module ssl has for it."""
    if isinstance(exc, SSL.WantReadError | SSL.WantWriteError):
        return ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "more has to come first")
    if isinstance(exc, SSL.ZeroReturnError):
        return ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "TLS has ended")
    if isinstance(exc, SSL.SysCallError):
        return ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the connection ended in the middle of TLS")
    said = exc.args[0][-1][-1] if exc.args and exc.args[0] else "unknown error"
    error = ssl.SSLError(ssl.SSL_ERROR_SSL, said)
    error.reason = said.replace(" ", "_").upper()
    return error
