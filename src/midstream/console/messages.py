"""What the console says: the answer to a key in the filter line, and what happens by itself as toasts above it.

A toast is what the log says from alert up (jobs that are done, what was copied, errors), and a flow that was held. It
never takes the focus, goes by itself, and what there is no room for is in the log. Errors stay until a key, both here
and there. `Console.message` and `Console.news` are the doors; nothing else writes there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.panes.log import Log
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.hub.log import ALERT, EventLogHandler, LogEntry
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

SECONDS = 5.0
_LONGER = 8.0  # warnings
MOST_TOASTS = 3
_MOST_ROWS = 3  # of one toast
_WIDEST = 64
_UNREAD = 1.0  # a key that is on its way when an error comes does not take it away
_HELD = "held"
_ABOUT_FLOWS = "flows:"
_LONGEST = 100  # characters of where a flow goes to
_ROLES = {"error": "bar.error", "warn": "bar.warn"}

logger = logging.getLogger("midstream.console")  # who says it, for people


class Toast(NamedTuple):
    """`topic`: of one topic there is one toast, the newest."""

    text: str
    level: str
    since: float
    topic: str = ""

    @property
    def until(self) -> float:
        return self.since + (_LONGER if self.level == "warn" else SECONDS)


class Messages:
    """`shown` is (text, level) or None; `unseen_errors` counts those logged while no log was on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.shown: tuple[str, str] | None = None
        self.toasts: list[Toast] = []
        self.unseen_errors = 0
        self._until = 0.0
        self._echo = False
        self._handler = EventLogHandler(self._logged, ALERT)

    def open(self) -> None:
        """Listen to the log."""
        self._handler.install(self._console.master)

    def close(self) -> None:
        """Do not listen any more."""
        self._handler.uninstall()

    def show(self, text: str, level: str, log: bool) -> None:
        """Show a line; with `log`, warnings and errors go to the log as well."""
        self.shown = (text.strip().split("\n", 1)[0], level)
        self._until = asyncio.get_running_loop().time() + SECONDS
        if log and level in ("warn", "error"):
            self._log(text, logging.ERROR if level == "error" else logging.WARNING)
        self._console.request_frame()

    def news(self, text: str, level: str = "info", topic: str = "") -> None:
        """Something happened by itself: a toast, or a line where there is no room for toasts."""
        if self._console.is_plain or not self._console.layout.has_toasts:
            self.show(text, level, log=False)
            return
        now = asyncio.get_running_loop().time()
        self.forget(topic)
        self.toasts = [toast for toast in self.toasts if toast.text != text.strip()]  # said again: one is enough
        self.toasts.append(Toast(text.strip(), level, now, topic))
        while len(self.toasts) > MOST_TOASTS:
            # An error gives way last.
            self.toasts.remove(next((toast for toast in self.toasts if toast.level != "error"), self.toasts[0]))
        self._console.request_frame()

    def forget(self, topic: str) -> None:
        """Take the toast of a topic away: it is no news any more."""
        if topic:
            self.toasts = [toast for toast in self.toasts if toast.topic != topic]

    def flow_held(self, id_: str) -> None:
        """A flow waits for a person: said unless the queue is on the screen, with the bell."""
        console = self._console
        if console.stacks and not any(pane.name == "queue" for pane in console.panes_shown):
            row, others = console.view.row(id_), len(console.tally.held) - 1
            where = row.host + (f":{row.port}" if row.port else "") + row.path
            more = f" (and {others:,} more)" if others else ""
            self.news(f"held at {row.held}: {row.number} {row.method} {where[:_LONGEST]}{more}", topic=_HELD)
        if getattr(console.master.options, "console_bell", True):
            console.terminal.ring()

    def none_held(self) -> None:
        """The last one was let go."""
        self.forget(_HELD)

    def expire(self, by_key: bool = False) -> None:
        """Take away what has been there long enough; a key takes any line away, and errors that were there before."""
        now = asyncio.get_running_loop().time()
        if self.shown is not None and (by_key or (now >= self._until and self.shown[1] != "error")):
            self.shown = None
        self.toasts = [toast for toast in self.toasts if not _is_over(toast, now, by_key)]

    def clear(self) -> None:
        """Take all away now."""
        self.shown = None
        self.toasts = []

    def log_was_seen(self) -> None:
        """The log is on the screen: it says what the toasts say."""
        self.unseen_errors = 0
        self.toasts = [toast for toast in self.toasts if toast.topic == _HELD]

    def toast_lines(self, columns: int, rows: int) -> list[Line]:
        """The toasts, the newest at the bottom, at most `rows` of them."""
        lines: list[Line] = []
        for toast in self.toasts:
            role = _ROLES.get(toast.level, "toast")
            text = visible(self._console.master.showing.text(f"{_named(toast.level)}{toast.text}"))
            lines += [[(role, f" {part} ")] for part in _wrapped(text, min(columns - 6, _WIDEST))]
        width = max((cells.measure(text) for line in lines for _, text in line), default=0)
        return [[(role, cells.fit(text, width))] for line in lines[-rows:] for role, text in line]

    def _log(self, text: str, severity: int) -> None:
        self._echo = True
        try:
            logger.log(severity, "%s", text, extra={"seen_on_screen": True})
        finally:
            self._echo = False

    def _logged(self, entry: LogEntry) -> None:
        if self._echo:
            return  # it came from `show` itself
        logs = [pane for pane in self._console.panes_shown if isinstance(pane, Log)]
        if entry.level == "error" and not logs:
            self.unseen_errors += 1
        if any(log.shows(entry) for log in logs):
            return  # a toast would only cover it
        # Messages about a script begin with its name themselves, and who says our own is clear.
        named = entry.source in ("", logger.name.rpartition(".")[2]) or entry.msg.startswith(entry.source)
        # Rows tell which flows fail; of what is said about them by itself, one at a time is news enough.
        topic = f"{_ABOUT_FLOWS} {entry.source}" if entry.flow and entry.level == "warn" else ""
        self.news(entry.msg if named else f"{entry.source}: {entry.msg}", entry.level, topic)


def _is_over(toast: Toast, now: float, by_key: bool) -> bool:
    if toast.level == "error":
        return by_key and now >= toast.since + _UNREAD
    return now >= toast.until


def _named(level: str) -> str:
    """Colour alone says nothing."""
    return f"{level}: " if level in _ROLES else ""


def _wrapped(text: str, columns: int) -> Sequence[str]:
    """The first rows of a text, broken at blanks where there are any; the log has all of it."""
    rows: list[str] = []
    rest = text
    while rest and columns > 0:
        if len(rows) == _MOST_ROWS - 1 or cells.measure(rest) <= columns:
            rows.append(cells.cut(rest, columns, "…"))
            break
        part = cells.cut(rest, columns)
        if not part:
            break
        blank = part.rfind(" ")
        kept = part[:blank] if blank > columns // 2 else part
        rows.append(kept)
        rest = rest[len(kept) :].lstrip()
    return rows
