"""The recording behind the option `hardump`: each flow that finishes becomes an entry of a file, a HAR at the end.

Made by the addon savehar while there is a hardump. Entries are made on the loop, where flows live, and go to the disk
in a thread, a tenth of a second after the flow; when the disk is slower than the traffic, the traffic waits. A full
disk ends it, with all entries that found room.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from midstream.addons.finishing import Finishing, weight
from midstream.addons.output import Output
from midstream.filters import Filter
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.store.files import target
from midstream.store.formats.har_write import Entries, decode, start, takes_time
from midstream.store.har_file import HarFile, PrintedHar
from midstream.work.slices import Budget

_AT_ONCE = 1 << 20


class HarDump(Finishing):
    """One file."""

    name = "hardump"

    def __init__(
        self, path: str, filter_: Filter | None, failed: Callable[[HarDump, OSError], None], out: Output | None = None
    ) -> None:
        super().__init__()
        self.path = "stdout" if path == "-" else target(path).path
        self.filter = filter_
        self._failed = failed
        self._out = out or Output()
        beginning = start(program_version())
        self._file: HarFile | PrintedHar = PrintedHar(beginning) if path == "-" else HarFile(self.path, beginning)
        self._entries = Entries()

    @property
    def count(self) -> int:
        """How many entries there are."""
        return self._entries.count

    def close(self) -> None:
        """Let `run` end: it writes what is finished, and what is still open as it is now."""
        self._closing.set()
        self._news.set()

    # --- writing

    async def run(self) -> None:
        """Until `close`."""
        try:
            await asyncio.to_thread(self._file.open)
            self.is_open.set()
            await self._until_closed()
            await self._end()
        except OSError as error:
            await self._give_up(error)
        finally:
            self.is_open.set()
            self._closing.set()
            self._has_room.set()

    async def _end(self) -> None:
        try:
            await asyncio.to_thread(self._file.close)
        except OSError:
            self._entries.count = 0  # it is not there
            raise
        if isinstance(self._file, PrintedHar):
            for text in self._file.text():
                if not self._out.write(text):
                    return

    async def _give_up(self, error: OSError) -> None:
        """What is in the file stays; a HAR without entries is of no use."""
        try:
            await asyncio.to_thread(lambda: self._file.close(keep=self.count > 0))
        except OSError:
            self._entries.count = 0
        self._failed(self, error)

    async def _write_finished(self) -> None:
        self._news.clear()
        flows, self._finished = self._finished, []
        batch, size, budget = [], 0, Budget()
        for flow in flows:
            if flow.intercepted and flow.live and not self._closing.is_set():
                self._finished.append(flow)
                self._news.set()
                continue
            assert isinstance(flow, HTTPFlow)
            if self.filter is None or self.filter(flow):
                entry = b"".join([piece async for piece in paced(self._entries, flow, budget)])
                batch.append(entry)
                size += len(entry)
            self._written(weight(flow))
            if size >= _AT_ONCE:
                await self._write(batch)
                batch, size = [], 0
        await self._write(batch)

    async def _write(self, batch: list[bytes]) -> None:
        if not batch:
            return
        try:
            await asyncio.to_thread(lambda: self._file.write(batch))
        except OSError:
            self._entries.count -= len(batch)
            raise


async def paced(entries: Entries, flow: HTTPFlow, budget: Budget) -> AsyncIterator[bytes]:
    """The pieces of an entry; the loop gets its turns meanwhile. The budget is that of all entries: many are short."""
    flow = ctx.master.showing.flow(flow)
    decoded = await asyncio.to_thread(decode, flow) if takes_time(flow) else decode(flow)
    for piece in entries.pieces(flow, decoded):
        if piece:
            yield piece
        if budget.spent():
            await budget.rest()


def program_version() -> str:
    """Ours; looked up when it is asked for, since that takes a while."""
    from midstream import __version__

    return str(__version__)
