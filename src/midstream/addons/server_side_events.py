"""Say so when an event stream is held until it ends: its client waits for events that do not come.

Event streams pass as they come by themselves (`stream_endless_bodies`). They are held where that is off, where a filter
of `intercept` or a rule of `modify_body` matches them, or where a script wants them whole.
"""

from __future__ import annotations

import logging

from midstream.filters.filter import described
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.repeats import Repeats

logger = logging.getLogger(__name__)

HOLDING = ("intercept", "modify_body")
"""Options for which a body is wanted whole."""


class ServerSideEvents:
    """The addon; see the module. It comes last, so that it sees what the others want."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What looks at responses, while an option may hold any."""

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        holding = [name for name in HOLDING if name in options and getattr(options, name)]
        wanted = bool(holding) or not options.stream_endless_bodies
        if wanted != bool(self.addons):
            self.addons[:] = [Watching()] if wanted else []
            ctx.master.addons.rebind()


class Watching:
    """Looks at heads of responses."""

    name = "server_side_events"

    def __init__(self) -> None:
        self._repeats = Repeats()

    def responseheaders(self, flow: HTTPFlow) -> None:
        response = flow.response
        if response is None or response.stream or response.raw_content is not None:
            return
        if response.stream is None or not ctx.options.stream_endless_bodies:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "text/event-stream":
                text = f"this event stream is held until it ends, because of {_cause(response.stream)}"
                self._repeats.warn(logger, text, described(flow))


def _cause(stream: object) -> str:
    options = ctx.options
    if stream is not None:
        return "stream_endless_bodies=false"
    holding = [name for name in HOLDING if name in options and getattr(options, name)]
    return " or ".join([*holding, "a script"])
