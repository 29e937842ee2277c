"""Flows that were taken out of the view and may be put back: their rows, and those flows that have to stay in memory.

Made by `View.take_out`, held by the journal of undo, given to `View.put_back`, or let go. What is on disk stays there
until then, so that a hundred thousand flows are deleted, and are there again, without one of them being read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from midstream.flows.flow import Flow
from midstream.store.rows import Row

if TYPE_CHECKING:
    from midstream.store.session import Session
    from midstream.store.session_kept import Kept

# Bytes. A row takes more, but would do so in the list as well.
_ROW: Final = 200
_FLOW: Final = 3000


class Taken:
    """See the module. `flows` are those in memory, `session` is where the others are."""

    def __init__(
        self, gone: dict[str, Row], flows: Mapping[str, Flow], session: Session | None, is_all: bool = False
    ) -> None:
        self.gone = gone
        """The rows of all of them by id, in the order in which they were named."""
        self.is_all = is_all
        """Whether nothing else was stored: what is stored now came later. They are in order of arrival then."""
        self._session = session
        self._kept: list[Kept] = session.take_out(gone) if session is not None else []
        self.flows: dict[str, Flow] = {
            id_: flows[id_] for id_ in min(gone, flows, key=len) if id_ in flows and id_ in gone
        }
        """Those that were in memory and stay there, by their ids; all that were live are among them."""

    @property
    def rows(self) -> list[Row]:
        """The rows."""
        return list(self.gone.values())

    @property
    def size(self) -> int:
        """About how many bytes of memory it holds on to."""
        if self._session is not None:
            return _ROW * len(self.gone) + sum(kept.weight for kept in self._kept)
        return sum(_ROW + _FLOW + row.size for row in self.gone.values())

    def give_back(self, back: list[Row], lost: list[Row]) -> None:
        """The view stores these again; of the others nothing is left."""
        if self._session is not None:
            gone = {row.id for row in lost}
            self._session.put_back(back, [kept for kept in self._kept if kept.row.id not in gone])
            self._session.remove(lost)
        self._empty()

    def let_go(self) -> None:
        """Nobody wants them back."""
        if self._session is not None and self.gone:
            self._session.remove(self.rows)
        self._empty()

    def _empty(self) -> None:
        self.gone, self.flows, self._kept = {}, {}, []
