"""Writes flows that finish into a file while traffic goes on. Made by the addon `save` as long as there is a file.

A flow waits for a tenth of a second, so that many are written at once, or for as long as a person holds it; then it is
turned into bytes on the loop, where flows live, and goes to the disk in a thread. What waits is bounded: when the disk
is slower than the traffic, the traffic waits for the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from midstream.addons.finishing import Finishing, weight
from midstream.addons.tls_failures import is_folded
from midstream.filters import Filter
from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Flow
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.hub import ctx
from midstream.store.files import Target
from midstream.store.formats.native import Saver, Unsavable
from midstream.store.stream_file import StreamFile
from midstream.text.escape import visible
from midstream.work.slices import Budget

logger = logging.getLogger("midstream.addons.save")

PATIENCE = 10.0
"""Seconds that a flow waits for a disk that takes nothing, before saving is given up."""
_AT_ONCE = 8 << 20


class SaveStream(Finishing):
    """One file, or one row of them, and the flows on their way to it."""

    name = "save_stream"

    def __init__(
        self, target: Target, filter_: Filter | None, failed: Callable[[SaveStream, OSError, int], None]
    ) -> None:
        super().__init__()
        self.target = target
        self.filter = filter_
        self._failed = failed
        self._file = StreamFile(target)
        self._saver = Saver()
        self._lost = 0
        self._thread = ThreadPoolExecutor(1, "save")
        self._told: set[str] = set()
        self._task = ctx.master.background.spawn(self._run(), "save flows")

    async def close(self) -> None:
        """Write what is finished, and what is still open as it is now."""
        self._closing.set()
        self._news.set()
        await asyncio.wait((self._task,))

    @property
    def path(self) -> str:
        """Where flows go now; empty before the first file is open."""
        return self._file.path

    # --- which flows besides those of HTTP

    def tcp_start(self, flow: TCPFlow) -> None:
        self._open[flow] = None

    def udp_start(self, flow: UDPFlow) -> None:
        self._open[flow] = None

    def dns_request(self, flow: DNSFlow) -> None:
        self._open[flow] = None

    def tcp_end(self, flow: TCPFlow) -> Awaitable[None] | None:
        return self._finish(flow)

    def tcp_error(self, flow: TCPFlow) -> Awaitable[None] | None:
        if not is_folded(flow):
            return self._finish(flow)
        self._open.pop(flow, None)
        return None

    def udp_end(self, flow: UDPFlow) -> Awaitable[None] | None:
        return self._finish(flow)

    def udp_error(self, flow: UDPFlow) -> Awaitable[None] | None:
        return self._finish(flow)

    def dns_response(self, flow: DNSFlow) -> Awaitable[None] | None:
        return self._finish(flow)

    def dns_error(self, flow: DNSFlow) -> Awaitable[None] | None:
        # One that is read again has both, and was saved with its response.
        return self._finish(flow) if flow in self._open or flow.response is None else None

    async def _room(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._has_room.wait()
        except TimeoutError:
            self._give_up(OSError(f"the disk has taken nothing for {PATIENCE:g} s"), 0)

    # --- writing

    async def _run(self) -> None:
        try:
            await self._in_thread(self._file.open)
            self.is_open.set()
            await self._until_closed()
            await self._in_thread(self._file.close)
        except OSError as error:
            self._give_up(error, self._lost + len(self._finished))
        finally:
            self.is_open.set()
            self._has_room.set()
            self._thread.shutdown(wait=False)

    def _give_up(self, error: OSError, lost: int) -> None:
        if not self._closing.is_set():
            self._closing.set()
            self._news.set()
        self._has_room.set()
        self._failed(self, error, lost)

    async def _write_finished(self) -> None:
        self._news.clear()
        flows, self._finished = self._finished, []
        items: list[bytes] = []
        size = weighed = done = 0
        budget = Budget()
        try:
            for flow in flows:
                done += 1
                if flow.intercepted and flow.live and not self._closing.is_set():
                    self._finished.append(flow)
                    self._news.set()
                    continue
                weighed += weight(flow)
                if self.filter is None or self.filter(flow):
                    item = self._item(flow)
                    items.append(item)
                    size += len(item)
                if size > _AT_ONCE:
                    await self._write(items)
                    items, size = [], 0
                if budget.spent():
                    await budget.rest()
            if items:
                await self._write(items)
        except OSError:
            self._lost = len(flows) - done + len(items) - self._file.kept
            raise
        self._written(weighed)

    async def _write(self, items: Sequence[bytes]) -> None:
        await self._in_thread(lambda: self._file.write(items))

    async def _in_thread(self, func: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, func)
        finally:
            notes, self._file.notes = self._file.notes, []
            for note in notes:
                logger.warning("%s", visible(note))

    def _item(self, flow: Flow) -> bytes:
        try:
            item, left_out = self._saver.saved(flow)
        except Unsavable as error:
            logger.warning("a flow cannot be saved: %s", visible(str(error)), extra={"flow": flow.id})
            return b""
        for what in left_out:
            if what not in self._told:
                self._told.add(what)
                logger.warning("flows are saved without what has no form in a file: %s", visible(what))
        return item
