"""Whom we believe upstream: SSL contexts for connections to servers, and the sessions to resume there.

`addons/tlsconfig.py` makes one `ClientContexts` per configuration and asks it for each connection. Verification is
OpenSSL's: chain, validity, purpose, and host name or IP address, before anything is sent.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import certifi

from midstream.certs.key_log import log_keys
from midstream.certs.own import read_own
from midstream.certs.pem_file import PemError
from midstream.certs.private_file import PrivateFile
from midstream.certs.versions import Versions, refused
from midstream.flows.certificate import Cert

_SESSION_AGE: Final = 3600.0
"""Seconds for which the verdict on a certificate stands without being asked again."""
_CIPHER_LISTS: Final = 20


class _HasDer(Protocol):
    def public_bytes(self, form: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Trust:
    """Which servers' certificates to accept. A CA file or folder takes the place of the system's and certifi's CAs."""

    insecure: bool = False
    ca_file: Path | None = None
    ca_folder: Path | None = None
    versions: Versions = field(default_factory=Versions)
    key_log: Path | None = None
    identity: Path | None = None
    """What servers that ask for a certificate are shown: a PEM file, or a folder with one `NAME.pem` for each host."""
    passphrase: str = ""
    """Of the keys there."""

    def identity_for(self, host: str) -> Path | None:
        """The file that `host` is shown, if it is shown any."""
        if self.identity is None or not self.identity.is_dir():
            return self.identity
        # The name came from the network: it must not lead out of the folder.
        if not host or host.startswith(".") or "/" in host or "\\" in host or "\0" in host:
            return None
        path = self.identity / f"{host}.pem"
        return path if path.is_file() else None


def verifying_context(trust: Trust) -> ssl.SSLContext:
    """A context that accepts only servers that prove their name or address. Raises ValueError with a sentence.

    Slow (~30 ms for the system's CAs), so to be shared; see ClientContexts.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies and checks names by itself
    trust.versions.apply(context)
    # RFC 9525 §2: names are those in the SAN. Partial wildcards (`w*.example`) are off in the ssl module.
    context.hostname_checks_common_name = False
    # What was put into a CA file is trusted as it is, also an intermediate or a server's own certificate.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if trust.ca_file is None and trust.ca_folder is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        context.load_verify_locations(certifi.where())
        return context
    if trust.ca_file is not None:
        try:
            context.load_verify_locations(cafile=trust.ca_file)
        except ssl.SSLError:
            raise ValueError(f"{trust.ca_file}: holds no CA certificates in PEM") from None
        except OSError as exc:
            raise ValueError(f"{trust.ca_file}: {exc.strerror or exc}") from None
    if trust.ca_folder is not None:
        if not trust.ca_folder.is_dir():
            raise ValueError(f"{trust.ca_folder}: not a folder")
        context.load_verify_locations(capath=trust.ca_folder)
    return context


def insecure_context(trust: Trust) -> ssl.SSLContext:
    """A context that accepts any certificate, and servers that know no secure renegotiation."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    trust.versions.apply(context)
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    return context


def load_identity(context: ssl.SSLContext, path: Path, passphrase: str) -> None:
    """Let a context show the certificate in a PEM file, whose key is there too. Raises ValueError with a sentence."""
    try:
        leaf = read_own(path, passphrase.encode())
    except PemError as exc:
        raise ValueError(str(exc)) from None
    certificate, key = PrivateFile(leaf.pem), PrivateFile(leaf.key)
    try:
        context.load_cert_chain(certificate.path, key.path)
    except ssl.SSLError as exc:
        raise ValueError(f"{path}: {refused(exc)}") from None
    finally:
        certificate.close()
        key.close()


class Resumable(NamedTuple):
    """A session with a server, when its certificate was verified, and its chain (which is not sent again)."""

    session: ssl.SSLSession
    verified: float
    certificates: tuple[Cert, ...]


class ClientContexts:
    """The context for all upstream connections under one `Trust`, made at first use, and its resumable sessions.

    Sessions belong to the context that verified them, and OpenSSL refuses them in any other: one that was made under
    `ssl_insecure` cannot slip into a verifying connection.
    """

    def __init__(self, trust: Trust, sessions: int = 500, clock: Callable[[], float] = time.monotonic) -> None:
        self.trust = trust
        self._now = clock
        self._context: ssl.SSLContext | None = None
        self._with_identity: dict[Path, tuple[int, ssl.SSLContext]] = {}
        self._capacity = sessions
        self._sessions: dict[tuple[object, ...], Resumable] = {}
        self._met: set[tuple[object, ...]] = set()
        self._with_ciphers: dict[str, ClientContexts] = {}

    def context(self, identity: Path | None = None) -> ssl.SSLContext:
        """The shared context, or that which shows the certificate in the file `identity`; anew when the file changed.

        Its ALPN list is the caller's to set before each use. Raises ValueError with a sentence.
        """
        if identity is not None:
            return self._context_with(identity)
        if self._context is None:
            self._context = self._new_context()
        return self._context

    def with_ciphers(self, ciphers: str) -> ClientContexts:
        """The same, but for the ciphers; of those that were asked for last, `_CIPHER_LISTS` are kept."""
        found = self._with_ciphers.pop(ciphers, None)
        if found is None:
            if len(self._with_ciphers) >= _CIPHER_LISTS:
                del self._with_ciphers[next(iter(self._with_ciphers))]
            found = ClientContexts(replace(self.trust, versions=replace(self.trust.versions, ciphers=ciphers)))
        self._with_ciphers[ciphers] = found
        return found

    def _context_with(self, identity: Path) -> ssl.SSLContext:
        try:
            changed = identity.stat().st_mtime_ns
        except OSError as exc:
            raise ValueError(f"{identity}: {exc.strerror or exc}") from None
        kept = self._with_identity.get(identity)
        if kept is not None and kept[0] == changed:
            return kept[1]
        context = self._new_context()
        load_identity(context, identity, self.trust.passphrase)
        if kept is not None:
            self._sessions.clear()  # some are of the context that goes
        self._with_identity[identity] = (changed, context)
        return context

    def _is_ours(self, context: ssl.SSLContext) -> bool:
        return context is self._context or any(context is ours for _, ours in self._with_identity.values())

    def _new_context(self) -> ssl.SSLContext:
        context = insecure_context(self.trust) if self.trust.insecure else verifying_context(self.trust)
        log_keys(context, self.trust.key_log)
        return context

    def resumable(self, key: tuple[object, ...]) -> Resumable | None:
        """What was kept under `key`, which must hold everything that was verified and negotiated."""
        found = self._sessions.get(key)
        if found is not None and found.verified + _SESSION_AGE < self._now():
            del self._sessions[key]
            return None
        return found

    def keep(self, key: tuple[object, ...], tls: ssl.SSLObject, certificates: Sequence[Cert]) -> None:
        """Remember the session of a connection that is established, best when it ends (TLS 1.3 tickets come late).

        Asking OpenSSL for a session costs ~0.15 ms, more than resuming saves: only servers that are met again are
        worth it, and a session that could be resumed just now is as good as the next one.
        """
        if not self._is_ours(tls.context) or (tls.session_reused and key in self._sessions):
            return
        if key not in self._met:
            if len(self._met) >= self._capacity:
                self._met.clear()
            self._met.add(key)
            return
        session = tls.session
        if session is None or not session.has_ticket:
            return
        self._sessions.pop(key, None)
        if len(self._sessions) >= self._capacity:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[key] = Resumable(session, self._now(), tuple(certificates))

    def forget(self, key: tuple[object, ...]) -> None:
        """Drop the session under `key`: a handshake that tried it failed."""
        self._sessions.pop(key, None)


def peer_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates that the peer sent, leaf first, in DER; also after a handshake that failed over them.

    Public API since Python 3.13, an inner one before. Where there is neither, and for a resumed session, in which no
    certificate is sent: the leaf alone. Empty before it has come.
    """
    try:
        chain: list[bytes] = []
        inner: Any = getattr(tls, "_sslobj", None)
        if hasattr(tls, "get_unverified_chain"):
            chain = list(tls.get_unverified_chain())
        elif hasattr(inner, "get_unverified_chain"):
            found: list[_HasDer] = inner.get_unverified_chain() or []
            chain = [item.public_bytes(ssl._ssl.ENCODING_DER) for item in found]  # type: ignore[attr-defined]
        if not chain:
            leaf = tls.getpeercert(binary_form=True)
            chain = [leaf] if leaf else []
    except (ValueError, ssl.SSLError):  # the handshake has not come that far
        return []
    return chain
