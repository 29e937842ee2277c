"""Which addon made a message what it is, asked when that turns out to be a mistake.

The proxy asks when it assembles a message that cannot be sent, or only in a mended form, long after the handler at
fault has returned (promises.md, last row). While all goes well nothing is noted, so that events cost what they cost: at
the first mistake the addons that could have made it are named. If these are several, every later event is watched, by
asking before and after each handler whether its messages could be sent, until the addons change; then the one is known.

One `Authors` belongs to one `Events`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable, unwrap
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from midstream.flows.dns import DNSMessage
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPMessage
from midstream.flows.udp import UDPMessage
from midstream.hub.failures import owner_name
from midstream.hub.handlers import Handler

if TYPE_CHECKING:
    from midstream.hub.emitters import Emitter

_EVENTS: dict[type, tuple[str, ...]] = {
    Request: ("requestheaders", "request", "http_connect", "http_connect_upstream"),
    Response: ("requestheaders", "request", "responseheaders", "response", "http_connect"),
    TCPMessage: ("tcp_message",),
    UDPMessage: ("udp_message",),
    DNSMessage: ("dns_request", "dns_response"),
}
"""Where addons get to see a message of this kind, or to make one."""

_OURS = "midstream."  # the built-in addons are not suspected

Flaw = Callable[[Request | Response], str]


class Authors:
    """See the module."""

    def __init__(self, emitters: Mapping[str, Emitter[...]]) -> None:
        self._emitters = emitters
        self._known: WeakKeyDictionary[Request | Response, str] = WeakKeyDictionary()

    def named(self, message: object, flaw: Flaw | None = None) -> str:
        """` (by script.py)` for the end of a sentence about this message; empty when no addon can have changed it.

        `flaw` tells of such a message what is wrong with it; empty when nothing is.
        """
        if isinstance(message, Request | Response) and message in self._known:
            return f" (by {self._known[message]})"
        suspects = self._suspects(_EVENTS.get(type(message), ()))
        if len(suspects) < 2:
            return f" (by {suspects[0]})" if suspects else ""
        if flaw is None:
            return f" (by one of {', '.join(suspects)})"
        self._watch(flaw)
        return f" (by one of {', '.join(suspects)}; the next time midstream can tell which)"

    def _suspects(self, events: tuple[str, ...]) -> list[str]:
        handlers = [handler for name in events for handler in self._emitters[name].handlers]
        return list(dict.fromkeys(owner_name(handler) for handler in handlers if not _is_ours(handler)))

    def _watch(self, flaw: Flaw) -> None:
        """Binding the addons anew undoes this: a mended script costs no more than before."""
        for name in {*_EVENTS[Request], *_EVENTS[Response]}:
            emitter = self._emitters[name]
            emitter.handlers = tuple(
                each if isinstance(each, Watched) or _is_ours(each) else Watched(each, flaw, self._known)
                for each in emitter.handlers
            )


class Watched:
    """A handler, and around it the question what is wrong with the flow's messages."""

    def __init__(self, handler: Handler, flaw: Flaw, known: WeakKeyDictionary[Request | Response, str]) -> None:
        self.__wrapped__ = handler
        self._flaw = flaw
        self._known = known

    def __call__(self, flow: HTTPFlow) -> object:
        before = self._flaws(flow)
        result: object = self.__wrapped__(flow)
        if isawaitable(result):
            return self._later(result, flow, before)
        self._compare(flow, before)
        return result

    async def _later(self, result: Any, flow: HTTPFlow, before: dict[Request | Response, str]) -> None:
        await result
        self._compare(flow, before)

    def _flaws(self, flow: HTTPFlow) -> dict[Request | Response, str]:
        return {message: self._flaw(message) for message in (flow.request, flow.response) if message is not None}

    def _compare(self, flow: HTTPFlow, before: dict[Request | Response, str]) -> None:
        for message, flaw in self._flaws(flow).items():
            if flaw and flaw != before.get(message):
                self._known[message] = owner_name(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)  # whose it is and where it stands is asked of the handler

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Watched) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)


def _is_ours(handler: Handler) -> bool:
    owner = getattr(handler, "__self__", None)
    module = type(owner).__module__ if owner is not None else getattr(unwrap(handler), "__module__", "")
    return str(module).startswith(_OURS)
