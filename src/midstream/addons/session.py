"""The session of the console: where captured flows are kept, and how an earlier one comes back.

Flows are written to a file in `confdir/sessions` while they come, so that memory stays small and a crash loses less
than a second (`store/session.py`). This addon has the option, opens and closes the file, deletes what is too old, and
tells of a crash. `app.py` asks it to go on with an earlier session before the start. Headless programs have none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from midstream.flows.connection import Client
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub import config, ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.store.files import why
from midstream.store.view import View
from midstream.text.escape import visible
from midstream.text.sizes import human_size

if TYPE_CHECKING:
    from midstream.store.session import Session
    from midstream.store.session_file import SessionFile
    from midstream.store.session_folder import Lock
    from midstream.store.session_resume import Brought

logger = logging.getLogger(__name__)

FOLDER = "sessions"
LOOK = 60.0
"""Seconds between two looks at the size of all sessions."""


class Figures(NamedTuple):
    """For the status bar. Bytes; `memory` is that of the whole process, `disk` 0 where nothing is kept there."""

    memory: int
    disk: int
    flows: int


class SessionAddon:
    """The addon; see the module."""

    name = "session"

    def __init__(self, view: View) -> None:
        self.view = view
        self._session: Session | None = None
        self._lock: Lock | None = None
        self._path: Path | None = None
        self._resumed: SessionFile | None = None
        self._damaged: SessionFile | None = None
        self._damaged_lock: Lock | None = None
        self._last_flow = self._last_connection = 0
        self._expected: int | None = None
        self._mode = ""
        self._figures = Figures(0, 0, 0)
        self._figures_at = -1.0

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "session",
            str,
            "true",
            "Where the console keeps flows: in a file that survives a crash (true), packed in memory, or as they are.",
            choices=("true", "memory", "false"),
        )

    def configure(self, updated: set[str]) -> None:
        if "session" in updated and self._mode and ctx.options.session != self._mode:
            logger.log(ALERT, "session: it is %s until the end of this run; the next start obeys", self._mode)

    # --- beginning and end

    def resume(self, name: str) -> None:
        """Go on with an earlier session, from `running` on; without a name with the one that crashed last, else the
        last. OptionsError says why that cannot be.
        """
        # Imported here, and below: `middump`, and a console without a session, do without SQLite.
        from midstream.store import session_file, session_folder, session_records

        if ctx.options.session != "true":
            raise OptionsError(f"--resume: the option session is {ctx.options.session}; it has to be true")
        try:
            path, lock = session_folder.choose(self.folder, name)
        except (session_folder.NoSession, OSError) as error:
            raise OptionsError(f"--resume: {error}") from None
        file = session_file.SessionFile(str(path))
        try:
            file.open()
            file.forget_taken()
            reader = file.reader()
            self._last_flow = session_records.last_number(reader)
            self._last_connection = session_records.last_connection(reader)
            self._expected = session_records.flows_noted(reader)
            reader.close()
            file.forget_closing()
        except session_file.ForeignSession as error:
            self._give_up(path, lock, error)
        except (sqlite3.Error, OSError) as error:
            file.close(is_clean=False)
            self._copy(path, lock, error)
        else:
            self._resumed, self._path, self._lock = file, path, lock
            self.view.begin_after(self._last_flow)

    def _copy(self, path: Path, lock: Lock, why_not: Exception) -> None:
        """What is whole in a damaged session goes into a new one."""
        from midstream.store.session_file import ForeignSession, SessionFile
        from midstream.store.session_repair import COPY, readable_copy

        try:
            copy = SessionFile(str(readable_copy(path)))
            copy.open()
        except (ForeignSession, sqlite3.Error, OSError):
            self._delete(path.with_suffix(COPY))
            self._give_up(path, lock, why_not)
        self._damaged, self._damaged_lock = copy, lock

    def _give_up(self, path: Path, lock: Lock, error: Exception) -> NoReturn:
        lock.release()
        raise OptionsError(f"--resume: session {path.stem} cannot be read: {error}") from None

    def running(self) -> None:
        if ctx.master.startup_errors:
            return
        self._mode = ctx.options.session
        if self._mode == "false":
            return
        from midstream.store.session import Session
        from midstream.store.session_file import SessionFile

        try:
            file = self._resumed or SessionFile(self._claim() if self._mode == "true" else "")
        except OSError as error:
            logger.warning("flows stay in memory: %s: %s", visible(str(self.folder)), why(error))
            return
        session = self._session = Session(file, self.view.flows_in_memory, self.view)
        session.on_failure, session.on_recovery = self._failed, self._recovered
        if self._resumed is not None:
            session.begin_after(self._last_connection)
        self.view.attach(session)
        ctx.master.background.spawn(session.run(), "write the session")
        if self._resumed is not None:
            ctx.master.background.spawn(self._bring_back(session), "resume the session")
        elif self._damaged is not None:
            ctx.master.background.spawn(self._take_over(self._damaged), "take over a damaged session")
        if self._mode == "true":
            ctx.master.background.spawn(self._watch(), "look after sessions")

    def _claim(self) -> str:
        from midstream.store import session_folder

        if problem := session_folder.make_folder(self.folder):
            logger.warning("%s", visible(problem))
        self._path, self._lock = session_folder.claim_new(self.folder)
        return str(self._path)

    async def done(self) -> None:
        session, self._session = self._session, None
        if session is None:
            if self._resumed is not None:  # a start that failed
                self._resumed.close(is_clean=True)
        else:
            keep = len(self.view) > 0
            if keep:
                await session.flush()
            self.view.detach()  # before it is closed: walks over the flows go on until the end
            await session.close(keep=keep)
            if not keep and self._path is not None:
                await asyncio.to_thread(self._delete, self._path)
        self._drop_copy()
        if self._lock is not None:
            self._lock.release()

    def _delete(self, path: Path) -> None:
        from midstream.store.session_folder import delete_files

        with contextlib.suppress(OSError):
            delete_files(path)

    # --- what happens meanwhile

    def client_disconnected(self, client: Client) -> None:
        if self._session is not None:
            self._session.connection_changed(client)

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        if self._session is not None:
            self._session.connection_changed(data.server)

    async def _bring_back(self, session: Session) -> None:
        from midstream.store.session_resume import bring_back

        assert self._path is not None
        name = self._path.stem
        with ctx.master.jobs.begun(f"resuming {name}") as job:
            brought = await bring_back(self.view, session, self._last_flow, job, self._expected)
        await ctx.master.is_up.wait()  # the screen is there, and shows what is logged
        _tell(name, brought)

    async def _take_over(self, copy: SessionFile) -> None:
        from midstream.store.session_resume import take_over

        name = Path(copy.path).stem
        with ctx.master.jobs.begun(f"reading {name}") as job:
            brought = await take_over(self.view, copy, job)
        await ctx.master.is_up.wait()
        brought.problem = brought.problem or "the file is damaged"
        _tell(name, brought)
        logger.info("session %s stays as it is; its flows are in a new one", name)
        self._drop_copy()

    def _drop_copy(self) -> None:
        if self._damaged is not None and self._damaged_lock is not None:
            self._damaged.close(is_clean=False)
            self._delete(Path(self._damaged.path))
            self._damaged_lock.release()
            self._damaged = None

    async def _watch(self) -> None:
        """Tell of a crash; then see to it that the sessions do not take more than they may."""
        if self._resumed is None:
            await self._tell_of_crash()
        while True:
            from midstream.store import session_folder

            for entry in await asyncio.to_thread(session_folder.prune, self.folder):
                logger.info("session %s is deleted: there were too many, or too much in them", visible(entry.name))
            await asyncio.sleep(LOOK)

    async def _tell_of_crash(self) -> None:
        from midstream.store import session_folder
        from midstream.store.session_listing import said_time

        found = await asyncio.to_thread(session_folder.entries, self.folder)
        last = next((entry for entry in found if entry.state != "in use"), None)
        await ctx.master.is_up.wait()  # the screen is there, and shows what is logged
        if last is not None and last.state == "crashed" and last.flows:
            logger.log(
                ALERT,
                "`midstream --resume` brings back %s: midstream did not end cleanly at %s",
                _counted(last.flows),
                said_time(last.used),
            )

    def _failed(self, reason: str) -> None:
        where = self._path.parent if self._path is not None else "memory"
        logger.error(
            "session: nothing can be written to %s: %s; traffic goes on, and flows stay in memory."
            " Make room: it is tried again every few seconds",
            visible(str(where)),
            visible(reason),
        )

    def _recovered(self) -> None:
        logger.log(ALERT, "session: everything is written again")

    # --- facts

    @property
    def folder(self) -> Path:
        """Where sessions are kept."""
        return config.folder(ctx.options) / FOLDER

    def figures(self) -> Figures:
        """What the status bar shows, looked up once a second at most."""
        now = time.monotonic()
        if now - self._figures_at >= 1.0:
            self._figures_at = now
            disk = self._session.disk_size() if self._session is not None else 0
            self._figures = Figures(resident_size(), disk, len(self.view))
        return self._figures if self._figures.flows == len(self.view) else self._figures._replace(flows=len(self.view))

    def note(self) -> list[str]:
        """Where traffic is kept and how to turn that off, for those who start midstream for the first time."""
        if ctx.options.session == "true":
            folder = str(self.folder).replace(os.path.expanduser("~"), "~", 1)
            return [
                f"What passes through is kept in {folder}, bodies and passwords included, readable by you only.",
                "Turn that off by --set session=memory, or in the options; midstream --sessions lists and deletes.",
            ]
        return ["What passes through is kept in memory only, and gone at the end."]

    @command("session.info")
    def info(self) -> str:
        """Where the flows of this run are kept, and how much room they take."""
        figures = self.figures()
        count = _counted(figures.flows)
        if self._session is None:
            return f"{count} in memory; the option session is {ctx.options.session}"
        in_memory = f"{self._session.in_memory:,} of them in memory"
        if self._path is None:
            return f"{count}, packed in memory, {in_memory}"
        failed = f"; nothing is written: {self._session.failed}" if self._session.failed else ""
        return f"{count} in {self._path} ({human_size(figures.disk)}), {in_memory}{failed}"

    @command("session.list")
    async def list(self) -> Sequence[str]:
        """The sessions that are kept: name, when used, flows, size, state."""
        from midstream.store.session_listing import table

        return await asyncio.to_thread(table, self.folder)

    @command("session.delete")
    async def delete(self, name: str) -> str:
        """Delete an earlier session for good; the beginning of its name is enough, and `all` means all."""
        from midstream.store.session_listing import done

        lines, is_whole = await asyncio.to_thread(done, self.folder, ("delete", name))
        if not is_whole:
            raise CommandError("; ".join(lines))
        return "; ".join(lines)


def _tell(name: str, brought: Brought) -> None:
    extra = f", {brought.cut_off:,} of them cut off" if brought.cut_off else ""
    logger.log(ALERT, "session %s: %s back%s", name, _counted(brought.flows), extra)
    if brought.problem:
        lost = f"{_counted(brought.damaged)} could not be read: " if brought.damaged else ""
        logger.error("session %s: %s%s", name, lost, visible(brought.problem))
    if brought.connections:
        logger.error(
            "session %s: %d connections could not be read: their flows have no addresses and certificates",
            name,
            brought.connections,
        )


def resident_size() -> int:
    """Bytes of memory that this process takes; 0 where that cannot be told."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    # The most that it ever took, and macOS counts in bytes; close enough where there is no /proc.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _counted(flows: int) -> str:
    return "1 flow" if flows == 1 else f"{flows:,} flows"
