"""TLS with clients that are asked for a certificate, whoever issued it (the option `request_client_cert`).

The module ssl accepts certificates of CAs that it was told of, and no others; so this is the one place for pyOpenSSL,
which lets us decide. `addons/tlsconfig.py` takes an engine from here in place of an `ssl.SSLObject`. Nothing here is
used while nobody asks.
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
from midstream.certs.openssl_engine import OpenSSLEngine
from midstream.certs.versions import Versions

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
    ) -> OpenSSLEngine:
        """The server's side of one handshake, which shows `leaf` and the certificates in `extra` (DER)."""
        kept = (leaf, extra)
        context = self._contexts.pop(kept, None)
        if context is None:
            if len(self._contexts) >= self._capacity:
                del self._contexts[next(iter(self._contexts))]
            context = self._new_context(leaf, extra)
        self._contexts[kept] = context
        connection = SSL.Connection(context, None)
        connection.set_app_data([name.encode() for name in protocols])
        connection.set_accept_state()
        return OpenSSLEngine(connection, incoming, outgoing)

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
