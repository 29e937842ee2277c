"""Take the cookies out of requests and responses, but for those that you name: a visitor whom nobody knows.

midstream -s examples/addons/strip_cookies.py --set strip_cookies_keep=consent
"""

from collections.abc import Sequence

from midstream import ctx, http
from midstream.addonmanager import Loader


class StripCookies:
    def load(self, loader: Loader) -> None:
        loader.add_option("strip_cookies_keep", Sequence[str], [], "Names of cookies that are left alone.")

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        # Without cookies this costs one look at the headers; `multi` since a name may come twice.
        if "cookie" in flow.request.headers:
            keep = ctx.options.strip_cookies_keep
            flow.request.cookies = [pair for pair in flow.request.cookies.items(multi=True) if pair[0] in keep]

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if "set-cookie" in flow.response.headers:
            keep = ctx.options.strip_cookies_keep
            flow.response.cookies = [pair for pair in flow.response.cookies.items(multi=True) if pair[0] in keep]


addons = [StripCookies()]
