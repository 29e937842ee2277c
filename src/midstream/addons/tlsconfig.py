"""Decides how TLS is spoken on both sides: certificates, names, protocols, versions, trust.

Answers `tls_start_client` and `tls_start_server` unless an earlier addon did. Owns the options for all of that, and the
objects of the room `certs/` that are made from them. The handshakes themselves are the proxy's.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from midstream.addons.tls_names import NameFinder, protocols_for_client, protocols_for_server, verified_name
from midstream.certs.authority import KEY_TYPES, Authority, AuthorityError
from midstream.certs.key_log import prepare
from midstream.certs.leaves import LeafStore
from midstream.certs.serving import ServingContexts
from midstream.certs.trust import ClientContexts, Trust
from midstream.certs.versions import VERSIONS, Versions
from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, Server
from midstream.flows.errors import OptionsError
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.tls import TlsData
from midstream.hub import config, ctx
from midstream.hub.addons import Loader
from midstream.text.environment import variable

logger = logging.getLogger("midstream.tls")

KEY_LOG = "SSLKEYLOGFILE"

_CA = {"confdir", "cert_passphrase", "key_type", "key_size"}
_CLIENT = {"tls_version_client_min", "tls_version_client_max", "ciphers_client", "tls_ecdh_curve_client"}
_SERVER = {
    "tls_version_server_min",
    "tls_version_server_max",
    "ciphers_server",
    "tls_ecdh_curve_server",
    "ssl_insecure",
    "ssl_verify_upstream_trusted_ca",
    "ssl_verify_upstream_trusted_confdir",
}


class TlsConfig:
    """The addon; see the module."""

    def __init__(self) -> None:
        self._started = False
        self._key_log: Path | None = None  # from the start on
        self._http2 = False
        self._names = NameFinder()
        self._client_versions = Versions()
        self._leaves: LeafStore | None = None
        self._serving: ServingContexts | None = None
        self._upstream = ClientContexts(Trust())
        # Established upstream connections, by identity: their sessions are complete only when they end.
        self._open: dict[int, TlsData] = {}

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.master.at_end.callback(self._close)
        option = loader.add_option
        option("ssl_insecure", bool, False, "Accept any certificate from servers.")
        option(
            "ssl_verify_upstream_trusted_ca",
            str | None,
            None,
            "PEM file with the CAs to trust for servers, in place of those of the system and certifi.",
            kind="path",
        )
        option(
            "ssl_verify_upstream_trusted_confdir",
            str | None,
            None,
            "Folder of CAs to trust for servers, named by hash (openssl rehash), in place of the others.",
            kind="path",
        )
        option("upstream_cert", bool, True, "Put the names of the server's own certificate into ours.")
        for side, towards in (("client", "clients"), ("server", "servers")):
            option(f"tls_version_{side}_min", str, "TLS1_2", f"Lowest TLS version towards {towards}.", VERSIONS)
            option(f"tls_version_{side}_max", str, "UNBOUNDED", f"Highest TLS version towards {towards}.", VERSIONS)
            option(f"ciphers_{side}", str | None, None, f"Ciphers towards {towards}, as a list for OpenSSL.")
            curve = f"Only curve for the exchange of keys with {towards}, such as X25519."
            option(f"tls_ecdh_curve_{side}", str | None, None, curve)
        option("key_type", str, "ecdsa", "Type of key for a new CA and for our certificates.", KEY_TYPES)
        option("key_size", int, 2048, "Bits of the key of a new CA, if it is an RSA key.", kind="range 2048..8192")
        option("cert_passphrase", str | None, None, "Passphrase of the CA's private key.", kind="secret")

    # -- options --------------------------------------------------------------------------------------------------

    def configure(self, updated: set[str]) -> None:
        """Check the values and make what follows from them. The config folder is left alone until the start."""
        options = ctx.options
        self._names.use_upstream = options.upstream_cert
        if updated & _SERVER:
            self._upstream = _client_contexts(self._key_log)
        if updated & (_CLIENT | _CA):
            versions = _versions("client")
            leaves = self._leaves
            if self._started and (updated & _CA or leaves is None):
                try:
                    leaves = _load_leaves()
                except AuthorityError as exc:
                    raise OptionsError(str(exc)) from None
            self._adopt(leaves, versions)

    def _adopt(self, leaves: LeafStore | None, versions: Versions) -> None:
        if leaves is not None:
            self._serving = ServingContexts(leaves, versions, key_log=self._key_log)
        self._leaves, self._client_versions = leaves, versions

    def _close(self) -> None:
        if self._serving is not None:
            self._serving.close()

    async def running(self) -> None:
        """Load or make the CA, and read the system's trusted CAs, beside the loop: both may take a while."""
        self._started = True
        self._key_log = _key_log()
        if self._key_log is not None:
            self._upstream = _client_contexts(self._key_log)
        try:
            leaves = await asyncio.to_thread(_load_leaves)
        except AuthorityError as exc:
            logger.error("%s", exc)
        else:
            if self._leaves is None:
                self._adopt(leaves, self._client_versions)
        await asyncio.to_thread(_try, self._upstream.context)

    # -- connections ----------------------------------------------------------------------------------------------

    def tls_start_client(self, data: TlsData) -> None:
        """Show the client a certificate for what it asks for, and speak what we speak."""
        client = data.conn
        if data.ssl_conn is not None or data.is_dtls or not isinstance(client, Client):
            return
        leaves, serving = self._leaves, self._serving
        if leaves is None or serving is None:
            logger.error("there is no CA yet, so that TLS with clients is impossible")
            return
        names, organization = self._names.find(client, data.context.server)
        leaf = leaves.leaf(names, organization)
        context = serving.context(leaf)
        context.set_alpn_protocols(protocols_for_client(client, data.context.server, self._http2))
        client.mitmcert = Cert(leaf.certificate)
        data.wrap(context)

    def tls_start_server(self, data: TlsData) -> None:
        """Ask the server for what the client asked us for, and verify who answers."""
        server = data.conn
        if data.ssl_conn is not None or data.is_dtls or not isinstance(server, Server):
            return
        client = data.context.client
        name = verified_name(server, client)
        if name is None:
            logger.error("a server without name and address cannot be verified")
            return
        protocols = protocols_for_server(client.alpn_offers, self._http2)
        server.alpn_offers = tuple(protocol.encode() for protocol in protocols)
        try:
            context = self._upstream.context()
            context.set_alpn_protocols(protocols)
            known = self._upstream.resumable(_session_key(server))
            data.wrap(context, name, known.session if known is not None else None)
        except ValueError as exc:
            logger.error("no TLS with %s: %s", name, exc)

    def tls_established_server(self, data: TlsData) -> None:
        """Watch for the session to resume; in a resumed one the server did not repeat its chain."""
        server, tls = data.conn, data.ssl_conn
        if tls is None or not isinstance(server, Server):
            return
        if tls.session_reused:
            known = self._upstream.resumable(_session_key(server))
            if known is not None and known.certificates[:1] == tuple(server.certificate_list)[:1]:
                server.certificate_list = known.certificates
        self._open[id(server)] = data

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        """Keep the session: a new connection to the same server is then a third cheaper."""
        ended = self._open.pop(id(data.server), None)
        if ended is not None and ended.ssl_conn is not None:
            self._upstream.keep(_session_key(data.server), ended.ssl_conn, data.server.certificate_list)

    def tls_failed_server(self, data: TlsData) -> None:
        """The session tried may be what it failed over."""
        if isinstance(data.conn, Server):
            self._upstream.forget(_session_key(data.conn))


def _session_key(server: Server) -> tuple[object, ...]:
    return (server.address, server.sni, server.alpn_offers)


def _versions(side: str) -> Versions:
    """The versions and ciphers that the options ask for. Raises OptionsError."""
    options = ctx.options
    versions = Versions(
        getattr(options, f"tls_version_{side}_min"),
        getattr(options, f"tls_version_{side}_max"),
        getattr(options, f"ciphers_{side}"),
        getattr(options, f"tls_ecdh_curve_{side}"),
    )
    try:
        versions.check()
    except ValueError as exc:
        raise OptionsError(f"tls_version_{side}_*, tls_ecdh_curve_{side}, ciphers_{side}: {exc}") from None
    warning = versions.warning()
    if warning:
        logger.warning("ciphers_%s: %s", side, warning)
    return versions


def _key_log() -> Path | None:
    """The file that the environment names for the secrets of handshakes, ready to be written."""
    text = variable(KEY_LOG) or os.environ.get(KEY_LOG)
    path = _path(text)
    if path is None:
        return None
    try:
        is_private = prepare(path)
    except OSError as exc:
        logger.warning("%s: %s: %s; no secrets are written", KEY_LOG, path, exc.strerror or exc)
        return None
    logger.info("the secrets of TLS handshakes are written to %s", path)
    if not is_private:
        logger.warning("%s: %s can be read by others; chmod 600 it, or name another file", KEY_LOG, path)
    return path


def _client_contexts(key_log: Path | None) -> ClientContexts:
    """What the options say of servers. Raises OptionsError."""
    options = ctx.options
    trust = Trust(
        insecure=options.ssl_insecure,
        ca_file=_path(options.ssl_verify_upstream_trusted_ca),
        ca_folder=_path(options.ssl_verify_upstream_trusted_confdir),
        versions=_versions("server"),
        key_log=key_log,
    )
    contexts = ClientContexts(trust)
    if trust.ca_file is not None or trust.ca_folder is not None:
        try:
            contexts.context()
        except ValueError as exc:
            raise OptionsError(f"ssl_verify_upstream_trusted_*: {exc}") from None
    return contexts


def _load_leaves() -> LeafStore:
    """The CA of the config folder, ready to sign. Raises AuthorityError."""
    options = ctx.options
    passphrase = options.cert_passphrase
    authority = Authority.load_or_create(
        config.folder(options),
        key_type=options.key_type,
        key_size=options.key_size if options.key_type == "rsa" else None,
        passphrase=passphrase.encode() if passphrase else None,
    )
    return LeafStore(authority, key_type=options.key_type)


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _try(make: Callable[[], object]) -> None:
    """What fails here fails again, with a reason, for the first connection that needs it."""
    try:
        make()
    except ValueError:
        pass
