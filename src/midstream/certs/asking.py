"""TLS with clients that are asked for a certificate, whoever issued it (the option `request_client_cert`).

The module ssl accepts certificates of CAs that it was told of, and no others; so this is the one place for pyOpenSSL,
which lets us decide. `addons/tlsconfig.py` takes an engine from here in place of an `ssl.SSLObject`; to
`proxy/streams/tls.py` and to addons it has the methods of one. Nothing here is used while nobody asks.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from midstream.certs.key_log import prepare
from midstream.certs.leaves import Leaf, LeafStore
from midstream.certs.versions import Versions

_READ: Final = 65536
_VERSIONS: Final = {
    "UNBOUNDED": 0,
    "SSL3": SSL.TLS1_VERSION,  # which the library does not speak: the nearest that it knows
    "TLS1": SSL.TLS1_VERSION,
    "TLS1_1": SSL.TLS1_1_VERSION,
    "TLS1_2": SSL.TLS1_2_VERSION,
    "TLS1_3": SSL.TLS1_3_VERSION,
}
_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "prime256v1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "secp521r1": ec.SECP521R1(),
}


class AskingContexts:
    """Contexts for leaves of one store, `capacity` of them at most. Raises ValueError with a sentence."""

    def __init__(self, leaves: LeafStore, versions: Versions, capacity: int = 250, key_log: Path | None = None) -> None:
        curve = versions.curve_name()
        if curve is not None and curve not in _CURVES:
            raise ValueError(f"with request_client_cert the curve is one of {', '.join(_CURVES)}, not {curve}")
        self._versions = versions
        self._curve = _CURVES.get(curve or "")
        self._key_log = key_log
        self._capacity = capacity
        self._key = leaves.key_pem()
        self._contexts: dict[object, SSL.Context] = {}

    def engine(
        self,
        leaf: Leaf,
        extra: tuple[bytes, ...],
        protocols: Sequence[str],
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> AskingEngine:
        """The server's side of one handshake, which shows `leaf` and the certificates in `extra` (DER)."""
        kept = (leaf, extra)
        context = self._contexts.pop(kept, None)
        if context is None:
            if len(self._contexts) >= self._capacity:
                del self._contexts[next(iter(self._contexts))]
            context = self._new_context(leaf, extra)
        self._contexts[kept] = context
        return AskingEngine(context, protocols, incoming, outgoing)

    def _new_context(self, leaf: Leaf, extra: tuple[bytes, ...]) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        versions = self._versions
        context.set_min_proto_version(_VERSIONS[versions.minimum])
        context.set_max_proto_version(_VERSIONS[versions.maximum])
        context.set_cipher_list(versions.cipher_list().encode())
        if self._curve is not None:
            context.set_tmp_ecdh(self._curve)
        # As for the others, see `serving.py`.
        context.set_options(SSL.OP_NO_RENEGOTIATION)
        context.set_verify(SSL.VERIFY_PEER, _accept)
        context.set_session_id(b"midstream")  # without it no session of a client with a certificate is resumed
        context.set_alpn_select_callback(_choose)
        if self._key_log is not None:
            context.set_keylog_callback(partial(_log_secret, self._key_log))
        first, *others = x509.load_pem_x509_certificates(leaf.pem)
        context.use_certificate(first)
        context.use_privatekey(serialization.load_pem_private_key(leaf.key or self._key, None))  # type: ignore[arg-type]
        for certificate in (*others, *map(x509.load_der_x509_certificate, extra)):
            context.add_extra_chain_cert(certificate)
        return context


def _accept(*_: object) -> bool:
    """Any certificate will do: who the client is, is for the server and for people to judge."""
    return True


def _choose(connection: SSL.Connection, offered: list[bytes]) -> Any:
    chosen = next((name for name in connection.get_app_data() if name in offered), None)
    return SSL.NO_OVERLAPPING_PROTOCOLS if chosen is None else chosen


def _log_secret(path: Path, _: SSL.Connection, line: bytes) -> None:
    try:
        prepare(path)
        with path.open("ab") as file:
            file.write(line + b"\n")
    except OSError:
        return  # as the library does when the file has gone


class AskingEngine:
    """What `ssl.SSLObject` is for others, with the same methods and errors."""

    server_side = True
    server_hostname = None
    session = None
    session_reused = False  # the library does not say

    def __init__(
        self, context: SSL.Context, protocols: Sequence[str], incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None:
        self.context = context
        self._incoming = incoming
        self._outgoing = outgoing
        self._connection = SSL.Connection(context, None)
        self._connection.set_app_data([name.encode() for name in protocols])
        self._connection.set_accept_state()
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
