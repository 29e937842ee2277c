"""Attributes that check what is assigned to them, and are read about as fast as plain slots.

For parts whose wrong type would otherwise be noticed far away: an addon that sets `flow.response = "text"` hears of it
in its own line, and whoever reads the attribute later (rows, dumps, the proxy) need not expect anything.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

R = TypeVar("R")
W = TypeVar("W")


class CheckedSlot(property, Generic[R, W]):
    """A property over a slot: assigning stores what `check` makes of the value, or raises what that raises.

    Code that has checked already assigns to the slot itself.
    """

    def __init__(self, slot: str, check: Callable[[W], R], doc: str) -> None:
        # attrgetter and no function of ours: reading costs 25 ns then instead of the 6 of a slot, a function 32.
        super().__init__(attrgetter(slot), lambda owner, value: setattr(owner, slot, check(value)))
        self.__doc__ = doc  # else pydoc would tell of attrgetter

    if TYPE_CHECKING:  # a plain property has no types

        def __get__(self, owner: Any, kind: type | None = None) -> R: ...  # type: ignore[override]
        def __set__(self, owner: Any, value: W) -> None: ...
