"""Runs the command lines that a person typed or bound to a key, and shows what comes of them.

The console owns one. A result is shown when it is there, an async command goes on as a task beside others, and whatever
a command raises ends in one line in the footer and a record in the log (P5, promises.md 6).
"""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import BoundArguments
from typing import TYPE_CHECKING

from midstream.console import results
from midstream.flows.errors import CommandError, OptionsError
from midstream.hub import ctx, lexer
from midstream.hub.command_failures import explain
from midstream.store.specs import Flows

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.hub.command import Command

# With fewer flows a filter is done within a frame.
_MANY = 1000


class CommandRunner:
    """See the module."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._commands = console.master.commands

    def run(self, line: str) -> str:
        """Execute a command line. Never raises; returns why it failed, if it did so at once."""
        name = next(iter(lexer.split(line)), "")
        with ctx.use(self._console.master):
            try:
                command, arguments = self._commands.prepare(line)
                if any(map(self._takes_long, arguments.args)):
                    self._console.spawn(self._finish(name, self._look_first(command, arguments)), name)
                    return ""
                result = command.call_prepared(arguments)
                if isinstance(result, Awaitable) or self._takes_long(result):
                    self._console.spawn(self._finish(name, result), name)
                else:
                    results.show(self._console, name, result)
            except BaseException as error:  # a key press is one of the three borders (architecture.md §5)
                return self._failed(name, error)
        return ""

    def _takes_long(self, value: object) -> bool:
        """Whether these are flows that have to be looked for among so many that it would hold the loop."""
        return isinstance(value, Flows) and value.is_searched_for and len(self._console.view) > _MANY

    async def _look_first(self, command: Command, arguments: BoundArguments) -> object:
        for value in arguments.args:
            if isinstance(value, Flows):
                await value.look()
        result = command.call_prepared(arguments)
        return await result if isinstance(result, Awaitable) else result

    async def _finish(self, name: str, result: object) -> None:
        with ctx.use(self._console.master):
            try:
                value = await result if isinstance(result, Awaitable) else result
                if isinstance(value, Flows):
                    await value.look()
                results.show(self._console, name, value)
            except GeneratorExit:  # this coroutine is being closed
                raise
            except BaseException as error:
                self._failed(name, error)

    def _failed(self, name: str, error: BaseException) -> str:
        text = explain(name, self._commands.commands.get(name), error)
        # What is no mere refusal stands in the log already, with its traceback.
        self._console.message(text, "error", log=isinstance(error, CommandError | OptionsError))
        return text
