"""The command manager: all commands of one master, found in addons, looked up by name and run from lines of text.

How a command is declared, and how its arguments and result are bound and checked: hub/command.py.
The prompt draws what `parse_partial` says. What the types mean: hub/arguments/; how lines are cut: hub/lexer.py.
"""

from __future__ import annotations

import logging
import types
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from inspect import BoundArguments
from typing import Any, NamedTuple, TextIO

from midstream.flows.errors import CommandError
from midstream.hub import ctx, lexer
from midstream.hub.arguments import CommandTypes
from midstream.hub.command import Command, CommandParameter, argument, command
from midstream.hub.handlers import location
from midstream.hub.recording import Recorder
from midstream.hub.signal import Signal
from midstream.hub.types import Cmd, CmdArgs, Space, Unknown
from midstream.text.suggest import did_you_mean

__all__ = ["Command", "CommandManager", "CommandParameter", "ParseResult", "argument", "command"]

logger = logging.getLogger(__name__)


class ParseResult(NamedTuple):
    """A piece of a line being typed: its text, the type expected there, and whether it would be accepted."""

    value: str
    type: Any
    valid: bool


class CommandManager:
    """The commands of one master by name."""

    def __init__(self, master: Any = None, recorder: Recorder | None = None) -> None:
        self.master = master
        self.commands: dict[str, Command] = {}
        self.types = CommandTypes()
        self.recorder = recorder or Recorder()
        self.changed: Signal[[]] = Signal()
        """Sent when a command came or went; key bindings that wait for one follow it."""
        # Commands whose name somebody declared again: they come back when that one goes.
        self._hidden: list[Command] = []

    def add(
        self, path: str, func: Callable[..., Any], owner: object = None, *, replacing: Sequence[object] = ()
    ) -> None:
        """Make `func` the command `path`; CommandError when its annotations are no argument types.

        `replacing` are owners that are about to leave: taking over their names is no news.
        """
        new = Command(self, path, func, owner)
        old = self.commands.get(path)
        if old is not None and old.owner is not owner:
            self._hidden.append(old)
        if old is not None and (owner is None or not any(old.owner is each for each in (owner, *replacing))):
            logger.warning("%scommand %s is declared again; the later one counts", _place(func), path)
        self.commands[path] = new
        self.changed.send()

    def collect_commands(self, addon: object) -> None:
        """Add whatever is decorated in `addon`, an object or a module. A command that cannot be is named in the log."""
        for member in _decorated(addon):
            name = member.command_name
            try:
                self.add(name, member, owner=addon)
            except CommandError as error:
                logger.warning("%scommand %s is skipped: %s", _place(member), name, error)

    def remove_commands(self, owner: object) -> None:
        """Forget the commands of an addon that goes away."""
        self._hidden = [each for each in self._hidden if each.owner is not owner]
        for name in [name for name, each in self.commands.items() if each.owner is owner]:
            del self.commands[name]
            for hidden in reversed(self._hidden):
                if hidden.name == name:
                    self._hidden.remove(hidden)
                    self.commands[name] = hidden
                    break
        self.changed.send()

    def call(self, command_name: str, *args: Any) -> Any:
        """Call with native values, unchecked; for addons. Returns what the function returns: await an async one."""
        return self._run(self._find(command_name).run, *args)

    def call_strings(self, command_name: str, args: Sequence[str]) -> Any:
        """Call with texts that are parsed by the types. An async command gives an awaitable of the checked result."""
        return self._run(self._find(command_name).call, args)

    def execute(self, line: str) -> Any:
        """Run a whole line as typed. CommandError says what is wrong with it. An async command is to be awaited."""
        command, arguments = self._run(self.prepare, line)
        return self._run(command.call_prepared, arguments)

    def prepare(self, line: str) -> tuple[Command, BoundArguments]:
        """The command of a line and its parsed arguments, for `Command.call_prepared`. Errors as by `execute`."""
        words = lexer.split(line)
        if not words:
            raise CommandError("no command was given")
        command = self._find(words[0])
        return command, command.prepare_args(words[1:])

    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        """In the name of this master: a program that embeds it calls from outside of any."""
        if self.master is None or ctx.current() is self.master:
            return function(*args)
        with ctx.use(self.master):
            result = function(*args)
        return self._run_on(result) if isinstance(result, Awaitable) else result

    async def _run_on(self, result: Awaitable[Any]) -> Any:
        with ctx.use(self.master):
            return await result

    def parse_partial(self, text: str) -> tuple[Sequence[ParseResult], Sequence[CommandParameter]]:
        """Each token of an unfinished line with its type and validity, and the parameters still to come."""
        parsed: list[ParseResult] = []
        coming = [CommandParameter("", Cmd), CommandParameter("", CmdArgs)]
        is_inner = False
        for token in lexer.lex(text):
            if token.is_space:
                parsed.append(ParseResult(token.text, Space, True))
                continue
            expected = coming.pop(0) if coming else CommandParameter("", Unknown)
            if expected.is_variadic:
                coming.insert(0, expected)
            value = token.value
            # What a person picks later stands as {choice} in the line of an inner command.
            picked_later = is_inner and "{choice}" in value and expected.type is not Unknown
            valid = picked_later or self._is_acceptable(expected.type, value)
            parsed.append(ParseResult(token.text, expected.type, valid))
            if expected.type is Cmd and coming and coming[0].type is CmdArgs:
                # From here on the words belong to the inner command, so they are coloured by its parameters.
                is_inner = len(parsed) > 1 and any(part.type is Cmd for part in parsed[:-1])
                inner = self.commands.get(value)
                coming[0:1] = inner.parameters if inner is not None else []
        return parsed, coming

    def completions(self, t: Any, text: str) -> Sequence[str]:
        """What the word `text` of type `t` may become."""
        kind = self.types.get(t)
        return kind.completion(self, t, text) if kind is not None else []

    def dump(self, out: TextIO) -> None:
        """Write every command with its help and signature, by name."""
        for _, each in sorted(self.commands.items()):
            for help_line in (each.help or "").splitlines():
                out.write(f"# {help_line}\n" if help_line else "#\n")
            out.write(f"{each.signature_help()}\n\n")

    def _find(self, name: str) -> Command:
        try:
            return self.commands[name]
        except KeyError:
            raise CommandError(f"no command is called {name!r}{did_you_mean(name, self.commands)}") from None

    def _is_acceptable(self, t: Any, value: str) -> bool:
        kind = self.types.get(t)
        return kind is not None and kind.accepts(self, t, value)


def _place(func: Callable[..., Any]) -> str:
    where = location(func)
    return f"{where}: " if where else ""


def _decorated(addon: object) -> Iterator[Any]:
    """The decorated members of an addon, found without running its properties."""
    holders: list[Mapping[str, Any]] = [vars(addon)] if hasattr(addon, "__dict__") else []
    if not isinstance(addon, types.ModuleType):
        holders += [vars(cls) for cls in type(addon).__mro__]
    seen: set[str] = set()
    for holder in holders:
        for name, member in list(holder.items()):
            if name in seen:
                continue
            seen.add(name)
            inner = member.__func__ if isinstance(member, staticmethod | classmethod) else member
            if isinstance(getattr(inner, "command_name", None), str) and callable(inner):
                bound = getattr(addon, name)
                if callable(bound):
                    yield bound
