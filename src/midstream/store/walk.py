"""Walking over very many flows of the view: on the loop, in slices, with those on disk read ahead in a thread.

Whoever has to look at the flows themselves (a filter pass, a search in bodies, an export, a save) walks:

    async for flow in view.walk(view.shown):
        ...

The loop gets a turn whenever 4 ms are used up, by the walk and by what is done with each flow together. Flows that were
removed meanwhile are skipped. Do not keep the flows: what is kept stays in memory. Those that were read for the walk
leave memory again behind it, and push out nothing that a person looked at.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from midstream.flows.flow import Flow
from midstream.flows.state import StateError
from midstream.store.rows import Row
from midstream.work.slices import Budget, Token

if TYPE_CHECKING:
    from midstream.store.session_codec import Stored
    from midstream.store.stock import Stock

# What is read in one go, whichever is less.
_MOST_READ = 256
_MOST_BYTES = 4 << 20
_MOST_IDS = 1024


class _Step(NamedTuple):
    """An id, and its row as it was when the flow was asked for; None for one that was in memory, or is gone."""

    id: str
    row: Row | None
    revision: int


class Walk:
    """See the module. `examined` counts the ids that are behind us, removed ones included: for progress.

    A class and not an async generator: one that is abandoned by `break` leaves nothing to finalize on the loop. None
    among the ids stands for a flow that somebody has dealt with already.
    """

    def __init__(
        self,
        view: Stock,
        ids: Iterable[str | None],
        *,
        budget: float = 0.004,
        token: Token | None = None,
        on_rest: Callable[[], None] | None = None,
    ) -> None:
        self._view = view
        self._ids = iter(ids)
        self._budget = Budget(budget)
        self._token = token
        self._on_rest = on_rest
        self.examined = 0
        self._is_over = False
        self._steps: deque[_Step] = deque()
        self._read: dict[int, Stored | StateError] = {}
        self._ahead: tuple[deque[_Step], asyncio.Future[dict[int, Stored | StateError]]] | None = None
        self._behind: deque[Row] = deque()

    def __aiter__(self) -> AsyncIterator[Flow]:
        return self

    async def __anext__(self) -> Flow:
        # The last one is still held by the loop that asks for the next.
        while len(self._behind) > 1 and (session := self._view.session) is not None:
            session.release(self._behind.popleft())
        while True:
            while self._steps:
                if self._budget.spent() and not await self._rest():
                    raise StopAsyncIteration
                self.examined += 1
                flow = self._flow(self._steps.popleft())
                if flow is not None:
                    return flow
            if not await self._go_on():
                raise StopAsyncIteration

    async def _rest(self) -> bool:
        """Give the loop a turn; False: somebody else has taken over."""
        if self._on_rest is not None:
            self._on_rest()
        await self._budget.rest()
        return self._token is None or self._token.current

    def _flow(self, step: _Step) -> Flow | None:
        view = self._view
        flow = view.in_memory(step.id)
        if flow is not None or view.session is None:
            return flow
        row = step.row
        if row is None:  # it was in memory when this began, and has left it since
            return view.get(step.id)
        if step.id not in view or view.row(step.id) is not row:
            return None
        if row.revision != step.revision:  # it was read, and has been written anew since
            return view.get(step.id)
        self._behind.append(row)
        return view.session.make(row, self._read.get(row.number))

    async def _go_on(self) -> bool:
        """The next steps; False at the end. While these are dealt with, those behind them are read."""
        if self._ahead is None and not await self._look_ahead():
            return False
        if self._ahead is not None:
            (self._steps, reading), self._ahead = self._ahead, None
            self._read = await reading
            return await self._look_ahead() or bool(self._steps)
        return True

    async def _look_ahead(self) -> bool:
        """Begin to read what comes next; what is in memory is taken as it is. False when nothing comes."""
        steps: deque[_Step] = deque()
        numbers: list[int] = []
        size = 0
        for id_ in self._ids:
            if self._budget.spent() and not await self._rest():
                return False
            if id_ is None:
                self.examined += 1
                continue
            if self._view.in_memory(id_) is None and id_ in self._view:
                row = self._view.row(id_)
                steps.append(_Step(id_, row, row.revision))
                numbers.append(row.number)
                size += row.size
            else:
                steps.append(_Step(id_, None, 0))
            if len(numbers) >= _MOST_READ or size > _MOST_BYTES or len(steps) >= _MOST_IDS:
                break
        if numbers and self._view.session is not None:
            self._ahead = steps, self._view.session.reader.read_soon(numbers)
        elif not self._steps:
            self._steps = steps
        else:
            self._ahead = steps, _nothing()
        return bool(steps)


def _nothing() -> asyncio.Future[dict[int, Stored | StateError]]:
    future: asyncio.Future[dict[int, Stored | StateError]] = asyncio.get_running_loop().create_future()
    future.set_result({})
    return future
