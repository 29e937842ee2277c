"""Reverse modes: alternatives that a server names (Alt-Svc, RFC 7838) are at our port, or clients would go past us."""

from __future__ import annotations

import re

from midstream.addons.mode_specs import is_mode
from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ReverseMode
from midstream.hub import ctx
from midstream.hub.addons import Loader

# The authority of an alternative, RFC 7838 §3: `h2="other.example:8000"`, or with the same host `h3=":443"`.
# Possessive, since a hostile server would otherwise keep us busy for seconds by one header.
_AUTHORITY = re.compile(r'="[^":\[]*+(?:\[[^"\]]*+\])?+:[0-9]++"')


class UpdateAltSvc:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What rewrites, from the first reverse mode on: the connections of one that is closed go on."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "keep_alt_svc_header",
            bool,
            False,
            "Reverse modes: leave Alt-Svc headers as they are, instead of naming the port that we listen on.",
        )

    def configure(self, updated: set[str]) -> None:
        if not updated & {"keep_alt_svc_header", "mode"}:
            return
        keep = ctx.options.keep_alt_svc_header
        wanted = not keep and (bool(self.addons) or any(is_mode(spec, ReverseMode) for spec in ctx.options.mode))
        if wanted != bool(self.addons):
            self.addons[:] = [Rewriting()] if wanted else []
            ctx.master.addons.rebind()


class Rewriting:
    """The rewriting itself."""

    name = "update_alt_svc_rewriting"

    def responseheaders(self, flow: HTTPFlow) -> None:
        if flow.response is None or not isinstance(flow.client_conn.proxy_mode, ReverseMode):
            return
        headers = flow.response.headers
        if "alt-svc" in headers:
            port = flow.client_conn.sockname[1]
            headers.set_all("alt-svc", [update_alt_svc_header(value, port) for value in headers.get_all("alt-svc")])


def update_alt_svc_header(header: str, port: int) -> str:
    """An Alt-Svc value with all its alternatives at the host that it comes from, and this port."""
    return _AUTHORITY.sub(f'=":{port}"', header)
