"""`mitmproxy.coretypes.bidi` and `.serializable`: names for numbers, and objects with a state."""

from __future__ import annotations

import abc
import copy
import uuid
from typing import Any, Self


class BiDi:
    """Names for values, found both ways: `BiDi(A=1).A` and `.get_name(1)`."""

    def __init__(self, **kwargs: Any) -> None:
        if len(set(kwargs.values())) != len(kwargs):
            raise ValueError("two names have the same value")
        self.names = kwargs
        self.values = {value: name for name, value in kwargs.items()}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["names"][name]
        except KeyError:
            raise AttributeError(f"no value is called {name!r}") from None

    def get_name(self, value: Any, default: str | None = None) -> str | None:
        """The name of a value."""
        return self.values.get(value, default)


class Serializable(metaclass=abc.ABCMeta):
    """An object whose state can be taken and set. Flows, messages, connections and certificates count as such."""

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        return True if cls is Serializable and hasattr(other, "get_state") else NotImplemented

    @classmethod
    @abc.abstractmethod
    def from_state(cls, state: Any) -> Self:
        """A new object of this state."""

    @abc.abstractmethod
    def get_state(self) -> Any:
        """Plain values that say all about the object."""

    @abc.abstractmethod
    def set_state(self, state: Any) -> None:
        """Become what the state says."""

    def copy(self) -> Self:
        """Another object of the same state, with an id of its own."""
        state = copy.deepcopy(self.get_state())
        if isinstance(state, dict) and "id" in state:
            state["id"] = str(uuid.uuid4())
        return self.from_state(state)
