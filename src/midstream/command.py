"""Door for addon authors: declaring commands and calling them."""

from midstream.hub.commands import (
    Command,
    CommandManager,
    CommandParameter,
    ParseResult,
    argument,
    command,
)

__all__ = ["Command", "CommandManager", "CommandParameter", "ParseResult", "argument", "command"]
