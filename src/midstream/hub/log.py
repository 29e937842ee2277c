"""The event log: what addons and the program say by the standard `logging`, as entries for screens and files.

Everybody logs with `logging` (or, in old scripts, `ctx.log`). Who shows or keeps records installs an EventLogHandler
and gets a `LogEntry` for each record of its own master. Colours and terminals are not known here (addons/termlog.py),
nor is the store of old entries (addons/eventstore.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from midstream.hub import ctx

if TYPE_CHECKING:
    from midstream.hub.master import Master

ALERT = logging.INFO + 1
"""Between info and warning: what the user asked to be told. Use `logging.log(ALERT, ...)`."""

logging.addLevelName(ALERT, "ALERT")

MOST_WAITING = 10_000  # records of threads that the loop has not taken yet; the oldest beyond are left out
_AT_ONCE = 200

LogLevels = ["error", "warn", "info", "alert", "debug"]

LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "alert": ALERT, "info": logging.INFO, "debug": logging.DEBUG}
"""The least level of `logging` that is shown when a verbosity option has this value. Info shows alerts as well."""

_TIERS = {"error": 0, "warn": 1, "warning": 1, "info": 2, "alert": 2, "debug": 3}


def log_tier(level: str) -> int:
    """How chatty a level is, from 0 (error) to 3 (debug); KeyError for what is no level."""
    return _TIERS[level]


def threshold(verbosity: str) -> int:
    """The least `logging` level that a verbosity option lets through: info and alert are one tier."""
    return logging.INFO if verbosity == "alert" else LEVELS[verbosity]


@dataclass(slots=True)
class LogEntry:
    """One record. Two entries are equal when they say the same at the same level."""

    msg: str
    level: str  # one of LogLevels
    timestamp: float = field(default_factory=time.time, compare=False)
    source: str = field(default="", compare=False)  # the addon, else the logger
    client: str = field(default="", compare=False)  # the client address that it is about, if any
    exc_text: str = field(default="", compare=False)  # the traceback
    is_folded: bool = field(default=False, compare=False)  # its traceback is shown only to those who ask for it
    flow: str = field(default="", compare=False)  # the id of the flow that it is about, if any


class MasterLogHandler(logging.Handler):
    """A handler that gets only the records of one master: the one in whose context it was installed.

    Records from outside every context (a plain thread of a library) belong to nobody and are shown by every master.
    """

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._master: weakref.ref[Master] | None = None

    def install(self, master: Master | None = None) -> None:
        """Listen from now on. Lowers the level of the root logger as far as this handler needs, until `uninstall`."""
        owner = master or ctx.current()
        root = logging.getLogger()
        if owner is not None:
            self._master = weakref.ref(owner)
            # A master that never runs, and so never ends, must not leave its handlers behind.
            weakref.finalize(owner, _remove, weakref.ref(self)).atexit = False
        root.addHandler(self)
        _adjust_root_level(root)

    def uninstall(self) -> None:
        """Listen no more. Harmless when it never did."""
        root = logging.getLogger()
        root.removeHandler(self)
        _adjust_root_level(root)

    def setLevel(self, level: int | str) -> None:
        super().setLevel(level)
        root = logging.getLogger()
        if self in root.handlers:
            _adjust_root_level(root)

    def filter(self, record: logging.LogRecord) -> bool:
        if self._master is not None:
            speaker = ctx.current()
            if speaker is not None and speaker is not self._master():
                return False
        return bool(super().filter(record))

    @property
    def master(self) -> Master | None:
        """Whose records these are; None before `install` and after that master's end."""
        return self._master() if self._master is not None else None


def _remove(handler: weakref.ref[MasterLogHandler]) -> None:
    left = handler()
    if left is not None:
        # The collector may run in the middle of a logging call, which walks this list: another list, not a shorter one.
        root = logging.getLogger()
        root.handlers = [one for one in root.handlers if one is not left]
        _adjust_root_level(root)


def uninstall_all(master: Master) -> None:
    """Take away the handlers of a master that has ended."""
    for handler in list(logging.getLogger().handlers):
        if isinstance(handler, MasterLogHandler) and handler.master is master:
            handler.uninstall()


class EventLogHandler(MasterLogHandler):
    """Hands each record to `sink` as a LogEntry, in the thread of the master's loop while that runs. Never raises."""

    def __init__(self, sink: Callable[[LogEntry], object], level: int = logging.DEBUG) -> None:
        super().__init__(level)
        self.sink = sink
        # From other threads, on their way to the loop. A thread may log faster than anybody can show it.
        self._handed_in: deque[LogEntry] = deque()
        self._left_out = 0
        self._is_coming = False

    def emit(self, record: logging.LogRecord) -> None:
        # `logging` holds this handler's lock now.
        try:
            self._deliver(entry_of(record))
        except Exception:
            # Whatever goes wrong here has nowhere to be reported but in here again.
            return

    def _deliver(self, entry: LogEntry) -> None:
        master = self.master
        if master is None or not master.event_loop.is_running() or _is_running(master.event_loop):
            self.sink(entry)
            return
        self._handed_in.append(entry)
        if len(self._handed_in) > MOST_WAITING:
            self._handed_in.popleft()
            self._left_out += 1
        if not self._is_coming:
            self._is_coming = True
            master.event_loop.call_soon_threadsafe(self._take_in, master.event_loop)

    def _take_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the loop: some of what threads have logged, so that traffic has its turn in between."""
        self.acquire()
        try:
            left_out, self._left_out = self._left_out, 0
            some = [self._handed_in.popleft() for _ in range(min(_AT_ONCE, len(self._handed_in)))]
            self._is_coming = bool(self._handed_in)
            if self._is_coming:
                loop.call_soon(self._take_in, loop)
        finally:
            self.release()
        if left_out:
            text = f"{left_out:,} log lines of threads are left out: they came faster than they can be shown"
            some.insert(0, LogEntry(text, "warn", source="log"))
        for entry in some:
            with contextlib.suppress(Exception):  # as in `emit`
                self.sink(entry)


class Log:
    """`ctx.log`, for old scripts; new ones use `logging`, which does the same and works everywhere."""

    def __init__(self, master: Master) -> None:
        self._master = weakref.ref(master)

    def __call__(self, text: object, level: str = "info") -> None:
        self._log(LEVELS.get(level, logging.INFO), text)

    def debug(self, text: object) -> None:
        self._log(logging.DEBUG, text)

    def info(self, text: object) -> None:
        self._log(logging.INFO, text)

    def alert(self, text: object) -> None:
        self._log(ALERT, text)

    def warn(self, text: object) -> None:
        self._log(logging.WARNING, text)

    warning = warn

    def error(self, text: object) -> None:
        self._log(logging.ERROR, text)

    def _log(self, level: int, text: object) -> None:
        master = self._master()
        if master is None:
            return
        with ctx.use(master):  # it may be called from a thread that knows no context
            # stacklevel: the record names the line of the script.
            logging.getLogger(_CTX_LOG).log(level, "%s", text, stacklevel=3)


_CTX_LOG = "midstream.ctx.log"
# What the module names of scripts begin with, and so the loggers that they get by `__name__`.
PRIVATE_MODULE = "__midstream_script_"


def entry_of(record: logging.LogRecord) -> LogEntry:
    """A record as it is shown and stored."""
    exc_text = record.exc_text or ""
    if not exc_text and record.exc_info and record.exc_info[1] is not None:
        exc_text = logging.Formatter().formatException(record.exc_info)
    if record.stack_info:
        exc_text = f"{exc_text}\n{record.stack_info}".strip()
    return LogEntry(
        _message(record),
        level_name(record.levelno),
        record.created,
        _source(record),
        _client(record),
        exc_text,
        bool(getattr(record, "folded", False)),
        str(getattr(record, "flow", "")),
    )


def level_name(level: int) -> str:
    """The name that midstream uses for a numeric level."""
    for name, least in LEVELS.items():
        if level >= least:
            return name
    return "debug"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:
        return f"{record.msg!r} cannot be formatted with {len(record.args or ())} arguments: {error}"


def _source(record: logging.LogRecord) -> str:
    addon = getattr(record, "addon", None)
    if isinstance(addon, str):
        return addon
    if record.name in ("root", _CTX_LOG) or record.name.startswith(PRIVATE_MODULE):
        return Path(record.pathname).name  # of a script, which is called by its file everywhere
    return record.name.rpartition(".")[2] if record.name.startswith("midstream.") else record.name


def _client(record: logging.LogRecord) -> str:
    client = getattr(record, "client", None)
    match client:
        case None:
            return ""
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return str(client)


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


class _RootLevel:
    """The level of the root logger belongs to the process: what it was is kept here while we have it lower."""

    def __init__(self) -> None:
        self.found: int | None = None
        self.lowered_to = logging.NOTSET

    def adjust(self, root: logging.Logger) -> None:
        """As low as the chattiest handler of ours needs, and no lower: what nobody shows should cost nothing."""
        if self.found is None or root.level != self.lowered_to:  # somebody else has set it meanwhile
            self.found = root.level
        needed = [handler.level for handler in root.handlers if isinstance(handler, MasterLogHandler)]
        root.setLevel(min([self.found, *needed]))
        self.lowered_to = root.level
        if not needed:
            self.found = None


_root_level = _RootLevel()


def _adjust_root_level(root: logging.Logger) -> None:
    _root_level.adjust(root)
