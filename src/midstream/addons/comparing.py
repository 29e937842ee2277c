"""`flow.compare`: what differs between two flows, as text. The console has a pane for it (`c`)."""

from __future__ import annotations

from midstream.flows import comparing
from midstream.flows.comparing import Row
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.body_rows import rows_of_bodies
from midstream.hub.commands import command
from midstream.text.escape import visible


class Comparing:
    """The addon; see the module."""

    @command("flow.compare")
    async def compare(self, left: Flow, right: Flow) -> str:
        """What differs between two flows: headers by name, JSON by path, other text by line."""
        shown = [ctx.master.showing.flow(flow) for flow in (left, right)]
        lines: list[str] = []
        for side in dict.fromkeys([*comparing.sides(left), *comparing.sides(right)]):
            rows = comparing.head_rows(shown[0], shown[1], side)
            rows += await rows_of_bodies(shown[0], shown[1], side, ctx.master.worker)
            lines += [f"{side} {line}" for row in rows for line in _lines(row)]
        return "\n".join(lines)


def _lines(row: Row) -> list[str]:
    if row.sign in "= ":
        return []
    name = visible(row.name)
    left = [f"- {name}: {visible(row.left)}"] if row.left is not None else []
    return left + ([f"+ {name}: {visible(row.right)}"] if row.right is not None else [])
