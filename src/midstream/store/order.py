"""The orders that a flow list may have, and the sequence of shown flow ids that is kept in such an order.

Used by the view only. Sort keys are remembered in the rows at the moment of placing, so that a flow whose key changed
is still found where it stands; ties are broken by arrival, hence all keys differ. A row that is not shown has the
empty key.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, overload

from midstream.store.rows import Row

SortKey: TypeAlias = Callable[[Row], "tuple[object, ...]"]

ORDERS: dict[str, SortKey] = {
    "time": lambda row: (row.created, row.number),
    "method": lambda row: (row.method, row.number),
    "url": lambda row: (row.scheme, row.host, row.path, row.number),
    "size": lambda row: (row.size, row.number),
}
# Sizes change with every message; a list that jumps all the time cannot be read, so these rows move in `tidy` only.
LAZY_ORDERS = frozenset({"size"})


class Shown(Sequence[str]):
    """Flow ids in display order. Read it freely; only the view may place, take and fill."""

    __slots__ = ("_ids", "_key", "_rows", "reversed")

    def __init__(self, rows: Mapping[str, Row], key: SortKey) -> None:
        self._rows = rows
        self._ids: list[str] = []  # ascending by remembered key, whatever the direction of display
        self._key = key
        self.reversed = False

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return reversed(self._ids) if self.reversed else iter(self._ids)

    def __contains__(self, id_: object) -> bool:
        row = self._rows.get(id_) if isinstance(id_, str) else None
        return row is not None and bool(row.key)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if not self.reversed:
            return self._ids[index]
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self._ids))
            return [self._ids[-1 - i] for i in range(start, stop, step)]
        if not -len(self._ids) <= index < len(self._ids):
            raise IndexError("list index out of range")
        return self._ids[-1 - index]

    def index_of(self, id_: str) -> int | None:
        """Position in display order, or None when the flow is not shown. O(log n)."""
        position = self._position(id_)
        if position is None or not self.reversed:
            return position
        return len(self._ids) - 1 - position

    def place(self, row: Row) -> None:
        """Insert a row that is not shown yet."""
        key = row.key = self._key(row)
        ids = self._ids
        if not ids or self._rows[ids[-1]].key < key:
            ids.append(row.id)  # the usual case: a new flow, ordered by time
        else:
            ids.insert(self._bisect(key), row.id)

    def take(self, id_: str) -> bool:
        """Take a row out of the list; False if it was not shown."""
        position = self._position(id_)
        if position is None:
            return False
        del self._ids[position]
        self._rows[id_].key = ()
        return True

    def has_moved(self, row: Row) -> bool:
        """Whether the place of a shown row is no longer the one its values ask for."""
        return self._key(row) != row.key

    def fill(self, ids: Iterable[str]) -> None:
        """Show exactly these ids, sorted by their present keys."""
        rows, key = self._rows, self._key
        fresh = list(ids)
        for id_ in self._ids:
            rows[id_].key = ()
        for id_ in fresh:
            row = rows[id_]
            row.key = key(row)
        fresh.sort(key=lambda id_: rows[id_].key)
        self._ids = fresh

    def set_key(self, key: SortKey) -> None:
        """Sort by another key."""
        self._key = key
        self.fill(self._ids)

    def drop(self, gone: Collection[str]) -> None:
        """Take many rows out in one pass."""
        for id_ in gone:
            row = self._rows.get(id_)
            if row is not None:
                row.key = ()
        self._ids = [id_ for id_ in self._ids if id_ not in gone]

    def key_of(self, row: Row) -> tuple[object, ...]:
        """The key by which the row stands in the list, or would stand there."""
        return row.key or self._key(row)

    def nearest(self, key: tuple[object, ...]) -> str | None:
        """The id that stands where `key` stands or would stand: the next one in display order, else the last."""
        ids = self._ids
        if not ids:
            return None
        position = self._bisect(key)
        if self.reversed:
            return ids[position - 1] if position else ids[0]
        return ids[position] if position < len(ids) else ids[-1]

    def _bisect(self, key: tuple[object, ...]) -> int:
        rows = self._rows
        return bisect_left(self._ids, key, key=lambda id_: rows[id_].key)  # type: ignore[type-var,unused-ignore]

    def _position(self, id_: str) -> int | None:
        row = self._rows.get(id_)
        return self._bisect(row.key) if row is not None and row.key else None
