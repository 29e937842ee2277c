"""The orders that a flow list may have, and the sequence of shown flow ids that is kept in such an order.

Used by the view only. Each row remembers the key by which it was placed last, so that a flow whose values changed is
still found where it stands. A key ends with arrival number and id: all keys differ, and the sequence needs only them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, TypeAlias, overload

from midstream.store.rows import Row

Key: TypeAlias = tuple[Any, ...]

ORDERS: dict[str, Callable[[Row], Key]] = {
    "time": lambda row: (row.created, row.number, row.id),
    "method": lambda row: (row.method, row.number, row.id),
    "url": lambda row: (row.scheme, row.host, row.path, row.number, row.id),
    "size": lambda row: (row.size, row.number, row.id),
    "host": lambda row: (_by_domain(row.host), row.port, row.path, row.number, row.id),
    "code": lambda row: (_by_code(row), row.number, row.id),
    "type": lambda row: (row.content_type or row.kind, row.number, row.id),
    "duration": lambda row: (row.duration if row.duration is not None else inf, row.number, row.id),
    "messages": lambda row: (row.messages, row.number, row.id),
}
# Sizes change with every message; a list that jumps all the time cannot be read, so these rows move in `tidy` only.
LAZY_ORDERS = frozenset({"size", "code", "type", "duration", "messages"})


# Flows that are in flight, which are asked for most, stand near the end: a search among so many is shorter.
_LATELY = 64


def _by_domain(host: str) -> str:
    """`example.api` of `api.example`: the hosts of a site stand together. Addresses stay as they are."""
    if host[-1:].isdigit() or ":" in host:
        return host
    return ".".join(reversed(host.split(".")))


def _by_code(row: Row) -> int:
    """Without an answer first, what failed last: that is what one looks for, at one end or the other."""
    return 1000 if row.failed else row.status if row.status is not None else -1


class Shown(Sequence[str]):
    """Flow ids in display order. Read it freely; only the view may place, take and fill."""

    __slots__ = ("_key", "_keys", "_rows", "reversed")

    def __init__(self, rows: Mapping[str, Row], order: str = "time") -> None:
        self._rows = rows
        self._keys: list[Key] = []  # ascending, whatever the direction of display
        self._key = ORDERS[order]
        self.reversed = False

    # -- reading ------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return (key[-1] for key in (reversed(self._keys) if self.reversed else self._keys))

    def __contains__(self, id_: object) -> bool:
        row = self._rows.get(id_) if isinstance(id_, str) else None
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
        position = bisect_left(keys, row.key, lately if lately > 0 and keys[lately] <= row.key else 0)
        return position < len(keys) and keys[position] is row.key

    def index_of(self, id_: str) -> int | None:
        """Position in display order, or None when the flow is not shown. O(log n)."""
        row = self._rows.get(id_)
        if row is None or not self.has(row):
            return None
        position = bisect_left(self._keys, row.key)
        return len(self._keys) - 1 - position if self.reversed else position

    def nearest(self, key: Key) -> str | None:
        """The id that stands where `key` stands or would stand: the next one in display order, else the last."""
        keys = self._keys
        if not keys:
            return None
        position = bisect_left(keys, key)
        if self.reversed and not (position < len(keys) and keys[position] == key):
            position = max(position - 1, 0)
        id_: str = keys[min(position, len(keys) - 1)][-1]
        return id_

    # -- writing ------------------------------------------------------------------------------------------------------

    def remember(self, row: Row) -> None:
        """Give a row that is not shown the key of its present values."""
        row.key = self._key(row)

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
        position = bisect_left(self._keys, row.key)
        if position == len(self._keys) or self._keys[position] is not row.key:
            return False
        del self._keys[position]
        return True

    def drop(self, gone: Collection[str]) -> None:
        """Take many rows out in one pass."""
        self._keys = [key for key in self._keys if key[-1] not in gone]

    def fill(self, ids: Iterable[str]) -> None:
        """Show exactly these flows. Quickest when the ids come in about the present order."""
        rows = self._rows
        keys = [rows[id_].key for id_ in ids]
        keys.sort()
        self._keys = keys

    def sort_by(self, order: str) -> None:
        """Sort by another key, or by the present values of the same."""
        self._key = key = ORDERS[order]
        shown = [old[-1] for old in self._keys]
        for row in self._rows.values():
            row.key = key(row)
        self.fill(shown)
