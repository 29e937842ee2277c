"""Large bodies and long conversations that are not in memory yet: they are read when somebody touches them.

`store` puts an `Elsewhere` where the value stands. Then `message.raw_content`, `websocket.messages` and `flow.messages`
read it at the first touch, which may hold the thread; whoever must not be held asks `unread_parts` of a flow first and
has their `value` read in another thread. `held_content` and `held_messages` of the same objects give what is in memory
and read nothing. Other flows pay nothing for this: only an object with something unread is of a class of its own, and
only until it is touched. Nothing here knows where the value is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import new_class
from typing import Any, Final, Generic, TypeVar

from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.message import Message
from midstream.flows.tcp import TCPFlow
from midstream.flows.tunnel import TunnelFlow
from midstream.flows.udp import UDPFlow
from midstream.flows.websocket import WebSocketData

T = TypeVar("T")


class Elsewhere(Generic[T]):
    """A value of so many bytes, or messages, that `read` gets. When that gives None it is lost, and asked for no more.

    Equal to its value once that is read: what was written of a flow is compared with what it is now. `place` says where
    it is, for whoever put it there; first the number of the flow.
    """

    __slots__ = ("__weakref__", "_lock", "_read", "_value", "on_read", "place", "size")

    def __init__(self, place: tuple[int, ...], size: int, read: Callable[[], T | None]) -> None:
        self.place = place
        self.size = size
        self.on_read: Callable[[T], object] | None = None
        """Told of the value before anybody else gets it."""
        self._read: Callable[[], T | None] | None = read
        self._value: T | None = None
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return self.size

    def __eq__(self, other: object) -> bool:
        return self is other or (self._value is not None and self._value is other)

    def __hash__(self) -> int:
        return hash(self.place)

    @property
    def is_read(self) -> bool:
        """Whether `value` takes no time."""
        return self._read is None

    def value(self) -> T | None:
        """The value, read if need be; from any thread."""
        with self._lock:
            if self._read is not None:
                value = self._read()
                if value is not None and self.on_read is not None:
                    self.on_read(value)
                self._value, self._read, self.on_read = value, None, None
            return self._value


def _unread(base: type[Any], name: str, lost: Callable[[], object]) -> type[Any]:
    """A class like another one, with one attribute that may be elsewhere."""
    slot: Any = next(each.__dict__[name] for each in base.__mro__ if name in getattr(each, "__slots__", ()))

    def get(self: Any) -> Any:
        held = slot.__get__(self)
        if isinstance(held, Elsewhere):
            if (value := held.value()) is None:
                return lost()
            slot.__set__(self, value)
            held = value
        self.__class__ = base
        return held

    def put(self: Any, value: Any) -> None:
        slot.__set__(self, value)
        self.__class__ = base

    def reduce(self: Any, _protocol: Any) -> Any:
        return object.__new__, (base,), self.__getstate__()

    # Copies are made by `from_state` of the class, and by copy and pickle, which are to make the usual one.
    names = {name: property(get, put), "__slots__": (), "__module__": base.__module__, "from_state": base.from_state}
    names["__reduce_ex__"] = reduce
    keywords: dict[str, Any] = {"abstract": True} if issubclass(base, Flow) else {}
    made: type[Any] = new_class(base.__name__, (base,), keywords, lambda namespace: namespace.update(names))
    return made


_UNREAD: Final[dict[type[Any], type[Any]]] = {
    **{base: _unread(base, "raw_content", lambda: None) for base in (Request, Response)},
    **{base: _unread(base, "messages", list) for base in (WebSocketData, TCPFlow, UDPFlow)},
}


def put_elsewhere(owner: Message | WebSocketData | TunnelFlow[Any], value: Elsewhere[Any]) -> None:
    """Let the body of a message, or the messages of a conversation, be elsewhere."""
    name = "raw_content" if isinstance(owner, Message) else "messages"
    setattr(owner, name, value)
    owner.__class__ = _UNREAD[type(owner)]


def conversation_of(flow: Flow) -> WebSocketData | TunnelFlow[Any] | None:
    """What has the messages of a flow; None for one that is no conversation."""
    if isinstance(flow, HTTPFlow):
        return flow.websocket
    return flow if isinstance(flow, TunnelFlow) else None


def is_unread(value: object) -> bool:
    """Whether this is what stands for a value that is not in memory."""
    return isinstance(value, Elsewhere) and not value.is_read


def unread_parts(flow: Flow) -> list[Elsewhere[Any]]:
    """What of a flow is not in memory."""
    found: list[object] = []
    if isinstance(flow, HTTPFlow):
        found += [each.held_content for each in (flow._request, flow._response) if each is not None]
    if (owner := conversation_of(flow)) is not None:
        found.append(owner.held_messages)
    return [each for each in found if isinstance(each, Elsewhere) and is_unread(each)]
