"""`mitmproxy.hooks` and the hook classes beside the layers: events as objects, for `ctx.master.addons.trigger(…)`.

One class per event of ours, made when it is first asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from midstream.flows.flow import Flow
from midstream.hub.events import DECLARATIONS
from midstream.hub.simulation import happenings


class _Arguments(tuple[Any, ...]):
    """Scripts call `hook.args()`, our addon manager reads `hook.args`."""

    __slots__ = ()

    def __call__(self) -> list[Any]:
        return list(self)


class Hook:
    """An event with its arguments. Classes are named after their event: `UpdateHook` is `update`."""

    name: str = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = cls.__dict__.get("name") or _event_of(cls.__name__)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Hook:
            raise TypeError("Hook itself is no event: make one of its subclasses")
        return super().__new__(cls)

    @property
    def args(self) -> _Arguments:
        """The arguments of the handlers."""
        return _Arguments(getattr(self, each.name) for each in dataclasses.fields(self))  # type: ignore[arg-type]

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def __getattr__(name: str) -> Any:
    event = _event_of(name)
    if not name.endswith("Hook") or event not in DECLARATIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    parameters = [(parameter, Any) for parameter in DECLARATIONS[event].parameters]
    made = dataclasses.make_dataclass(name, parameters, bases=(Hook,), eq=False, namespace={"name": event})
    globals()[name] = made
    return made


def hook_of(event: str, *args: Any) -> Hook:
    """The hook of an event of ours."""
    made: Hook = __getattr__(f"{''.join(part.capitalize() for part in event.split('_'))}Hook")(*args)
    return made


def iterate(f: Flow) -> Iterator[Hook]:
    """The events of a recorded flow in their order (`mitmproxy.eventsequence.iterate`)."""
    for event in happenings(f):
        yield hook_of(event.name, *event.args)


def _event_of(class_name: str) -> str:
    stem = class_name.removesuffix("Hook")
    plain = "".join(f"_{c.lower()}" if c.isupper() else c for c in stem).lstrip("_")
    if plain in DECLARATIONS:
        return plain
    # HttpRequestHook, HttpResponseHeadersHook: the events of HTTP go without the prefix and the underscore.
    short = plain.removeprefix("http_").replace("_", "")
    return short if short in DECLARATIONS else plain
