"""Declaring commands, and calling them: `from midstream import command`.

    @command.command("tags.set")
    @command.argument("tag", type=types.Choice("tags.known"))
    def set_tag(self, flows: Sequence[flow.Flow], tag: str) -> None: ...

`ctx.master.commands`, a CommandManager, calls them: `call(name, *values)`, or `execute(line)` as typed.
"""

from midstream.hub.commands import (
    Command,
    CommandManager,
    CommandParameter,
    ParseResult,
    argument,
    command,
)

__all__ = ["Command", "CommandManager", "CommandParameter", "ParseResult", "argument", "command"]
