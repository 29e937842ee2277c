"""`flow.compare`: what differs between two flows, as text. The console has a pane for it (`c`)."""

from __future__ import annotations

from midstream.flows import comparing
from midstream.flows.comparing import Body, Row
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.text.escape import visible
from midstream.work.worker import WorkerFailed


class Comparing:
    """The addon; see the module."""

    @command("flow.compare")
    async def compare(self, left: Flow, right: Flow) -> str:
        """What differs between two flows: headers by name, JSON by path, other text by line; nothing when they agree."""
        shown = [ctx.master.showing.flow(flow) for flow in (left, right)]
        lines: list[str] = []
        for side in dict.fromkeys([*comparing.sides(left), *comparing.sides(right)]):
            rows = [*comparing.head_rows(shown[0], shown[1], side), *await rows_of_bodies(shown[0], shown[1], side)]
            lines += [f"{side} {line}" for row in rows for line in _lines(row)]
        return "\n".join(lines)


async def rows_of_bodies(left: Flow, right: Flow, side: str) -> list[Row]:
    """The rows of the two bodies; large ones are compared in the worker process, for two seconds at most."""
    pair = comparing.bodies(left, right, side)
    if pair is None:
        return []
    ours, theirs = pair
    if ours.content is None or theirs.content is None:
        return [Row("body", *(_kept(body) for body in pair))]
    arguments = (ours.content, ours.encoding, theirs.content, theirs.encoding)
    if comparing.is_quick(ours, theirs):
        return comparing.body_rows(*arguments)
    sizes = (f"{len(ours.content):,} bytes", f"{len(theirs.content):,} bytes")
    try:
        return await ctx.master.worker.run(comparing.body_rows, *arguments)
    except TimeoutError:
        return [Row("not compared: it takes more than 2 s", None, None), Row("body as sent", *sizes)]
    except (WorkerFailed, ValueError) as error:
        return [Row(f"not compared: {error}", None, None), Row("body as sent", *sizes)]


def _kept(body: Body) -> str:
    return "not kept: it was streamed" if body.content is None else f"{len(body.content):,} bytes"


def _lines(row: Row) -> list[str]:
    if row.sign in "= ":
        return []
    name = visible(row.name)
    left = [f"- {name}: {visible(row.left)}"] if row.left is not None else []
    return left + ([f"+ {name}: {visible(row.right)}"] if row.right is not None else [])
