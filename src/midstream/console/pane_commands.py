"""Commands about one kind of pane: body views, wrapping, the options shown. Nested in the console's addon.

What moves in every pane is `console.nav.*` in commands.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from midstream.console.panes.options import OptionsPane
from midstream.contentviews.registries import AUTO, check_choice, registry_of
from midstream.flows.errors import CommandError
from midstream.hub.addons import Loader
from midstream.hub.commands import command

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
