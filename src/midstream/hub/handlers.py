"""Find the event handlers of an addon and check what they look like, before the first event reaches them.

`Events.bind` asks for the handlers, the addon manager for warnings. Calling handlers is the work of emitters.py.
"""

from __future__ import annotations

import difflib
import inspect
import linecache
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol
from weakref import WeakKeyDictionary

from midstream.flows.errors import AddonManagerError
from midstream.hub.renamed_events import successor
from midstream.text.suggest import nearest

Handler = Callable[..., object]
Refuse = Callable[[AddonManagerError], object]
"""Whom to tell of a mistake, which is then passed over; without one the mistake is raised."""


class Declared(Protocol):
    """What this module needs to know about an event; events.Declaration is one."""

    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> tuple[str, ...]: ...
    @property
    def signature(self) -> str: ...
    @property
    def sync_only(self) -> bool: ...
    @property
    def deprecated(self) -> str: ...


def walk(addons: Iterable[object], refuse: Refuse | None = None) -> Iterator[object]:
    """The addons and the ones nested in their `addons` attribute: depth first, a parent before its children."""
    for addon in addons:
        yield addon
        try:
            children = nested(addon)
        except AddonManagerError as error:
            if refuse is None:
                raise
            refuse(error)
            continue
        yield from walk(children, refuse)


def nested(addon: object) -> Iterable[object]:
    """The addons inside an addon; AddonManagerError when its `addons` attribute is no list."""
    children = getattr(addon, "addons", None)
    if children is None or isinstance(children, types.ModuleType):
        return ()
    if not isinstance(children, list | tuple):
        where = _line_of(addon, "addons") if isinstance(addon, types.ModuleType) else addon_name(addon)
        raise AddonManagerError(f"{where}: `addons` must be a list of addons, not {children!r}")
    return children


def _line_of(module: types.ModuleType, name: str) -> str:
    """`/x/script.py:3` where a module sets a name, as far as that can be seen."""
    file = getattr(module, "__file__", None) or ""
    numbers = [number for number, line in enumerate(linecache.getlines(file), 1) if line.startswith(name)]
    return f"{file}:{numbers[-1]}" if numbers else addon_name(module)


def addon_name(addon: object) -> str:
    """The name by which an addon is looked up: its `name`, for a module its own, else the class in lower case."""
    name = getattr(addon, "name", None)
    if isinstance(name, str) and name:
        return name
    if isinstance(addon, types.ModuleType):
        return addon.__name__
    return (addon.__name__ if isinstance(addon, type) else type(addon).__name__).lower()


def short_name(name: str) -> str:
    """An addon's name for people: scripts are called by their path, of which the file name says enough."""
    return os.path.basename(name) if name.endswith(".py") else name


def location(handler: object) -> str:
    """`file.py:12` where a handler is defined, or the empty string for what is not written in Python."""
    function = inspect.unwrap(handler) if callable(handler) else handler
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if isinstance(code, types.CodeType) else ""


def handlers_of(addon: object, declared: Mapping[str, Declared], refuse: Refuse | None = None) -> dict[str, Handler]:
    """The handlers of one addon (not of nested ones) by event. AddonManagerError when one could never be called."""
    found: dict[str, Handler] = {}
    for name, event in declared.items():
        try:
            handler = _handler(addon, event)
        except AddonManagerError as error:
            if refuse is None:
                raise
            refuse(error)
            continue
        if handler is not None:
            found[name] = handler
    return found


def _handler(addon: object, event: Declared) -> Handler | None:
    handler = _attribute(addon, event.name)
    # A module (`import error`) or a class (`from socket import error`) of that name is no handler.
    if handler is None or isinstance(handler, types.ModuleType | type):
        return None
    if not callable(handler):
        raise AddonManagerError(f"{addon_name(addon)}: {event.name} must be a function, not {handler!r}")
    _check(addon, handler, event)
    return handler


def _attribute(addon: object, name: str) -> object:
    try:
        return getattr(addon, name, None)
    except Exception as error:
        # A property of the addon's own that fails: its author must hear which one.
        raise AddonManagerError(f"{addon_name(addon)}: reading its attribute {name} failed: {error!r}") from error


def _check(addon: object, handler: Handler, event: Declared) -> None:
    if event.sync_only and inspect.iscoroutinefunction(handler):
        raise AddonManagerError(f"{_place(addon, handler)}{event.name} cannot be async: write def {event.signature}")
    if accepts(handler, len(event.parameters)):
        return
    if isinstance(addon, type):
        hint = f"; {addon.__name__} is a class: list an object of it, {addon.__name__}(), as addon"
    else:
        hint = ""
    raise AddonManagerError(
        f"{_place(addon, handler)}{event.name}{_parameters(handler)} cannot be called by this event: "
        f"write def {event.signature}{hint}"
    )


def _place(addon: object, handler: Handler) -> str:
    return f"{location(handler) or addon_name(addon)}: "


def _parameters(handler: Handler) -> str:
    try:
        return str(inspect.signature(handler))
    except (TypeError, ValueError):
        return ""


def accepts(function: Handler, count: int) -> bool:
    """Whether `function` can be called with `count` positional arguments; True when nobody can tell."""
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, types.FunctionType):
        return _accepts(function, count)
    # Handlers are bound anew whenever an addon's list of addons changes, and most are those of before.
    known = _KNOWN.setdefault(plain, {})
    key = (plain is function, count)
    if key not in known:
        known[key] = _accepts(function, count)
    return known[key]


_KNOWN: WeakKeyDictionary[types.FunctionType, dict[tuple[bool, int], bool]] = WeakKeyDictionary()


def _accepts(function: Handler, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except ValueError:
        return True
    except TypeError:
        return False
    return True


def warnings_about(addon: object, declared: Mapping[str, Declared]) -> Iterator[str]:
    """Sentences about what its author probably did not mean: near misses, generators, deprecated and past events."""
    for name, handler in handlers_of(addon, declared).items():
        if declared[name].deprecated:
            yield f"{_place(addon, handler)}the event {name} is deprecated: {declared[name].deprecated}"
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            yield f"{_place(addon, handler)}{name} contains yield, so its body never runs when the event is emitted"
    for name, function in _own_functions(addon):
        if name in declared:
            continue
        now = successor(name, function)
        if now is not None:
            yield f"{_place(addon, function)}{name} is an event of the past and never called; it is now {now}"
            continue
        guess = _meant(name, declared)
        if guess is not None and accepts(function, len(declared[guess].parameters)):
            yield f"{_place(addon, function)}{name} is no event; it looks like {guess}: def {declared[guess].signature}"


def _own_functions(addon: object) -> Iterator[tuple[str, Handler]]:
    """Public functions that the author wrote: of the class (bound), or defined in this very module."""
    if isinstance(addon, types.ModuleType):
        members = vars(addon)
    else:
        members = {name: value for cls in reversed(type(addon).__mro__) for name, value in vars(cls).items()}
    for name, member in members.items():
        if name.startswith("_") or not isinstance(member, types.FunctionType):
            continue
        if isinstance(addon, types.ModuleType):
            if member.__module__ == addon.__name__:
                yield name, member
        elif not hasattr(member, "command_name"):
            yield name, member.__get__(addon)


def _meant(name: str, declared: Mapping[str, Declared]) -> str | None:
    """The event that a function name is a slip of. Rather too few than every helper that ends in `_request`."""
    flat = {event.replace("_", ""): event for event in declared}
    word = name.lower().replace("_", "")
    if word in flat:
        return flat[word]
    guess = nearest(word, flat)
    # Plurals and participles (requests, loaded, errors) are words of their own, not slips of the finger.
    if guess is None or word in (f"{guess}s", f"{guess}d", f"{guess}ed"):
        return None
    if guess in name.lower().split("_"):  # is_request, error_2
        return None
    return flat[guess] if _is_slip(word, guess) else None


def _is_slip(word: str, meant: str) -> bool:
    if len(meant) < 6:
        # `load`, `done`, `error` have many honest neighbours (`loan`, `dome`): only two swapped letters count.
        return sorted(word) == sorted(meant) and sum(a != b for a, b in zip(word, meant, strict=True)) == 2
    return difflib.SequenceMatcher(None, word, meant).ratio() >= 0.86
