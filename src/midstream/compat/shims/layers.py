"""`mitmproxy.proxy.layers`: the names of protocols, for `isinstance` and for `next_layer.layer = …`.

Midstream has no layers that an addon could drive or extend: choosing a protocol is all that is left of them, and events
do the rest. Each class says by which events.
"""

from __future__ import annotations

import enum
from typing import Any, ClassVar

from midstream.flows.connection import Connection, Server
from midstream.flows.context import Context


class _Found(type):
    """`isinstance(context.layers[0], HttpProxy)`: midstream notes the names of what it found, not objects."""

    def __instancecheck__(cls, instance: object) -> bool:
        if not isinstance(instance, str):
            return super().__instancecheck__(instance)
        if cls.__dict__.get("found_as") == instance:
            return True
        below: list[Any] = cls.__subclasses__()
        return any(isinstance(instance, kind) for kind in below)


class Layer(metaclass=_Found):
    """The choice of a protocol for a connection."""

    found_as: ClassVar[str | None] = None
    """The name in `Context.layers` that stands for it."""
    way: ClassVar[str] = "handle its events in an addon"
    protocol: str | None = None
    """What the proxy makes of it as a choice."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if cls.__module__ != __name__:
            kind = next(base for base in cls.__mro__[1:] if base.__module__ == __name__ and issubclass(base, Layer))
            raise TypeError(f"{cls.__name__}: midstream has no {kind.__name__} to be extended; {kind.way}")
        super().__init_subclass__(**kwargs)

    def __init__(self, context: Context) -> None:
        self.context = context

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        kind = type(self)
        raise AttributeError(f"{kind.__name__}.{name}: this layer only names a protocol in midstream; {kind.way}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.context!r})"


class TCPLayer(Layer):
    """Raw bytes in both directions; with `ignore` they pass without a flow."""

    way = "the events tcp_start, tcp_message and tcp_end see and change what passes"

    def __init__(self, context: Context, ignore: bool = False) -> None:
        super().__init__(context)
        self.ignore = ignore
        self.protocol = "ignore" if ignore else "tcp"


class UDPLayer(Layer):
    """Datagrams in both directions; with `ignore` they pass without a flow."""

    way = "the events udp_start, udp_message and udp_end see and change what passes"

    def __init__(self, context: Context, ignore: bool = False) -> None:
        super().__init__(context)
        self.ignore = ignore


class DNSLayer(Layer):
    """Queries and answers."""

    way = "the events dns_request and dns_response see and change what passes"
    protocol = "dns"


class HTTPMode(enum.Enum):
    """How an HTTP client sees the proxy."""

    regular = 1
    transparent = 2
    upstream = 3


class HttpLayer(Layer):
    """HTTP of any version."""

    found_as = "http"
    way = "the events requestheaders, request, responseheaders and response see and change what passes"
    protocol = "http"

    def __init__(self, context: Context, mode: HTTPMode) -> None:
        super().__init__(context)
        self.mode = mode


class HttpStream(Layer):
    """One exchange of HTTP."""

    way = "set flow.request.stream or flow.response.stream, or flow.response to answer, in the events of HTTP"


class WebsocketLayer(Layer):
    """The messages of a WebSocket."""

    way = "the events websocket_start, websocket_message and websocket_end see and change what passes"


class TLSLayer(Layer):
    """TLS towards one side."""

    way = "the events tls_clienthello, tls_start_client and tls_start_server decide how a handshake is made"
    protocol = "tls"

    def __init__(self, context: Context, conn: Connection) -> None:
        super().__init__(context)
        self.conn = conn


class ClientTLSLayer(TLSLayer):
    """TLS with the client."""

    found_as = "tls"

    def __init__(self, context: Context) -> None:
        super().__init__(context, context.client)


class ServerTLSLayer(TLSLayer):
    """TLS with the server."""

    def __init__(self, context: Context, conn: Server | None = None) -> None:
        super().__init__(context, conn or context.server)


class TunnelLayer(Layer):
    """A connection inside of another one."""

    way = "the event http_connect_upstream sees and changes the CONNECT that goes to a parent proxy"


class HttpUpstreamProxy(TunnelLayer):
    """A tunnel through a parent proxy."""


class QuicLayer(Layer):
    """QUIC towards one side."""

    way = "the events quic_start_client and quic_start_server decide how a handshake is made"


class ClientQuicLayer(QuicLayer):
    """QUIC with the client."""


class ServerQuicLayer(QuicLayer):
    """QUIC with the server."""

    def __init__(self, context: Context, conn: Server | None = None) -> None:
        super().__init__(context)
        self.conn = conn


class RawQuicLayer(Layer):
    """Streams of QUIC that are no HTTP/3."""

    way = TCPLayer.way

    def __init__(self, context: Context, force_raw: bool = False) -> None:
        super().__init__(context)
        self.force_raw = force_raw


class QuicStreamLayer(Layer):
    """One stream of QUIC."""

    way = TCPLayer.way


class ModeLayer(Layer):
    """What a mode of the proxy does first with a connection."""

    way = "the option `mode` says how clients come; Client.proxy_mode tells it of a connection"


class DestinationKnown(ModeLayer):
    """A mode that knows the server before the first byte."""


class HttpProxy(ModeLayer):
    """A plain HTTP proxy."""

    found_as = "regular"


class UpstreamProxy(ModeLayer):
    """A proxy with a parent proxy."""

    found_as = "upstream"


class ReverseProxy(DestinationKnown):
    """A proxy in front of one server."""

    found_as = "reverse"


class TransparentProxy(DestinationKnown):
    """A proxy whose clients do not know of it."""

    found_as = "transparent"


class Socks5Proxy(DestinationKnown):
    """A SOCKS5 proxy."""

    found_as = "socks5"
