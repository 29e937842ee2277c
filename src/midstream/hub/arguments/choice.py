"""`choice`: one of the words that another command lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.flows.errors import CommandError
from midstream.hub.arguments.argument import Argument, Commands, starting_with
from midstream.hub.types import Choice
from midstream.text.suggest import did_you_mean


def choices(manager: Commands, t: Choice) -> list[str]:
    """What the command of this choice lists; CommandError when it is no such command."""
    listed = manager.execute(t.options_command)
    if isinstance(listed, str | bytes) or not isinstance(listed, Sequence):
        raise CommandError(f"{t.options_command} lists no choices")
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
        return val in choices(manager, t)

    def shown_as(self, t: Any) -> str:
        return f"choice({t.options_command})"

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        try:
            return starting_with(s, choices(manager, t))
        except CommandError:  # the command is not there, or has nothing to list just now
            return []
