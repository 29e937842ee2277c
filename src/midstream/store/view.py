"""The view: all captured flows, and which of them are shown, in what order, with which one in focus.

The view addon feeds it from events, the console paints from it, commands resolve flow specs by it; all run on the event
loop, and the view itself knows neither loop nor options. Each event costs O(log n); the focus belongs to a flow, never
to a position. Rows stay in memory, flows may be in a session (`stock`). Taking a flow out is only that: whoever removes
a live flow ends it first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from midstream.filters import Filter
from midstream.flows.flow import Flow
from midstream.store.focus import Focus
from midstream.store.order import LAZY_ORDERS, ORDERS, Shown
from midstream.store.rows import Row
from midstream.store.specs import Flows, resolve
from midstream.store.stock import Stock
from midstream.store.taken import Taken
from midstream.store.walk import Walk
from midstream.text.suggest import did_you_mean
from midstream.work.slices import Generation

ChangeKind: TypeAlias = Literal["add", "update", "remove", "refresh", "focus"]
Progress: TypeAlias = Callable[[int, int, int], None]

# A pass over the flows shows what it has found so far every 100 ms, and no more of it than is sorted in no time.
_SLICES_PER_GLANCE = 25
_LONGEST_GLANCE = 5000
# Moving more rows than this one by one takes longer than sorting all of them.
_MANY_MOVED = 2000


class Change(NamedTuple):
    """What happened: a flow was added, updated or removed, the focus moved to `id`, or anything may have changed."""

    kind: ChangeKind
    id: str | None


class View(Stock):
    """See the module. All methods are to be called on the event loop's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._order = "time"
        self._filter: Filter | None = None
        self._marked_only = False
        self._settings: dict[str, dict[str, str]] = {}
        self._focus: str | None = None
        self._moved: set[str] = set()  # shown rows whose lazy sort key has changed
        self._passes = Generation()
        # While a pass runs: what events decided meanwhile. None when no pass runs.
        self._meanwhile: dict[str, bool] | None = None
        self._wanted: Row | None = None  # the focus before the pass; kept while only a part is shown again
        self.shown = Shown(self._rows)
        self.follow = False
        # Asked before a new flow takes the focus: somebody may be working on the one that has it.
        self.focus_is_taken: Callable[[], bool] = lambda: False
        # The flow that another list than this one has in focus: `@focus` means it while that list has the keys.
        self.focus_elsewhere: Callable[[], str | None] = lambda: None
        self.on_change: list[Callable[[Change], None]] = []
        self.changes = 0

    # -- reading ------------------------------------------------------------------------------------------------------

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
        if matches:
            self.shown.place(row)
            self._note_meanwhile(row.id, True)
            self._changed("add", row.id)
            if self._focus is None:
                self._move_focus(row.id)
            elif self.follow and not self.focus_is_taken():
                self.set_focus(row.id)
        else:
            self.shown.remember(row)
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

    def take_out(self, ids: Iterable[str]) -> Taken:
        """The same, but they can be put back: nothing is read, and what is on disk stays there meanwhile."""
        gone = {id_: row for id_ in ids if (row := self._rows.get(id_)) is not None}
        rows = list(gone.values())
        taken = Taken(rows, self._flows, self._session)
        if not gone:
            return taken
        lost = gone[self._focus].key if self._focus is not None and self._focus in gone else None
        if len(gone) == 1:
            self.shown.take(rows[0])
        else:
            self.shown.drop(gone)
        for id_ in gone:
            del self._rows[id_]
            self._flows.pop(id_, None)
            self._settings.pop(id_, None)
            self._moved.discard(id_)
            self._note_meanwhile(id_, False)
        self._changed(*(("remove", rows[0].id) if len(gone) == 1 else ("refresh", None)))
        if lost is not None:
            self._move_focus(self.shown.nearest(lost))
        return taken

    def clear(self) -> list[object]:
        """Take all flows out for good. Returns all that was kept of them: freeing very many takes a while, `let_go`."""
        taken = self.take_out(list(self._rows))
        gone: list[object] = [*taken.flows.values(), *taken.rows]
        taken.let_go()
        return gone

    def put_back(self, taken: Taken) -> list[Row]:
        """Store what was taken out, at its places and under its numbers; what is stored meanwhile is left out.

        Which of it is shown the filter says, in one go: with many flows `refilter` after it.
        """
        back = {row.id: row for row in taken.rows if row.id not in self._rows}
        rows = back | self._rows
        in_order = sorted(rows.values(), key=lambda row: row.number)  # of arrival; two runs, so that this is quick
        self._rows.clear()
        self._rows.update((row.id, row) for row in in_order)
        self._flows.update((id_, flow) for id_, flow in taken.flows.items() if id_ in back)
        taken.give_back(back)
        shown = list(self.shown)
        for id_, row in back.items():
            flow = self._flows.get(id_)
            if flow is not None and (row.live != flow.live or row.held):  # it was ended as it was taken out
                row.rewrite(flow)
            self.shown.remember(row)
            if matches := self._matches_stored(row):
                shown.append(id_)
            self._note_meanwhile(id_, matches)
        self.shown.fill(shown)
        self._changed("refresh", None)
        for id_, row in back.items():
            if row.marked:
                self._changed("update", id_)  # so that it is counted again
        if self._focus is None and self.shown:
            self._move_focus(self.shown[0])
        return list(back.values())

    def restore(self, row: Row) -> None:
        """Store a flow of an earlier run, which is in the session under this number. Others may have come meanwhile."""
        self._rows[row.id] = row
        self.shown.remember(row)
        matches = self._matches_stored(row)
        if matches:
            self.shown.place(row)
        self._note_meanwhile(row.id, matches)
        self._changed("add", row.id)
        if self._focus is None and matches:
            self._move_focus(row.id)

    def sort_arrivals(self) -> None:
        """Bring the flows in order of their numbers: new ones came while older ones were restored."""
        in_order = sorted(self._rows.values(), key=lambda row: row.number)
        self._rows.clear()
        self._rows.update((row.id, row) for row in in_order)

    # -- focus --------------------------------------------------------------------------------------------------------

    @property
    def focus(self) -> Focus:
        """The focused flow itself, for scripts: `view.focus.flow`."""
        return Focus(self)

    @property
    def focus_id(self) -> str | None:
        """The focused flow, which is always a shown one; None only when nothing is shown."""
        return self._focus

    @property
    def meant_id(self) -> str | None:
        """The flow that `@focus` means: that of another list with the keys (held flows may be hidden here), or ours."""
        return self.focus_elsewhere() or self._focus

    def set_focus(self, id_: str | None) -> None:
        """Focus a shown flow; ValueError for any other. None focuses nothing until the next flow comes."""
        if id_ is not None and id_ not in self.shown:
            raise ValueError(f"flow {id_} is not shown")
        self._wanted = None
        self._move_focus(id_)

    # -- filter -------------------------------------------------------------------------------------------------------

    @property
    def filter_text(self) -> str:
        """The text of the present filter; empty when every flow passes."""
        return self._filter.pattern if self._filter is not None else ""

    @property
    def filter(self) -> Filter | None:
        """The present filter."""
        return self._filter

    @property
    def marked_only(self) -> bool:
        """Whether only marked flows are shown."""
        return self._marked_only

    def set_filter(self, filter_: Filter | None) -> None:
        """Show the flows that pass, in one go. With many flows use `refilter`."""
        self._passes.cancel()
        self._meanwhile = self._wanted = None
        self._filter = filter_
        self._refill([id_ for id_, row in self._rows.items() if self._matches_stored(row)])

    def show_marked(self, only: bool) -> None:
        """Show only marked flows, or all again; the filter holds as well. With many flows use `reshow_marked`."""
        self._marked_only = only
        self.set_filter(self._filter)

    def reshow_marked(self, only: bool) -> Awaitable[bool]:
        """`show_marked` in slices, when it is awaited; new flows obey at once."""
        self._marked_only = only
        return self.refilter(self._filter)

    async def refilter(self, filter_: Filter | None, progress: Progress | None = None) -> bool:
        """`set_filter` in slices of 4 ms, newest flows first; what was found so far is shown from time to time.

        `progress(found, examined, total)` is called after each slice and at the end. Returns False when a newer filter
        took over. After a cancellation the list holds what was found so far: set a filter again.
        """
        token = self._passes.begin()
        self._filter = filter_
        meanwhile = self._meanwhile = {}
        todo = list(reversed(self._rows))
        found: list[str] = []
        slices = 0
        if self._wanted is None and self._focus is not None:
            self._wanted = self._rows[self._focus]

        def glance() -> None:
            nonlocal slices
            slices += 1
            if slices % _SLICES_PER_GLANCE == 0:
                self._publish(found[:_LONGEST_GLANCE], meanwhile)
            if progress is not None:
                progress(len(found), walk.examined, len(todo))

        walk = Walk(self, self._undecided(todo, found), token=token, on_rest=glance)
        async for flow in walk:
            if self._matches(flow):
                found.append(flow.id)
        if not token.current:
            return False
        self._meanwhile = None
        self._publish(found, meanwhile)
        self._wanted = None
        if progress is not None:
            progress(len(found), len(todo), len(todo))
        return True

    def _undecided(self, ids: Iterable[str], found: list[str]) -> Iterator[str | None]:
        """The flows that have to be looked at; None for each that is not, or is decided by its row."""
        for id_ in ids:
            row = self._rows.get(id_)
            if row is None or id_ in self._flows:
                yield id_
                continue
            matches = self._matches_row(row)
            if matches:
                found.append(id_)
            yield id_ if matches is None else None

    def _publish(self, found: Sequence[str], meanwhile: dict[str, bool]) -> None:
        """Show what a pass has found, corrected by what events decided after it began."""
        ids = list(reversed(found))  # in order of arrival, which is about the order of time
        if meanwhile:
            ids = [id_ for id_ in ids if id_ not in meanwhile]
            ids.extend(id_ for id_, matches in meanwhile.items() if matches)
        self._refill(ids)

    def _matches(self, flow: Flow) -> bool:
        if self._marked_only and not flow.marked:
            return False
        return self._filter is None or self._filter(flow)

    def _matches_row(self, row: Row) -> bool | None:
        """The same of a flow on disk, whose row is true; None when only the flow knows."""
        if self._marked_only and not row.marked:
            return False
        return True if self._filter is None else self._filter.on_row(row)

    def _matches_stored(self, row: Row) -> bool:
        flow = self._flows.get(row.id)
        if flow is None:
            matches = self._matches_row(row)
            if matches is not None:
                return matches
            flow = self.get(row.id)
        return flow is not None and self._matches(flow)

    def _note_meanwhile(self, id_: str, matches: bool) -> None:
        if self._meanwhile is not None:
            self._meanwhile[id_] = matches

    # -- order --------------------------------------------------------------------------------------------------------

    @property
    def order(self) -> str:
        """The present sort key, one of `store.order.ORDERS`."""
        return self._order

    @property
    def reversed(self) -> bool:
        """Whether the largest key is shown first."""
        return self.shown.reversed

    def set_order(self, key: str, reversed: bool = False) -> None:
        """Sort by another key or in the other direction; ValueError for an unknown key. The focus stays on its flow."""
        if key not in ORDERS:
            raise ValueError(f"{key!r} is no order{did_you_mean(key, ORDERS)}; there are {', '.join(ORDERS)}")
        self.shown.reversed = reversed
        if key != self._order:
            self._order = key
            self._moved.clear()
            self.shown.sort_by(key)
        self._changed("refresh", None)

    def tidy(self) -> bool:
        """Move the rows whose size has changed to their places; True if any moved. The console asks once a second."""
        moved = [row for id_ in self._moved if self.shown.has(row := self._rows[id_])]
        self._moved.clear()
        if not moved:
            return False
        if len(moved) > _MANY_MOVED:
            self.shown.sort_by(self._order)
        else:
            for row in moved:
                self.shown.take(row)
                self.shown.place(row)
        self._changed("refresh", None)
        return True

    def _settle(self, row: Row, matches: bool) -> None:
        """Put the row of a changed flow where it belongs now."""
        self._note_meanwhile(row.id, matches)
        if not self.shown.has(row):
            if matches:
                self.shown.place(row)
                if self._focus is None:
                    self._move_focus(row.id)
            else:
                self.shown.remember(row)
        elif not matches:
            self.shown.take(row)
            if self._focus == row.id:
                self._move_focus(self.shown.nearest(row.key))
            self.shown.remember(row)
        elif self.shown.has_moved(row):
            if self._order in LAZY_ORDERS:
                self._moved.add(row.id)
            else:
                self.shown.take(row)
                self.shown.place(row)

    # -- telling ------------------------------------------------------------------------------------------------------

    def _refill(self, ids: Sequence[str]) -> None:
        """Show other flows. The focus stays on the flow that a person chose, or moves to the nearest one."""
        wanted = self._wanted
        if wanted is None and self._focus is not None:
            wanted = self._rows[self._focus]
        for id_ in self._moved:
            self.shown.remember(self._rows[id_])
        self._moved.clear()
        self.shown.fill(ids)
        self._changed("refresh", None)
        if wanted is None:
            self._move_focus(self.shown[0] if self.shown else None)
        elif wanted.id in self.shown:
            self._move_focus(wanted.id)
        else:
            self._move_focus(self.shown.nearest(wanted.key))

    def _move_focus(self, id_: str | None) -> None:
        if id_ != self._focus:
            self._focus = id_
            self._changed("focus", id_)

    def _changed(self, kind: ChangeKind, id_: str | None) -> None:
        self.changes += 1
        if self.on_change:
            change = Change(kind, id_)
            for listener in self.on_change:
                listener(change)
