"""Flows on their way to a file: when one is finished, and how many may wait. The recordings `save_stream` and `hardump`
are such; what they write and how is theirs. Of the flows that it notes, only the kinds come that a recording handles.

What waits is bounded: when the disk is slower than the traffic, the traffic waits for the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Self

from midstream.addons.tls_failures import is_folded
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow

INTERVAL = 0.1
"""Seconds from the end of a flow to its place in the file; what a kill -9 may take."""
MOST_WAITING = 64 << 20
"""Bytes of flows that wait for the disk before further ones are waited for."""
_OVERHEAD = 2000


class Finishing:
    """The handlers of HTTP, and what they gather."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        """The file is there, or could not be made."""
        self._open: dict[Flow, None] = {}
        self._finished: list[Flow] = []
        self._waiting = 0
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def take_over(self, other: Self) -> None:
        """Write the flows that are still open to this file, and not half of each to the one before."""
        self._open, other._open = other._open, {}

    # --- which flows

    def requestheaders(self, flow: HTTPFlow) -> None:
        self._open[flow] = None

    def response(self, flow: HTTPFlow) -> Awaitable[None] | None:
        if flow.websocket is not None and flow.response is not None and flow.response.status_code == 101:
            return None
        return self._finish(flow)

    def websocket_end(self, flow: HTTPFlow) -> Awaitable[None] | None:
        return self._finish(flow)

    def error(self, flow: HTTPFlow) -> Awaitable[None] | None:
        # Not when it was saved with its response, and only the client did not take that.
        if flow in self._open or flow.response is None or flow.response.timestamp_end is None:
            return self._finish(flow)
        return None

    def http_connect_error(self, flow: HTTPFlow) -> Awaitable[None] | None:
        return None if is_folded(flow) else self._finish(flow)

    def _finish(self, flow: Flow) -> Awaitable[None] | None:
        self._open.pop(flow, None)
        self._finished.append(flow)
        self._news.set()
        self._waiting += weight(flow)
        if self._waiting < MOST_WAITING:
            return None
        self._has_room.clear()
        return self._room()

    async def _room(self) -> None:
        """Wait until more may wait."""
        await self._has_room.wait()

    def _written(self, weighed: int) -> None:
        """So much waits no more."""
        self._waiting = max(0, self._waiting - weighed)
        if self._waiting < MOST_WAITING:
            self._has_room.set()

    def _weigh_anew(self) -> None:
        """Some have become smaller since they finished, and for what a person holds no disk is to blame."""
        self._waiting = sum(weight(flow) for flow in self._finished if not (flow.intercepted and flow.live))
        self._written(0)

    # --- and when to write them

    async def _until_closed(self) -> None:
        """Write what finishes; at the end also what is still open, as it is then."""
        while not self._closing.is_set():
            await self._news.wait()
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._closing.wait()
            except TimeoutError:
                pass
            await self._write_finished()
            self._weigh_anew()
        self._finished += self._open
        self._open = {}
        await self._write_finished()

    async def _write_finished(self) -> None:
        """Write the flows that are finished and not held by a person."""
        raise NotImplementedError


def weight(flow: Flow) -> int:
    """About what a flow takes while it waits."""
    if isinstance(flow, HTTPFlow):
        response = flow.response
        return _OVERHEAD + len(flow.request.raw_content or b"") + (len(response.raw_content or b"") if response else 0)
    return _OVERHEAD
