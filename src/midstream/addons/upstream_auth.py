"""Credentials for whom we send requests to: the parent proxy, or the server of a reverse mode.

Towards a parent the proxy itself adds them to plain http requests, so that no flow shows them, and gives them to a
SOCKS5 parent; a CONNECT and a request of a reverse mode get them here.
"""

from __future__ import annotations

from dataclasses import replace

from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ReverseMode
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.parents.http import basic
from midstream.proxy.server import Proxy
from midstream.wire.socks5 import Credentials


class UpstreamAuth:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.addons: list[object] = []
        """What adds the fields, while there are credentials."""

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
        if "upstream_auth" in updated:
            text = options.upstream_auth
            credentials = _parse(text) if text else None
            self._proxy.settings = replace(self._proxy.settings, parent_credentials=credentials)
            self.addons[:] = [Adding(credentials)] if credentials is not None else []
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
        if isinstance(mode, ReverseMode) and (request.host, request.port) == mode.address:
            request.headers["Authorization"] = self._basic


def parse_upstream_auth(auth: str) -> bytes:
    """The value of (Proxy-)Authorization for `user:password`. Raises OptionsError."""
    return basic(_parse(auth))


def _parse(text: str) -> Credentials:
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise OptionsError("upstream_auth: this is no user:password")  # without the text, which is a secret
    return Credentials(user.encode(), password.encode())
