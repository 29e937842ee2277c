"""Comments on flows: the command `flow.comment`."""

from __future__ import annotations

from collections.abc import Sequence

from midstream.addons.in_bulk import InBulk
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.commands import command


class Comment:
    """The addon; see the module."""

    def __init__(self) -> None:
        self._in_bulk = InBulk()

    @command("flow.comment")
    def comment(self, flow: Sequence[Flow], comment: str) -> None:
        """Set the comment of flows; an empty text takes it away."""

        def put(each: Flow) -> bool:
            changed = each.comment != comment
            each.comment = comment
            return changed

        if self._in_bulk.is_for(flow):
            self._in_bulk.begin(flow, "flow.comment", put, lambda row: row.shared.comment != comment)
        else:
            ctx.master.events.update.sync([each for each in flow if put(each)])
