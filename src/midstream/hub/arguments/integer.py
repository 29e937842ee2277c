"""`int`: a whole number."""

from __future__ import annotations

from typing import Any

from midstream.hub.arguments.argument import Argument, Commands


class IntArgument(Argument):
    typ = int
    display = "int"
    examples = ("8080",)

    def parse(self, manager: Commands, t: Any, s: str) -> int:
        try:
            return int(s)
        except ValueError:
            raise ValueError(f"{s!r} is no whole number") from None

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, int) and not isinstance(val, bool)
