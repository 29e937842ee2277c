"""Comments on flows: the command `flow.comment`."""

from __future__ import annotations

from collections.abc import Sequence

from midstream.addons.in_bulk import are_many, edit_all
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.commands import command


class Comment:
    """The addon; see the module."""

    @command("flow.comment")
    def comment(self, flow: Sequence[Flow], comment: str) -> None:
        """Set the comment of flows; an empty text takes it away."""

        def put(each: Flow) -> bool:
            changed = each.comment != comment
            each.comment = comment
            return changed

        if are_many(flow):
            edit_all(flow, "flow.comment", put, lambda row: row.shared.comment != comment)
        else:
            ctx.master.events.update.sync([each for each in flow if put(each)])
