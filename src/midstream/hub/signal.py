"""A list of functions that are told when something changed.

Used by `Options.changed` and the like, where the teller must not know who listens. Not an event: events are declared,
go to addons and may be awaited (hub/events.py).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])


class Signal(Generic[P]):
    """Receivers are called in the order in which they were connected; what one raises reaches the sender."""

    __slots__ = ("_receivers",)

    def __init__(self) -> None:
        self._receivers: list[Callable[[], Callable[P, object] | None]] = []

    def connect(self, receiver: F) -> F:
        """Call `receiver` from now on; works as a decorator. Connecting twice is connecting once."""
        if not any(reference() == receiver for reference in self._receivers):
            self._receivers.append(lambda: receiver)
        return receiver

    def connect_weakly(self, receiver: Callable[P, object]) -> None:
        """Call `receiver` for as long as somebody else holds it (for a method: its object)."""
        if hasattr(receiver, "__self__"):
            self._receivers.append(weakref.WeakMethod(receiver))
        else:
            self._receivers.append(weakref.ref(receiver))

    def disconnect(self, receiver: Callable[P, object]) -> None:
        """Forget `receiver`; one that was never connected is no error."""
        self._receivers = [reference for reference in self._receivers if reference() not in (receiver, None)]

    def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every receiver that is still alive."""
        gone = False
        for reference in tuple(self._receivers):
            receiver = reference()
            if receiver is None:
                gone = True
            else:
                receiver(*args, **kwargs)
        if gone:
            self._receivers = [reference for reference in self._receivers if reference() is not None]
