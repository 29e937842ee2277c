"""Let any page read any API while you develop: answer CORS preflights and allow every origin.

midstream -s examples/addons/cors_unlock.py --set cors_hosts='api\\.example$'

For development only: it takes a protection of the browser away for the hosts that match.
"""

import re

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader


class CorsUnlock:
    def __init__(self) -> None:
        self.hosts = re.compile("")

    def load(self, loader: Loader) -> None:
        loader.add_option("cors_hosts", str, "", "Unlock hosts that match this regular expression; all when empty.")

    def configure(self, updated: set[str]) -> None:
        if "cors_hosts" in updated:
            try:
                self.hosts = re.compile(ctx.options.cors_hosts)
            except re.error as error:
                raise exceptions.OptionsError(f"cors_hosts: {error}") from None

    def request(self, flow: http.HTTPFlow) -> None:
        headers = flow.request.headers
        preflight = flow.request.method == "OPTIONS" and "access-control-request-method" in headers
        if preflight and self.unlocks(flow):
            flow.response = http.Response.make(204)
            flow.response.headers["access-control-allow-methods"] = headers["access-control-request-method"]
            flow.response.headers["access-control-allow-headers"] = headers.get("access-control-request-headers", "")

    def response(self, flow: http.HTTPFlow) -> None:
        """Also called for the answers that `request` made."""
        origin = flow.request.headers.get("origin")
        if origin and flow.response and self.unlocks(flow):
            # Browsers refuse `*` for requests with cookies, so the very origin is named.
            flow.response.headers["access-control-allow-origin"] = origin
            flow.response.headers["access-control-allow-credentials"] = "true"
            flow.response.headers.add("vary", "origin")

    def unlocks(self, flow: http.HTTPFlow) -> bool:
        return self.hosts.search(flow.request.pretty_host) is not None


addons = [CorsUnlock()]
