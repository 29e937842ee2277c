"""The options of TLS: what they are, and the objects of the room `certs/` that follow from their values.

Part of `addons/tlsconfig.py`, which is its only caller. Functions that read options raise OptionsError with one line.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from midstream.certs.authority import KEY_TYPES, Authority, SigningKey
from midstream.certs.key_log import prepare
from midstream.certs.leaves import LeafStore
from midstream.certs.own import OwnLeaves
from midstream.certs.pem_file import PemError
from midstream.certs.trust import ClientContexts, Trust, load_identity
from midstream.certs.versions import VERSIONS, Versions
from midstream.flows.errors import OptionsError
from midstream.hub import config, ctx
from midstream.hub.addons import Loader
from midstream.text.environment import variable

if TYPE_CHECKING:
    from midstream.certs.asking import AskingContexts

logger = logging.getLogger("midstream.tls")

KEY_LOG = "SSLKEYLOGFILE"

CA = {"confdir", "cert_passphrase", "key_type", "key_size"}
CLIENT = {
    "tls_version_client_min",
    "tls_version_client_max",
    "ciphers_client",
    "tls_ecdh_curve_client",
    "certs",
    "request_client_cert",
}
SERVER = {
    "tls_version_server_min",
    "tls_version_server_max",
    "ciphers_server",
    "tls_ecdh_curve_server",
    "ssl_insecure",
    "ssl_verify_upstream_trusted_ca",
    "ssl_verify_upstream_trusted_confdir",
    "client_certs",
    "cert_passphrase",
}


def declare(loader: Loader) -> None:
    """All of them."""
    option = loader.add_option
    option("http2", bool, True, "Speak HTTP/2 with clients and servers that do.")
    for side, towards in (("client", "clients"), ("server", "servers")):
        option(f"tls_version_{side}_min", str, "TLS1_2", f"Lowest TLS version towards {towards}.", VERSIONS)
        option(f"tls_version_{side}_max", str, "UNBOUNDED", f"Highest TLS version towards {towards}.", VERSIONS)
        option(f"ciphers_{side}", str | None, None, f"Ciphers towards {towards}, as a list for OpenSSL.")
        curve = f"Only curve for the exchange of keys with {towards}, such as X25519."
        option(f"tls_ecdh_curve_{side}", str | None, None, curve)
    _declare_trust(loader)
    _declare_certificates(loader)


def _declare_trust(loader: Loader) -> None:
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


def _declare_certificates(loader: Loader) -> None:
    option = loader.add_option
    option("upstream_cert", bool, True, "Put the names of the server's own certificate into ours.")
    option(
        "add_upstream_certs_to_client_chain",
        bool,
        False,
        "Send the server's certificates to clients behind our own. Needs upstream_cert.",
    )
    option(
        "certs",
        Sequence[str],
        [],
        "Certificates of your own for clients: [domain=]path of a PEM file with certificate, chain and key. A domain "
        "may begin with `*.`; without one the certificate is for all hosts that no other is for.",
    )
    option("request_client_cert", bool, False, "Ask clients for a certificate, and accept any or none.")
    option(
        "client_certs",
        str | None,
        None,
        "What servers that ask for a certificate are shown: a PEM file with certificate and key, or a folder with one "
        "HOST.pem for each host.",
        kind="path",
    )
    option("key_type", str, "ecdsa", "Type of key for a new CA and for our certificates.", KEY_TYPES)
    option("key_size", int, 2048, "Bits of the key of a new CA, if it is an RSA key.", kind="range 2048..8192")
    option(
        "cert_passphrase",
        str | None,
        None,
        "Passphrase of private keys: the CA's, and those in certs and client_certs. A new CA is not encrypted.",
        kind="secret",
    )


def versions(side: str) -> Versions:
    """The versions and ciphers towards `client` or `server`."""
    options = ctx.options
    found = Versions(
        getattr(options, f"tls_version_{side}_min"),
        getattr(options, f"tls_version_{side}_max"),
        getattr(options, f"ciphers_{side}"),
        getattr(options, f"tls_ecdh_curve_{side}"),
    )
    try:
        found.check()
    except ValueError as exc:
        raise OptionsError(f"tls_version_{side}_*, tls_ecdh_curve_{side}, ciphers_{side}: {exc}") from None
    warning = found.warning()
    if warning:
        logger.warning("tls_version_%s_*, ciphers_%s: %s", side, side, warning)
    return found


def key_log() -> Path | None:
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


def client_contexts(key_log: Path | None) -> ClientContexts:
    """How servers are spoken to and verified."""
    options = ctx.options
    trust = Trust(
        insecure=options.ssl_insecure,
        ca_file=_path(options.ssl_verify_upstream_trusted_ca),
        ca_folder=_path(options.ssl_verify_upstream_trusted_confdir),
        versions=versions("server"),
        key_log=key_log,
        identity=_identity(),
        passphrase=options.cert_passphrase or "",
    )
    contexts = ClientContexts(trust)
    if trust.ca_file is not None or trust.ca_folder is not None:
        try:
            contexts.context()
        except ValueError as exc:
            raise OptionsError(f"ssl_verify_upstream_trusted_*: {exc}") from None
    return contexts


def _identity() -> Path | None:
    """What `client_certs` names. The files of a folder are read when a host needs them."""
    path = _path(ctx.options.client_certs)
    if path is None or os.path.isdir(path):  # Path.is_dir raises for a name that is too long
        return path
    try:
        load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path, ctx.options.cert_passphrase or "")
    except ValueError as exc:
        raise OptionsError(f"client_certs: {exc}") from None
    return path


def load_leaves() -> LeafStore:
    """The CA of the config folder, ready to sign. Raises AuthorityError."""
    options = ctx.options
    authority = Authority.load_or_create(
        config.folder(options),
        key_type=options.key_type,
        key_size=options.key_size if options.key_type == "rsa" else None,
        passphrase=_passphrase(),
    )
    return LeafStore(authority, key_type=options.key_type)


def asking_contexts(leaves: LeafStore, versions: Versions, key_log: Path | None) -> AskingContexts | None:
    """How clients are asked for their certificates, if they are."""
    if not ctx.options.request_client_cert:
        return None
    from midstream.certs.asking import AskingContexts  # here, since it takes a library that nothing else needs

    try:
        return AskingContexts(leaves, versions, key_log=key_log)
    except ValueError as exc:
        raise OptionsError(f"tls_ecdh_curve_client: {exc}") from None


def own_leaves(ca_key: SigningKey | None) -> OwnLeaves:
    """What `certs` names; without the CA's key those files that bring their own."""
    try:
        return OwnLeaves(ctx.options.certs, _passphrase(), ca_key)
    except PemError as exc:
        raise OptionsError(f"certs: {exc}") from None


def _passphrase() -> bytes | None:
    passphrase = ctx.options.cert_passphrase
    return passphrase.encode() if passphrase else None


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None
