"""`data[][]`: a table of text and bytes; only ever a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from midstream.hub.arguments.argument import Argument, Commands
from midstream.hub.types import Data


class DataArgument(Argument):
    typ = Data
    display = "data[][]"

    def parse(self, manager: Commands, t: Any, s: str) -> NoReturn:
        raise ValueError("a table cannot be typed as an argument")

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        if not isinstance(val, Sequence) or isinstance(val, str | bytes):
            return False
        return all(_is_row(row) for row in val)


def _is_row(row: object) -> bool:
    if not isinstance(row, Sequence) or isinstance(row, str | bytes):
        return False
    return all(isinstance(cell, str | bytes) for cell in row)
