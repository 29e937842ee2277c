"""The sequence of shown flow ids, which is kept in one of the orders.

Used by the view only. Each row remembers the key by which it was placed last, so that a flow whose values changed is
still found where it stands. The key of a row that is not shown means nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import overload

from midstream.store.order import ORDERS, Key
from midstream.store.rows import Row
from midstream.store.sorting import Sorting

# Flows that are in flight, which are asked for most, stand near the end: a search among so many is shorter.
_LATELY = 64


class Shown(Sequence[str]):
    """Flow ids in display order. Read it freely; only the view may place, take and fill."""

    __slots__ = ("_key", "_keys", "order", "reversed", "rows")

    def __init__(self, rows: Mapping[str, Row], order: str = "time") -> None:
        self.rows = rows
        self._keys: list[Key] = []  # ascending, whatever the direction of display
        self._key = ORDERS[order]
        self.order = order
        self.reversed = False

    # -- reading ------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return (key[-1] for key in (reversed(self._keys) if self.reversed else self._keys))

    def __contains__(self, id_: object) -> bool:
        row = self.rows.get(id_) if isinstance(id_, str) else None
        return row is not None and self.has(row)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        keys = self._keys
        if isinstance(index, slice):
            last = len(keys) - 1
            return [keys[last - i if self.reversed else i][-1] for i in range(*index.indices(len(keys)))]
        if not -len(keys) <= index < len(keys):
            raise IndexError(f"there are {len(keys)} rows, none is number {index}")
        id_: str = keys[-1 - index if self.reversed else index][-1]
        return id_

    def has(self, row: Row) -> bool:
        """Whether the row of a stored flow is shown. O(log n)."""
        keys = self._keys
        lately = len(keys) - _LATELY
        try:
            position = bisect_left(keys, row.key, lately if lately > 0 and keys[lately] <= row.key else 0)
        except TypeError:  # its key is one of another order: it was hidden when that was changed
            return False
        return position < len(keys) and keys[position] is row.key

    def index_of(self, id_: str) -> int | None:
        """Position in display order, or None when the flow is not shown. O(log n)."""
        row = self.rows.get(id_)
        if row is None or not self.has(row):
            return None
        position = bisect_left(self._keys, row.key)
        return len(self._keys) - 1 - position if self.reversed else position

    def nearest(self, row: Row) -> str | None:
        """The id that stands where this row stands or stood: the next one in display order, else the last."""
        return self.nearest_to(self._key(row))

    def nearest_to(self, key: Key) -> str | None:
        """The same of the key that a row had while it was shown."""
        keys = self._keys
        if not keys:
            return None
        position = bisect_left(keys, key)
        if self.reversed and not (position < len(keys) and keys[position] == key):
            position = max(position - 1, 0)
        id_: str = keys[min(position, len(keys) - 1)][-1]
        return id_

    def as_sorted(self) -> Iterator[str]:
        """What is shown now, to be walked while it changes."""
        return (key[-1] for key in self._keys.copy())

    # -- writing ------------------------------------------------------------------------------------------------------

    def has_moved(self, row: Row) -> bool:
        """Whether the place of a shown row is no longer the one that its values ask for."""
        return self._key(row) != row.key

    def place(self, row: Row) -> None:
        """Insert a row that is not shown yet."""
        key = row.key = self._key(row)
        keys = self._keys
        if not keys or keys[-1] < key:
            keys.append(key)  # the usual case: a new flow, ordered by time
        else:
            keys.insert(bisect_left(keys, key), key)

    def take(self, row: Row) -> bool:
        """Take a row out of the list; False if it was not shown."""
        if not self.has(row):
            return False
        del self._keys[bisect_left(self._keys, row.key)]
        return True

    def drop(self, gone: Mapping[str, Row]) -> None:
        """Take rows out, whether they are shown or not."""
        if len(gone) == 1:
            self.take(*gone.values())
        else:
            self._keys = [key for key in self._keys if key[-1] not in gone]

    def move(self, rows: Collection[Row]) -> None:
        """Bring shown rows to the places that their values ask for."""
        self.drop({row.id: row for row in rows})
        self.place_all(rows)

    def place_all(self, rows: Iterable[Row]) -> None:
        """Insert rows that are not shown yet."""
        for row in rows:
            row.key = self._key(row)
            self._keys.append(row.key)
        self._keys.sort()  # two runs, so that this is quick

    def fill(self, ids: Iterable[str], order: str = "") -> None:
        """Show exactly these flows, in this order if it is another one."""
        if order:
            self.order, self._key = order, ORDERS[order]
        rows, key = self.rows, self._key
        keys = []
        for id_ in ids:
            row = rows[id_]
            row.key = key(row)
            keys.append(row.key)
        keys.sort()
        self._keys = keys

    def take_over(self, sorting: Sorting, changed: Collection[Row]) -> list[Key]:
        """Show what was sorted, except that of the rows which changed meanwhile those are shown which are shown now.

        Returns the keys that are not needed any more: freeing very many takes a while.
        """
        present = [row for row in changed if self.rows.get(row.id) is row and self.has(row)]
        before = self._keys
        self.order, self._key = sorting.order, ORDERS[sorting.order]
        self._keys = sorting.finished(changed, present)
        return before
