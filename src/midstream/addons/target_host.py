"""Reverse modes: requests call the server by its own name, and not by the one that clients know us by.

Rewrites Host, or `:authority`, before scripts see the request, unless `keep_host_header` says otherwise. The proxy asks
for the same name in TLS.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from midstream.addons.mode_specs import is_mode
from midstream.flows.connection import Address
from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ReverseMode
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.server import Proxy
from midstream.text.url import hostport


class TargetHost:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.addons: list[object] = []
        """What rewrites, from the first reverse mode on: the connections of one that is closed go on."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "keep_host_header",
            bool,
            False,
            "Reverse modes: leave the host that the client names in its request, and in TLS, instead of the server's.",
        )

    def configure(self, updated: set[str]) -> None:
        if not updated & {"keep_host_header", "mode"}:
            return
        keep = ctx.options.keep_host_header
        self._proxy.settings = replace(self._proxy.settings, keep_host_header=keep)
        wanted = not keep and (bool(self.addons) or any(is_mode(spec, ReverseMode) for spec in ctx.options.mode))
        if wanted != bool(self.addons):
            self.addons[:] = [Rewriting()] if wanted else []
            ctx.master.addons.rebind()


class Rewriting:
    """The rewriting itself."""

    name = "target_host_rewriting"

    def requestheaders(self, flow: HTTPFlow) -> None:
        if not isinstance(flow.client_conn.proxy_mode, ReverseMode) or flow.is_replay:
            return
        request = flow.request
        name = _name(request.scheme, (request.host, request.port))
        request.host_header = name
        if request.raw_authority:  # the whole URL stood in the request line
            request.authority = name


@lru_cache(maxsize=64)
def _name(scheme: str, address: Address) -> str:
    return hostport(scheme, *address)
