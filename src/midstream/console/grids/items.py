"""The table of an option that holds a list: one row for each item, checked as the option checks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from midstream.console.grids.kind import BadCell, Cells, Kind, Origin, Row
from midstream.flows.errors import OptionsError

if TYPE_CHECKING:
    from midstream.hub.option_types import OptionValue
    from midstream.hub.options import Options


class Items(Kind):
    """See the module. Items are text as it is typed: patterns are full of backslashes."""

    columns = ("item",)

    def __init__(self, options: Options, name: str, update: Callable[[str, OptionValue], None]) -> None:
        self._options = options
        self.name = name
        self._update = update

    @property
    def title(self) -> str:
        return f"option {self.name}"

    @property
    def key(self) -> tuple[str, ...]:
        return ("option", self.name)

    def source(self) -> tuple[object, ...]:
        # A script that goes takes its option along.
        return (self._options.option(self.name).value if self.name in self._options else None,)

    def read(self) -> list[Row]:
        value = self._options.option(self.name).current() if self.name in self._options else []
        found = [self.bytes_of(item) for item in value] if isinstance(value, list) else []
        return [Row((item,), Origin((item,), None)) for item in found]

    def check(self, cells: Cells) -> BadCell | None:
        if self.name not in self._options:
            return BadCell(0, f"there is no option {self.name} any more")
        try:
            self._options.option(self.name).parse([self.text_of(cells[0])])
        except (OptionsError, ValueError, TypeError) as error:
            return BadCell(0, str(error).removeprefix(f"option {self.name}: "))
        return None

    def apply(self, rows: Sequence[Row]) -> str:
        try:
            self._update(self.name, [self.text_of(row.cells[0]) for row in rows])
        except (OptionsError, KeyError) as error:
            raise ValueError(str(error)) from None
        return f"{self.name} set: {len(rows)} item{'' if len(rows) == 1 else 's'}"

    def complete(self, before: str) -> list[str]:
        return self._options.option(self.name).completions(before) if self.name in self._options else []

    def text_of(self, data: bytes) -> str:
        return data.decode("utf-8", "surrogateescape")

    def bytes_of(self, text: str) -> bytes:
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise ValueError(f"column {error.start + 1}: half a surrogate pair is no character") from None
