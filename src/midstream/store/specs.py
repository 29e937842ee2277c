"""Flow specs: the words by which commands name flows (`@focus`, `@shown`, `@ID,ID`, or a filter).

Used by the view; commands reach it through `view.flows.resolve`. The table of words is also what completion offers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, overload

from midstream import filters
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.store.rows import Row
from midstream.text.suggest import did_you_mean
from midstream.work.slices import Budget, Token


class Kept(Protocol):
    """Where flows are fetched from."""

    def get(self, id_: str) -> Flow | None: ...
    def in_memory(self, id_: str) -> Flow | None: ...


class Store(Kept, Protocol):
    """What a spec needs to know; `store.view.View` is one."""

    @property
    def all_ids(self) -> Collection[str]: ...
    @property
    def meant_id(self) -> str | None: ...
    @property
    def shown(self) -> Sequence[str]: ...
    def row(self, id_: str) -> Row: ...


MOST_READ = 50
# Every flow id is a UUID; a shorter word after the @ is a name, right or wrong.
_IDS = re.compile(r"@[0-9a-fA-F,-]{36,}")


class Removed(CommandError, LookupError):
    """A flow that was named is gone: commands that wait before they take it need not look themselves."""


class Flows(Sequence[Flow]):
    """Flows by their ids, fetched when they are asked for; those removed since are skipped by iteration.

    Which they are is found out at the first question, since a prompt resolves a spec at each key only to know that it
    is one; or before it in slices, by `look`. `find` gives an id for each flow that is meant and None for each that is
    not, and is walked once.
    """

    __slots__ = ("_find", "_ids", "_store")

    def __init__(self, find: Iterable[str | None], store: Kept) -> None:
        self._find = find
        self._ids: tuple[str, ...] | None = None
        self._store = store

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in the order of the spec."""
        if self._ids is None:
            self._ids = tuple(id_ for id_ in self._find if id_ is not None)
        return self._ids

    @property
    def is_searched_for(self) -> bool:
        """Whether somebody still has to look at every flow to know which are meant."""
        return self._ids is None and not isinstance(self._find, Collection)

    @property
    def is_far(self) -> bool:
        """Whether more of them are on disk than are read in one go."""
        in_memory = self._store.in_memory
        return next(islice((id_ for id_ in self.ids if in_memory(id_) is None), MOST_READ, None), None) is not None

    async def look(self, token: Token | None = None) -> bool:
        """Find out which flows are meant, in slices. False: the token was overtaken, and nothing is known."""
        if self.is_searched_for:
            ids: list[str] = []
            budget = Budget()  # flow by flow: one may be a large body and the next one empty
            for id_ in self._find:
                if id_ is not None:
                    ids.append(id_)
                if budget.spent():
                    await budget.rest()
                    if token is not None and not token.current:
                        return False
            self._ids = tuple(ids)
        return True

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Flow]:
        for id_ in self.ids:
            flow = self._store.get(id_)
            if flow is not None:
                yield flow

    @overload
    def __getitem__(self, index: int) -> Flow: ...
    @overload
    def __getitem__(self, index: slice) -> Flows: ...
    def __getitem__(self, index: int | slice) -> Flow | Flows:
        if isinstance(index, slice):
            return Flows(self.ids[index], self._store)
        flow = self._store.get(self.ids[index])
        if flow is None:
            raise Removed(f"flow {self.ids[index]} was removed")
        return flow


def _search(
    store: Store, is_meant: Callable[[Flow], object], on_row: Callable[[Row], object | None]
) -> Iterator[str | None]:
    """One answer per flow. Of those in memory from the flow itself: rows may be told later; of the others from the row,
    unless that gives None. Flows may come and go between two of them.
    """
    for id_ in tuple(store.all_ids):
        flow = store.in_memory(id_)
        if flow is None:
            answer = on_row(store.row(id_)) if id_ in store.all_ids else False
            if answer is not None:
                yield id_ if answer else None
                continue
            flow = store.get(id_)
        yield id_ if flow is not None and is_meant(flow) else None


def _is_marked(each: Flow | Row) -> bool:
    return bool(each.marked)


def _is_unmarked(each: Flow | Row) -> bool:
    return not each.marked


SPECS: dict[str, tuple[str, Callable[[Store], Iterable[str | None]]]] = {
    "@all": ("every flow, in order of arrival", lambda store: store.all_ids),
    "@focus": ("the focused flow", lambda store: () if store.meant_id is None else (store.meant_id,)),
    "@shown": ("the flows in the list, in its order", lambda store: store.shown),
    "@hidden": (
        "the flows that the filter hides",
        lambda store: (
            id_ if id_ in store.all_ids and id_ not in store.shown else None for id_ in tuple(store.all_ids)
        ),
    ),
    "@marked": ("the flows with a mark", lambda store: _search(store, _is_marked, _is_marked)),
    "@unmarked": ("the flows without a mark", lambda store: _search(store, _is_unmarked, _is_unmarked)),
}


def resolve(store: Store, spec: str) -> Flows:
    """The flows that `spec` names: a word of the table, `@ID[,ID...]` (unknown ids are skipped), or any filter.

    ValueError (FilterError for a filter) says what is wrong with any other text.
    """
    word = spec.strip()
    if word in SPECS:
        return Flows(SPECS[word][1](store), store)
    named = ids_of(word)
    if named is not None:
        return Flows([id_ for id_ in named if id_ in store.all_ids], store)
    matches = filters.parse(spec)
    return Flows(_search(store, matches, matches.on_row), store)


def takes_long(flows: Sequence[Flow], most: int) -> bool:
    """Whether these are more than `most`, or are mostly on disk: too many for one go."""
    return len(flows) > most or (isinstance(flows, Flows) and flows.is_far)


def ids_in(flows: Sequence[Flow]) -> Sequence[str]:
    """The ids of what a command was given, without reading what is on disk."""
    return flows.ids if isinstance(flows, Flows) else [flow.id for flow in flows]


def ids_of(word: str) -> list[str] | None:
    """The ids of `@ID[,ID...]`, None for a filter; ValueError for another word behind an @."""
    if _IDS.fullmatch(word):
        return word[1:].lower().split(",")
    if word[1:].isdecimal() and word.startswith("@"):
        raise ValueError(f"{word!r} names no flows: a row's number is no id; go there and use @focus")
    if word.startswith("@"):
        hint = did_you_mean(word, SPECS) or f"; use {', '.join(SPECS)}, @ID or a filter"
        raise ValueError(f"{word!r} names no flows{hint}")
    return None
