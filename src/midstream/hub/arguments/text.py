"""`str`: text with backslash escapes."""

from __future__ import annotations

from typing import Any

from midstream.hub.arguments.argument import Argument, Commands
from midstream.text.backslashes import expand


class StrArgument(Argument):
    typ = str
    display = "str"

    def parse(self, manager: Commands, t: Any, s: str) -> str:
        return expand(s)

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, str)
