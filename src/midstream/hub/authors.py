"""Which addon made a message what it is, asked when that turns out to be a mistake.

The proxy asks when it assembles a message that cannot be sent, or only in a mended form, long after the handler at
fault has returned (promises.md, last row). While all goes well nothing is noted, so that events cost what they cost: at
the first mistake the addons that could have made it are named. If these are several, every later event is watched, by
comparing the parts of messages before and after each handler, until the addons change; then the one is known.

One `Authors` belongs to one `Events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable, unwrap
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPMessage
from midstream.hub.failures import owner_name
from midstream.hub.handlers import Handler

if TYPE_CHECKING:
    from midstream.hub.emitters import Emitter

_EVENTS: dict[type, tuple[str, ...]] = {
    Request: ("requestheaders", "request", "http_connect", "http_connect_upstream"),
    Response: ("requestheaders", "request", "responseheaders", "response", "http_connect"),
    TCPMessage: ("tcp_message",),
}
"""Where addons get to see a message of this kind, or to make one."""

_OURS = "midstream."  # the built-in addons are not suspected

Parts = tuple[object, ...]


class Authors:
    """See the module."""

    def __init__(self, emitters: Mapping[str, Emitter[...]]) -> None:
        self._emitters = emitters
        self._known: WeakKeyDictionary[Request | Response, str] = WeakKeyDictionary()

    def named(self, message: object) -> str:
        """` (by script.py)` for the end of a sentence about this message; empty when no addon can have changed it."""
        if isinstance(message, Request | Response) and message in self._known:
            return f" (by {self._known[message]})"
        suspects = self._suspects(_EVENTS.get(type(message), ()))
        if len(suspects) < 2:
            return f" (by {suspects[0]})" if suspects else ""
        if not isinstance(message, Request | Response):
            return f" (by one of {', '.join(suspects)})"
        self._watch()
        return f" (by one of {', '.join(suspects)}; the next time midstream can tell which)"

    def _suspects(self, events: tuple[str, ...]) -> list[str]:
        handlers = [handler for name in events for handler in self._emitters[name].handlers]
        return list(dict.fromkeys(owner_name(handler) for handler in handlers if not _is_ours(handler)))

    def _watch(self) -> None:
        """Binding the addons anew undoes this: a mended script costs no more than before."""
        for name in {*_EVENTS[Request], *_EVENTS[Response]}:
            emitter = self._emitters[name]
            emitter.handlers = tuple(
                each if isinstance(each, Watched) or _is_ours(each) else Watched(each, self._known)
                for each in emitter.handlers
            )


class Watched:
    """A handler, and around it the comparison of what the flow's messages were and are."""

    def __init__(self, handler: Handler, known: WeakKeyDictionary[Request | Response, str]) -> None:
        self.__wrapped__ = handler
        self._known = known

    def __call__(self, flow: HTTPFlow) -> object:
        before = _messages(flow)
        result: object = self.__wrapped__(flow)
        if isawaitable(result):
            return self._later(result, flow, before)
        self._compare(flow, before)
        return result

    async def _later(self, result: Any, flow: HTTPFlow, before: dict[Request | Response, Parts]) -> None:
        await result
        self._compare(flow, before)

    def _compare(self, flow: HTTPFlow, before: dict[Request | Response, Parts]) -> None:
        for message, parts in _messages(flow).items():
            old = before.get(message, ())
            if len(old) != len(parts) or any(one is not other for one, other in zip(old, parts, strict=True)):
                self._known[message] = owner_name(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)  # whose it is and where it stands is asked of the handler

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Watched) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)


def _messages(flow: HTTPFlow) -> dict[Request | Response, Parts]:
    """The messages of a flow with the parts that setters replace by other objects."""
    request, response = flow.request, flow.response
    found: dict[Request | Response, Parts] = {
        request: (
            *(request.headers.fields, request.raw_content, request.raw_http_version, request.trailers),
            *(request.raw_method, request.raw_scheme, request.raw_authority, request.raw_path, request.stream),
        )
    }
    if response is not None:
        found[response] = (
            *(response.headers.fields, response.raw_content, response.raw_http_version, response.trailers),
            *(response.raw_reason, response.status_code, response.stream),
        )
    return found


def _is_ours(handler: Handler) -> bool:
    owner = getattr(handler, "__self__", None)
    module = type(owner).__module__ if owner is not None else getattr(unwrap(handler), "__module__", "")
    return str(module).startswith(_OURS)
