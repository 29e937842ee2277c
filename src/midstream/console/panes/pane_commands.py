"""Commands about what a pane shows: the view of a body, wrapping, folded tracebacks. An addon of the console's own.

Each does one thing to the focused pane and says so when another kind of pane has the focus. Moving, opening and
prompts are the console's (commands.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from midstream.console.panes.detail import Detail
from midstream.console.panes.log import Log
from midstream.console.panes.options import OptionsPane
from midstream.console.widgets.body_viewer import MODES
from midstream.flows.errors import CommandError
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.pane import Pane

P = TypeVar("P", bound="Pane")


class PaneCommands:
    """The addon; see the module."""

    name = "console_panes"

    def __init__(self, console: Console) -> None:
        self._console = console

    def _focused(self, kind: type[P]) -> P:
        pane = self._console.focused_pane
        if not isinstance(pane, kind):
            raise CommandError(f"this works in the pane {kind.name!r} only; {pane.name!r} has the focus")
        return pane

    @command("console.flowview.mode")
    def flowview_mode(self) -> str:
        """How the body of this tab is shown."""
        return self._focused(Detail).mode

    @command("console.flowview.mode.options")
    def flowview_mode_options(self) -> Sequence[str]:
        """The ways to show a body."""
        return list(MODES)

    @command("console.flowview.mode.set")
    @argument("mode", type=Choice("console.flowview.mode.options"))
    def flowview_mode_set(self, mode: str) -> None:
        """Show the body of this tab another way."""
        self._focused(Detail).set_mode(mode)

    @command("console.flowview.raw")
    def flowview_raw(self) -> None:
        """Switch between the body as it came and its most readable form."""
        self._focused(Detail).toggle_raw()

    @command("console.flowview.wrap")
    def flowview_wrap(self) -> None:
        """Wrap long lines, or scroll sideways."""
        self._focused(Detail).toggle_wrap()

    @command("console.flowview.fold")
    def flowview_fold(self) -> None:
        """Show long header values in full, or only their beginning."""
        self._focused(Detail).toggle_folds()

    @command("console.flowview.tab")
    def flowview_tab(self, name: str) -> None:
        """Show a tab of the flow by its name."""
        pane = self._focused(Detail)
        found = [tab for tab in pane.tabs() if tab.lower().startswith(name.lower())]
        if not found:
            raise CommandError(f"there is no tab {name!r}; this flow has {', '.join(pane.tabs()) or 'none'}")
        pane.show_tab(found[0])

    @command("console.options.changed")
    def options_changed(self) -> None:
        """List only the options that were changed, or all again."""
        self._focused(OptionsPane).toggle_changed()

    @command("console.log.traceback")
    def log_traceback(self) -> None:
        """Show all of an entry of the log, its traceback too."""
        self._focused(Log).toggle_expanded()
