"""The stock of the view: the rows of all captured flows, and the flows themselves, in memory or in the session.

The base of `View`, which adds what is shown. Rows are always in memory; a flow is asked for by its id, and who holds
one holds the only one.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from midstream.flows.elsewhere import unread_parts
from midstream.flows.flow import Flow
from midstream.store.rows import Row
from midstream.store.walk import Walk
from midstream.work.slices import Token

if TYPE_CHECKING:
    from midstream.store.session import Session


class Stock:
    """See the module."""

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}  # those that are in memory
        self._session: Session | None = None
        self._rows: dict[str, Row] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        """The number of stored flows, shown or not."""
        return len(self._rows)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._rows

    @property
    def all_ids(self) -> Set[str]:
        """Every stored flow id in order of arrival."""
        return self._rows.keys()

    def row(self, id_: str) -> Row:
        """The row of a stored flow; KeyError for any other id."""
        return self._rows[id_]

    def get(self, id_: str) -> Flow | None:
        """The flow, or None when it is not (or no longer) stored. There is only ever one object for an id.

        It may have to be read from the session, within a millisecond: large bodies and long conversations are left
        there until they are touched, or fetched. For very many use `walk`.
        """
        flow = self._flows.get(id_)
        if flow is None and self._session is not None and (row := self._rows.get(id_)) is not None:
            return self._session.load(row)
        return flow

    async def fetch(self, flow: Flow) -> None:
        """Read what of a flow is left in the session, in a thread: then nothing of it takes time."""
        parts = unread_parts(flow)
        if parts and self._session is not None:
            await self._session.reader.fetch(parts)

    def in_memory(self, id_: str) -> Flow | None:
        """The flow if nothing has to be read for it. All that are live or held are in memory."""
        return self._flows.get(id_)

    def walk(self, ids: Iterable[str], *, budget: float = 0.004, token: Token | None = None) -> Walk:
        """The flows of many ids in slices: `async for flow in view.walk(ids)`. For whoever would otherwise `get` each
        one: flows on disk are read ahead in batches. Ends early once a `token` is no longer current. See `store.walk`.
        """
        return Walk(self, tuple(ids), budget=budget, token=token)

    # -- the session --------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """Where flows are kept that are not in memory, if there is such a place."""
        return self._session

    @property
    def flows_in_memory(self) -> dict[str, Flow]:
        """For the session: the flows that are in memory, by their ids."""
        return self._flows

    def attach(self, session: Session) -> None:
        """From now on flows may leave memory."""
        self._session = session
        for id_, row in self._rows.items():
            session.note(row, self._flows[id_])

    async def written(self) -> None:
        """When what was added is in the session: for whoever adds more than memory has room for."""
        if self._session is not None:
            await self._session.flush()

    def detach(self) -> None:
        """The session is closed: what is not in memory can be had no more."""
        self._session = None

    def begin_after(self, number: int) -> None:
        """The next new flow has a larger number than this."""
        self._arrivals = max(self._arrivals, number)
