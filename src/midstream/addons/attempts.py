"""The attempts of a request: a flow and its replays, and stepping from one to the next.

A replay names the flow that it repeats in its metadata (flows/attempt.py), so the links are saved with the flows. They
are noted as flows come; those of flows that are on disk are read at the first question.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from midstream.flows.attempt import REPLAY_OF
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.commands import argument, command
from midstream.hub.log import ALERT
from midstream.hub.types import Choice
from midstream.store.rows import Row
from midstream.store.view import Change, View
from midstream.text.times import clock

logger = logging.getLogger("midstream.attempt")

NAME = "view.attempt"


class Attempts:
    """The addon; see the module."""

    name = "attempts"

    def __init__(self, view: View) -> None:
        self._view = view
        self._parents: dict[str, str] = {}  # of each replay, by ids
        self._replayed: set[str] = set()
        self._unread: set[str] = set()

    def running(self) -> None:
        self._view.on_change.append(self._changed)

    def done(self) -> None:
        if self._changed in self._view.on_change:
            self._view.on_change.remove(self._changed)

    def has_some(self, id_: str) -> bool:
        """Whether a flow is one of several attempts, as far as that is known without reading anything."""
        return id_ in self._parents or id_ in self._replayed or id_ in self._unread

    @command("flow.attempts")
    async def attempts(self, flow: Flow) -> Sequence[Flow]:
        """A flow and its replays, the oldest first, whichever of them is given."""
        return [each for id_ in await self._family(flow.id) if (each := self._view.get(id_)) is not None]

    @command(f"{NAME}.next")
    async def next(self) -> None:
        """Focus the next attempt of the focused request."""
        await self._step(1)

    @command(f"{NAME}.prev")
    async def previous(self) -> None:
        """Focus the attempt before the focused one; the first is what was captured."""
        await self._step(-1)

    @command(f"{NAME}.options")
    async def options(self) -> Sequence[str]:
        """The attempts of the focused request, to choose from."""
        family = await self._family(self._focused())
        if len(family) < 2:
            raise CommandError("this flow was not replayed")
        return [_line(self._view.row(id_)) for id_ in family]

    @command(f"{NAME}.go")
    @argument("attempt", type=Choice(f"{NAME}.options"))
    async def go(self, attempt: str) -> None:
        """Focus an attempt by its number in the list, or by its line of view.attempt.options."""
        number = attempt.removeprefix("flow ").partition(",")[0]
        for id_ in await self._family(self._focused()):
            if str(self._view.row(id_).number) == number:
                self._focus(id_)
                return
        raise CommandError(f"flow {number} is no attempt of the focused request")

    # -- stepping -----------------------------------------------------------------------------------------------------

    def _focused(self) -> str:
        if self._view.focus_id is None:
            raise CommandError("no flow has the focus")
        return self._view.focus_id

    async def _step(self, by: int) -> None:
        focused = self._focused()
        family = await self._family(focused)
        if len(family) < 2:
            raise CommandError("this flow was not replayed; r does that")
        place = family.index(focused) + by
        if not 0 <= place < len(family):
            raise CommandError(f"this is the {'last' if by > 0 else 'first'} of {len(family)} attempts")
        self._focus(family[place])
        logger.log(ALERT, "attempt %d of %d", place + 1, len(family))

    def _focus(self, id_: str) -> None:
        if id_ not in self._view.shown:
            raise CommandError(f"flow {self._view.row(id_).number:,} is hidden by the filter")
        self._view.set_focus(id_)

    # -- links --------------------------------------------------------------------------------------------------------

    async def _family(self, id_: str) -> list[str]:
        """The ids of all attempts, by age. Files may be anybody's, so links may go in circles."""
        parents = await self._links()
        seen = {id_}
        while (parent := parents.get(id_)) is not None and parent in self._view and parent not in seen:
            seen.add(id_ := parent)
        children: dict[str, list[str]] = {}
        for child, parent in parents.items():
            children.setdefault(parent, []).append(child)
        family, todo = {id_}, [id_]
        while todo:
            new = [child for child in children.get(todo.pop(), ()) if child in self._view and child not in family]
            family.update(new)
            todo += new
        return sorted(family, key=lambda each: self._view.row(each).number)

    async def _links(self) -> dict[str, str]:
        if self._unread:
            ids, self._unread = [id_ for id_ in self._unread if id_ in self._view], set()
            async for flow in self._view.walk(ids):
                self._note(flow)
        return self._parents

    def _changed(self, change: Change) -> None:
        id_ = change.id
        if change.kind not in ("add", "update") or id_ is None or id_ in self._parents:
            return
        if self._view.row(id_).replay == "request":
            flow = self._view.in_memory(id_)
            if flow is None:
                self._unread.add(id_)
            else:
                self._note(flow)

    def _note(self, flow: Flow) -> None:
        parent = flow.metadata.get(REPLAY_OF)
        if isinstance(parent, str):
            self._parents[flow.id] = parent
            self._replayed.add(parent)


def _line(row: Row) -> str:
    """`flow 11, 14:02:11, 200, 4,096 bytes, 70 ms`."""
    words = [f"flow {row.number}", clock(row.created).partition(".")[0]]
    if row.failed or row.status is None:
        return ", ".join([*words, "failed" if row.failed else "not answered yet"])
    words += [str(row.status), f"{row.size:,} bytes"]
    return ", ".join([*words, f"{row.duration * 1000:,.0f} ms"] if row.duration is not None else words)
