"""How many flows the spec in a command line names, counted in slices while the person goes on typing.

One per command prompt. What takes no looking is known at once; filters and marks are looked for, and a newer spec ends
an older count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.store.specs import Flows
from midstream.work.slices import Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console


class FlowCount:
    """`text` is what to show: `11 flows`, nothing while it is not known."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._turns = Generation()
        self._spec: str | None = None
        self.text = ""

    def ask(self, spec: str | None) -> None:
        """Count for this spec from now on; None: there is none."""
        if spec == self._spec:
            return
        self.stop()
        self._spec = spec
        if spec is None:
            return
        try:
            flows = self._console.view.resolve(spec)
        except ValueError:
            return
        if flows.is_searched_for:
            self._console.spawn(self._count(flows, self._turns.begin()), "count flows")
        else:
            self._show(flows)

    def stop(self) -> None:
        """Count no further and show nothing."""
        self._turns.cancel()
        self._spec, self.text = None, ""

    async def _count(self, flows: Flows, token: Token) -> None:
        if await flows.look(token):
            self._show(flows)
            self._console.request_frame()

    def _show(self, flows: Flows) -> None:
        count = len(flows)
        self.text = f"{count:,} flow{'' if count == 1 else 's'}"
