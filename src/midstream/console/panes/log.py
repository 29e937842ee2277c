"""The event log, as a pane and as the drawer below another one (console.md §3.7).

It reads the store of the addon `eventstore` by its two plain attributes, shows what the option
`console_eventlog_verbosity` lets through, folds repeats (log_lines.py), and follows the end. An entry about a flow
leads there; a traceback is shown on demand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Protocol

import urwid

from midstream.console.go_to import go_to_flow
from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.panes.list_pane import ListPane
from midstream.console.panes.log_lines import FOLD_SECONDS, LogLine, LogLines
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.hub.log import LogEntry
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

_VERBOSITY = "console_eventlog_verbosity"
_BOX_LINES = 200
_ROWS_FOR_ALL = 12
_SOURCE_FROM = 72  # columns from which there is room for who said it
_CLIENT_FROM = 100
_FOLDERS = re.compile(r"""(?<![^\s'"(])~?/[^\s'"]{20,}/(?=[^/\s'"])""")  # long ones: what comes behind says more
_CHOOSE_LEVEL = "console.choose level error,warn,info,debug set console_eventlog_verbosity {choice}"


class EventStore(Protocol):
    """What this pane knows of the addon."""

    data: Iterable[LogEntry]
    on_change: list[Callable[[LogEntry | None], object]]


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
        self._cut: LogEntry | None = None  # the entry in focus, if its line had no room for all of it then
        self._log = LogLines()
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

    def _read_again(self) -> None:
        options = self.console.master.options
        self._log.verbosity = options.console_eventlog_verbosity if _VERBOSITY in options else "info"
        if self._store is None:
            self._log.clear()
            return
        self._log.limit = getattr(self._store.data, "maxlen", None) or self._log.limit
        self._log.read(self._store.data)

    def _note(self, entry: LogEntry | None) -> None:
        if entry is None:
            self._log.clear()
        else:
            gone = self._log.add(entry)
            if gone < 0:
                return
            self.scroll.focus = max(self.scroll.focus - gone, 0)
            self.scroll.top = max(self.scroll.top - gone, 0)
        self.console.request_frame()

    # -- what is shown ------------------------------------------------------------------------------------------------

    @property
    def sources(self) -> list[str]:
        """Who has said something, the chattiest first."""
        return [source for source, _ in self._log.sources.most_common() if source]

    @property
    def source(self) -> str:
        """Whose entries are shown; nothing for everybody's."""
        return self._log.source

    def shows(self, entry: LogEntry) -> bool:
        """Whether an entry that comes now is seen: the end is on the screen, and its level and origin are shown."""
        return self.scroll.follow and self._log.takes(entry)

    def show_source(self, source: str) -> None:
        """Show the entries of one addon or logger only, or all again."""
        focused = self.focused_entry
        self._log.source = source
        self._read_again()
        if focused is not None and not self.scroll.follow:
            places = [at for at, line in enumerate(self._log.lines) if line.entry.timestamp <= focused.timestamp]
            self.scroll.count = self.row_count()
            self.scroll.go(places[-1] if places else 0)
        self.console.request_frame(now=True)

    def toggle_follow(self) -> None:
        """Stay at the newest entry, or where one is."""
        self.scroll.follow = not self.scroll.follow
        self.console.request_frame(now=True)

    @property
    def focused_entry(self) -> LogEntry | None:
        """The entry in focus."""
        line = self._focused_line()
        return line.entry if line is not None else None

    def _focused_line(self) -> LogLine | None:
        lines = self._log.lines
        return lines[min(self.scroll.focus, len(lines) - 1)] if lines else None

    def shown_entries(self) -> list[LogEntry]:
        """What the lines stand for, as it may be shown; for saving."""
        lines, show = self._log.lines, self.console.master.showing.text
        return [
            replace(
                line.entry,
                msg=show(line.entry.msg) + (f" (x{line.count} in {FOLD_SECONDS:.0f} s)" if line.count > 1 else ""),
                exc_text=show(line.entry.exc_text),
            )
            for line in lines
        ]

    def copies(self) -> Mapping[str, Callable[[], str]]:
        entry = self.focused_entry
        if entry is None:
            return {}
        show = self.console.master.showing.text
        found: dict[str, Callable[[], str]] = {"line": lambda: show(entry.msg)}
        if entry.exc_text:
            found["traceback"] = lambda: show(entry.exc_text)
        return found

    # -- moving -------------------------------------------------------------------------------------------------------

    def navigate(self, move: str) -> None:
        if move == "select":
            self._open()
            return
        if self.scroll.follow:  # also when nothing was painted since it came
            self.scroll.focus = max(self.row_count() - 1, 0)
        super().navigate(move)
        if move == "end":
            self.scroll.follow = True

    def _open(self) -> None:
        """Enter: an entry about a flow goes there; of any other all is shown."""
        entry = self.focused_entry
        if entry is not None and entry.flow and entry.flow in self.console.view:
            go_to_flow(self.console, entry.flow)
        else:
            self.toggle_expanded()

    def why_not(self, command: str) -> str:
        if command == "console.log.source" and not self._log.sources:
            return "nobody has said anything"
        if not self._log.lines:
            about = (
                "console.nav",
                "console.log.expand",
                "console.log.save",
                "console.search",
                "console.command.confirm",
            )
            return "the log is empty" if command.startswith(about) else ""
        if command == "console.log.expand":
            entry = self.focused_entry
            has_more = entry is not None and (entry is self._cut or entry.exc_text or "\n" in entry.msg)
            return "" if has_more or self.expanded else "all of this entry is in its line"
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
        count = len(self._log.lines)
        words = f"{count:,} line{'' if count == 1 else 's'}"
        if self._log.errors:
            words += f", {self._log.errors:,} error{'' if self._log.errors == 1 else 's'}"
        whose = f"   from {visible(self._log.source)}" if self._log.source else ""
        return f"log   level {self._log.verbosity}{whose}   {words}   follow {'on' if self.scroll.follow else 'off'}"

    def row_count(self) -> int:
        return len(self._log.lines)

    def row_text(self, index: int) -> str:
        entry = self._log.lines[index].entry
        return f"{entry.level} {entry.source} {entry.client} {entry.msg}"

    def row_runs(self, index: int, columns: int) -> Line:
        line = self._log.lines[index]
        entry = line.entry
        on = index == self.scroll.focus
        runs: list[Run] = [
            ("strong", ">" if on else " "),
            ("dim", f"{_clock(line.first)} "),
            (f"log.{entry.level}", f"{entry.level:<5} "),
        ]
        if columns >= _SOURCE_FROM and entry.source:
            runs.append(("dim", f"{cells.fit(visible(entry.source), 12)} "))
        first, more = _first_line(self.console.master.showing.text(entry.msg[:4096]))
        tail = self._tail(line, on, more, columns)
        count = f"  (x{line.count} in {FOLD_SECONDS:.0f} s)" if line.count > 1 else ""
        room = columns - line_width(runs) - line_width(tail) - len(count)
        if on and cells.measure(first) > room:  # the message is worth more than the keys, which the footer names too
            tail = self._tail(line, False, more, columns)
            room = columns - line_width(runs) - line_width(tail) - len(count)
        if on:
            self._cut = entry if cells.measure(first) > room else None
        if cells.measure(first) > room:
            first = _FOLDERS.sub(f"{cells.ELLIPSIS}/", first)
        message = cells.cut(first, max(8, room), cells.ELLIPSIS)
        runs += [("text", message), ("strong", count)]
        return [*runs, ("text", " " * max(0, columns - line_width(runs) - line_width(tail))), *tail]

    def _tail(self, line: LogLine, on: bool, more: bool, columns: int) -> list[Run]:
        """What there is besides the message, at the right: the client, the flow, the traceback; and the key for it."""
        entry = line.entry
        about = entry.flow if entry.flow in self.console.view else ""
        words = f"flow {self.console.view.row(about).number}" if about else ""
        if not about and entry.client and columns >= _CLIENT_FROM:
            words = visible(entry.client)[:28]
        runs: list[Run] = [("dim", f"  {words}")] if words else []
        if on and columns >= _SOURCE_FROM:
            if about:
                runs += [("text", " "), *self.key_hint("console.nav.select", "goes there")]
            if entry.exc_text:
                runs += [("text", "  "), *self.key_hint("console.log.expand", "traceback")]
            elif more:
                runs += [("text", "  "), *self.key_hint("console.log.expand", "all of it")]
        elif entry.exc_text or more:
            runs.append(("dim", " …"))
        return runs

    def head(self, columns: int) -> list[Line]:
        # The drawer has its title on the line that divides it from the pane above.
        if self.console.drawer is self:
            return []
        keys: list[Run] = []
        for command, words in (
            (_CHOOSE_LEVEL, "level"),
            ("console.log.source", "whose"),
            ("console.search", "find"),
            ("console.command console.log.save", "save"),
        ):
            keys += [*self.key_hint(command, words), ("hint", "  ")]
        title = f" {self.title()}   "
        return [[("title", title), *(keys if len(title) + line_width(keys) <= columns else [])]]

    def box(self, columns: int) -> HelpBox | None:
        line = self._focused_line()
        if not self.expanded or line is None:
            return None
        entry, show = line.entry, self.console.master.showing.text
        lines: list[Words] = [visible(part) for part in show(entry.msg[:16_384]).split("\n")[:_BOX_LINES]]
        if line.count > 1:
            lines.append(f"said {line.count} times, last at {_clock(entry.timestamp)}")
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
