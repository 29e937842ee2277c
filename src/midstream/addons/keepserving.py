"""End `middump` when all that it was started for is done.

A run that was given something to read or to replay ends when nothing is read, nothing is left to replay, no answer
waits for its request, and nobody is connected. `keepserving` makes it stay up.
"""

from __future__ import annotations

import asyncio

from midstream.hub import ctx
from midstream.hub.addons import Loader

INTERVAL = 0.02
"""Seconds between two looks."""

_ENDS_AFTER = ("client_replay", "server_replay", "rfile")
_STILL_AT_WORK = (
    "readfile.reading",
    "replay.client.count",
    "replay.server.count",
    "proxyserver.active_connections",
)


class KeepServing:
    """The addon; see the module."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "keepserving",
            bool,
            False,
            "Stay up when everything that was given to read or to replay is read or replayed.",
        )

    def running(self) -> None:
        options = ctx.options
        if not options.keepserving and any(name in options and getattr(options, name) for name in _ENDS_AFTER):
            ctx.master.background.spawn(self._watch(), "end when everything is done")

    async def _watch(self) -> None:
        master = ctx.master
        await master.is_up.wait()
        while True:
            await asyncio.sleep(INTERVAL)  # first, so that what the start set off has begun
            if master.options.keepserving:
                return
            if not any(name in master.commands.commands and master.commands.call(name) for name in _STILL_AT_WORK):
                master.shutdown()
                return
