"""The view: all captured flows, and which of them are shown, in what order, with which one in focus.

The view addon feeds it from events, the console paints from it, commands resolve flow specs by it; all run on the event
loop, and the view itself knows neither loop nor options. Each event costs O(log n). Rows stay in memory, flows may be
in a session (`stock`); what is shown is told in `showing`. Taking a flow out is only that: whoever removes a live flow
ends it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from midstream.flows.flow import Flow
from midstream.store.focus import Focus
from midstream.store.order import LAZY_ORDERS
from midstream.store.rows import Row
from midstream.store.showing import Change as Change
from midstream.store.showing import Showing
from midstream.store.specs import Flows, resolve
from midstream.store.taken import Taken
from midstream.work.slices import Generation, cooperate

_by_number = attrgetter("number")


class View(Showing):
    """See the module. All methods are to be called on the event loop's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[str, dict[str, str]] = {}
        self._is_mixed = False  # the rows are not in order of arrival
        self._mendings = Generation()  # of that, in slices
        self.follow = False
        # Asked before a new flow takes the focus: somebody may be working on the one that has it.
        self.focus_is_taken: Callable[[], bool] = lambda: False

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def focus(self) -> Focus:
        """The focused flow itself, for scripts: `view.focus.flow`."""
        return Focus(self)

    def index(self, id_: str) -> int | None:
        """The position in `shown`, or None when the flow is not shown."""
        return self.shown.index_of(id_)

    def resolve(self, spec: str) -> Flows:
        """The flows that a spec names; ValueError when it is none. See `store.specs`."""
        return resolve(self, spec)

    def settings(self, id_: str) -> dict[str, str]:
        """What the interface remembers about a stored flow; KeyError for any other id."""
        if id_ not in self._rows:
            raise KeyError(id_)
        return self._settings.setdefault(id_, {})

    # -- flows --------------------------------------------------------------------------------------------------------

    def add(self, flow: Flow) -> None:
        """Store a new flow. ValueError when its id is already stored."""
        if flow.id in self._rows:
            raise ValueError(f"flow {flow.id} is already in the view")
        self._arrivals += 1
        self._insert(Row(flow, self._arrivals), flow, self._matches(flow))

    def _insert(self, row: Row, flow: Flow, matches: bool) -> None:
        self._flows[row.id] = flow
        self._rows[row.id] = row
        if self._session is not None:
            self._session.note(row, flow)
        self._touch(row)
        if matches:
            self.shown.place(row)
            self._changed("add", row.id)
            if self._focus is None:
                self._move_focus(row.id)
            elif self.follow and not self.focus_is_taken():
                self.set_focus(row.id)
        else:
            self._changed("add", row.id)

    def update(self, flow: Flow) -> None:
        """Rewrite the row of a flow that changed; flows that are not stored (any more) are ignored."""
        row = self._rows.get(flow.id)
        if row is None:
            return
        row.rewrite(flow)
        if self._session is not None:
            self._session.note(row, flow)
        self._settle(row, self._matches(flow))
        self._changed("update", row.id)

    def remove(self, ids: Iterable[str]) -> list[Flow]:
        """Take flows out for good; unknown ids are skipped. Returns those that were in memory, since freeing very many
        takes a while. A focused one hands the focus to the next shown.
        """
        taken = self.take_out(ids)
        flows = list(taken.flows.values())
        taken.let_go()
        return flows

    def take_out(self, ids: Iterable[str] | None) -> Taken:
        """The same, but they can be put back: nothing is read, and what is on disk stays there meanwhile.

        None stands for all, of which there may be very many: they are not touched then.
        """
        gone: dict[str, Row] = {}
        if ids is None:
            gone = self._rows
            self._store_rows({})
        else:
            for id_ in ids:
                row = self._rows.pop(id_, None)
                if row is not None:
                    gone[id_] = row
        taken = Taken(gone, self._flows, self._session, is_all=ids is None and not self._is_mixed)
        if not gone:
            return taken
        lost = gone[self._focus].key if self._focus is not None and self._focus in gone else None
        if self._rows:
            self.shown.drop(gone)
        else:
            self._show_nothing()
        for kept in (self._flows, self._settings):
            for id_ in kept.keys() & gone.keys():
                del kept[id_]
        if self._moved:
            self._moved.difference_update(gone.values())
        if self._touched is not None:
            self._touched.update(gone.values())
        self._changed(*(("remove", next(iter(gone))) if len(gone) == 1 else ("refresh", None)))
        if lost is not None:
            self._move_focus(self.shown.nearest_to(lost))
        return taken

    def _store_rows(self, rows: dict[str, Row]) -> None:
        self._rows = self.shown.rows = rows

    def clear(self) -> list[object]:
        """Take all flows out for good. Returns all that was kept of them: freeing very many takes a while, `let_go`."""
        taken = self.take_out(None)
        gone: list[object] = [*taken.flows.values(), *taken.rows]
        taken.let_go()
        return gone

    def put_back(self, taken: Taken) -> list[Row]:
        """Store what was taken out, at its places and under its numbers; what is stored meanwhile is left out.

        Which of it is shown the filter says, in one go: many flows are for `store_back` and `show_back`.
        """
        back = self.store_back(taken)
        if self._is_mixed:
            self.sort_arrivals()
        self.shown.place_all([row for row in back if self._matches_stored(row)])
        for row in back:
            self._touch(row)
        self._changed("refresh", None)
        self._count_again(back)
        if self._focus is None and self.shown:
            self._move_focus(self.shown[0])
        return back

    def store_back(self, taken: Taken) -> list[Row]:
        """The same, and nothing of it is shown yet."""
        self._mendings.cancel()
        gone, flows = taken.gone, taken.flows
        lost = [gone.pop(id_) for id_ in gone.keys() & self._rows.keys()]
        back = taken.rows
        for id_ in flows.keys() & gone.keys():
            flow = self._flows[id_] = flows[id_]
            if gone[id_].live != flow.live or gone[id_].held:  # it was ended as it was taken out
                gone[id_].rewrite(flow)
        if taken.is_all:
            gone |= self._rows  # which came later
            self._store_rows(gone)
        else:
            self._rows |= gone
            self._is_mixed = True
        taken.give_back(back, lost)
        return back

    async def show_back(self, back: Sequence[Row], focus: str | None) -> None:
        """Show what was stored so, as the filter says, in slices. The focus goes to this flow, unless it is moved."""
        if self._is_mixed:
            await self._sort_arrivals_in_slices()
        await self.reshow(focus)
        async for some in cooperate(back):
            self._count_again(row for row in some if row.id in self._rows)

    def _count_again(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.marked:
                self._changed("update", row.id)

    def restore(self, row: Row) -> None:
        """Store a flow of an earlier run, which is in the session under this number. Others may have come meanwhile."""
        self._rows[row.id] = row
        matches = self._matches_stored(row)
        if matches:
            self.shown.place(row)
        self._touch(row)
        self._changed("add", row.id)
        if self._focus is None and matches:
            self._move_focus(row.id)

    def sort_arrivals(self) -> None:
        """Bring the flows in order of their numbers: new ones came while older ones were restored."""
        self._mendings.cancel()
        self._is_mixed = False
        in_order = sorted(self._rows.values(), key=_by_number)  # two runs, so that this is quick
        self._rows.clear()
        self._rows.update((row.id, row) for row in in_order)

    async def _sort_arrivals_in_slices(self) -> None:
        last, token = self._arrivals, self._mendings.begin()
        async for some in cooperate(sorted(self._rows.values(), key=_by_number), token=token):
            self._move_to_the_end(some)
        if token.current:  # else whoever put others back does it, with these
            self._move_to_the_end([row for row in self._rows.values() if row.number > last])
            self._is_mixed = False

    def _move_to_the_end(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._rows.get(row.id) is row:
                del self._rows[row.id]
                self._rows[row.id] = row

    def _settle(self, row: Row, matches: bool) -> None:
        """Put the row of a changed flow where it belongs now."""
        self._touch(row)
        if not self.shown.has(row):
            if matches:
                self.shown.place(row)
                if self._focus is None:
                    self._move_focus(row.id)
        elif not matches:
            self.shown.take(row)
            if self._focus == row.id:
                self._move_focus(self.shown.nearest_to(row.key))
        elif self.shown.has_moved(row):
            if self.order in LAZY_ORDERS:
                self._moved.add(row)
            else:
                self.shown.take(row)
                self.shown.place(row)
