"""Runs the command lines that a person typed or bound to a key, and shows what comes of them.

The console owns one. A result is shown when it is there, an async command goes on as a task beside others, and whatever
a command raises ends in one line in the footer and a record in the log (P5, promises.md 6).
"""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import BoundArguments
from typing import TYPE_CHECKING

from midstream.console import results
from midstream.flows.elsewhere import unread_parts
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.hub import ctx, lexer
from midstream.hub.command_failures import explain
from midstream.store.specs import Flows

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.hub.command import Command

# With fewer flows a filter is done within a frame.
_MANY = 1000
# Commands that read or replace what flows carry. A large body on disk is read before, in a thread.
_READERS = (
    *("console.bodyview", "console.compose", "console.copy", "console.edit", "console.export"),
    *("console.flows.cut", "console.flows.yank", "cut", "export", "flow.compare", "flow.decode", "flow.encode"),
    *("flow.revert", "flow.set", "replay", "save", "view.flows.duplicate"),
)
_MOST_READ = 8  # large ones: more would not fit into memory together, and who takes very many walks


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
                unread = self._unread(arguments) if name.startswith(_READERS) else []
                if unread or any(map(self._takes_long, arguments.args)):
                    looking = self._look_first(command, arguments, unread, self._console.focused_flow())
                    self._console.spawn(self._finish(name, looking), name)
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

    def _unread(self, arguments: BoundArguments) -> list[Flow]:
        """The flows among the arguments, or else the focused one, whose content is on the disk as yet."""
        view, meant = self._console.view, self._console.focused_flow()
        flows = [] if meant is None else [meant]
        for value in arguments.args:
            if isinstance(value, Flow):
                flows.append(value)
            elif isinstance(value, Flows) and not value.is_searched_for:
                flows += [flow for id_ in value.ids[:_MOST_READ] if (flow := view.get(id_)) is not None]
        return [flow for flow in flows if unread_parts(flow)]

    async def _look_first(
        self, command: Command, arguments: BoundArguments, unread: list[Flow], meant: Flow | None
    ) -> object:
        for flow in unread:
            await self._console.view.fetch(flow)
        is_named = any(isinstance(value, Flow | Flows) for value in arguments.args)
        if not is_named and self._console.focused_flow() is not meant:
            raise CommandError("another flow has the focus by now: go back, and press the key again")
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
