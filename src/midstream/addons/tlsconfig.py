"""Decides how TLS is spoken on both sides: certificates, names, protocols, versions, trust.

Answers `tls_start_client` and `tls_start_server` unless another addon did, and requests for the list of our revoked
certificates. Owns the options for all of that (`tls_options.py`), and the objects of the room `certs/` that are made
from them. The handshakes themselves are the proxy's.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from midstream.addons import tls_options
from midstream.addons.tls_names import NameFinder, protocols_for_client, protocols_for_server, verified_name
from midstream.certs.authority import Authority, AuthorityError
from midstream.certs.leaves import Leaf, LeafStore
from midstream.certs.own import OwnLeaves
from midstream.certs.revocation import CONTENT_TYPE, empty_list, list_name, list_url
from midstream.certs.serving import ServingContexts
from midstream.certs.trust import ClientContexts, Trust
from midstream.certs.versions import Versions, refused
from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, Server
from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.tls import TlsData
from midstream.hub import ctx
from midstream.hub.addons import Loader

if TYPE_CHECKING:
    from midstream.certs.asking import AskingContexts

logger = logging.getLogger("midstream.tls")


class TlsConfig:
    """The addon; see the module."""

    def __init__(self) -> None:
        self._started = False
        self._key_log: Path | None = None  # from the start on
        self._http2 = True
        self._names = NameFinder()
        self._client_versions = Versions()
        self._leaves: LeafStore | None = None
        self._own = OwnLeaves()
        self._serving: ServingContexts | None = None
        self._asking: AskingContexts | None = None
        self._with_upstream_chain = False
        self._list_name = b"\0"  # of revoked certificates; as yet no path ends so
        self._upstream = ClientContexts(Trust())
        # Established upstream connections, by identity: their sessions are complete only when they end.
        self._open: dict[int, TlsData] = {}

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.master.at_end.callback(self._close)
        tls_options.declare(loader)

    # -- options --------------------------------------------------------------------------------------------------

    def configure(self, updated: set[str]) -> None:
        """Check the values and make what follows from them. The config folder is left alone until the start."""
        options = ctx.options
        if options.add_upstream_certs_to_client_chain and not options.upstream_cert:
            raise OptionsError("add_upstream_certs_to_client_chain needs upstream_cert, which is off")
        self._http2 = options.http2
        self._names.use_upstream = options.upstream_cert
        self._with_upstream_chain = options.add_upstream_certs_to_client_chain
        if updated & tls_options.SERVER:
            self._upstream = tls_options.client_contexts(self._key_log)
        if updated & (tls_options.CLIENT | tls_options.CA):
            versions = tls_options.versions("client")
            leaves = self._leaves
            if self._started and (updated & tls_options.CA or leaves is None):
                try:
                    leaves = tls_options.load_leaves()
                except AuthorityError as exc:
                    raise OptionsError(str(exc)) from None
            self._adopt(leaves, versions)

    @property
    def authority(self) -> Authority | None:
        """The CA in use; None before the start, and where there can be none."""
        return self._leaves.authority if self._leaves is not None else None

    def _adopt(self, leaves: LeafStore | None, versions: Versions) -> None:
        """Serve clients by these from now on. Raises OptionsError; then all stays as it was."""
        own = tls_options.own_leaves(leaves.authority.key if leaves is not None else None)
        if leaves is not None:
            serving = ServingContexts(leaves, versions, key_log=self._key_log)
            for leaf, path in own.files.items():
                try:
                    serving.context(leaf)
                except ssl.SSLError as exc:
                    raise OptionsError(f"certs: {path}: {refused(exc)}") from None
            self._asking = tls_options.asking_contexts(leaves, versions, self._key_log)
            self._serving = serving
            self._list_name = list_name(leaves.authority).encode()
        self._own, self._leaves, self._client_versions = own, leaves, versions

    def _close(self) -> None:
        if self._serving is not None:
            self._serving.close()

    async def running(self) -> None:
        """Load or make the CA, and read the system's trusted CAs, beside the loop: both may take a while."""
        self._started = True
        self._key_log = tls_options.key_log()
        if self._key_log is not None:
            self._upstream = tls_options.client_contexts(self._key_log)
        try:
            leaves = await asyncio.to_thread(tls_options.load_leaves)
            if self._leaves is None:
                self._adopt(leaves, self._client_versions)
        except (AuthorityError, OptionsError) as exc:
            logger.error("%s", exc)
        await asyncio.to_thread(_try, self._upstream.context)

    # -- connections ----------------------------------------------------------------------------------------------

    def start_client(self, client: Client, data: TlsData) -> None:
        """Show the client a certificate for what it asks for, and speak what we speak."""
        server, leaves, serving = data.context.server, self._leaves, self._serving
        if leaves is None or serving is None:
            client.error = "there is no CA yet, so that TLS with clients is impossible"
            logger.error("%s", client.error)
            return
        leaf = self._leaf_for(client, server, leaves)
        client.mitmcert = Cert(leaf.certificate)
        protocols = protocols_for_client(client, server, self._http2)
        extra = tuple(cert.der for cert in server.certificate_list) if self._with_upstream_chain else ()
        if self._asking is not None:
            # It has the methods of an SSLObject and is none: those accept no certificate of an unknown issuer.
            data.ssl_conn = self._asking.engine(leaf, extra, protocols, data.incoming, data.outgoing)  # type: ignore[assignment]
            return
        try:
            context = _context_for(leaf, extra, serving, ":".join(client.cipher_list))
        except ValueError as exc:
            client.error = f"no TLS with the client: {exc}"
            return
        context.set_alpn_protocols(protocols)
        data.wrap(context)

    def _leaf_for(self, client: Client, server: Server, leaves: LeafStore) -> Leaf:
        names, organization, crl = self._names.find(client, server)
        if self._own:
            # The real certificate may be one for many hosts; a client that names one gets what is for that one.
            own = self._own.find((client.sni,) if client.sni else names)
            if own is not None:
                return own
        return leaves.leaf(names, organization, list_url(crl, leaves.authority) if crl else None)

    def start_server(self, server: Server, data: TlsData) -> None:
        """Ask the server for what the client asked us for, and verify who answers."""
        client, upstream = data.context.client, self._upstream
        if server.cipher_list:
            upstream = upstream.with_ciphers(":".join(server.cipher_list))
        name = verified_name(server, client)
        if name is None:
            server.error = "a server without name and address cannot be verified"
            return
        if server.alpn_offers:  # a parent proxy has its own
            protocols = [offer.decode("ascii", "ignore") for offer in server.alpn_offers]
        else:
            protocols = protocols_for_server(client.alpn_offers, self._http2)
            server.alpn_offers = tuple(protocol.encode() for protocol in protocols)
        try:
            context = upstream.context(upstream.trust.identity_for(name))
            context.set_alpn_protocols(protocols)
            known = upstream.resumable(_session_key(server))
            data.wrap(context, name, known.session if known is not None else None)
        except ValueError as exc:
            server.error = f"no TLS with {name}: {exc}"

    def tls_established_server(self, data: TlsData) -> None:
        """Watch for the session to resume; in a resumed one the server did not repeat its chain."""
        server, tls = data.conn, data.ssl_conn
        if not isinstance(tls, ssl.SSLObject) or not isinstance(server, Server):
            return
        if tls.session_reused:
            known = self._upstream.resumable(_session_key(server))
            if known is not None and known.certificates[:1] == tuple(server.certificate_list)[:1]:
                server.certificate_list = known.certificates
        if server.via is None:  # else its end is that of the connection to the parent proxy
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

    # -- revocation -----------------------------------------------------------------------------------------------

    def request(self, flow: HTTPFlow) -> None:
        """Answer who asks what we have revoked: nothing."""
        if flow.request.raw_path.endswith(self._list_name) and flow.live and not flow.error and not flow.response:
            assert self._leaves is not None
            content = empty_list(self._leaves.authority)
            flow.response = Response.make(200, content, ((b"Content-Type", CONTENT_TYPE.encode()),))


class TlsDefaults:
    """Gives the handshakes to `TlsConfig` that no other addon has chosen an engine for: its place is behind scripts,
    whose choices of names, protocols and ciphers count.
    """

    def __init__(self, config: TlsConfig) -> None:
        self._config = config

    def tls_start_client(self, data: TlsData) -> None:
        if data.ssl_conn is None and not data.is_dtls and isinstance(data.conn, Client):
            self._config.start_client(data.conn, data)

    def tls_start_server(self, data: TlsData) -> None:
        if data.ssl_conn is None and not data.is_dtls and isinstance(data.conn, Server):
            self._config.start_server(data.conn, data)


def _context_for(leaf: Leaf, extra: tuple[bytes, ...], serving: ServingContexts, ciphers: str) -> ssl.SSLContext:
    try:
        return serving.context(leaf, extra, ciphers)
    except ssl.SSLError as exc:
        if not extra:
            raise
        logger.warning("the server's certificates cannot be sent to the client: %s", refused(exc))
        return serving.context(leaf, (), ciphers)


def _session_key(server: Server) -> tuple[object, ...]:
    return (server.address, server.sni, tuple(server.alpn_offers))  # by an addon it may be a list


def _try(make: Callable[[], object]) -> None:
    """What fails here fails again, with a reason, for the first connection that needs it."""
    try:
        make()
    except ValueError:
        pass
