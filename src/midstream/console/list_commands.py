"""Options and commands of the flow list, its peek, the tree pane, the named marks and the status bar.

Nested in the console's addon. What rows and bars look like is decided by the panes; what can be sorted by, and marks as
such, belong to other addons.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import status_items
from midstream.console.marks import BACK, MarkBox, Marks, is_name
from midstream.console.panes import flow_columns, timeline
from midstream.console.panes.flow_list import FlowList
from midstream.console.panes.tree import TreePane
from midstream.flows.errors import CommandError
from midstream.hub import lexer
from midstream.hub.addons import Loader
from midstream.hub.commands import command

if TYPE_CHECKING:
    from midstream.console.console import Console

LAYOUTS = ("default", "list", "table")


class ListCommands:
    """See the module."""

    name = "console_rows"

    def __init__(self, console: Console) -> None:
        self._console = console
        self.marks = Marks(console)

    @command("console.flows.save")
    def flows_save(self) -> None:
        """Save the flows that are shown; a name for the file is proposed."""
        name = time.strftime("flows-%Y%m%d-%H%M%S.mid")
        self._console.prompt(":", f"save.file @shown {name}")

    def load(self, loader: Loader) -> None:
        add = loader.add_option
        add(
            "console_columns",
            Sequence[str],
            list(flow_columns.DEFAULT),
            "Columns of the flow list, from left to right, each NAME or NAME:CELLS.",
            kind=flow_columns.KIND,
        )
        add(
            "console_flowlist_layout",
            str,
            "default",
            "A table, or a list with two lines for each flow; default is the table, which drops columns to fit.",
            choices=LAYOUTS,
        )
        add(
            "console_timeline",
            str,
            "axis",
            "Bars in the flow list: none, each from the left, or all on one axis of time.",
            choices=timeline.MODES,
        )
        add(
            "console_status",
            Sequence[str],
            list(status_items.ITEMS),
            "What the status bar shows, from left to right; what does not fit is left out from the right.",
            kind=status_items.KIND,
        )

    # --- the flow list ----------------------------------------------------------------------------------------------

    @command("console.timeline.cycle")
    def timeline_cycle(self) -> None:
        """The next timeline: none, a bar for each row, one axis of time for all."""
        options = self._console.master.options
        mode = timeline.MODES[(timeline.MODES.index(options.console_timeline) + 1) % len(timeline.MODES)]
        options.update(console_timeline=mode)
        if mode != "off" and not self._flow_list().painter.has_bars:
            self._console.message("the timeline needs a wider list, or is not among the columns")

    @command("console.peek")
    def peek(self) -> None:
        """Show the body of the focused flow beside the list, or close it."""
        self._flow_list().peek.toggle()

    @command("console.rows.columns")
    def rows_columns(self) -> Sequence[str]:
        """The columns that the flow list can have."""
        return list(flow_columns.COLUMNS)

    def _flow_list(self) -> FlowList:
        for pane in (self._console.focused_pane, *self._console.panes_shown):
            if isinstance(pane, FlowList):
                return pane
        raise CommandError("open the flow list first")

    # --- the tree ---------------------------------------------------------------------------------------------------

    @command("console.view.tree")
    def view_tree(self) -> None:
        """Open the tree of hosts and paths."""
        self._console.open_pane("tree")

    @command("console.tree.reveal")
    def tree_reveal(self) -> None:
        """Open the tree of hosts and paths at the focused flow."""
        focus = self._console.view.focus_id
        pane = self._console.open_pane("tree")
        if isinstance(pane, TreePane) and focus is not None:
            pane.reveal(focus)

    # --- named marks ------------------------------------------------------------------------------------------------

    @command("console.mark.put")
    def mark_put(self, name: str = "") -> None:
        """Give the focused flow a mark with a name of one letter or digit; without a name, ask for it."""
        if not name:
            self._ask("mark this flow as", "console.mark.put")
        elif not is_name(name):
            raise CommandError(f"{name!r} is no name for a mark: one letter or digit")
        else:
            self.marks.put(name)

    @command("console.mark.go")
    def mark_go(self, name: str = "") -> None:
        """Go to the flow with this mark, by ' to where the last jump began; without a name, ask for it."""
        if not name:
            self._ask("go to the mark", "console.mark.go")
        elif not is_name(name) and name != BACK:
            raise CommandError(f"{name!r} is no name of a mark: one letter or digit, or {BACK}")
        else:
            self.marks.go(name)

    def _ask(self, title: str, name: str) -> None:
        def named(mark: str) -> None:
            self._console.run_command(f"{name} {lexer.quote(mark)}")

        self._console.show(MarkBox(self._console, title, self.marks, named))
