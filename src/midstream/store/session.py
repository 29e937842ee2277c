"""The session: captured flows leave memory for a file, and come back when somebody asks.

One `Session` belongs to one `View`, which tells it of every flow that is new, changed or gone, and asks it for those
that are not in memory. Every quarter second what has changed is written in one transaction by a thread, so that a kill
costs less than a second. What is written, finished, and held by nobody else, leaves memory when newer flows need the
room. On the loop all of that takes some ten microseconds for each flow.

When the disk refuses, the session says so once; flows stay in memory until it takes them again. Nothing here knows
options or folders; that is `addons/session.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from midstream.flows.flow import Flow
from midstream.flows.state import StateError
from midstream.store.rows import Row
from midstream.store.session_codec import Snapshot, Stored, comes_back_whole, unpack_flow
from midstream.store.session_file import Batch, Fate, FlowWrite, SessionFile
from midstream.store.session_kept import Kept
from midstream.store.session_links import Links
from midstream.store.session_reader import Reader
from midstream.text.escape import visible
from midstream.work.slices import Budget, cooperate

logger = logging.getLogger("midstream.session")

T = TypeVar("T")

INTERVAL: Final = 0.25
"""Seconds between two writes."""
RETRY: Final = 10.0
"""Seconds until it is tried again where the disk refused."""
MOST_BYTES: Final = 48 << 20
"""Bytes of finished flows that stay in memory."""
MOST_FLOWS: Final = 2000
"""Finished flows that stay in memory."""
_BATCH_FLOWS: Final = 2000
_BATCH_BYTES: Final = 16 << 20
_LOOKS: Final = 64  # flows that cannot leave, looked at in one go


class Home(Protocol):
    """What a session asks of the view."""

    def update(self, flow: Flow) -> None: ...


class Session:
    """See the module. `flows` is the view's dict of the flows in memory. All methods are for the loop's thread."""

    def __init__(self, file: SessionFile, flows: dict[str, Flow], home: Home) -> None:
        self.file = file
        self.failed = ""
        """Why nothing is written at present."""
        self._flows = flows
        self._home = home
        self._kept: dict[int, Kept] = {}
        self._weight = 0
        self._dirty: list[Kept] = []
        self._gone = Batch()
        self._told: list[tuple[Fate, Sequence[Row]]] = []  # what became of flows that were taken out
        self.reader = Reader(file)
        """For what is written."""
        self._links = Links(self.reader.connection)
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._busy = asyncio.Lock()
        self._writer = ThreadPoolExecutor(1, "session")
        self._unreadable: set[int] = set()
        self._is_closed = False
        self.on_failure: Callable[[str], None] = lambda why: None
        self.on_recovery: Callable[[], None] = lambda: None

    # --- what the view tells

    def note(self, row: Row, flow: Flow) -> None:
        """A flow is new or has changed."""
        kept = self._kept.get(row.number)
        if kept is None:
            kept = self._kept[row.number] = Kept(row, flow)
            self._flows[row.id] = flow
            self._weight += kept.weight
        if not kept.is_dirty:
            kept.is_dirty = True
            if not self._dirty:
                self._news.set()
            self._dirty.append(kept)

    def connection_changed(self, connection: object) -> None:
        """A connection was closed: its flows may be written already."""
        if self._links.changed(connection):  # type: ignore[arg-type] # only known objects are looked at
            self._news.set()

    def remove(self, rows: Sequence[Row]) -> None:
        """Flows that were taken out are gone for good."""
        self._tell("removed", rows)

    def take_out(self, gone: Mapping[str, Row]) -> list[Kept]:
        """Flows are gone for now. Those that have to stay in memory are handed over; nothing is read."""
        taken = []
        for kept in self._kept_of(gone):
            if not self._leave(kept):
                taken.append(kept)
                del self._kept[kept.row.number]
                self._weight -= kept.weight
                kept.is_dirty = False  # in the list of what is to be written it is passed over then
        self._tell("taken", list(gone.values()))
        return taken

    def _kept_of(self, gone: Mapping[str, Row]) -> list[Kept]:
        """Those of them that are in memory. Either may be very many."""
        if len(gone) < len(self._kept):
            return [kept for row in gone.values() if (kept := self._kept.get(row.number)) is not None]
        return [kept for kept in self._kept.values() if kept.row.id in gone]

    def _tell(self, fate: Fate, rows: Sequence[Row]) -> None:
        self._told.append((fate, rows))
        self._news.set()

    def put_back(self, rows: Sequence[Row], taken: Iterable[Kept]) -> None:
        """What was taken out is there again."""
        self._told.append(("back", rows))
        for kept in taken:
            self._kept[kept.row.number] = kept
            self._flows[kept.row.id] = kept.flow
            self._weight += kept.weight
            kept.is_dirty = False
            self.note(kept.row, kept.flow)
        self._news.set()

    # --- reading

    def load(self, row: Row) -> Flow | None:
        """A flow that is not in memory; None, and a line in the log, when it cannot be read."""
        flow = self.make(row, self.reader.read(row.number))
        if self._weight > MOST_BYTES * 5 // 4 or len(self._kept) > MOST_FLOWS * 5 // 4:
            self.shrink()
        return flow

    def make(self, row: Row, stored: Stored | StateError | None) -> Flow | None:
        """The flow of what was read; from now on it is in memory."""
        try:
            if stored is None:
                raise StateError("it is not there")
            if isinstance(stored, StateError):
                raise stored
            flow, shot = self.unpacked(stored)
        except (StateError, sqlite3.Error) as error:
            if row.number not in self._unreadable:
                self._unreadable.add(row.number)
                logger.error("flow %d cannot be read from the session: %s", row.number, visible(str(error)))
            return None
        flow._id = row.id
        self.adopt(row, flow, stored, shot)
        return flow

    def unpacked(self, stored: Stored) -> tuple[Flow, Snapshot]:
        """A flow out of what was read. StateError, sqlite3.Error."""
        return unpack_flow(stored, self._links.client, self._links.server)

    def adopt(self, row: Row, flow: Flow, stored: Stored, shot: Snapshot) -> None:
        """From now on this flow, which was read, is in memory."""
        kept = self._kept[row.number] = Kept(row, flow)
        kept.take_as_read(shot, stored.first)
        self._weight += kept.weight
        self._flows[row.id] = flow

    def release(self, row: Row) -> None:
        """Nobody needs this flow any more that was read a moment ago: it need not stay."""
        kept = self._kept.get(row.number)
        if kept is not None:
            self._leave(kept)

    # --- leaving memory

    def shrink(self, most: int = 1 << 30) -> bool:
        """Let the oldest flows go until the rest is no more than it may be. True: there may be more than these."""
        stuck = gone = 0
        while self._weight > MOST_BYTES or len(self._kept) > MOST_FLOWS:
            if gone >= most:
                return True
            if stuck >= min(_LOOKS, len(self._kept)):
                break
            number = next(iter(self._kept))
            if self._leave(self._kept[number]):
                gone += 1
            else:
                self._kept[number] = self._kept.pop(number)
                stuck += 1
        return False

    def _leave(self, kept: Kept) -> bool:
        """Let a flow go if nothing is lost by it: it is asked for, and held by nobody."""
        flow = kept.flow
        if kept.is_dirty or kept.is_writing or kept.is_stuck or kept.saved is None or flow.live or flow.intercepted:
            return False
        if not self._look_again(kept):
            return False
        # Whoever else holds the flow keeps it alive. There may be one object only, so that it stays here as well then.
        reference = weakref.ref(flow)
        del flow, self._flows[kept.row.id], kept.flow
        alive = reference()
        if alive is not None:
            kept.flow = self._flows[kept.row.id] = alive
            return False
        del self._kept[kept.row.number]
        self._weight -= kept.weight
        return True

    def _look_again(self, kept: Kept) -> bool:
        """Whether a flow is whole as it is written: a script may have changed it, and told nobody."""
        try:
            if kept.has_changed(self._links):
                self._home.update(kept.flow)
                return False
            return comes_back_whole(kept.flow)
        except Exception as error:  # what it was made is no flow any more
            self._refuse(kept, f"{type(error).__name__}: {error}")
            return False

    # --- writing

    async def run(self) -> None:
        """Write what changes, until `close`."""
        while not self._closing.is_set():
            await self._news.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY if self.failed else INTERVAL):
                    await self._closing.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write everything that has changed by now. Where the disk refuses, `failed` says why, and all stays."""
        async with self._busy:
            while True:
                self._news.clear()
                kept, batch = await self._collect()
                if not batch:
                    break
                try:
                    refused = await self._in_writer(lambda batch=batch: self._write(batch))  # type: ignore[misc]
                except (sqlite3.Error, OSError) as error:
                    self._fail(error, kept, batch)
                    break
                self._written(kept, dict(refused))
            budget = Budget()
            while self.shrink(_LOOKS) and not self._is_closed:
                if budget.spent():
                    await budget.rest()

    def _write(self, batch: Batch) -> list[tuple[int, str]]:
        if not self.file.is_open:
            self.file.open()
        self.reader.rescue(number for number, fate in batch.fates.items() if fate == "removed")
        return self.file.write(batch)

    async def _collect(self) -> tuple[list[Kept], Batch]:
        """What is to be written now, some of it if it is much."""
        batch, self._gone = self._gone, Batch()
        told, self._told = self._told, []
        async for fates in cooperate((row.number, fate) for fate, rows in told for row in rows):
            batch.fates.update(fates)
        chosen: list[Kept] = []
        budget = Budget()
        done = 0
        for kept in self._dirty:
            done += 1
            if not kept.is_dirty:
                continue
            kept.is_dirty = False
            if (write := self._write_of(kept)) is not None:
                chosen.append(kept)
                batch.flows.append(write)
                batch.size += kept.weight
            if len(chosen) >= _BATCH_FLOWS or batch.size >= _BATCH_BYTES:
                break
            if budget.spent():
                await budget.rest()
        del self._dirty[:done]
        if self._dirty:
            self._news.set()
        batch.connections, self._links.pending = self._links.pending, []
        return chosen, batch

    def _write_of(self, kept: Kept) -> FlowWrite | None:
        before = kept.weight
        try:
            return kept.news(self._links)
        except Exception as error:  # an addon made something of it that no flow is: it stays in memory
            self._refuse(kept, f"{type(error).__name__}: {error}")
            return None
        finally:
            self._weight += kept.weight - before

    def _written(self, kept: Sequence[Kept], refused: dict[int, str]) -> None:
        if self.failed:
            self.failed = ""
            self.on_recovery()
        for each in kept:
            each.is_writing = False
            if refused and each.row.number in refused:
                self._refuse(each, refused[each.row.number])

    def _refuse(self, kept: Kept, why: str) -> None:
        if not kept.is_stuck:
            kept.is_stuck = True
            logger.warning("flow %d stays in memory, and in no session: %s", kept.row.number, visible(why))

    def _fail(self, error: Exception, kept: Sequence[Kept], batch: Batch) -> None:
        """The disk takes no more: what is not written stays in memory, and is new again."""
        for each in kept:
            each.forget_written()
            if self._kept.get(each.row.number) is each:
                self.note(each.row, each.flow)
        self._gone.fates = batch.fates | self._gone.fates
        self._links.pending = batch.connections + self._links.pending
        self._news.set()
        if not self.failed:
            self.failed = str(error)
            self.on_failure(self.failed)

    async def _in_writer(self, func: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, func)

    @property
    def lost_connections(self) -> int:
        """Connections that could not be read: their flows are there without addresses and certificates."""
        return len(self._links.lost)

    def begin_after(self, connections: int) -> None:
        """The file has connections with numbers up to this one."""
        self._links.begin_after(connections)

    # --- the end

    async def close(self, *, keep: bool = True) -> None:
        """Write the rest, and close the file. What is not to be kept is left to the caller to delete."""
        if self._is_closed:
            return
        self._is_closed = True
        self._closing.set()
        self._news.set()
        if keep:
            for kept in list(self._kept.values()):
                if kept.saved is not None and not kept.is_dirty and not kept.is_stuck:
                    self._look_again(kept)
            await self.flush()
        await self.reader.close()
        await self._in_writer(lambda: self._close_file(keep))
        self._writer.shutdown(wait=False)

    def _close_file(self, keep: bool) -> None:
        with contextlib.suppress(sqlite3.Error, OSError):
            if self.file.is_open and keep and not self.failed:
                self.file.forget_taken()
            self.file.close(is_clean=not self.failed)

    # --- figures

    @property
    def in_memory(self) -> int:
        """How many flows are in memory."""
        return len(self._kept)

    def disk_size(self) -> int:
        """Bytes on the disk."""
        size = 0
        for path in (self.file.path, f"{self.file.path}-wal") if self.file.path else ():
            with contextlib.suppress(OSError):
                size += os.stat(path).st_size
        return size
