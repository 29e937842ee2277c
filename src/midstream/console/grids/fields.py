"""The tables of request and response headers: one row for each field, in its order, with its spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from midstream.console.grids.kind import BadCell, Cells, FlowKind, Origin, Row
from midstream.flows.headers import Headers

# RFC 9110 §5.6.2; bytes of one character of UTF-8 stay together, to be named.
_NO_TOKEN = re.compile(rb"[\x80-\xff]+|[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def bad_value(value: bytes) -> str:
    """Why something is no value of a header (RFC 9110 §5.5); "" if it is one."""
    found = _CONTROLS.search(value)
    return f"no header may hold the control character {found[0][0]:#04x}" if found else ""


def advice_on_value(value: bytes) -> str:
    """Outer blanks are sent, and mean nothing (RFC 9110 §5.5)."""
    return "blanks around a value are sent, but whoever reads them takes them away" if value != value.strip() else ""


class RequestHeaders(FlowKind):
    """See the module."""

    part = "request-headers"
    columns = ("name", "value")

    def source(self) -> tuple[object, ...]:
        return (self.message.headers.fields,)

    def read(self) -> list[Row]:
        return [Row(pair, Origin(pair, pair)) for pair in self.message.headers.fields]

    def check(self, cells: Cells) -> BadCell | None:
        name, value = cells
        if not name:
            return BadCell(0, "a header needs a name")
        if found := _NO_TOKEN.search(name):
            return BadCell(0, f"{found[0].decode('utf-8', 'backslashreplace')!r} cannot stand in the name of a header")
        reason = bad_value(value)
        return BadCell(1, reason) if reason else None

    def advice(self, cells: Cells) -> str:
        return advice_on_value(cells[1])

    def write(self, rows: Sequence[Row]) -> None:
        self.message.headers = Headers(tuple((row.cells[0], row.cells[1]) for row in rows))


class ResponseHeaders(RequestHeaders):
    """The same for the response."""

    part = "response-headers"
    of_response: ClassVar[bool] = True


def refill(fields: tuple[tuple[bytes, bytes], ...], name: bytes, values: dict[int, list[bytes]]) -> Headers:
    """Headers in which the fields of one name have other values: `values` are those of the first one, the second …

    Other fields stay where they are; a field without a value goes, what belongs to none comes at the end.
    """
    result, slot, wanted = [], 0, name.lower()
    for have, value in fields:
        if have.lower() == wanted:
            result += [(have, new) for new in values.get(slot, [])]
            slot += 1
        else:
            result.append((have, value))
    result += [(name, new) for at in sorted(values) if at >= slot for new in values[at]]
    return Headers(tuple(result))
