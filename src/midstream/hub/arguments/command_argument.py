"""`arg`: text that is handed on to another command as it was typed.

While a line is typed, the manager shows the parameters of that other command in its place.
"""

from __future__ import annotations

from typing import Any

from midstream.hub.arguments.argument import Argument, Commands
from midstream.hub.types import CmdArgs


class CmdArgsArgument(Argument):
    typ = CmdArgs
    display = "arg"
    examples = ("@focus",)

    def parse(self, manager: Commands, t: Any, s: str) -> CmdArgs:
        return CmdArgs(s)

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, str)
