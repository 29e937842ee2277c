"""What every argument type is: a name to show, a parser, a completion and a check.

Called by the command manager (parse, is_valid) and the prompt (completion, and parse for the colour of a word).
One file per type stands beside this one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from midstream.flows.errors import CommandError

T = TypeVar("T")


class KnownCommand(Protocol):
    """The part of a command that argument types need."""

    @property
    def is_async(self) -> bool: ...


class Commands(Protocol):
    """The part of the command manager that argument types need."""

    @property
    def commands(self) -> Mapping[str, KnownCommand]: ...

    def call(self, command_name: str, *args: Any) -> Any: ...

    def execute(self, line: str) -> Any: ...


class Argument(ABC):
    """`typ` is the annotation it stands for, `display` its name in signatures, `examples` what a person may write."""

    typ: Any
    display: str
    examples: Sequence[str] = ()

    @abstractmethod
    def parse(self, manager: Commands, t: Any, s: str) -> Any:
        """The value of the unquoted text `s` for annotation `t`; ValueError (or CommandError) with a sentence."""

    def accepts(self, manager: Commands, t: Any, s: str) -> bool:
        """Whether `s` can be parsed, as far as it can be told quickly: a prompt asks at each key."""
        try:
            self.parse(manager, t, s)
        except (CommandError, ValueError):
            return False
        return True

    @abstractmethod
    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        """Whether a native value is of this type; asked about results."""

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        """What the typed prefix `s` may become, in the order to offer it."""
        return []

    def shown_as(self, t: Any) -> str:
        """The name of annotation `t` in signatures."""
        return self.display


def ask(name: str, command: Callable[[], T]) -> T:
    """Run a command that a type needs. Scripts bring such commands, and a prompt asks at each key: whatever one raises
    is a CommandError that names it.
    """
    try:
        return command()
    except CommandError:
        raise
    except BaseException as error:
        raise CommandError(f"{name} failed: {type(error).__name__}: {error}") from error


def starting_with(prefix: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(prefix)]
