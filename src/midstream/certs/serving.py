"""The SSL contexts that clients meet: one per leaf, shared by all connections to it.

`addons/tlsconfig.py` makes one `ServingContexts` per configuration. OpenSSL spends ~0.4 ms on loading a key and a
certificate, five times what minting them takes, so a context is kept as long as its leaf is in use.
"""

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Final

from midstream.certs.key_log import log_keys
from midstream.certs.leaves import Leaf, LeafStore
from midstream.certs.private_file import PrivateFile
from midstream.certs.versions import Versions
from midstream.flows.certificate import Cert

_TICKETS: Final = 1  # per TLS 1.3 handshake; each costs 25 µs, and the default of two helps few clients


class ServingContexts:
    """Server-side contexts for leaves of one store, `capacity` of them at most (~20 KB each).

    Raises ValueError at once when `versions` cannot be served.
    """

    def __init__(self, leaves: LeafStore, versions: Versions, capacity: int = 250, key_log: Path | None = None) -> None:
        self._versions = versions
        self._key_log = key_log
        self._capacity = capacity
        self._contexts: dict[object, ssl.SSLContext] = {}
        self._own: dict[object, ssl.SSLContext] = {}
        self._new_context()
        self._key = PrivateFile(leaves.key_pem())
        self._certificate = PrivateFile()

    def context(self, leaf: Leaf, extra: tuple[bytes, ...] = (), ciphers: str = "") -> ssl.SSLContext:
        """The context that shows `leaf`, and behind its chain the certificates in `extra` (DER); `ciphers` replaces the
        usual ones.

        Its ALPN list is the caller's to set before each use. Raises ssl.SSLError for what OpenSSL refuses to show,
        ValueError with a sentence for ciphers that it does not know.
        """
        shown = (leaf, extra, ciphers) if extra or ciphers else leaf
        kept = self._own if leaf.key or ciphers else self._contexts
        context = kept.pop(shown, None)
        if context is None:
            spare = kept.pop(next(iter(kept))) if len(kept) >= self._capacity else None
            # Loading another certificate is safe: connections took theirs when they were made. But a context holds one
            # for each type of key, so that it can be replaced only by one whose key is the same.
            context = spare if spare is not None and kept is self._contexts else self._new_context(ciphers)
            self._load(context, leaf, extra)
        kept[shown] = context
        return context

    def _load(self, context: ssl.SSLContext, leaf: Leaf, extra: tuple[bytes, ...]) -> None:
        self._certificate.write(leaf.pem + b"".join(Cert.from_der(der).to_pem() for der in extra))
        key = PrivateFile(leaf.key) if leaf.key else self._key
        context.load_cert_chain(self._certificate.path, key.path)
        if key is not self._key:
            key.close()

    def close(self) -> None:
        """Let go of the files; what is served already goes on, and nothing new can be."""
        self._key.close()
        self._certificate.close()

    def __len__(self) -> int:
        return len(self._contexts)

    def _new_context(self, ciphers: str = "") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        versions = replace(self._versions, ciphers=ciphers) if ciphers else self._versions
        versions.apply(context)
        # RFC 9325 §3.5: a client gains nothing by renegotiating, and can make us work.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.num_tickets = _TICKETS
        log_keys(context, self._key_log)
        return context
