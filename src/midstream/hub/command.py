"""Commands: named functions that are typed, bound to keys, or called by addons.

An addon decorates a method with `@command.command()`; the signature and its annotations are the declaration, from which
parsing, completion, help and `--commands` follow. A `Command` is made by `CommandManager.add` for each.
"""

from __future__ import annotations

import functools
import inspect
import os.path
import types
import typing
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Protocol, TypeVar

from midstream.flows.errors import CommandError
from midstream.hub.arguments import Argument, Commands, CommandTypes
from midstream.hub.handlers import location
from midstream.hub.recording import Recorder, is_ours, script_at_work
from midstream.text.suggest import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


class TypedCommands(Commands, Protocol):
    """The part of the command manager that a command needs."""

    @property
    def types(self) -> CommandTypes: ...
    @property
    def recorder(self) -> Recorder: ...


@dataclass(frozen=True, slots=True)
class CommandParameter:
    """A parameter as it is shown: its name, the annotation, and the kind that `inspect` knows it by."""

    name: str
    type: Any
    kind: Any = Parameter.POSITIONAL_OR_KEYWORD
    default: Any = Parameter.empty

    @property
    def is_variadic(self) -> bool:
        return self.kind is Parameter.VAR_POSITIONAL

    @property
    def is_optional(self) -> bool:
        return self.is_variadic or self.default is not Parameter.empty

    def __str__(self) -> str:
        if self.is_variadic:
            return f"*{self.name}"
        return f"{self.name}={self.default!r}" if self.is_optional else self.name


class Command:
    """A function under its command name."""

    def __init__(self, manager: TypedCommands, name: str, func: Callable[..., Any], owner: object = None) -> None:
        self.name = name
        self.manager = manager
        self.func = func
        self.owner = owner
        self._is_ours = is_ours(func)
        self.signature = _signature(func)
        self.help = inspect.cleandoc(func.__doc__) if func.__doc__ else None
        overrides = _overrides(func)
        self.parameters = [
            CommandParameter(
                each.name, overrides.get(each.name, _without_none(each.annotation)), each.kind, each.default
            )
            for each in self.signature.parameters.values()
            if not _only_by_keyword(each)
        ]
        returned = self.signature.return_annotation
        self.return_type = None if returned in (inspect.Signature.empty, None, type(None)) else _without_none(returned)
        self._may_return_none = self.return_type is None or self.return_type is not returned
        self._kinds = [self._kind_of_parameter(parameter) for parameter in self.parameters]
        if self.return_type is not None and manager.types.get(self.return_type) is None:
            raise CommandError(f"its result is {_named(self.return_type)}, which is no command type")

    @property
    def is_async(self) -> bool:
        """Whether a call gives something to await."""
        return inspect.iscoroutinefunction(inspect.unwrap(self.func))

    @property
    def place(self) -> str:
        """Where it is written, as `file.py:12`; empty for what is not Python."""
        return os.path.basename(location(self.func))

    def signature_help(self) -> str:
        """The command as one line: `flow.mark flow[]:flows marker:marker`, with the result behind an arrow."""
        shown = [self.name, *(self._shown(*pair) for pair in zip(self.parameters, self._kinds, strict=True))]
        result = self.manager.types.get(self.return_type) if self.return_type is not None else None
        return " ".join(shown) + (f" -> {result.display}" if result is not None else "")

    def prepare_args(self, args: Sequence[str]) -> inspect.BoundArguments:
        """The native values of the texts; CommandError names the argument that is wrong, or how many are."""
        least = sum(not parameter.is_optional for parameter in self.parameters)
        endless = bool(self.parameters) and self.parameters[-1].is_variadic
        if len(args) < least or (len(args) > len(self.parameters) and not endless):
            raise CommandError(f"{self.name}: {self._wanted(least, endless)}, got {len(args)}; {self.signature_help()}")
        values = [self._parse(min(place, len(self.parameters) - 1), text) for place, text in enumerate(args)]
        bound = self.signature.bind(*values)
        bound.apply_defaults()
        return bound

    def call(self, args: Sequence[str]) -> Any:
        """Parse, call and check the result; for an async function an awaitable of the checked result."""
        return self.call_prepared(self.prepare_args(args))

    def call_prepared(self, prepared: inspect.BoundArguments) -> Any:
        """The same with what `prepare_args` gave."""
        result = self.run(*prepared.args, **prepared.kwargs)
        if isinstance(result, Awaitable):
            return self._checked_later(result)
        return self._checked(result)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; what it changes on the flows among its arguments is recorded, if anything is."""
        if not self.manager.recorder.on and self._is_ours:
            return self.func(*args, **kwargs)
        arguments = (*args, *kwargs.values())
        with self._noted(arguments):
            result = self.func(*args, **kwargs)
        return self._noted_later(result, arguments) if isinstance(result, Awaitable) else result

    async def _noted_later(self, result: Awaitable[Any], arguments: tuple[Any, ...]) -> Any:
        with self._noted(arguments):
            return await result

    @contextmanager
    def _noted(self, arguments: tuple[Any, ...]) -> Iterator[None]:
        scripted = nullcontext() if self._is_ours else script_at_work()
        with scripted, self.manager.recorder.of_command(arguments, self.name):
            yield

    async def _checked_later(self, result: Awaitable[Any]) -> Any:
        return self._checked(await result)

    def _checked(self, result: Any) -> Any:
        if self.return_type is None or (result is None and self._may_return_none):
            return result
        kind = self.manager.types.get(self.return_type)
        if kind is None or not kind.is_valid(self.manager, self.return_type, result):
            wanted = _named(self.return_type) if kind is None else kind.shown_as(self.return_type)
            got = "nothing" if result is None else _shape(result)
            where = f" ({self.place})" if self.place else ""
            raise CommandError(f"{self.name} promised {wanted} and returned {got}: a mistake in that command{where}")
        return result

    def _parse(self, place: int, text: str) -> Any:
        parameter = self.parameters[place]
        try:
            return self._kinds[place].parse(self.manager, parameter.type, text)
        except (ValueError, CommandError) as problem:
            raise CommandError(f"{self.name}: {parameter.name}: {problem}") from None

    def _kind_of_parameter(self, parameter: CommandParameter) -> Argument:
        if parameter.kind is Parameter.KEYWORD_ONLY:
            raise CommandError(f"parameter {parameter.name!r} can only be given by keyword, which no line can do")
        if parameter.type is Parameter.empty:
            raise CommandError(f"parameter {parameter.name!r} has no annotation, so its type is unknown")
        kind = self.manager.types.get(parameter.type)
        if kind is None:
            raise CommandError(f"parameter {parameter.name!r} is {_named(parameter.type)}, which is no command type")
        return kind

    def _shown(self, parameter: CommandParameter, kind: Argument) -> str:
        star = "*" if parameter.is_variadic else ""
        default = f"={parameter.default!r}" if parameter.default is not Parameter.empty else ""
        return f"{star}{parameter.name}:{kind.shown_as(parameter.type)}{default}"

    def _wanted(self, least: int, endless: bool) -> str:
        most = len(self.parameters)
        if endless:
            return f"at least {_counted(least)} needed"
        if least == most:
            return f"{_counted(most)} needed" if most else "no arguments taken"
        return f"{least} to {_counted(most)} needed"


def command(name: str | None = None) -> Callable[[F], F]:
    """Make a function or method a command; its name is the function's with dots for `_` unless one is given."""

    def decorate(func: F) -> F:
        checked = _arity_checked(func)
        checked.command_name = name or func.__name__.replace("_", ".")  # type: ignore[attr-defined]
        return checked

    return decorate


def argument(name: str, type: Any) -> Callable[[F], F]:
    """Give a parameter a type that no annotation can say, such as a Choice. Stands below `command`."""

    def decorate(func: F) -> F:
        known = inspect.signature(func).parameters
        if name not in known:
            raise ValueError(f"{func.__qualname__} has no parameter {name!r}{did_you_mean(name, known)}")
        func.command_arguments = {**_overrides(func), name: type}  # type: ignore[attr-defined]
        return func

    return decorate


def _arity_checked(func: F) -> F:
    """`func`, with wrong numbers of arguments told as CommandError that shows what it takes."""
    signature = inspect.signature(func)

    @functools.wraps(func)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as problem:
            raise CommandError(f"{func.__name__}: {problem}; it takes {_needs(signature)}") from None
        return func(*args, **kwargs)

    return checked  # type: ignore[return-value]


def _overrides(func: Callable[..., Any]) -> dict[str, Any]:
    """What `argument` decorators say about the parameters of `func`."""
    return dict(getattr(func, "command_arguments", {}))


def _needs(signature: inspect.Signature) -> str:
    """The parameters of a signature in one phrase."""
    shown = [str(parameter) for parameter in signature.parameters.values() if parameter.name != "self"]
    return ", ".join(shown) or "no arguments"


def _signature(func: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(func, eval_str=True)
    except Exception as error:  # the annotations are the author's code: evaluating them may raise anything
        raise CommandError(f"its annotations cannot be read: {type(error).__name__}: {error}") from error


def _only_by_keyword(parameter: Parameter) -> bool:
    """Whether no line gives it and no line has to."""
    if parameter.kind is Parameter.VAR_KEYWORD:
        return True
    return parameter.kind is Parameter.KEYWORD_ONLY and parameter.default is not Parameter.empty


def _without_none(annotation: Any) -> Any:
    """`X` of `X | None`: a line cannot say None, but a default or a result can be it."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    others = [each for each in typing.get_args(annotation) if each is not type(None)]
    return others[0] if len(others) == 1 else annotation


def _named(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _shape(value: object, depth: int = 3) -> str:
    """What a value is, and what is in it: `list[list[str | int]]`."""
    name = type(value).__name__
    if not depth or not isinstance(value, list | tuple) or not value:
        return name
    return f"{name}[{' | '.join(dict.fromkeys(_shape(each, depth - 1) for each in value[:100]))}]"


def _counted(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"
