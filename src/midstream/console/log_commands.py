"""Commands about the event log: whose entries, all of one, following, saving. Nested in the console's addon.

The level is an option (`console_eventlog_verbosity`), and the store is emptied by `eventstore.clear`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.overlays.chooser import Chooser
from midstream.console.panes.log import Log
from midstream.flows.errors import CommandError
from midstream.hub.commands import argument, command
from midstream.hub.log_lines import log_line
from midstream.hub.types import Choice, Path
from midstream.store.files import target, why, write_file
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

_ALL = "(all)"


class LogCommands:
    """See the module."""

    name = "console_log"

    def __init__(self, console: Console) -> None:
        self._console = console

    def _pane(self) -> Log:
        for pane in (self._console.focused_pane, self._console.pane, self._console.drawer):
            if isinstance(pane, Log):
                return pane
        raise CommandError("open the event log first")

    @command("console.log.expand")
    def log_expand(self) -> None:
        """Show all of a log entry, its traceback too, or one line again."""
        self._pane().toggle_expanded()

    @command("console.log.follow")
    def log_follow(self) -> None:
        """Stay at the newest log entry, or not."""
        self._pane().toggle_follow()

    @command("console.log.sources")
    def log_sources(self) -> Sequence[str]:
        """The addons and loggers that have said something."""
        return [_ALL, *self._pane().sources]

    @command("console.log.source")
    def log_source(self) -> None:
        """Choose whose log entries are shown."""
        pane = self._pane()
        choices = [_ALL, *pane.sources]
        self._console.show(Chooser("show entries of", choices, self._show, pane.source or _ALL))

    @command("console.log.source.set")
    @argument("source", type=Choice("console.log.sources"))
    def log_source_set(self, source: str) -> None:
        """Show the log entries of one addon or logger only; (all) shows everybody's."""
        self._show(source)

    def _show(self, source: str) -> None:
        self._pane().show_source("" if source == _ALL else source)

    @command("console.log.save")
    async def log_save(self, path: Path) -> None:
        """Write the log entries that are shown to a file; a + in front of its name appends."""
        entries = self._pane().shown_entries()
        # In a thread, line by line: there may be ten thousand, with tracebacks.
        lines = (f"{log_line(entry, unfold=True)}\n".encode("utf-8", "backslashreplace") for entry in entries)
        try:
            await write_file(path, lines)
        except OSError as error:
            raise CommandError(f"console.log.save: {visible(target(path).path)}: {why(error)}") from None
        count = f"{len(entries):,} log {'entry' if len(entries) == 1 else 'entries'}"
        self._console.message(f"wrote {count} to {visible(target(path).path)}")
