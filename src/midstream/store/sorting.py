"""Sorting very many rows in slices: what is shown in another order, or after a filter that lets many pass.

Used by the view. A sort of a hundred thousand rows holds the loop for up to 0.2 s, a merge of two halves of them still
for 50 ms; so the keys are dealt out into buckets by a sample of them, and each bucket is sorted by itself. Meanwhile
the list stays as it is; in the end rows get their keys and the list is another one, in one go.
"""

from __future__ import annotations

import gc
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from itertools import chain, islice
from typing import Final

from midstream.store.order import ORDERS, Key
from midstream.store.rows import Row
from midstream.work.slices import Budget, Token, cooperate

_BUCKET: Final = 1024  # rows, about: they are sorted within a millisecond
_MANY: Final = 2000  # to look for so many takes longer than to look at all
_SAMPLES: Final = 16  # for each bucket, so that few become much larger than others


class Sorting:
    """See the module. One for one pass."""

    def __init__(self, order: str, budget: float = 0.004) -> None:
        self.order = order
        self._budget = budget
        self._key = ORDERS[order]
        self._keys: dict[Row, Key] = {}
        self._bounds: list[Key] = []
        self._buckets: list[list[Key]] = [[]]

    async def run(self, rows: Iterable[Row | None], token: Token) -> bool:
        """Sort rows; None stands for one that is gone. False: the token was overtaken."""
        async for some_rows in cooperate(rows, self._budget, token):
            for row in some_rows:
                if row is not None:
                    self._keys[row] = self._key(row)
            # So that no collection comes over a hundred thousand tuples at once; looked at once, they are never again.
            gc.collect(0)
        self._make_buckets()
        async for some_keys in cooperate(self._keys.values(), self._budget, token):
            for key in some_keys:
                self._bucket(key).append(key)
        budget = Budget(self._budget)
        for bucket in self._buckets:
            bucket.sort()
            if budget.spent():
                await budget.rest()
                if not token.current:
                    break
        return token.current

    def finished(self, changed: Collection[Row], present: Iterable[Row]) -> list[Key]:
        """Give the rows their keys, and return those in order. What has `changed` since is in it if it is `present`."""
        if len(changed) > _MANY:
            gone = {row.id for row in changed}
            self._buckets = [[key for key in bucket if key[-1] not in gone] for bucket in self._buckets]
        else:
            self._take(changed)
        for row, key in self._keys.items():
            row.key = key
        for row in present:
            row.key = self._key(row)
            insort(self._bucket(row.key), row.key)
        return list(chain.from_iterable(self._buckets))

    def _take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            key = self._keys.get(row)
            if key is not None:
                bucket = self._bucket(key)
                del bucket[bisect_left(bucket, key)]

    def _make_buckets(self) -> None:
        if len(self._keys) > _BUCKET:
            sample = sorted(islice(self._keys.values(), 0, None, _BUCKET // _SAMPLES))
            self._bounds = sample[_SAMPLES::_SAMPLES]
        self._buckets = [[] for _ in range(len(self._bounds) + 1)]

    def _bucket(self, key: Key) -> list[Key]:
        return self._buckets[bisect_left(self._bounds, key)]
