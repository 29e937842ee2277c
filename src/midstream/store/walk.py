"""Walking over very many flows of the view: on the loop, in slices, with those on disk read ahead in a thread.

Whoever has to look at the flows themselves (a filter pass, a search in bodies, an export, a save) walks:

    async for flow in view.walk(view.shown):
        ...

The loop gets a turn whenever 4 ms are used up, by the walk and by what is done with each flow together. Flows that were
removed meanwhile are skipped. Do not keep the flows: what is kept stays in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from midstream.work.slices import Budget, Token

if TYPE_CHECKING:
    from midstream.flows.flow import Flow
    from midstream.store.view import View


class Walk:
    """See the module. `examined` counts the ids that are behind us, removed ones included: for progress.

    A class and not an async generator: one that is abandoned by `break` leaves nothing to finalize on the loop.
    """

    def __init__(self, view: View, ids: Iterable[str], budget: float, token: Token | None) -> None:
        self._view = view
        self._ids = iter(tuple(ids))
        self._budget = Budget(budget)
        self._token = token
        self.examined = 0

    def __aiter__(self) -> AsyncIterator[Flow]:
        return self

    async def __anext__(self) -> Flow:
        for id_ in self._ids:
            if self._budget.spent():
                await self._budget.rest()
                if self._token is not None and not self._token.current:
                    raise StopAsyncIteration
            self.examined += 1
            flow = self._view.get(id_)
            if flow is not None:
                return flow
        raise StopAsyncIteration
