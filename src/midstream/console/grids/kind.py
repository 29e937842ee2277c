"""What a table of cells is about: where its rows come from, what a cell may hold, and what applying it changes.

`panes/grid.py` shows and edits the rows and knows nothing else; each file beside this one is one kind. A row remembers
what it was made of, so that the rows which nobody touches are written back as the bytes that came (P1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from midstream.console import edit_parts
from midstream.console.grids.cells_text import escaped, unescaped
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow, Request, Response

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

Cells = tuple[bytes, ...]


class Origin(NamedTuple):
    """What a row was when it was read: its cells, and whatever its kind needs to write the same bytes again."""

    cells: Cells
    raw: Any


@dataclass(frozen=True, slots=True)
class Row:
    """`slot`: which of several fields of the message the row stands in; rows that are added stand with a neighbour."""

    cells: Cells
    origin: Origin | None = None
    slot: int = 0

    @property
    def is_touched(self) -> bool:
        """Whether it has to be written anew."""
        return self.origin is None or self.origin.cells != self.cells

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it, and nothing ever did."""
        return not any(self.cells) and (self.origin is None or any(self.origin.cells))

    def with_cell(self, column: int, data: bytes) -> Row:
        """The same row with another cell."""
        return replace(self, cells=(*self.cells[:column], data, *self.cells[column + 1 :]))


class BadCell(NamedTuple):
    """Why a row cannot be applied, and the column that this is about."""

    column: int
    reason: str


class Kind:
    """The base of all. `nested` are the columns whose cells are tables of their own."""

    columns: ClassVar[Sequence[str]] = ()
    nested: ClassVar[frozenset[int]] = frozenset()

    @property
    def title(self) -> str:
        """What the table is."""
        raise NotImplementedError

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from other tables: changes that were not applied are kept under it."""
        raise NotImplementedError

    def source(self) -> tuple[object, ...]:
        """The immutable things that the rows are read from: another one means that they may have changed."""
        return ()

    def read(self) -> list[Row]:
        """The rows as they are now."""
        raise NotImplementedError

    def apply(self, rows: Sequence[Row]) -> str:
        """Put the rows in place; what was done, for people. ValueError: refused, and nothing has changed."""
        raise NotImplementedError

    def check(self, cells: Cells) -> BadCell | None:
        """Why a row with these cells cannot be applied."""
        return None

    def advice(self, cells: Cells) -> str:
        """What a person should know about a row that is allowed."""
        return ""

    def note(self) -> str:
        """What a person should know about the whole table."""
        return ""

    def nested_kind(self, row: Row, column: int) -> Kind:
        """The table inside a cell; it is read from the cell, and `apply` of it makes the cell in `made`."""
        raise NotImplementedError

    def complete(self, before: str) -> list[str]:
        """What the text before the cursor of a cell may become."""
        return []

    def text_of(self, data: bytes) -> str:
        """A cell as it is shown and typed."""
        return escaped(data)

    def bytes_of(self, text: str) -> bytes:
        """What was typed; ValueError when it stands for no bytes."""
        return unescaped(text)


class FlowKind(Kind):
    """A table about a part of an HTTP flow. Subclasses read from `message` and `write` to it."""

    part: ClassVar[str] = ""
    of_response: ClassVar[bool] = False

    def __init__(self, console: Console, flow: Flow) -> None:
        if not isinstance(flow, HTTPFlow):
            raise CommandError(f"a {flow.type} flow has no {self.part.replace('-', ' ')}")
        self.console = console
        self.flow: HTTPFlow = flow
        self._none_yet = Response.make(200)

    @property
    def request(self) -> Request:
        """The request of the flow."""
        return self.flow.request

    @property
    def response(self) -> Response:
        """The response; while there is none, an empty one that becomes it when something is applied."""
        return self.flow.response if self.flow.response is not None else self._none_yet

    @property
    def message(self) -> Request | Response:
        """The one that the table is about."""
        return self.response if self.of_response else self.request

    @property
    def title(self) -> str:
        return self.part.replace("-", " ")

    @property
    def key(self) -> tuple[str, ...]:
        return (self.flow.id, self.part)

    def note(self) -> str:
        return "there is no response yet: this makes one" if self.of_response and self.flow.response is None else ""

    def apply(self, rows: Sequence[Row]) -> str:
        return edit_parts.put(self.console, self.flow, self.message, lambda: self.write(rows), self.title)

    def write(self, rows: Sequence[Row]) -> None:
        """Set what the rows say on the message. ValueError: refused, and nothing has changed."""
        raise NotImplementedError
