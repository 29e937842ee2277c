"""Annotations for command parameters and results, beyond what Python has names for.

`midstream/types.py` is the door for addon authors. How each is parsed, completed and checked: hub/arguments/.
"""

from __future__ import annotations

from collections.abc import Sequence


class Path(str):
    """A file name; a leading `~` is expanded."""

    __slots__ = ()


class Cmd(str):
    """The name of a command."""

    __slots__ = ()


class CmdArgs(str):
    """One of the arguments of the command that an earlier `Cmd` argument names; not parsed here."""

    __slots__ = ()


class Marker(str):
    """What a flow is marked with: `:dog:`, `:default:`, or nothing."""

    __slots__ = ()


class CutSpec(Sequence[str]):
    """Attribute paths of a flow, such as `request.url`."""


class Data(Sequence[Sequence[str | bytes]]):
    """Rows of a table; only ever a result."""


class Choice:
    """One of the strings which a command lists: `argument("part", type=Choice("flow.set.options"))`."""

    __slots__ = ("options_command",)

    def __init__(self, options_command: str) -> None:
        self.options_command = options_command

    def __repr__(self) -> str:
        return f"Choice({self.options_command!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and other.options_command == self.options_command

    def __hash__(self) -> int:
        return hash(self.options_command)


class Unknown:
    """What stands on a line where no parameter is left."""


class Space:
    """White space on a line."""
