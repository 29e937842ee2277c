"""Asking clients who they are: what handles the events while the option proxyauth is set.

Clients of an explicit proxy are asked as such (407), SOCKS clients in their handshake, all others as by a web server
(401). Who has opened a tunnel with the right credentials is known for the rest of the connection. Made by proxyauth.py.
"""

from __future__ import annotations

import base64
import logging
from pathlib import Path

from midstream.addons.proxyauth_ldap import parse_spec
from midstream.addons.proxyauth_users import Anybody, HtpasswdFile, OneUser, Remembering, Unavailable, Users
from midstream.flows.connection import Client
from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.proxy_mode import DnsMode, RegularMode, UpstreamMode
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.socks5 import Socks5AuthData
from midstream.flows.unsaved import Unsaved
from midstream.hub.recording import unrecorded
from midstream.hub.repeats import Repeats

logger = logging.getLogger("midstream.addons.proxyauth")

CHALLENGE = 'Basic realm="midstream", charset="UTF-8"'
STRANGER = "the client has not said who it is, as the option proxyauth wants"
LDAP_REMEMBERED = 60.0
"""Seconds for which a directory is not asked again; who is locked out there is served for so long."""


def users_of(text: str) -> Users:
    """Whom the option means. Raises OptionsError, never with the text, which holds passwords."""
    if text == "any":
        return Anybody()
    if text.startswith("@"):
        return Remembering(_read(Path(text[1:])))
    if text.startswith(("ldap:", "ldaps:")):
        directory = parse_spec(text)
        if not (directory.with_tls or directory.is_local):
            logger.warning("proxyauth: passwords go to the LDAP server in the clear; ldaps: would encrypt them")
        return Remembering(directory, LDAP_REMEMBERED)
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise OptionsError("proxyauth: this is none of any, user:password, @htpasswd-file, ldap:… and ldaps:…")
    return OneUser(user, password)


def _read(path: Path) -> HtpasswdFile:
    try:
        return HtpasswdFile.from_file(path)
    except OSError as problem:
        raise OptionsError(f"proxyauth: {path}: {problem.strerror or problem}") from None
    except ValueError as problem:
        raise OptionsError(f"proxyauth: {path}, {problem}") from None


class Credentials(tuple[str, str], Unsaved):
    """(user, password) in the metadata of a flow, under `proxyauth`: for scripts, and in no file."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"({self[0]!r}, …)"


class Asking:
    """What handles the events while the option is set."""

    name = "proxyauth_asking"

    def __init__(self, users: Users, former: Asking | None = None) -> None:
        """`former` is what asked before, and knows who is connected."""
        self._users = users
        self._strangers: set[str] = former._strangers if former is not None else set()
        """Ids of connected clients of which nothing is known; others were there before the option was set, or are none:
        replays."""
        self._known: dict[str, Credentials] = former._known if former is not None else {}
        """By the id of a connected client: what opened its tunnel."""
        self._repeats = Repeats()

    async def problem(self) -> str:
        """Why nobody can be judged; empty if somebody can."""
        return await self._users.problem()

    def client_connected(self, client: Client) -> None:
        if not isinstance(client.proxy_mode, DnsMode):  # in which nobody can say who he is, nor go anywhere
            self._strangers.add(client.id)

    def client_disconnected(self, client: Client) -> None:
        self._strangers.discard(client.id)
        self._known.pop(client.id, None)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Also the eager dial of a transparent or reverse mode, and what is no HTTP there."""
        if data.client.id in self._strangers:
            data.postponed = STRANGER

    @unrecorded
    async def http_connect(self, flow: HTTPFlow) -> None:
        credentials = await self._admit(flow)
        if credentials is not None:
            self._known[flow.client_conn.id] = credentials

    @unrecorded
    async def requestheaders(self, flow: HTTPFlow) -> None:
        if flow.is_replay is None:
            await self._admit(flow)

    async def socks5_auth(self, data: Socks5AuthData) -> None:
        credentials = Credentials((data.username, data.password))
        try:
            data.valid = await self._users.accepts(*credentials, _address(data.client_conn))
        except Unavailable as problem:
            self._repeats.warn(logger, str(problem), "proxyauth")
        if data.valid:
            self._known[data.client_conn.id] = credentials
            self._strangers.discard(data.client_conn.id)

    async def _admit(self, flow: HTTPFlow) -> Credentials | None:
        """Who sends this; None if it gets the answer that this has to be said."""
        client, headers = flow.client_conn, flow.request.headers
        of_proxy = isinstance(client.proxy_mode, RegularMode | UpstreamMode)
        name = "Proxy-Authorization" if of_proxy else "Authorization"
        credentials = self._known.get(client.id)
        if credentials is None:
            said = headers.get(name, "")
            credentials = parse_basic(said)
            if of_proxy or "basic " in said.lower():
                headers.pop(name, None)  # right or nearly right, it is not to be saved, nor sent on
            try:
                if credentials is None or not await self._accepts(credentials, client):
                    flow.response = _ask(of_proxy)
                    return None
            except Unavailable as problem:
                self._repeats.warn(logger, str(problem), "proxyauth")
                flow.response = Response.make(503, "Credentials cannot be checked at the moment.", _PLAIN)
                return None
            self._strangers.discard(client.id)
        elif of_proxy:
            headers.pop(name, None)
        flow.metadata["proxyauth"] = credentials
        return credentials

    async def _accepts(self, credentials: Credentials, client: Client) -> bool:
        right = await self._users.accepts(*credentials, _address(client))
        if not right:
            self._repeats.warn(logger, f"proxyauth: wrong credentials from {_address(client)}")
        return right


def parse_basic(field: str) -> Credentials | None:
    """User and password of the Basic scheme (RFC 7617), whose user name has no colon; None for anything else."""
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    user, colon, password = decoded.decode("utf-8", "surrogateescape").partition(":")
    return Credentials((user, password)) if colon else None


_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def _ask(of_proxy: bool) -> Response:
    status, name, what = (
        (407, "Proxy-Authenticate", "proxy") if of_proxy else (401, "WWW-Authenticate", "server")
    )  # fmt: skip
    text = f"This {what} serves only those who say their user name and password.\n"
    return Response.make(status, text, {**_PLAIN, name: CHALLENGE})


def _address(client: Client) -> str:
    return str(client.peername[0])
