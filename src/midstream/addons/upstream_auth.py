"""Credentials for whom we send requests to: the parent proxy, or the server of a reverse mode.

Towards a parent the proxy itself adds them to plain http requests, so that no flow shows them, and gives them to a
SOCKS5 parent; a CONNECT and a request of a reverse mode get them here.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from midstream.addons.mode_specs import is_mode
from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ReverseMode, UpstreamMode
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.parents.http import basic
from midstream.proxy.server import Proxy
from midstream.text.url import hostport
from midstream.wire.socks5 import Credentials

logger = logging.getLogger("midstream.proxy")


class UpstreamAuth:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.addons: list[object] = []
        """What adds the fields, while there are credentials, and what says that they are missing or wrong."""

    def load(self, loader: Loader) -> None:
        option = loader.add_option
        option(
            "upstream_auth",
            str | None,
            None,
            "Credentials for the parent proxy or, in reverse modes, for the server: user:password.",
            kind="secret",
        )
        option("http_connect_send_host_header", bool, True, "Send a Host header with CONNECT to a parent proxy.")

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "http_connect_send_host_header" in updated:
            with_host = options.http_connect_send_host_header
            self._proxy.settings = replace(self._proxy.settings, connect_with_host=with_host)
        if updated & {"upstream_auth", "mode"}:
            text = options.upstream_auth
            credentials = _parse(text) if text else None
            self._proxy.settings = replace(self._proxy.settings, parent_credentials=credentials)
            self.addons[:] = [Adding(credentials)] if credentials is not None else []
            if any(is_mode(spec, UpstreamMode) for spec in options.mode):
                self.addons.append(Hinting(has_credentials=credentials is not None))
            ctx.master.addons.rebind()


class Adding:
    """The fields themselves."""

    name = "upstream_auth_adding"

    def __init__(self, credentials: Credentials) -> None:
        self._basic = basic(credentials)

    def http_connect_upstream(self, flow: HTTPFlow) -> None:
        """To the parent, unless a script brought something else. In a reverse mode they are not the parent's."""
        if not isinstance(flow.client_conn.proxy_mode, ReverseMode):
            headers = flow.request.headers
            if "Proxy-Authorization" not in headers:
                headers["Proxy-Authorization"] = self._basic

    def requestheaders(self, flow: HTTPFlow) -> None:
        """To the server of a reverse mode, and to no other that a script may send the request to."""
        mode, request = flow.client_conn.proxy_mode, flow.request
        if isinstance(mode, ReverseMode) and (request.scheme, (request.host, request.port)) == (
            mode.scheme,
            mode.address,
        ):
            request.headers["Authorization"] = self._basic


class Hinting:
    """The answers of parents to plain requests, which go to clients that know nothing of a parent."""

    name = "upstream_auth_hinting"

    def __init__(self, *, has_credentials: bool) -> None:
        self._problem = "does not accept the credentials of" if has_credentials else "wants credentials; give them by"
        self._told: set[object] = set()

    def responseheaders(self, flow: HTTPFlow) -> None:
        """Say it once for each parent."""
        via = flow.server_conn.via
        if via is not None and via not in self._told and flow.response is not None and flow.response.status_code == 407:
            self._told.add(via)
            where = hostport("", *via[1])
            logger.warning("the parent proxy %s %s the option upstream_auth (user:password)", where, self._problem)


def parse_upstream_auth(auth: str) -> bytes:
    """The value of (Proxy-)Authorization for `user:password`. Raises OptionsError."""
    return basic(_parse(auth))


def _parse(text: str) -> Credentials:
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise OptionsError("upstream_auth: this is no user:password")  # without the text, which is a secret
    return Credentials(user.encode(), password.encode())
