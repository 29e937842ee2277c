"""Ask servers for bodies without content encoding, for tools behind us that cannot undo one."""

from __future__ import annotations

from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader


class AntiComp:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What changes the requests, while the option is on."""

    def load(self, loader: Loader) -> None:
        loader.add_option("anticomp", bool, False, "Ask servers to send their responses uncompressed.")

    def configure(self, updated: set[str]) -> None:
        if "anticomp" in updated:
            self.addons[:] = [Asking()] if ctx.options.anticomp else []
            ctx.master.addons.rebind()


class Asking:
    """Says so in Accept-Encoding."""

    name = "anticomp"

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Here and not at `request`, as a body that streams has left by then."""
        flow.request.anticomp()
