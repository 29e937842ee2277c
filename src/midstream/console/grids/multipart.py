"""The table of a multipart form: names and values, and what a browser says of files.

A part that nobody touches keeps all of its bytes, and one of which only the value is edited all of its headers. What
stands before the first part and behind the last one stays too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from midstream.console.grids.fields import bad_value
from midstream.console.grids.kind import BadCell, Cells, FlowKind, Origin, Row
from midstream.console.grids.pairs import body_of
from midstream.flows import multipart

_DISPOSITION = re.compile(rb"^content-disposition:[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PARAMETER = rb"(;[ \t]*)%b=(?:\"([^\"\r\n]*)\"|([^;\s\"]+))"
_NAME = re.compile(_PARAMETER % b"name", re.IGNORECASE)
_FILE = re.compile(_PARAMETER % b"filename", re.IGNORECASE)


class MultipartForm(FlowKind):
    """See the module."""

    part = "multipart-form"
    columns = ("name", "value", "file name", "type")

    @property
    def title(self) -> str:
        return "multipart form"

    def source(self) -> tuple[object, ...]:
        return (self.request.raw_content, self.request.headers.fields)

    def note(self) -> str:
        if self._boundary is not None or not self.request.raw_content:
            return ""
        return "replaces the body, which is no such form"

    def read(self) -> list[Row]:
        body, boundary, last = self._body(), self._boundary, 0
        rows: list[Row] = []
        if boundary is None:
            return []
        for start, end in multipart.spans(body, boundary):
            # What stands before the first part belongs to none of them.
            glue = body[last:start] if rows else b"--" + boundary.encode("ascii")
            rows.append(_row(glue, body[start:end]))
            last = end
        return rows

    def check(self, cells: Cells) -> BadCell | None:
        if not cells[0]:
            return BadCell(0, "a field needs a name")
        for column in (2, 3):
            if reason := bad_value(cells[column]):
                return BadCell(column, reason.replace("header", "part"))
        if self._boundary is not None and b"--" + self._boundary.encode("ascii") in cells[1]:
            return BadCell(1, "the value holds the boundary of the form")
        return None

    def write(self, rows: Sequence[Row]) -> None:
        body, boundary = self._body(), self._boundary
        if boundary is None:
            boundary = multipart.new_boundary()
            self.request.headers["content-type"] = f"multipart/form-data; boundary={boundary}"
            body = b""
        delimiter = b"--" + boundary.encode("ascii")
        spans = list(multipart.spans(body, boundary))
        made = [_glue(row, delimiter, bool(place)) + _chunk(row) for place, row in enumerate(rows)]
        before = body[: spans[0][0] - len(delimiter)] if spans else b""
        end = body[spans[-1][1] :] if spans else b"\r\n" + delimiter + b"--\r\n"
        if not rows:
            end = end.lstrip(b"\r\n")
        self.request.content = before + b"".join(made) + end

    @property
    def _boundary(self) -> str | None:
        return multipart.boundary_of(self.request.headers.get("content-type", ""))

    def _body(self) -> bytes:
        return body_of(self.request, "form") if self._boundary is not None else b""


def _row(glue: bytes, chunk: bytes) -> Row:
    part = multipart.part_of(chunk)
    if part is None:
        cells: Cells = (b"", chunk.removeprefix(b"\r\n"), b"", b"")
    else:
        file, kind = _parameter(_FILE, part.head), _TYPE.search(part.head)
        cells = (part.name, part.value, file, kind[1].rstrip() if kind else b"")
    return Row(cells, Origin(cells, (glue, chunk)))


def _parameter(pattern: re.Pattern[bytes], head: bytes) -> bytes:
    line = _DISPOSITION.search(head)
    found = pattern.search(line[0]) if line else None
    if found is None:
        return b""
    return found[2] if found[2] is not None else found[3]


def _glue(row: Row, delimiter: bytes, is_behind: bool) -> bytes:
    """The delimiter before a part, with the line end that came before it."""
    glue: bytes = row.origin.raw[0] if row.origin is not None else delimiter
    if not is_behind:
        return glue.lstrip(b"\r\n")
    return glue if glue.startswith((b"\r", b"\n")) else b"\r\n" + glue


def _chunk(row: Row) -> bytes:
    """What stands behind the delimiter."""
    head, opening, gap = b"Content-Disposition: form-data", b"\r\n", b"\r\n\r\n"
    before: Cells = (b"", b"", b"", b"")
    if row.origin is not None:
        chunk: bytes = row.origin.raw[1]
        if not row.is_touched:
            return chunk
        part = multipart.part_of(chunk)
        if part is not None:
            before, head = row.origin.cells, part.head
            opening = chunk[: chunk.find(head)]
            gap = gap if gap in chunk else b"\n\n"
    name, value, file, kind = row.cells
    if name != before[0]:
        head = _with_parameter(head, _NAME, b"name", name)
    if file != before[2]:
        head = _with_parameter(head, _FILE, b"filename", file)
    if kind != before[3]:
        head = _with_type(head, kind)
    return opening + head + gap + value


def _with_parameter(head: bytes, pattern: re.Pattern[bytes], name: bytes, value: bytes) -> bytes:
    line = _DISPOSITION.search(head)
    if line is None:
        return b'Content-Disposition: form-data; %b="%b"' % (name, multipart.escaped(value)) + b"\r\n" + head
    new = b'; %b="%b"' % (name, multipart.escaped(value)) if value or name == b"name" else b""
    if pattern.search(line[0]):
        changed = pattern.sub(lambda _: new, line[0], count=1)
    else:
        changed = line[0] + new
    return head[: line.start()] + changed + head[line.end() :]


def _with_type(head: bytes, kind: bytes) -> bytes:
    found = _TYPE.search(head)
    if found is None:
        return head + (b"\r\nContent-Type: " + kind if kind else b"")
    if kind:
        return head[: found.start(1)] + kind + head[found.end() :]
    before = head[: found.start()].rstrip(b"\r\n")
    return before + head[found.end() :]
