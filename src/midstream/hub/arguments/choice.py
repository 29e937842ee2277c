"""`choice`: one of the words that another command lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.flows.errors import CommandError
from midstream.hub.arguments.argument import Argument, Commands, ask, starting_with
from midstream.hub.lexer import split
from midstream.hub.types import Choice
from midstream.text.suggest import did_you_mean


def choices(manager: Commands, t: Choice) -> list[str]:
    """What the command of this choice lists; CommandError when it is no such command."""
    line = t.options_command
    name = (split(line) or [""])[0]
    if name in manager.commands and manager.commands[name].is_async:
        raise CommandError(f"{name} lists no choices: it is async, and the prompt cannot wait for it")
    listed = ask(name, lambda: manager.execute(line))
    if isinstance(listed, str | bytes) or not isinstance(listed, Sequence):
        raise CommandError(f"{name} lists no choices")
    return [str(item) for item in listed]


class ChoiceArgument(Argument):
    typ = Choice
    display = "choice"

    def parse(self, manager: Commands, t: Any, s: str) -> str:
        words = choices(manager, t)
        if s not in words:
            shown = ", ".join(words[:20]) + (" …" if len(words) > 20 else "")
            raise ValueError(f"{s!r} is no choice{did_you_mean(s, words) or f'; the choices are {shown}'}")
        return s

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        try:
            return val in choices(manager, t)
        except CommandError:
            return False

    def shown_as(self, t: Any) -> str:
        return f"choice({t.options_command})"

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        try:
            return starting_with(s, choices(manager, t))
        except CommandError:  # the command is not there, or has nothing to list just now
            return []
