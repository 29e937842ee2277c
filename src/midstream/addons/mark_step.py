"""Marks of very many flows as one step that can be undone: so many flows are not compared part by part.

Used by the commands that mark, in addons/core.py. Rows say which mark a flow has, so that flows on disk whose mark
stays are not read; the others are marked in slices. What is kept of a flow is its id and its mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.recording import MOST_FLOWS, is_by_person
from midstream.store.specs import ids_in

_WRITTEN_AFTER = 500


class Marking:
    """Marks that are yet to be put on flows, by their ids: one task puts them all, however many commands there are."""

    def __init__(self) -> None:
        self._wanted: dict[str, str] = {}

    @staticmethod
    def is_for_many(flows: Sequence[Flow]) -> bool:
        """Whether marking these is better left to `mark`: a person marks more than are compared."""
        return getattr(ctx.master, "view", None) is not None and is_by_person() and len(flows) > MOST_FLOWS

    def mark(self, flows: Sequence[Flow], becomes: Callable[[str], str]) -> None:
        """Give flows the mark that `becomes` says for the present one."""
        view = ctx.master.view
        before = [(id_, self.present(id_)) for id_ in ids_in(flows) if id_ in view]
        pairs = [(old, (old[0], new)) for old in before if (new := becomes(old[1])) != old[1]]
        if pairs:
            ctx.master.undo.add(MarkStep(self, [old for old, _ in pairs], [new for _, new in pairs]))
            self.put(dict(new for _, new in pairs))

    def present(self, id_: str) -> str:
        """The mark that a flow in the list has or is about to have."""
        mark = self._wanted.get(id_)
        return ctx.master.view.row(id_).marked if mark is None else mark

    def put(self, marks: Mapping[str, str]) -> None:
        """Begin to mark flows."""
        is_at_work = bool(self._wanted)
        self._wanted.update(marks)
        if not is_at_work:
            ctx.master.background.spawn(self._put_all(), "mark flows")

    async def _put_all(self) -> None:
        view, update, wanted = ctx.master.view, ctx.master.events.update, self._wanted
        try:
            while wanted:
                left = dict.fromkeys(wanted)
                async for flow in view.walk(tuple(wanted)):
                    left.pop(flow.id, None)
                    marker = wanted.pop(flow.id, None)
                    if marker is not None:
                        flow.marked = marker
                        await update([flow])
                        if len(wanted) % _WRITTEN_AFTER == 0:
                            await view.written()  # there may be more of them than memory has room for
                for id_ in left:  # gone meanwhile, or not to be read
                    wanted.pop(id_, None)
        finally:
            wanted.clear()


class MarkStep:
    """Pairs of flow id and mark, as they were; and what they are."""

    def __init__(self, marking: Marking, before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> None:
        self._marking = marking
        self._before = before
        self._after = after
        self.what = f"mark of {len(before):,} flows"
        self.size = 300 * len(before)

    def undo(self) -> str:
        return self._put(self._before, self._after)

    def redo(self) -> str:
        return self._put(self._after, self._before)

    def let_go(self) -> None:
        self._before = self._after = ()

    def _put(self, wanted: Sequence[tuple[str, str]], expected: Sequence[tuple[str, str]]) -> str:
        """Mark again what is marked as expected; the rest was marked by somebody else since, or is gone."""
        view, present = ctx.master.view, self._marking.present
        marks = {
            id_: marker
            for (id_, marker), (_, mark) in zip(wanted, expected, strict=True)
            if id_ in view and present(id_) == mark
        }
        if not marks:
            raise CommandError("all of them were marked anew since, or are gone")
        self._marking.put(marks)
        left = len(wanted) - len(marks)
        return f"not on {left:,} that were marked anew since, or are gone" if left else ""
