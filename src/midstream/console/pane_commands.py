"""Commands about one kind of pane: body views, wrapping, the options shown, tracebacks. Nested in the console's addon.

What moves in every pane is `console.nav.*` in commands.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from midstream.console.panes.detail import Detail
from midstream.console.panes.log import Log
from midstream.console.panes.options import OptionsPane
from midstream.contentviews.registries import AUTO, check_choice, registry_of
from midstream.flows.errors import CommandError
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice

if TYPE_CHECKING:
    from midstream.console.console import Console

P = TypeVar("P")


class PaneCommands:
    """See the module."""

    name = "console_panes"

    def __init__(self, console: Console) -> None:
        self._console = console

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "console_default_contentview",
            str,
            AUTO,
            "The content view that bodies are shown by, unless another one is chosen.",
            choices=registry_of(self._console.master).available_views,
        )

    def configure(self, updated: set[str]) -> None:
        if "console_default_contentview" in updated:
            check_choice("console_default_contentview")

    def _pane(self, kind: type[P], words: str) -> P:
        for pane in (self._console.focused_pane, *self._console.panes_shown):
            if isinstance(pane, kind):
                return pane
        raise CommandError(f"open {words} first")

    @command("console.flowview.mode")
    def flowview_mode(self) -> str:
        """How the body on the screen is shown."""
        return self._pane(Detail, "the details of a flow").content.mode

    @command("console.flowview.mode.options")
    def flowview_mode_options(self) -> Sequence[str]:
        """The ways in which a body can be shown."""
        return list(self._pane(Detail, "the details of a flow").content.modes)

    @command("console.flowview.mode.set")
    @argument("mode", type=Choice("console.flowview.mode.options"))
    def flowview_mode_set(self, mode: str) -> None:
        """Show the body in another way."""
        self._pane(Detail, "the details of a flow").content.set_mode(mode)

    @command("console.flowview.raw")
    def flowview_raw(self) -> None:
        """Show the body as it came, or pretty again."""
        self._pane(Detail, "the details of a flow").content.toggle_raw()

    @command("console.flowview.wrap")
    def flowview_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self._pane(Detail, "the details of a flow").content.toggle_wrap()

    @command("console.flowview.fold")
    def flowview_fold(self) -> None:
        """Show long header values in full, or only their beginning."""
        self._pane(Detail, "the details of a flow").content.toggle_folds()

    @command("console.flowview.tab")
    def flowview_tab(self, name: str) -> None:
        """Show a tab of the flow by its name or the beginning of it."""
        pane = self._pane(Detail, "the details of a flow")
        found = [tab for tab in pane.tabs() if tab.lower().startswith(name.lower())]
        if not found:
            raise CommandError(f"there is no tab {name!r}; this flow has {', '.join(pane.tabs()) or 'none'}")
        pane.show_tab(found[0])

    @command("console.options.reset.focus")
    def options_reset_focus(self) -> None:
        """Give the selected option its default value."""
        name = self._pane(OptionsPane, "the options").focused_option
        if name is None:
            raise CommandError("no option is selected")
        self._console.master.options.reset_one(name)

    @command("console.options.all")
    def options_all(self) -> None:
        """Show all options."""
        self._pane(OptionsPane, "the options").show(only_changed=False)

    @command("console.options.changed")
    def options_changed(self) -> None:
        """Show only the options that were changed, or all again."""
        self._pane(OptionsPane, "the options").toggle_changed()

    @command("console.log.expand")
    def log_expand(self) -> None:
        """Show all of a log entry, its traceback too, or one line again."""
        self._pane(Log, "the event log").toggle_expanded()
