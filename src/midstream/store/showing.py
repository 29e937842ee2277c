"""What of the stock is shown: by which filter, in which order, with which flow in focus.

The base of `View`, which adds the flows that come and go. Filter and order are changed in one go, or in slices: a pass.
A pass leaves the list as it is until it knows better; what events decide meanwhile holds. The focus belongs to a flow,
never to a position.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from midstream.filters import Filter
from midstream.flows.flow import Flow
from midstream.store.order import check_order
from midstream.store.rows import Row
from midstream.store.shown import Shown
from midstream.store.sorting import Sorting
from midstream.store.stock import Stock
from midstream.store.walk import Walk
from midstream.work.slices import Generation, Token, let_go

ChangeKind: TypeAlias = Literal["add", "update", "remove", "refresh", "focus"]
Progress: TypeAlias = Callable[[int, int, int], None]

# A pass over the flows shows what it has found so far every 100 ms, and no more of it than is sorted in no time.
_SLICES_PER_GLANCE = 25
_LONGEST_GLANCE = 5000
# So many rows that changed while others were sorted are put to their places in no time.
_FEW_TOUCHED = 2000


class Change(NamedTuple):
    """What happened: a flow was added, updated or removed, the focus moved to `id`, or anything may have changed."""

    kind: ChangeKind
    id: str | None


class Showing(Stock):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._filter: Filter | None = None
        self._marked_only = False
        self._focus: str | None = None
        self._moved: set[Row] = set()  # shown ones whose lazy sort key has changed
        self.shown = Shown(self._rows)
        self._wanted_order = (self.shown.order, self.shown.reversed)  # another one while a pass sorts
        self._passes = Generation()
        self._sorts = Generation()  # within a pass
        # While a pass runs: rows that events changed meanwhile, which are where they belong already.
        self._touched: set[Row] | None = None
        self._wanted: Row | None = None  # the focus before the pass; kept while only a part is shown again
        # The flow that another list than this one has in focus: `@focus` means it while that list has the keys.
        self.focus_elsewhere: Callable[[], str | None] = lambda: None
        self.on_change: list[Callable[[Change], None]] = []
        self.changes = 0
        self.slice = 0.004
        """Seconds of work in a pass, after which the loop gets a turn."""

    # -- focus --------------------------------------------------------------------------------------------------------

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
        self._cancel_passes()
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

    async def reshow(self, focus: str | None) -> bool:
        """Filter all flows anew in slices. The focus goes to this flow if it is shown, unless somebody moves it."""
        if focus in self._rows:
            self._wanted = self._rows[focus]
        return await self.refilter(self._filter)

    async def refilter(self, filter_: Filter | None, progress: Progress | None = None) -> bool:
        """`set_filter` in slices of 4 ms, newest flows first; what was found so far is shown from time to time.

        `progress(found, examined, total)` is called after each slice and at the end. Returns False when a newer filter
        took over. After a cancellation the list holds what was found so far: set a filter again.
        """
        token = self._begin_pass()
        self._filter = filter_
        if self._wanted is None and self._focus is not None:
            self._wanted = self._rows[self._focus]
        total = len(self._rows)
        try:
            found = await self._find(token, progress)
            if not await self._show_sorted(found, token):
                return False
        finally:
            self._end_pass(token)
        if progress is not None:
            progress(len(found), total, total)
        return True

    async def _find(self, token: Token, progress: Progress | None) -> list[str]:
        """The flows that are to be shown."""
        if self._filter is None and not self._marked_only:
            return list(self._rows)
        todo = list(reversed(self._rows))
        found: list[str] = []
        slices = 0

        def glance() -> None:
            nonlocal slices
            slices += 1
            if slices % _SLICES_PER_GLANCE == 0:
                self._refill(self._corrected(found[:_LONGEST_GLANCE]))
            if progress is not None:
                progress(len(found), walk.examined, len(todo))

        walk = Walk(self, self._undecided(todo, found), budget=self.slice, token=token, on_rest=glance)
        async for flow in walk:
            if self._matches(flow):
                found.append(flow.id)
        return found

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

    def _corrected(self, found: Sequence[str]) -> list[str]:
        """What a pass has found, without what events took out, and with what they put into the list since."""
        rows, touched = self._rows, self._touched or ()
        ids = [id_ for id_ in found if (row := rows.get(id_)) is not None and row not in touched]
        ids += [row.id for row in touched if rows.get(row.id) is row and self.shown.has(row)]
        return ids

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

    # -- order --------------------------------------------------------------------------------------------------------

    @property
    def order(self) -> str:
        """What the list is sorted by, one of `store.order.ORDERS`."""
        return self.shown.order

    @property
    def reversed(self) -> bool:
        """Whether the largest key is shown first."""
        return self.shown.reversed

    @property
    def wanted_order(self) -> tuple[str, bool]:
        """Sort key and direction as they were asked for last; the list is in that order a moment later."""
        return self._wanted_order

    def set_order(self, key: str, reversed: bool = False) -> None:
        """Sort by another key or in the other direction; ValueError for an unknown key. The focus stays on its flow.

        In one go: with many flows use `reorder`.
        """
        self._want_order(key, reversed)
        self.shown.reversed = reversed
        if key != self.order:
            self._moved.clear()
            self.shown.fill(self.shown.as_sorted(), key)
        self._changed("refresh", None)

    async def reorder(self, key: str, reversed: bool = False) -> bool:
        """`set_order` in slices of 4 ms; sorted by the same key, those rows are moved whose values have changed.

        Returns False when something newer took over.
        """
        self._want_order(key, reversed)
        if self._touched is not None:
            return True  # the pass that is under way will show it so
        token = self._begin_pass()
        try:
            return await self._show_sorted(None, token)
        finally:
            self._end_pass(token)

    def _want_order(self, key: str, reversed: bool) -> None:
        check_order(key)
        if (key, reversed) != self._wanted_order:
            self._wanted_order = (key, reversed)
            self._sorts.cancel()

    def tidy(self) -> bool:
        """Move the rows whose size has changed to their places; True if any moved. The console asks once a second."""
        moved = [row for row in self._moved if self.shown.has(row)]
        self._moved.clear()
        if moved:
            self.shown.move(moved)
            self._changed("refresh", None)
        return bool(moved)

    @property
    def untidy(self) -> int:
        """How many rows `tidy` would move; with very many use `reorder`."""
        return len(self._moved)

    # -- passes -------------------------------------------------------------------------------------------------------

    def _begin_pass(self) -> Token:
        self._sorts.cancel()
        self._touched = set()
        return self._passes.begin()

    def _cancel_passes(self) -> None:
        self._passes.cancel()
        self._sorts.cancel()
        self._touched = self._wanted = None

    def _show_nothing(self) -> None:
        """There are no flows: no pass has anything to do."""
        self._cancel_passes()
        order, self.shown.reversed = self._wanted_order
        self.shown.fill((), order)

    def _end_pass(self, token: Token) -> None:
        """However it ended; another one may have begun."""
        if token.current:
            self._touched = self._wanted = None

    async def _show_sorted(self, ids: Sequence[str] | None, token: Token) -> bool:
        """Show flows, or those that are shown, in the order that is wanted. False: a newer pass took over."""
        while token.current:
            order, reversed = self._wanted_order
            sorting = Sorting(order, self.slice)
            rows: Iterator[Row | None]
            if ids is not None:
                rows = map(self._rows.get, ids)
            elif len(self.shown) == len(self._rows):
                rows = iter(list(self._rows.values()))  # as they lie in memory: twice as quick
            else:
                rows = map(self._rows.get, self.shown.as_sorted())
            if not await sorting.run(rows, self._sorts.begin()):
                continue  # another order is wanted by now
            before = self.shown.take_over(sorting, self._touched or ())
            self.shown.reversed = reversed
            self._moved.clear()
            self._changed("refresh", None)
            if ids is not None:
                self._refocus(self._wanted or self._focused_row)
            self._end_pass(token)
            del sorting
            await let_go(before)
            return True
        return False

    def _touch(self, row: Row) -> None:
        """An event has put this row where it belongs."""
        if self._touched is not None:
            self._touched.add(row)

    def _refill(self, ids: Sequence[str]) -> None:
        """Show other flows. The focus stays on the flow that a person chose, or moves to the nearest one."""
        wanted = self._wanted or self._focused_row
        self._moved.clear()
        order, self.shown.reversed = self._wanted_order
        self.shown.fill(ids, order)
        self._changed("refresh", None)
        self._refocus(wanted)

    @property
    def _focused_row(self) -> Row | None:
        return self._rows[self._focus] if self._focus is not None else None

    def _refocus(self, wanted: Row | None) -> None:
        if wanted is None:
            self._move_focus(self.shown[0] if self.shown else None)
        elif wanted.id in self.shown:
            self._move_focus(wanted.id)
        else:
            self._move_focus(self.shown.nearest(wanted))

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
