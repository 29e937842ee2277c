"""Flow specs: the words by which commands name flows (`@focus`, `@shown`, `@ID,ID`, or a filter).

Used by the view; commands reach it through `view.flows.resolve`. The table of words is also what completion offers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol, overload

from midstream import filters
from midstream.flows.flow import Flow
from midstream.store.rows import Row
from midstream.text.suggest import did_you_mean


class Store(Protocol):
    """What a spec needs to know; `store.view.View` is one."""

    @property
    def all_ids(self) -> Collection[str]: ...
    @property
    def focus_id(self) -> str | None: ...
    @property
    def shown(self) -> Sequence[str]: ...
    def row(self, id_: str) -> Row: ...
    def get(self, id_: str) -> Flow | None: ...


# Every flow id is a UUID; a shorter word after the @ is a name, right or wrong.
_IDS = re.compile(r"@[0-9a-fA-F,-]{36,}")


class Flows(Sequence[Flow]):
    """Flows by their ids, fetched when they are asked for; those removed since are skipped by iteration.

    Which they are is found out at the first question: a prompt resolves a spec at each key, only to know that it is
    one. `find` is walked once.
    """

    __slots__ = ("_find", "_get", "_ids")

    def __init__(self, find: Iterable[str], get: Callable[[str], Flow | None]) -> None:
        self._find = find
        self._ids: tuple[str, ...] | None = None
        self._get = get

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in the order of the spec."""
        if self._ids is None:
            self._ids = tuple(self._find)
        return self._ids

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Flow]:
        for id_ in self.ids:
            flow = self._get(id_)
            if flow is not None:
                yield flow

    @overload
    def __getitem__(self, index: int) -> Flow: ...
    @overload
    def __getitem__(self, index: slice) -> Flows: ...
    def __getitem__(self, index: int | slice) -> Flow | Flows:
        if isinstance(index, slice):
            return Flows(self.ids[index], self._get)
        flow = self._get(self.ids[index])
        if flow is None:
            raise LookupError(f"flow {self.ids[index]} was removed")
        return flow


def _by_marker(store: Store, marked: bool) -> Iterator[str]:
    return (id_ for id_ in store.all_ids if bool(store.row(id_).marked) is marked)


SPECS: dict[str, tuple[str, Callable[[Store], Iterable[str]]]] = {
    "@all": ("every flow, in order of arrival", lambda store: store.all_ids),
    "@focus": ("the focused flow", lambda store: () if store.focus_id is None else (store.focus_id,)),
    "@shown": ("the flows in the list, in its order", lambda store: store.shown),
    "@hidden": ("the flows that the filter hides", lambda store: (i for i in store.all_ids if i not in store.shown)),
    "@marked": ("the flows with a mark", lambda store: _by_marker(store, True)),
    "@unmarked": ("the flows without a mark", lambda store: _by_marker(store, False)),
}


def resolve(store: Store, spec: str) -> Flows:
    """The flows that `spec` names: a word of the table, `@ID[,ID...]` (unknown ids are skipped), or any filter.

    ValueError (FilterError for a filter) says what is wrong with any other text.
    """
    word = spec.strip()
    find = SPECS[word][1](store) if word in SPECS else matching(spec, store.all_ids, store.get)
    return Flows(find, store.get)


def matching(spec: str, ids: Collection[str], get: Callable[[str], Flow | None]) -> Iterator[str]:
    """Those of `ids` that a list of ids or a filter names; ValueError as above. They are looked for while you walk."""
    word = spec.strip()
    if _IDS.fullmatch(word):
        return (id_ for id_ in word[1:].lower().split(",") if id_ in ids)
    if word.startswith("@"):
        hint = did_you_mean(word, SPECS) or f"; use {', '.join(SPECS)}, @ID or a filter"
        raise ValueError(f"{word!r} names no flows{hint}")
    matches = filters.parse(spec)
    return (id_ for id_ in ids if (flow := get(id_)) is not None and matches(flow))
