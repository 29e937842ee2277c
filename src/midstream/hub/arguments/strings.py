"""`str[]`: texts with commas between them; a comma cannot be part of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.hub.arguments.argument import Argument, Commands


class StringsArgument(Argument):
    typ = Sequence[str]
    display = "str[]"
    examples = ("one,two",)

    def parse(self, manager: Commands, t: Any, s: str) -> list[str]:
        return [part.strip() for part in s.split(",")]

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        if isinstance(val, str | bytes) or not isinstance(val, Sequence):
            return False
        return all(isinstance(item, str) for item in val)
