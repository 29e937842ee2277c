"""Send the requests for one host to another: production to staging, say. The Host header follows.

midstream -s examples/addons/redirect_host.py --set redirect_host=shop.example=staging.example:8443

The server sees a request that was meant for it. To change nothing but the address, see choose_server.py.
"""

from collections.abc import Sequence

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader


class RedirectHost:
    def __init__(self) -> None:
        self.targets: dict[str, tuple[str, int | None]] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option("redirect_host", Sequence[str], [], "Other hosts for requests: host=host or host=host:port.")

    def configure(self, updated: set[str]) -> None:
        if "redirect_host" in updated:
            self.targets = dict(parse(text) for text in ctx.options.redirect_host)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        target = self.targets.get(flow.request.pretty_host.lower())
        if target is not None:
            flow.comment = f"was meant for {flow.request.pretty_host}"
            flow.request.host, port = target  # rewrites the Host header, too
            flow.request.port = port or flow.request.port


def parse(text: str) -> tuple[str, tuple[str, int | None]]:
    asked, _, given = text.partition("=")
    host, _, port = given.partition(":")
    if not asked or not host or not (port.isdecimal() or port == ""):
        raise exceptions.OptionsError(f"redirect_host: {text!r}: write host=host or host=host:port")
    return asked.lower(), (host, int(port) if port else None)


addons = [RedirectHost()]
