"""Marks of very many flows as one step that can be undone: so many flows are not compared part by part.

Used by the commands that mark, in addons/core.py. What is kept of a flow is its id and its mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.recording import MOST_FLOWS, is_by_person
from midstream.work.slices import cooperate


class MarkStep:
    """Pairs of flow id and mark, as they were; and what they are."""

    def __init__(self, before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> None:
        self._before = before
        self._after = after
        self.what = f"mark of {len(before):,} flows"
        self.size = 300 * len(before)

    @staticmethod
    def of(flows: Sequence[Flow]) -> AbstractContextManager[None]:
        """Note what is marked within the block, if it is a person's doing and nobody else compares these flows."""
        view = getattr(ctx.master, "view", None)
        many = view is not None and is_by_person() and len(flows) > MOST_FLOWS
        return _noted(flows) if many else nullcontext()

    def undo(self) -> str:
        return _put(self._before, self._after)

    def redo(self) -> str:
        return _put(self._after, self._before)

    def let_go(self) -> None:
        self._before = self._after = ()


@contextmanager
def _noted(flows: Sequence[Flow]) -> Iterator[None]:
    before = [(flow.id, flow.marked) for flow in flows]
    yield
    pairs = [(old, (flow.id, flow.marked)) for old, flow in zip(before, flows, strict=True) if old[1] != flow.marked]
    if pairs:
        ctx.master.undo.add(MarkStep([old for old, _ in pairs], [new for _, new in pairs]))


def _put(wanted: Sequence[tuple[str, str]], expected: Sequence[tuple[str, str]]) -> str:
    """Mark again what is marked as expected; the rest was marked by somebody else since, or is gone."""
    changed: list[Flow] = []
    for (id_, marker), (_, present) in zip(wanted, expected, strict=True):
        flow = ctx.master.view.get(id_)
        if flow is not None and flow.marked == present:
            flow.marked = marker
            changed.append(flow)
    if not changed:
        raise CommandError("all of them were marked anew since, or are gone")
    ctx.master.background.spawn(_tell(changed), "tell of changed flows")
    left = len(wanted) - len(changed)
    return f"not on {left:,} that were marked anew since, or are gone" if left else ""


async def _tell(changed: list[Flow]) -> None:
    async for some in cooperate(changed):
        await ctx.master.events.update(some)
