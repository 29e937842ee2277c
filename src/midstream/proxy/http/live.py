"""Shows a body while it streams: the flow gets what has come so far, and `update` tells whoever shows flows.

Used by `relay` for bodies of the kinds that are read as they come (`bodies.ENDLESS`). What is kept of them is decided
in `bodies.py`; how often it is shown, here.
"""

import asyncio

from midstream.flows.flow import Flow
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.bodies import StreamedBody

# Four times a second looks live, and costs nothing to speak of; joining a large body does, so it is done less often.
INTERVAL = 0.25
BYTES_PER_SECOND = 32 * 1024 * 1024


class LiveBody:
    """One body on its way; `close` when there is no more of it, whatever the reason."""

    __slots__ = ("_body", "_context", "_flow", "_timer")

    def __init__(self, flow: Flow, body: StreamedBody, context: ClientContext) -> None:
        self._flow = flow
        self._body = body
        self._context = context
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self) -> None:
        """More of it has come: it is shown soon, together with what comes until then."""
        if self._timer is None and self._body.live:
            wait = max(INTERVAL, self._body.size / BYTES_PER_SECOND)
            self._timer = asyncio.get_running_loop().call_later(wait, self._show)

    def _show(self) -> None:
        self._timer = None
        self._body.show()
        self._context.spawn(self._tell())

    async def _tell(self) -> None:
        await self._context.events.update([self._flow])

    def close(self) -> None:
        """Show nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._body.show()
