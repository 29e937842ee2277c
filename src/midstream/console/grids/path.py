"""The table of the segments of a path; the query stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote, unquote_to_bytes

from midstream.console.grids.joined import Item, gather, join
from midstream.console.grids.kind import Origin, Row
from midstream.console.grids.pairs import Query

# RFC 3986 §3.3: what may stand in a segment as it is.
_PLAIN = "!$&'()*+,;=:@~"


class PathSegments(Query):
    """See the module. Empty segments (`//`) stay with the one behind them."""

    part = "path"
    columns: ClassVar[Sequence[str]] = ("segment",)

    def read(self) -> list[Row]:
        self._refuse_connect()
        rows = []
        for item in self._items()[0]:
            cells = (unquote_to_bytes(item.text),)
            rows.append(Row(cells, Origin(cells, item)))
        return rows

    def write(self, rows: Sequence[Row]) -> None:
        path, *rest = self._split()
        tail = self._items()[1]
        root = b"/" if path.startswith(b"/") else b""
        # Without segments, a slash that ended the path is the path.
        new = root + join([_item(row) for row in rows], tail if rows else b"", b"/")
        self.request.raw_path = (new or b"/") + b"".join(rest)

    def _items(self) -> tuple[list[Item], bytes]:
        path = self._split()[0]
        return gather(path.removeprefix(b"/").split(b"/"), b"/")


def _item(row: Row) -> Item:
    lead, raw = row.origin.raw if row.origin is not None else (b"", b"")
    return Item(lead, quote(row.cells[0], safe=_PLAIN).encode("ascii") if row.is_touched else raw)
