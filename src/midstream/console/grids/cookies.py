"""The tables of cookies: those of a request, those that a response sets, and the attributes of one of these.

Values stand as they are on the wire, quotes included. A row that nobody touches keeps its blanks and its place: which
of several Cookie headers it is in, what stands between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from midstream.console.grids.fields import advice_on_value, bad_value, refill
from midstream.console.grids.joined import Item, gather, join, refuse_many
from midstream.console.grids.kind import BadCell, Cells, FlowKind, Kind, Origin, Row
from midstream.flows.cookies import raw_parts

_BLANKS = b" \t"


class _Raw(NamedTuple):
    lead: bytes
    text: bytes
    has_equals: bool


def split(value: bytes) -> list[bytes]:
    """The parts of a header between semicolons that stand in no quotes."""
    refuse_many(value.count(b";"))
    return [part.encode("utf-8", "surrogateescape") for part in raw_parts(value.decode("utf-8", "surrogateescape"))]


def read_parts(parts: list[bytes], slot: int = 0) -> tuple[list[Row], bytes]:
    """Rows of `name=value` parts, and what follows the last one."""
    items, tail = gather(parts, b";", _BLANKS)
    rows = []
    for item in items:
        name, equals, value = item.text.partition(b"=")
        cells = (name.strip(_BLANKS), value.strip(_BLANKS))
        rows.append(Row(cells, Origin(cells, _Raw(item.lead, item.text, bool(equals))), slot))
    return rows, tail


def write_parts(rows: Sequence[Row], tail: bytes, is_flag: bool = False) -> bytes:
    """The opposite; `is_flag`: a new row without a value has no equals sign."""
    items = []
    for place, row in enumerate(rows):
        raw = row.origin.raw if row.origin is not None else _Raw(b" " if place else b"", b"", not is_flag)
        if place and not raw.lead and row.is_touched:
            raw = raw._replace(lead=b" ")
        items.append(Item(raw.lead, _joined(row, raw.has_equals) if row.is_touched else raw.text))
    return join(items, tail, b";")


def _joined(row: Row, has_equals: bool) -> bytes:
    name, value = row.cells[:2]
    return name + b"=" + value if value or has_equals else name


def check_pair(cells: Sequence[bytes]) -> BadCell | None:
    """Why a name and a value would not be one pair."""
    name, value = cells[0], cells[1]
    if not name and not value:
        return BadCell(0, "a cookie needs a name")
    for column, cell in enumerate((name, value)):
        if reason := bad_value(cell):
            return BadCell(column, reason)
    if b"=" in name:
        return BadCell(0, "a name ends at the first =")
    if b";" in name or len(split(b"=" + value)) > 1:
        return BadCell(0 if b";" in name else 1, 'a ; begins another pair, unless "it stands; in quotes"')
    return None


def _advice(cells: Cells) -> str:
    return advice_on_value(cells[0]) or advice_on_value(cells[1])


class Cookies(FlowKind):
    """The pairs of all Cookie headers."""

    part = "cookies"
    columns = ("name", "value")

    def source(self) -> tuple[object, ...]:
        return (self.request.headers.fields,)

    def _values(self) -> list[bytes]:
        return [value for name, value in self.request.headers.fields if name.lower() == b"cookie"]

    def read(self) -> list[Row]:
        return [row for slot, value in enumerate(self._values()) for row in read_parts(split(value), slot)[0]]

    def check(self, cells: Cells) -> BadCell | None:
        return check_pair(cells)

    def advice(self, cells: Cells) -> str:
        return _advice(cells)

    def write(self, rows: Sequence[Row]) -> None:
        values, tails = {}, []
        for slot, value in enumerate(self._values()):
            some, tail = read_parts(split(value), slot)
            tails.append(tail)
            if rows and not some:
                values[slot] = [value]  # nobody saw it, so nobody took it out
        by_slot: dict[int, list[Row]] = {}
        for row in rows:
            by_slot.setdefault(row.slot, []).append(row)
        for slot, some in by_slot.items():
            values[slot] = [write_parts(some, tails[slot] if slot < len(tails) else b"")]
        headers = self.request.headers
        name = b"cookie" if self.request.is_http2 or self.request.is_http3 else b"Cookie"
        self.request.headers = refill(headers.fields, name, values)


class SetCookies(FlowKind):
    """The Set-Cookie headers of the response, one row for each."""

    part = "set-cookies"
    columns = ("name", "value", "attributes")
    nested: ClassVar[frozenset[int]] = frozenset({2})
    of_response: ClassVar[bool] = True

    def source(self) -> tuple[object, ...]:
        return (self.response.headers.fields,)

    def read(self) -> list[Row]:
        found = [value for name, value in self.response.headers.fields if name.lower() == b"set-cookie"]
        rows = []
        for slot, value in enumerate(found):
            first, *attributes = split(value)
            name, equals, text = first.partition(b"=")
            cells = (name.strip(_BLANKS), text.strip(_BLANKS), b";".join(attributes).strip(_BLANKS))
            rows.append(Row(cells, Origin(cells, (value, first, b";".join(attributes), bool(equals))), slot))
        return rows

    def check(self, cells: Cells) -> BadCell | None:
        reason = bad_value(cells[2])
        return check_pair(cells) or (BadCell(2, reason) if reason else None)

    def advice(self, cells: Cells) -> str:
        return _advice(cells)

    def nested_kind(self, row: Row, column: int) -> Kind:
        return Attributes(row)

    def write(self, rows: Sequence[Row]) -> None:
        values: dict[int, list[bytes]] = {}
        for row in rows:
            values.setdefault(row.slot, []).append(self._value(row))
        headers = self.response.headers
        name = b"set-cookie" if self.response.is_http2 or self.response.is_http3 else b"Set-Cookie"
        self.response.headers = refill(headers.fields, name, values)

    def _value(self, row: Row) -> bytes:
        if row.origin is None:
            first, attributes = _joined(row, True), b" " + row.cells[2]
        else:
            whole, first, attributes, has_equals = row.origin.raw
            if not row.is_touched:
                return bytes(whole)
            if row.cells[:2] != row.origin.cells[:2]:
                first = _joined(row, has_equals)
            if row.cells[2] != row.origin.cells[2]:
                attributes = b" " + row.cells[2]
        return bytes(first + (b";" + attributes if attributes.strip(_BLANKS) else b""))


class Attributes(Kind):
    """The attributes of one row of Set-Cookie headers; `made` is the cell after `apply`."""

    columns = ("attribute", "value")

    def __init__(self, row: Row) -> None:
        self._row = row
        self.made = row.cells[2]

    @property
    def title(self) -> str:
        return f"attributes of {self.text_of(self._row.cells[0])}"

    @property
    def key(self) -> tuple[str, ...]:
        return ()

    def read(self) -> list[Row]:
        return read_parts(split(self._row.cells[2]))[0]

    def note(self) -> str:
        return "without a value it is a flag, such as HttpOnly"

    def check(self, cells: Cells) -> BadCell | None:
        bad = check_pair(cells)
        return bad._replace(reason="an attribute needs a name") if bad and not any(cells) else bad

    def advice(self, cells: Cells) -> str:
        return _advice(cells)

    def apply(self, rows: Sequence[Row]) -> str:
        tail = read_parts(split(self._row.cells[2]))[1]
        self.made = write_parts(rows, tail if rows else b"", is_flag=True)
        return "attributes set; ctrl s in the table of cookies applies them"
