"""`cmd`: the name of a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.hub.arguments.argument import Argument, Commands, starting_with
from midstream.hub.types import Cmd
from midstream.text.suggest import did_you_mean


class CmdArgument(Argument):
    typ = Cmd
    display = "cmd"
    examples = ("flow.resume",)

    def parse(self, manager: Commands, t: Any, s: str) -> Cmd:
        if s not in manager.commands:
            raise ValueError(f"no command is called {s!r}{did_you_mean(s, manager.commands)}")
        return Cmd(s)

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, str) and val in manager.commands

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return starting_with(s, sorted(manager.commands))
