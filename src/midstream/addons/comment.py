"""Comments on flows: the command `flow.comment`."""

from __future__ import annotations

from collections.abc import Sequence

from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.commands import command


class Comment:
    """The addon; see the module."""

    @command("flow.comment")
    def comment(self, flow: Sequence[Flow], comment: str) -> None:
        """Set the comment of flows; an empty text takes it away."""
        changed = []
        for each in flow:
            if each.comment != comment:
                each.comment = comment
                changed.append(each)
        ctx.master.events.update.sync(changed)
