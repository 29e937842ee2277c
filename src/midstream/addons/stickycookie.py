"""Give requests that match a filter the cookies that servers have set, whoever they were set for.

So a client without cookies, as a crawler, shares the session of a browser. What servers set is kept from the moment the
option is set. A client's own cookies stay, but for those that a server has set anew.
"""

from __future__ import annotations

from midstream.addons.cookie_jar import CookieJar
from midstream.addons.rules import OnRequest, by_rule, filter_of
from midstream.filters.filter import Filter
from midstream.flows.cookies import read_cookie_header
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.server import Proxy


class StickyCookie:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._jar = CookieJar()
        self.addons: list[object] = []
        """What keeps and gives cookies, while there is a filter."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "stickycookie",
            str | None,
            None,
            "Give requests that match this filter the cookies that servers have set for others.",
            kind="filter",
        )

    def configure(self, updated: set[str]) -> None:
        if "stickycookie" not in updated:
            return
        matches = filter_of("stickycookie")
        if matches is None:
            self._jar = CookieJar()
        self.addons[:] = [Sticking(self._proxy, matches, self._jar)] if matches is not None else []
        ctx.master.addons.rebind()


class Sticking(OnRequest):
    """The jar at work."""

    name = "stickycookie"

    def __init__(self, proxy: Proxy, matches: Filter, jar: CookieJar) -> None:
        super().__init__(proxy)
        self._matches = matches
        self._jar = jar

    def concerns(self, flow: HTTPFlow) -> bool:
        return self._matches(flow)

    def act(self, flow: HTTPFlow) -> None:
        request = flow.request
        if not len(self._jar) or not self._matches(flow):
            return
        found = self._jar.fitting(request.pretty_host, request.port, request.path, over_tls=request.scheme == "https")
        if not found:
            return
        names = {cookie.name for cookie in found}
        pairs = [cookie.pair for cookie in found]
        for header in request.headers.get_all("cookie"):
            pairs += [raw for (name, _), raw in read_cookie_header(header) if name not in names]
        with by_rule(flow, self.name, self._matches.pattern):
            request.headers["cookie"] = "; ".join(pairs)
        flow.metadata["stickycookie"] = True

    def response(self, flow: HTTPFlow) -> None:
        response, request = flow.response, flow.request
        if response is not None and "set-cookie" in response.headers:
            self._jar.take(
                response.headers.get_all("set-cookie"),
                request.pretty_host,
                request.port,
                over_tls=request.scheme == "https",
            )
