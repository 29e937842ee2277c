"""Give requests that match a filter the Authorization that was last sent to the same place.

The same place is scheme, host and port (RFC 9110 §11.5): what was said inside TLS is never repeated in the clear.
"""

from __future__ import annotations

from midstream.addons.rules import OnRequest, by_rule, filter_of
from midstream.filters.filter import Filter
from midstream.flows.http import HTTPFlow, Request
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.server import Proxy

MOST = 1000
"""Places whose credentials are kept; then the one that was heard of longest ago goes."""


class StickyAuth:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.addons: list[object] = []
        """What keeps and gives credentials, while there is a filter."""
        self._known: dict[Place, str] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "stickyauth",
            str | None,
            None,
            "Give requests that match this filter the Authorization that was last sent to the same server.",
            kind="filter",
        )

    def configure(self, updated: set[str]) -> None:
        if "stickyauth" not in updated:
            return
        matches = filter_of("stickyauth")
        if matches is None:
            self._known = {}
        self.addons[:] = [Sticking(self._proxy, matches, self._known)] if matches is not None else []
        ctx.master.addons.rebind()


Place = tuple[str, str, int, str]


class Sticking(OnRequest):
    """The credentials at work."""

    name = "stickyauth"

    def __init__(self, proxy: Proxy, matches: Filter, known: dict[Place, str]) -> None:
        super().__init__(proxy)
        self._matches = matches
        self._known = known

    def concerns(self, flow: HTTPFlow) -> bool:
        return self._matches(flow)

    def act(self, flow: HTTPFlow) -> None:
        headers, place = flow.request.headers, _place(flow.request)
        said = headers.get("authorization")
        if said is not None:
            self._known.pop(place, None)
            if len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[place] = said
        elif (known := self._known.get(place)) is not None and self._matches(flow):
            with by_rule(flow, self.name, self._matches.pattern):
                headers["Authorization"] = known


def _place(request: Request) -> Place:
    # In transparent modes the host may be an address that many names share.
    return request.scheme, request.host, request.port, request.pretty_host.lower()
