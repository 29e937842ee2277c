"""Commands of the compare pane, and which two flows it gets. Nested in the console's addon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.overlays import SHORTCUTS, Chooser
from midstream.console.panes.compare import Compare
from midstream.console.panes.flow_row import address
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.commands import command
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

_NEAR = 2000  # flows around the focus among which similar ones are looked for


class CompareCommands:
    """See the module."""

    name = "console_compare"

    def __init__(self, console: Console) -> None:
        self._console = console

    @command("console.compare")
    def compare(self, flow: Flow) -> None:
        """Compare with the marked flow; two marked ones with each other; else with one that is chosen."""
        view, marked = self._console.view, self._console.tally.marked
        others = (
            [id_ for id_ in view.all_ids if id_ in marked and id_ != flow.id] if len(marked) <= len(SHORTCUTS) else []
        )
        if len(others) == 2 and flow.id not in marked:
            self._show(others[0], others[1])
        elif len(others) == 1:
            self._show(others[0], flow.id)
        else:
            self._choose(flow, others or self._similar(flow))

    @command("console.compare.received")
    def received(self, flow: Flow) -> None:
        """Compare a flow that was edited with what it was when it was received."""
        before = flow.unedited()
        if before is None:
            raise CommandError("nobody has edited this flow")
        pane = self._console.stacks.get("compare")
        assert isinstance(pane, Compare)
        pane.compare_edits(before, flow)
        self._console.open_pane(pane)

    def _show(self, left: str, right: str) -> None:
        view = self._console.view
        flows = [flow for flow in (view.get(left), view.get(right)) if flow is not None]
        if len(flows) < 2:
            raise CommandError("one of the two flows is not there any more")
        pane = self._console.stacks.get("compare")
        assert isinstance(pane, Compare)
        pane.compare(*flows)
        self._console.open_pane(pane)

    def _choose(self, flow: Flow, ids: list[str]) -> None:
        if not ids:
            raise CommandError("there is no other flow to compare with")
        labels = {self._label(id_): id_ for id_ in ids}
        number = self._console.view.row(flow.id).number
        self._console.show(
            Chooser(f"compare {number} with", list(labels), lambda label: self._show(labels[label], flow.id))
        )

    def _label(self, id_: str) -> str:
        row = self._console.view.row(id_)
        status = f" {row.status}" if row.status is not None else ""
        where = "".join(text for _, text in address(row, self._console.master.showing.text))
        return f"{row.number} {visible(row.method)} {where[:200]}{status}"

    def _similar(self, flow: Flow) -> list[str]:
        """Flows near the focus, those to the same place first, then those to the same host; the nearest first."""
        view = self._console.view
        own = view.row(flow.id)
        at = view.index(flow.id) or 0
        near = [id_ for id_ in view.shown[max(at - _NEAR, 0) : at + _NEAR] if id_ != flow.id]

        def distance(id_: str) -> tuple[bool, bool, bool, int]:
            row = view.row(id_)
            path, own_path = row.path.partition("?")[0], own.path.partition("?")[0]
            same_host = row.host == own.host
            place = abs(row.number - own.number)
            return not (same_host and path == own_path), row.method != own.method, not same_host, place

        return sorted(near, key=distance)[: len(SHORTCUTS)]

    # --- in the pane ------------------------------------------------------------------------------------------------

    def _pane(self) -> Compare:
        pane = self._console.focused_pane
        if not isinstance(pane, Compare):
            raise CommandError("compare two flows first: c in the flow list")
        return pane

    @command("console.compare.next")
    def next(self) -> None:
        """Go to the next difference."""
        self._pane().step(1)

    @command("console.compare.prev")
    def prev(self) -> None:
        """Go to the difference before."""
        self._pane().step(-1)

    @command("console.compare.all")
    def all(self) -> None:
        """Show everything, or only what differs."""
        self._pane().toggle_all()

    @command("console.compare.swap")
    def swap(self) -> None:
        """Swap the two sides."""
        self._pane().swap()

    @command("console.compare.beside")
    def beside(self) -> None:
        """The two side by side, or below each other."""
        self._pane().toggle_beside()
