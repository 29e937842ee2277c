"""The event log, as a pane and as the drawer below another one (console.md §3.7).

It reads the store of the addon `eventstore` by its two plain attributes, shows what the option
`console_eventlog_verbosity` lets through, folds repeats, and follows the end. A traceback is shown on demand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, Protocol

import urwid

from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets.canvas import Line, Run
from midstream.hub.log import LogEntry, log_tier
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

FOLD_SECONDS = 10.0
_VERBOSITY = "console_eventlog_verbosity"
_FOLD_LOOK_BACK = 8
_BOX_LINES = 200
_ROWS_FOR_ALL = 12


class EventStore(Protocol):
    """What this pane knows of the addon."""

    data: Iterable[LogEntry]
    on_change: list[Callable[[LogEntry | None], object]]


class _Shown:
    """One line of the log: an entry and how often it was said within ten seconds."""

    __slots__ = ("count", "entry", "first", "last")

    def __init__(self, entry: LogEntry) -> None:
        self.entry = entry
        self.count = 1
        self.first = self.last = entry.timestamp


class Log(ListPane):
    """See the module. `expanded` shows all of the focused entry, its traceback too."""

    name = "log"
    contexts: ClassVar[tuple[str, ...]] = ("log", "list", "global")
    no_cache = ["render"]
    box_beside = False
    box_share = 2

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.expanded = False
        self._rows = 0  # the height when it was last painted
        self._lines: list[_Shown] = []
        self._errors = 0
        self._limit = 10_000
        self._store: EventStore | None = None
        self.scroll.follow = True

    # -- the store ----------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._store = self.console.master.addons.get("eventstore")
        if self._store is not None and self._note not in self._store.on_change:
            self._store.on_change.append(self._note)
            self.console.master.options.changed.connect(self._on_options)
        self._read_again()

    def left(self) -> None:
        if self._store is not None and self._note in self._store.on_change:
            self._store.on_change.remove(self._note)
            self.console.master.options.changed.disconnect(self._on_options)

    def _on_options(self, updated: set[str]) -> None:
        if _VERBOSITY in updated:
            self._read_again()
            self.console.request_frame()

    def _clear(self) -> None:
        self._lines.clear()
        self._errors = 0

    def _read_again(self) -> None:
        self._clear()
        if self._store is None:
            return
        self._limit = getattr(self._store.data, "maxlen", None) or self._limit
        for entry in self._store.data:
            self._add(entry)

    def _note(self, entry: LogEntry | None) -> None:
        if entry is None:
            self._clear()
        elif not self._add(entry):
            return
        self.console.request_frame()

    def _add(self, entry: LogEntry) -> bool:
        if log_tier(entry.level) > self._tier():
            return False
        self._errors += entry.level == "error"
        for line in self._lines[: -_FOLD_LOOK_BACK - 1 : -1]:
            # Compared with the first: a fault that repeats for an hour gets a line every ten seconds, not one for all.
            if line.entry == entry and 0 <= entry.timestamp - line.first < FOLD_SECONDS:
                line.count += 1
                line.last = entry.timestamp
                return True
        self._lines.append(_Shown(entry))
        if len(self._lines) > self._limit + 500:
            # Dropped in blocks: taking one off the front of a list for each entry would be quadratic.
            gone = len(self._lines) - self._limit
            self._errors -= sum(line.count for line in self._lines[:gone] if line.entry.level == "error")
            del self._lines[:gone]
            self.scroll.focus = max(self.scroll.focus - gone, 0)
            self.scroll.top = max(self.scroll.top - gone, 0)
        return True

    def _tier(self) -> int:
        options = self.console.master.options
        return log_tier(options.console_eventlog_verbosity if _VERBOSITY in options else "info")

    # -- moving -------------------------------------------------------------------------------------------------------

    def navigate(self, move: str) -> None:
        if move == "select":
            self.toggle_expanded()
            return
        super().navigate(move)
        if move == "end":
            self.scroll.follow = True

    def why_not(self, command: str) -> str:
        if not self._lines:
            about = ("console.nav", "console.log", "console.search", "console.command.confirm")
            return "the log is empty" if command.startswith(about) else ""
        if command == "console.log.expand":
            line = self._lines[min(self.scroll.focus, len(self._lines) - 1)]
            return "" if line.entry.exc_text else "this entry has no traceback"
        return ""

    def toggle_expanded(self) -> None:
        """Show all of the focused entry, its traceback too; or only its line again."""
        if not self.expanded and self._rows and self._rows < _ROWS_FOR_ALL:
            # The drawer has no room for a traceback: the pane shows the same entry.
            whole = self.console.open_pane("log")
            if isinstance(whole, Log) and whole is not self:
                whole.expanded = True
                whole.scroll.count = whole.row_count()
                whole.scroll.go(self.scroll.focus)
            if whole is not self:
                return
        self.expanded = not self.expanded
        self.console.request_frame(now=True)

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        self._rows = size[1]
        return super().render(size, focus)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def title(self) -> str:
        options = self.console.master.options
        level = options.console_eventlog_verbosity if _VERBOSITY in options else "info"
        count = len(self._lines)
        words = f"{count:,} line{'' if count == 1 else 's'}"
        if self._errors:
            words += f", {self._errors:,} error{'' if self._errors == 1 else 's'}"
        return f"log   level {level}   {words}   follow {'on' if self.scroll.follow else 'off'}"

    def row_count(self) -> int:
        return len(self._lines)

    def row_text(self, index: int) -> str:
        entry = self._lines[index].entry
        return f"{entry.level} {entry.source} {entry.client} {entry.msg}"

    def row_runs(self, index: int, columns: int) -> Line:
        line = self._lines[index]
        entry = line.entry
        runs: list[Run] = [
            ("strong", ">" if index == self.scroll.focus else " "),
            ("dim", f"{_clock(entry.timestamp)} "),
            (f"log.{entry.level}", f"{entry.level:<5} "),
        ]
        if columns >= 72 and entry.source:
            runs.append(("dim", f"{visible(entry.source)[:12]:<12} "))
        if line.count > 1:
            runs.append(("strong", f"x{line.count} "))
        first, more = _first_line(self.console.master.showing.text(entry.msg[:4096]))
        runs.append(("text", first))
        if more or entry.exc_text:
            runs.append(("hint", "  enter shows all"))
        if entry.client and columns >= 100:
            runs.append(("dim", f"  {visible(entry.client)}"))
        return runs

    def head(self, columns: int) -> list[Line]:
        # The drawer has its title on the line that divides it from the pane above.
        return [] if self.console.drawer is self else [[("title", f" {self.title()}")]]

    def box(self, columns: int) -> HelpBox | None:
        if not self.expanded or not self._lines:
            return None
        line = self._lines[min(self.scroll.focus, len(self._lines) - 1)]
        entry, show = line.entry, self.console.master.showing.text
        lines: list[Words] = [visible(part) for part in show(entry.msg[:16_384]).split("\n")[:_BOX_LINES]]
        if line.count > 1:
            lines.append(f"said {line.count} times, last at {_clock(line.last)}")
        if entry.exc_text:
            lines.append("")
            # The end of a traceback says what happened, so that is what stays when it is long.
            lines += [visible(part, expand_tabs=True) for part in show(entry.exc_text).split("\n")[-_BOX_LINES:]]
        return HelpBox(f"{entry.level} {visible(entry.source)}", lines)

    def nothing(self) -> str:
        return "Nothing has been logged at this level."


def _clock(timestamp: float) -> str:
    try:
        text = time.strftime("%H:%M:%S", time.localtime(timestamp))
    except (OverflowError, OSError, ValueError):
        return "--:--:--.---"
    return f"{text}.{int(timestamp * 1000) % 1000:03}"


def _first_line(text: str) -> tuple[str, bool]:
    head, found, _ = text.partition("\n")
    return visible(head, expand_tabs=True), bool(found)
