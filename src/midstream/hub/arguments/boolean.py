"""`bool`: the words true and false."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.hub.arguments.argument import Argument, Commands, starting_with

_WORDS = {"true": True, "false": False}


class BoolArgument(Argument):
    typ = bool
    display = "bool"
    examples = ("true", "false")

    def parse(self, manager: Commands, t: Any, s: str) -> bool:
        if s not in _WORDS:
            raise ValueError(f"{s!r} is neither true nor false")
        return _WORDS[s]

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, bool)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return starting_with(s, ("false", "true"))
