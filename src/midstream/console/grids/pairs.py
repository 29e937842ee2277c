"""The tables of names and values in a query and in a urlencoded form.

A pair, and within it a name or a value, that nobody touches keeps its spelling: which characters are escaped, `+` or
`%20`, whether there is an equals sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple
from urllib.parse import quote_plus, unquote_to_bytes

from midstream.console.grids.joined import Item, gather, join
from midstream.console.grids.kind import FlowKind, Origin, Row
from midstream.flows.errors import CommandError

MOST = 16 * 1024 * 1024
"""Bytes of a body that is shown as a table."""
_URLENCODED = "application/x-www-form-urlencoded"


class _Raw(NamedTuple):
    lead: bytes
    name: bytes
    equals: bytes
    value: bytes


def read_pairs(data: bytes) -> tuple[list[Row], bytes]:
    """The rows of a query, and what follows the last pair."""
    items, tail = gather(data.split(b"&") if data else [], b"&")
    rows = []
    for item in items:
        name, equals, value = item.text.partition(b"=")
        cells = (_decoded(name), _decoded(value))
        rows.append(Row(cells, Origin(cells, _Raw(item.lead, name, equals, value))))
    return rows, tail


def write_pairs(rows: Sequence[Row], tail: bytes) -> bytes:
    """The query of rows."""
    return join([_item(row) for row in rows], tail, b"&")


def _item(row: Row) -> Item:
    name, value = row.cells
    if row.origin is None:
        return Item(b"", _encoded(name) + b"=" + _encoded(value))
    raw: _Raw = row.origin.raw
    is_same = [now == before for now, before in zip(row.cells, row.origin.cells, strict=True)]
    spelled = raw.name if is_same[0] else _encoded(name)
    equals = raw.equals or (b"=" if value else b"")
    return Item(raw.lead, spelled + equals + (raw.value if is_same[1] else _encoded(value)))


def _decoded(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))


def _encoded(data: bytes) -> bytes:
    return quote_plus(data).encode("ascii")


class Query(FlowKind):
    """The query of the request."""

    part = "query"
    columns: ClassVar[Sequence[str]] = ("name", "value")

    def source(self) -> tuple[object, ...]:
        return (self.request.raw_path,)

    def read(self) -> list[Row]:
        self._refuse_connect()
        return read_pairs(self._split()[2])[0]

    def write(self, rows: Sequence[Row]) -> None:
        path, mark, query, fragment = self._split()
        _, tail = read_pairs(query)
        new = write_pairs(rows, tail)
        self.request.raw_path = path + ((mark or b"?") if new else b"") + new + fragment

    def _split(self) -> tuple[bytes, bytes, bytes, bytes]:
        whole, hash_, fragment = self.request.raw_path.partition(b"#")
        path, mark, query = whole.partition(b"?")
        return path, mark, query, hash_ + fragment

    def _refuse_connect(self) -> None:
        if self.request.first_line_format == "authority":
            raise CommandError("a CONNECT request has no path and no query")


class UrlencodedForm(FlowKind):
    """The fields of a urlencoded form in the body of the request."""

    part = "urlencoded-form"
    columns = ("name", "value")

    @property
    def title(self) -> str:
        return "urlencoded form"

    def source(self) -> tuple[object, ...]:
        return (self.request.raw_content, self.request.headers.fields)

    def note(self) -> str:
        if self._is_form or not self.request.raw_content:
            return ""
        return "replaces the body, which is no such form"

    def read(self) -> list[Row]:
        return read_pairs(self._form())[0]

    def write(self, rows: Sequence[Row]) -> None:
        _, tail = read_pairs(self._form())
        new = write_pairs(rows, tail)
        if not self._is_form:
            self.request.headers["content-type"] = _URLENCODED
        self.request.content = new

    @property
    def _is_form(self) -> bool:
        return _URLENCODED in self.request.headers.get("content-type", "").lower()

    def _form(self) -> bytes:
        return body_of(self.request, "form") if self._is_form else b""


def body_of(request: object, what: str) -> bytes:
    """The decoded body of a request, for a table. CommandError when it cannot be edited as one."""
    raw = getattr(request, "raw_content", None)
    if raw is None:
        raise CommandError(f"the {what} cannot be edited: the body was not stored")
    try:
        data: bytes = request.get_content(limit=MOST)  # type: ignore[attr-defined]
    except ValueError as error:
        raise CommandError(f"the {what} cannot be edited: {error}") from None
    if len(data) > MOST:
        raise CommandError(f"the {what} is larger than {MOST >> 20} MB, the most that is edited as a table")
    return data
