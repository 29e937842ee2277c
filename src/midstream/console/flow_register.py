"""Flows that were yanked or cut, to be put into the list again: what `yy`, `dd` and `p` do in the vim key set.

Nested in the console's addon. One register; what it holds is a copy, which later changes of the flow do not reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.commands import command

if TYPE_CHECKING:
    from midstream.console.console import Console

MOST = 1_000  # flows in the register


class FlowRegister:
    """See the module."""

    name = "console_register"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._kept: list[Flow] = []

    @command("console.flows.yank")
    def flows_yank(self, flows: Sequence[Flow]) -> None:
        """Remember flows, to put copies of them into the list later."""
        if len(flows) > MOST:
            raise CommandError(f"{len(flows):,} flows are more than the {MOST:,} that can be yanked at once")
        self._kept = [flow.copy() for flow in flows]
        self._console.message(f"{_counted(len(flows))} yanked")

    @command("console.flows.cut")
    def flows_cut(self, flows: Sequence[Flow]) -> None:
        """Remember flows and take them out of the list."""
        self.flows_yank(flows)
        self._console.master.commands.call("view.flows.remove", flows)

    @command("console.flows.put")
    def flows_put(self) -> None:
        """Put copies of the flows that were yanked or cut into the list."""
        if not self._kept:
            raise CommandError("no flow was yanked or cut")
        self._console.master.commands.call("view.flows.duplicate", list(self._kept))


def _counted(count: int) -> str:
    return "one flow" if count == 1 else f"{count:,} flows"
