"""All events, each declared once: name, signature, group and meaning.

An addon handles an event by having a method (a script: a function) of that name. The proxy and the rest of the program
emit them: `await events.request(flow)`. What an event does for waiting, failing and slow handlers is in emitters.py,
which methods count as handlers in handlers.py, and the order of the addons is the addon manager's (addons.py).
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from midstream.flows.errors import OptionsError
from midstream.hub.authors import Authors
from midstream.hub.background import Background
from midstream.hub.emitters import Emitter, FlowEmitter
from midstream.hub.handlers import Handler, Refuse, handlers_of, walk
from midstream.hub.recording import Recorder

if TYPE_CHECKING:
    from midstream.flows.connection import Client
    from midstream.flows.dns import DNSFlow
    from midstream.flows.flow import Flow
    from midstream.flows.http import HTTPFlow
    from midstream.flows.next_layer import NextLayer
    from midstream.flows.server_hooks import ServerConnectionHookData
    from midstream.flows.socks5 import Socks5AuthData
    from midstream.flows.tcp import TCPFlow
    from midstream.flows.tls import ClientHelloData, QuicTlsData, TlsData
    from midstream.flows.udp import UDPFlow
    from midstream.hub.addons import Loader
    from midstream.hub.log import LogEntry

P = ParamSpec("P")
F = TypeVar("F", bound="Flow")
Spawn = Callable[[Awaitable[None]], object]


class Declaration:
    """What is known about an event, whoever emits it: the same for every `Events`."""

    carries_flow = False

    def __init__(
        self, function: Callable[..., None], group: str, sync_only: bool = False, deprecated: str = ""
    ) -> None:
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self.group = group
        self.sync_only = sync_only  # an async handler is refused
        self.deprecated = deprecated  # why not to use it; empty for the others
        types = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
        self.parameters = tuple(types)
        self.signature = f"{self.name}({', '.join(f'{name}: {kind}' for name, kind in types.items())})"

    @property
    def doc(self) -> str:
        """What it means: sentences without the indentation that they have in the source."""
        return inspect.cleandoc(self.__doc__ or "")


class LifecycleEvent(Declaration, Generic[P]):
    """An event without a flow. As an attribute of an `Events` object it is the emitter."""

    @overload
    def __get__(self, events: None, owner: type[Events]) -> Self: ...
    @overload
    def __get__(self, events: Events, owner: type[Events]) -> Emitter[P]: ...
    def __get__(self, events: Events | None, owner: type[Events]) -> Self | Emitter[P]:
        # Emitters stand in the instance's own dictionary, which comes first: only `Events.request` arrives here.
        return self

    def emitter(self, spawn: Spawn) -> Emitter[P]:
        passes = (OptionsError,) if self.name in ("load", "configure") else ()
        emitter: Emitter[P] = Emitter(self.name, spawn, passes, self.sync_only)
        emitter.welcomes_newcomers = self.group != "lifecycle"
        return emitter


class FlowEvent(Declaration, Generic[F]):
    """An event that carries a flow, so that `update` follows and an intercepted flow is held."""

    carries_flow = True

    @overload
    def __get__(self, events: None, owner: type[Events]) -> Self: ...
    @overload
    def __get__(self, events: Events, owner: type[Events]) -> FlowEmitter[F]: ...
    def __get__(self, events: Events | None, owner: type[Events]) -> Self | FlowEmitter[F]:
        return self


def event(
    group: str, *, sync_only: bool = False, deprecated: str = ""
) -> Callable[[Callable[Concatenate[Events, P], None]], LifecycleEvent[P]]:
    """Declare an event by the signature and docstring of the decorated function."""
    return lambda function: LifecycleEvent(function, group, sync_only, deprecated)


def flow_event(group: str) -> Callable[[Callable[[Events, F], None]], FlowEvent[F]]:
    """Declare an event that carries a flow."""
    return lambda function: FlowEvent(function, group)


@dataclass(frozen=True, slots=True)
class Event:
    """One event with its arguments as a value, for `AddonManager.trigger` and simulated traffic."""

    name: str
    args: tuple[Any, ...] = ()


class Events:
    """The emitters of one master. Each event below is an attribute to await: `await events.request(flow)`."""

    def __init__(self, background: Background | None = None) -> None:
        self.background = background or Background()
        spawn = self.background.spawn
        emitters: dict[str, Emitter[...]] = {}
        for name, declaration in DECLARATIONS.items():
            if isinstance(declaration, LifecycleEvent):
                emitters[name] = declaration.emitter(spawn)
        for name, declaration in DECLARATIONS.items():
            if isinstance(declaration, FlowEvent):
                emitters[name] = FlowEmitter(name, spawn, emitters["update"])
        self.__dict__.update(emitters)
        self._emitters = emitters
        self.authors = Authors(emitters)
        self.recorder = Recorder()

    def bind(self, addons: Iterable[object], refuse: Refuse | None = None) -> None:
        """Listen to these addons and the ones nested in them, in this order, and to nobody else.

        A handler that could never be called is told to `refuse`; without that it is an AddonManagerError, and nothing
        has changed.
        """
        bound: dict[str, list[Handler]] = {name: [] for name in DECLARATIONS}
        recorder = self.recorder
        for addon in walk(addons, refuse):
            for name, handler in handlers_of(addon, DECLARATIONS, refuse).items():
                bound[name].append(handler)
        for name, handlers in bound.items():
            watched = recorder.wrapped(name, handlers) if DECLARATIONS[name].carries_flow else recorder.named(handlers)
            self._emitters[name].handlers = tuple(watched)

    def emitter(self, name: str) -> Emitter[...]:
        """The emitter of an event by its name; KeyError when there is no such event."""
        return self._emitters[name]

    # -- lifecycle ------------------------------------------------------------------------------------------------

    @event("lifecycle", sync_only=True)
    def load(self, loader: Loader) -> None:
        """The addon is being added: declare options and commands by `loader`. Values that were set for these options
        are there at `configure`. Others do not see the addon yet.
        """

    @event("lifecycle", sync_only=True)
    def configure(self, updated: set[str]) -> None:
        """These options have changed; the first time, `updated` has the names of all. Raise OptionsError to refuse: the
        whole change is taken back, and whoever made it is told.
        """

    @event("lifecycle")
    def running(self) -> None:
        """The program is up: all addons are loaded and the listeners are open. An addon that comes later, a script that
        was saved for one, gets it at once. The place to begin tasks.
        """

    @event("lifecycle")
    def done(self) -> None:
        """The addon goes, or the program ends: stop what you began. The last event that an addon sees."""

    @event("lifecycle")
    def update(self, flows: Sequence[Flow]) -> None:
        """These flows have changed. Follows every event that carries a flow, and commands that change flows; addons
        that change flows at other times emit it by `ctx.master.addons.trigger("update", flows)`.
        """

    @event("lifecycle", sync_only=True, deprecated="use the standard logging module and a handler of your own")
    def add_log(self, entry: LogEntry) -> None:
        """A log record was written. What is logged in here does not come back."""

    # -- connections ----------------------------------------------------------------------------------------------

    @event("connection")
    def client_connected(self, client: Client) -> None:
        """A client has connected. Set `client.error` to a text to turn it away before anything is read."""

    @event("connection")
    def client_disconnected(self, client: Client) -> None:
        """The connection of a client is closed entirely."""

    @event("connection")
    def server_connect(self, data: ServerConnectionHookData) -> None:
        """A server is about to be dialled. `data.server.address` may be changed; the host header and the name in TLS
        stay. `data.server.via` may name a parent proxy. A text in `data.server.error` refuses the dial. What goes
        through a parent proxy is shown as the connection to that; `data.target` is then the server. A text in
        `data.postponed` leaves it for later: it is dialled when a request needs it that no addon answers.
        """

    @event("connection")
    def server_connected(self, data: ServerConnectionHookData) -> None:
        """The connection to a server stands; TLS has not begun."""

    @event("connection")
    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """A server could not be reached, or an addon refused the dial. Each dial ends here or in server_connected,
        but for one that was postponed.
        """

    @event("connection")
    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        """The connection to a server is closed."""

    # -- http -----------------------------------------------------------------------------------------------------

    @flow_event("http")
    def requestheaders(self, flow: HTTPFlow) -> None:
        """The head of a request has been read, its body has not. Set `flow.request.stream` to True to pass the body on
        as it comes, or to a function that changes it piece by piece. The first event of an exchange.
        """

    @flow_event("http")
    def request(self, flow: HTTPFlow) -> None:
        """The whole request has been read, and nothing of it was sent; or its body has streamed by. Change the request
        to change what the server gets; set `flow.response` to answer without a server.
        """

    @flow_event("http")
    def responseheaders(self, flow: HTTPFlow) -> None:
        """The head of a response has been read, its body has not. Set `flow.response.stream` to True to pass the body
        on as it comes, or to a function that changes it piece by piece.
        """

    @flow_event("http")
    def response(self, flow: HTTPFlow) -> None:
        """The whole response has been read, or was made by an addon, and nothing of it was sent; or its body has
        streamed by. Change it to change what the client gets.
        """

    @flow_event("http")
    def error(self, flow: HTTPFlow) -> None:
        """The exchange has failed or was killed, and `flow.error` says why. A flow ends in either `response` or
        `error`; one that was refused before it was understood has this event only.
        """

    @flow_event("http")
    def http_connect(self, flow: HTTPFlow) -> None:
        """A client asks for a tunnel by CONNECT. A `flow.response` that is no 2xx refuses it. The CONNECT has no events
        `request` and `response` of its own; what goes through the tunnel has.
        """

    @flow_event("http")
    def http_connect_upstream(self, flow: HTTPFlow) -> None:
        """A CONNECT is about to go to the parent proxy; the place to add credentials."""

    @flow_event("http")
    def http_connected(self, flow: HTTPFlow) -> None:
        """A CONNECT was accepted; nothing has passed through the tunnel yet."""

    @flow_event("http")
    def http_connect_error(self, flow: HTTPFlow) -> None:
        """A CONNECT was refused or failed; `flow.response` is what the client gets."""

    # -- raw bytes ------------------------------------------------------------------------------------------------

    @flow_event("tcp")
    def tcp_start(self, flow: TCPFlow) -> None:
        """A stream of raw bytes begins."""

    @flow_event("tcp")
    def tcp_message(self, flow: TCPFlow) -> None:
        """Bytes have arrived: `flow.messages[-1]`, whose `content` may be changed; empty, it is not sent."""

    @flow_event("tcp")
    def tcp_end(self, flow: TCPFlow) -> None:
        """Both directions were closed in order."""

    @flow_event("tcp")
    def tcp_error(self, flow: TCPFlow) -> None:
        """The stream has failed, and `flow.error` says why. A flow ends in either `tcp_end` or `tcp_error`."""

    @flow_event("udp")
    def udp_start(self, flow: UDPFlow) -> None:
        """The first datagram of a conversation has arrived."""

    @flow_event("udp")
    def udp_message(self, flow: UDPFlow) -> None:
        """A datagram has arrived: `flow.messages[-1]`, whose `content` may be changed."""

    @flow_event("udp")
    def udp_end(self, flow: UDPFlow) -> None:
        """The conversation is closed, or has been silent for too long."""

    @flow_event("udp")
    def udp_error(self, flow: UDPFlow) -> None:
        """The conversation has failed, and `flow.error` says why."""

    # -- tls and quic ---------------------------------------------------------------------------------------------

    @event("quic")
    def quic_start_client(self, data: QuicTlsData) -> None:
        """A QUIC handshake with a client is about to start; `data.settings` must be set, if no addon has done so."""

    @event("quic")
    def quic_start_server(self, data: QuicTlsData) -> None:
        """A QUIC handshake with a server is about to start; `data.settings` must be set, if no addon has done so."""

    @event("tls")
    def tls_clienthello(self, data: ClientHelloData) -> None:
        """A ClientHello has been read. True in `data.ignore_connection` lets the connection pass untouched, in
        `data.establish_server_tls_first` has the handshake with the server come first.
        """

    @event("tls")
    def tls_start_client(self, data: TlsData) -> None:
        """TLS with a client is about to start. The first addon that sets `data.ssl_conn`, by `data.wrap(…)`, decides
        how.
        """

    @event("tls")
    def tls_start_server(self, data: TlsData) -> None:
        """TLS with a server is about to start. The first addon that sets `data.ssl_conn`, by `data.wrap(…)`, decides
        how.
        """

    @event("tls")
    def tls_established_client(self, data: TlsData) -> None:
        """The TLS handshake with a client has succeeded."""

    @event("tls")
    def tls_established_server(self, data: TlsData) -> None:
        """The TLS handshake with a server has succeeded."""

    @event("tls")
    def tls_failed_client(self, data: TlsData) -> None:
        """The TLS handshake with a client has failed; `data.conn.error` says why."""

    @event("tls")
    def tls_failed_server(self, data: TlsData) -> None:
        """The TLS handshake with a server has failed; `data.conn.error` says why."""

    # -- websocket, dns, socks5 -----------------------------------------------------------------------------------

    @flow_event("websocket")
    def websocket_start(self, flow: HTTPFlow) -> None:
        """The connection has been upgraded to WebSocket."""

    @flow_event("websocket")
    def websocket_message(self, flow: HTTPFlow) -> None:
        """A whole message has arrived: `flow.websocket.messages[-1]`, whose `content` may be changed; its `drop()`
        keeps it back.
        """

    @flow_event("websocket")
    def websocket_end(self, flow: HTTPFlow) -> None:
        """The WebSocket is closed; `flow.websocket` has the close code. Emitted once, however it came to an end."""

    @flow_event("dns")
    def dns_request(self, flow: DNSFlow) -> None:
        """A query has been read. Set `flow.response` or `flow.error` to answer it here."""

    @flow_event("dns")
    def dns_response(self, flow: DNSFlow) -> None:
        """An answer has been received or made. Setting `flow.response` to None keeps it back."""

    @flow_event("dns")
    def dns_error(self, flow: DNSFlow) -> None:
        """A query has failed; the client is told SERVFAIL."""

    @event("socks5")
    def socks5_auth(self, data: Socks5AuthData) -> None:
        """A SOCKS5 client sent user name and password. Set `data.valid` to let it in."""

    @event("advanced")
    def next_layer(self, data: NextLayer) -> None:
        """The protocol of what `data.data_client()` gives has to be chosen: set `data.layer` to "http", "tls", "tcp" or
        "ignore". Leave it None to let midstream judge; it asks again when it needs more bytes.
        """


DECLARATIONS: dict[str, Declaration] = {
    name: value for name, value in vars(Events).items() if isinstance(value, Declaration)
}
