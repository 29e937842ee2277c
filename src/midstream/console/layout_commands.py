"""Commands and options about how the panes stand on the screen. Nested in the console's addon.

Which panes are open is decided in stacks.py; which commands open them stands in commands.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.stacks import LAYOUTS, SHARES
from midstream.console.workspace import BESIDE_FROM
from midstream.flows.errors import CommandError
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.option_kinds import between

if TYPE_CHECKING:
    from midstream.console.console import Console

_STEP = 5  # per cent


class LayoutCommands:
    """See the module."""

    name = "console_layouts"

    def __init__(self, console: Console) -> None:
        self._console = console

    def load(self, loader: Loader) -> None:
        add = loader.add_option
        add(
            "console_layout",
            str,
            "single",
            "One pane, or two: vertical stacks them, horizontal sets them side by side.",
            choices=sorted(LAYOUTS),
        )
        add("console_layout_headers", bool, True, "Show the row of tabs, and a title row above each of two panes.")
        add(
            "console_layout_ratio",
            int,
            50,
            "Per cent of the room that the first of two panes gets.",
            kind=between(*SHARES),
        )
        add("console_plain", bool, False, "Calm screen for screen readers: no bars, no drawer, a frame a second.")

    def configure(self, updated: set[str]) -> None:
        options, stacks = self._console.master.options, self._console.stacks
        if "console_layout_ratio" in updated:
            stacks.set_share(options.console_layout_ratio)
        if "console_layout" in updated:
            stacks.set_layout(options.console_layout)
        if "console_plain" in updated and options.console_plain:
            stacks.close_drawer()

    # --- the layout -------------------------------------------------------------------------------------------------

    @command("console.layout.options")
    def layout_options(self) -> Sequence[str]:
        """The ways in which panes can stand on the screen."""
        return list(LAYOUTS)

    @command("console.layout.cycle")
    def layout_cycle(self) -> None:
        """The next layout: one pane, two stacked, two side by side."""
        options = self._console.master.options
        layout = LAYOUTS[(LAYOUTS.index(options.console_layout) + 1) % len(LAYOUTS)]
        options.update(console_layout=layout)
        columns = self._console.terminal.size[0]
        if layout == "horizontal" and columns < BESIDE_FROM:
            self._console.message(f"side by side from {BESIDE_FROM} columns on; here are {columns}, so one is shown")

    @command("console.layout.shrink")
    def layout_shrink(self) -> None:
        """Move the divider left or up."""
        self._resize(-_STEP)

    @command("console.layout.grow")
    def layout_grow(self) -> None:
        """Move the divider right or down."""
        self._resize(_STEP)

    def _resize(self, by: int) -> None:
        if self._console.focused_pane.resize(by):
            return
        if not self._console.stacks.resize(by):
            raise CommandError("there is no divider: one pane has all the room")
        self._console.keep_share()

    # --- the panes --------------------------------------------------------------------------------------------------

    @command("console.panes.next")
    def panes_next(self) -> None:
        """Give the focus to the other pane, or the drawer."""
        self._step(1)

    @command("console.panes.prev")
    def panes_prev(self) -> None:
        """Give the focus to the pane before; with two panes the same as next."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if not self._console.stacks.step(by):
            raise CommandError("there is only one pane")
        self._console.focus_pane(self._console.focused_pane)

    @command("console.drawer")
    def drawer(self) -> None:
        """Open the event log below the pane; again focuses it; a third time closes it."""
        self._console.toggle_drawer()

    @command("console.view.queue")
    def view_queue(self) -> None:
        """Open the queue of held flows."""
        self._console.open_pane("queue")
