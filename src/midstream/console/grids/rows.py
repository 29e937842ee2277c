"""The rows of a table while they are edited, with undo. A row is immutable; a step keeps the list of them."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.console.grids.kind import Row

_STEPS = 200
_ROWS_KEPT = 1_000_000  # rows in all steps together: 8 bytes each


class Rows:
    """`read` is what the table was when it was read; `revision` another object after each change."""

    def __init__(self, rows: list[Row], columns: int) -> None:
        self.read = rows
        self._now = list(rows)
        self._columns = columns
        self._undo: list[tuple[list[Row], int]] = []
        self._redo: list[tuple[list[Row], int]] = []
        self.revision = object()
        self._looked_at: tuple[object, bool] = (self.revision, False)

    def __len__(self) -> int:
        return len(self._now)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._now)

    def __getitem__(self, index: int) -> Row:
        return self._now[index]

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        return bool(self._redo)

    @property
    def is_changed(self) -> bool:
        """Whether the rows would be written otherwise than they were read; empty new ones do not count."""
        if self._looked_at[0] is not self.revision:
            now = [row for row in self._now if not row.is_empty or row.origin is not None]
            self._looked_at = (self.revision, now != self.read)
        return self._looked_at[1]

    def changes(self) -> str:
        """What is different, for people."""
        left = sum(row.origin is not None for row in self._now)
        edited = sum(row.is_touched for row in self._now if row.origin is not None)
        counts = {"edited": edited, "added": len(self._now) - left, "deleted": max(len(self.read) - left, 0)}
        return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count) or "not changed"

    def put(self, index: int, row: Row) -> None:
        """Another row in the place of one."""
        self._step(index)
        self._now[index] = row

    def insert(self, index: int) -> None:
        """An empty row, which stands in the message where its neighbour does."""
        neighbour = self._now[max(index - 1, 0)] if self._now else None
        self._step(index)
        self._now.insert(index, Row((b"",) * self._columns, None, neighbour.slot if neighbour is not None else 0))

    def forget_insert(self, index: int) -> None:
        """Take back a row that nothing was typed into, as if it had never been there."""
        del self._now[index]
        self._undo.pop()
        self.revision = object()

    def delete(self, index: int) -> None:
        """Take a row out."""
        self._step(index)
        del self._now[index]

    def clear(self) -> None:
        """Take all rows out."""
        self._step(0)
        self._now.clear()

    def reload(self, rows: list[Row]) -> None:
        """Other rows were read."""
        self._step(0)
        self.read, self._now = rows, list(rows)

    def undo(self) -> int:
        """One step back; the index of the row that it was about."""
        return self._swap(self._undo, self._redo)

    def redo(self) -> int:
        """The step again."""
        return self._swap(self._redo, self._undo)

    def _swap(self, back: list[tuple[list[Row], int]], forth: list[tuple[list[Row], int]]) -> int:
        rows, at = back.pop()
        forth.append((self._now, at))
        self._now = rows
        self.revision = object()
        return at

    def _step(self, index: int) -> None:
        self._undo.append((list(self._now), index))
        del self._undo[: -max(min(_STEPS, _ROWS_KEPT // max(len(self._now), 1)), 10)]
        self._redo.clear()
        self.revision = object()
