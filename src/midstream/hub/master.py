"""The master: one engine with its options, commands, events and addons, and how it starts and ends.

Made by app.py (or a test), which gives it addons. It opens no port and no screen by itself: addons do, when they are
told `running`. Several masters may live in one process, in one loop or several; they share nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from midstream.hub import config, ctx
from midstream.hub.addons import AddonManager
from midstream.hub.background import Background
from midstream.hub.clipboard import Clipboard
from midstream.hub.commands import CommandManager
from midstream.hub.events import Events
from midstream.hub.failures import owner_name
from midstream.hub.jobs import Jobs
from midstream.hub.log import EventLogHandler, Log, LogEntry, uninstall_all
from midstream.hub.showing import Showing
from midstream.hub.simulation import happenings
from midstream.hub.threads import Threads
from midstream.hub.undo import Journal
from midstream.work.worker import Worker

if TYPE_CHECKING:
    from midstream.flows.flow import Flow
    from midstream.hub.options import Options

logger = logging.getLogger(__name__)

START_PATIENCE = 2.0  # seconds that a start may go on after it was told to end
END_PATIENCE = 10.0  # seconds that one addon may take for its `done`; people who cannot wait press ctrl c again


class _OwnRecords(EventLogHandler):
    """Hears this master only: what the program around it logs does not make its start fail."""

    def filter(self, record: logging.LogRecord) -> bool:
        return ctx.current() is self.master and super().filter(record)


class Master:
    """Everything that one running proxy consists of. Make it inside the event loop that it will run in."""

    view: Any
    """The store.View of a program that keeps flows; `hasattr` tells scripts whether theirs does. Its type stands in a
    room above this one."""

    def __init__(self, opts: Options, event_loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.options = opts
        self.event_loop = event_loop or asyncio.get_running_loop()
        self.background = Background()
        self.jobs = Jobs()
        self.threads = Threads()
        self.worker = Worker()
        self.events = Events(self.background)
        self.commands = CommandManager(self, self.events.recorder)
        self.log = Log(self)
        self.clipboard = Clipboard(lambda: config.folder(opts))
        self.showing = Showing()
        self.undo = Journal()
        self.should_exit = asyncio.Event()
        self.exit_status = 0
        """What the process ends with; an addon that finds it cannot go on sets it and calls `shutdown`."""
        self.is_running = False
        """Whether `running` has been sent, so that a later addon is told at once."""
        self.is_up = asyncio.Event()
        """Set when every addon has dealt with `running`: for what is to wait until the start has ended."""
        self.contentviews: Any = None
        """The contentviews.Registry, made when the first view is asked for. Its type stands above as well."""
        self.startup_errors: list[LogEntry] = []
        """The error records from the making of this master to the end of its start; errorcheck reads them."""
        self.at_end = contextlib.ExitStack()
        """What has to be put back when the master has ended: whatever was changed in the process, outside of it."""
        self._startup_handler = _OwnRecords(self.startup_errors.append, logging.ERROR)
        self._startup_handler.install(self)
        self.addons = AddonManager(self)

    async def run(self) -> None:
        """Tell the addons `running`, wait for `shutdown`, tell them `done`."""
        async with self.started():
            with ctx.use(self):
                await self.until_exit()

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """From `running` to `done`. Within the block `ctx` is the caller's own: two masters may run around it."""
        with ctx.running(self):
            try:
                with ctx.use(self):
                    await self._start()
                yield
            finally:
                with ctx.use(self):
                    await self.done()

    async def _start(self) -> None:
        """`running`; but an addon that never gets ready must not keep the program from ending."""
        starting = self.background.spawn(self.running(), "start")
        told = self.background.spawn(self.should_exit.wait(), "told to end during the start")
        await asyncio.wait((starting, told), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            await asyncio.wait((starting,), timeout=START_PATIENCE)
        for task in (starting, told):
            task.cancel()

    async def until_exit(self) -> None:
        """What happens between `running` and `done`; ends after `shutdown`."""
        await self.should_exit.wait()

    async def running(self) -> None:
        """The start: ends when every addon has dealt with `running`."""
        try:
            self.is_running = True
            await self.events.running()
            self.is_up.set()
        finally:
            self._startup_handler.uninstall()

    async def done(self) -> None:
        """The end: `done` for every addon, then the background tasks, then the log."""
        self.is_running = False
        try:
            await self._tell_done()
            await self.background.close()
        finally:
            self.let_go()

    async def _tell_done(self) -> None:
        """`done` for one addon after the other: one that never ends keeps neither the others nor the program."""
        emitter = self.events.done
        for handler in emitter.handlers:
            if handler not in emitter.handlers:  # one before has removed its addon, which was told thereby
                continue
            try:
                with ctx.use(self):
                    async with asyncio.timeout(END_PATIENCE):
                        await emitter.only((handler,))()
            except TimeoutError:
                owner = owner_name(handler)
                logger.error("%s: its done has not ended after %g s", owner, END_PATIENCE, extra={"addon": owner})

    def let_go(self) -> None:
        """Leave nothing of this master in the process. For one that never ran, too; more than once is harmless."""
        uninstall_all(self)
        self.threads.close()
        self.worker.close()
        self.at_end.close()

    def shutdown(self) -> None:
        """Ask the master to end. May be called from any thread, handlers included, and more than once."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self.event_loop:
            self.should_exit.set()
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            self.event_loop.call_soon_threadsafe(self.should_exit.set)

    async def load_flow(self, f: Flow) -> None:
        """Let a flow that was read or made pass through the events as if it happened now."""
        with ctx.use(self):
            f.resume()  # it may have been saved while it was held
            for event in happenings(f):
                await self.addons.handle_lifecycle(event)
