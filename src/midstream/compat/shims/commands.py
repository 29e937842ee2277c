"""`mitmproxy.command` and `.types`: what only code around commands, not commands themselves, uses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from midstream.flows.errors import CommandError
from midstream.hub.arguments import CommandTypes as ArgumentTypes
from midstream.hub.commands import CommandManager

CommandTypes = ArgumentTypes()
"""There it is one object for everybody; with us each command manager has its own."""


def typename(t: Any) -> str:
    """The name of an annotation as `--commands` shows it."""
    kind = CommandTypes.get(t)
    if kind is None:
        raise CommandError(f"{t!r} is no type of commands")
    return kind.shown_as(t)


def parsearg(manager: CommandManager, spec: str, argtype: Any) -> Any:
    """The value of one argument as typed."""
    kind = manager.types.get(argtype)
    if kind is None:
        raise CommandError(f"{argtype!r} is no type of commands")
    try:
        return kind.parse(manager, argtype, spec)
    except ValueError as error:
        raise CommandError(str(error)) from None


def verify_arg_signature(f: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    """CommandError when `f` cannot be called so."""
    try:
        inspect.signature(f).bind(*args, **kwargs)
    except TypeError as error:
        raise CommandError(f"command argument mismatch: {error}") from None
