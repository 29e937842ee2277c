"""Have servers send whole answers instead of "304 not modified"."""

from __future__ import annotations

from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader


class AntiCache:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What changes the requests, while the option is on."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "anticache",
            bool,
            False,
            "Remove the headers by which a server may answer 304 instead of sending the whole response.",
        )

    def configure(self, updated: set[str]) -> None:
        if "anticache" in updated:
            self.addons[:] = [Dropping()] if ctx.options.anticache else []
            ctx.master.addons.rebind()


class Dropping:
    """Takes the headers out."""

    name = "anticache"

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Here and not at `request`, as a body that streams has left by then."""
        flow.request.anticache()
