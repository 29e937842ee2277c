"""Asking for requests that nobody checks: the option without which `request.send_raw` is refused (promises.md 1)."""

from __future__ import annotations

from dataclasses import replace

from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.server import Proxy


class SendRaw:
    """Compiles the option for the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "send_raw",
            bool,
            False,
            "Let scripts send bytes of their own in place of a request, unchecked, for research.",
        )

    def configure(self, updated: set[str]) -> None:
        if "send_raw" in updated:
            self._proxy.settings = replace(self._proxy.settings, send_raw=ctx.options.send_raw)
