"""What the proxy needs to know of the options, compiled.

The addons that own the options build a new `Settings` in `configure` and give it to `Proxy.settings`. A connection, and
each exchange on it, takes the current one once when it starts, so that a change never splits an exchange.
"""

from dataclasses import dataclass, field

from midstream.wire.http1 import Limits
from midstream.wire.socks5 import Credentials


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes are bytes, times are seconds; None means no limit."""

    stream_large_bodies: int | None = None
    body_size_limit: int | None = None
    body_buffer_limit: int = 64 * 1024 * 1024
    """A body above this is streamed although nobody asked: the flow keeps its first part."""
    total_buffer_limit: int = 1024 * 1024 * 1024
    """The bodies and messages of all flows under way; above it, further ones are streamed, too."""
    store_streamed_bodies: bool = False
    stream_endless_bodies: bool = True
    """Pass on event streams and their like as they come, although nobody asked; the flow shows them live."""
    eager: bool = True
    """Dial upstream before the first byte of a tunnel (`connection_strategy`)."""
    rawtcp: bool = True
    http2: bool = True
    """Speak HTTP/2 with clients and servers that do."""
    http2_ping_keepalive: float = 58.0
    """So long without a frame from a server, and it is asked by a PING whether it is there; 0: never."""
    normalize_headers: bool = True
    """Header names go out over HTTP/2 in lower case, however addons wrote them (`normalize_outbound_headers`)."""
    send_raw: bool = False
    """Scripts may send bytes of their own in place of a request (`request.send_raw`), for research."""
    websocket: bool = True
    no_server: str = ""
    """Why no request may reach a server, whatever was begun before: an addon answers them all."""
    keep_host_header: bool = False
    """Reverse modes leave the names that the client uses as they are, in TLS too."""
    connect_with_host: bool = True
    """Send a Host field with a CONNECT to a parent proxy (`http_connect_send_host_header`)."""
    parent_credentials: Credentials | None = None
    """Name and password for a SOCKS5 parent; those for HTTP parents are fields that an addon sets."""
    proxy_protocol: bool = False
    """Each TCP connection begins with a header that says who the client is."""
    local_address: tuple[str, int] | None = None
    """Source address of upstream connections (`connect_addr`)."""
    idle_timeout: float = 600.0
    """No byte in either direction for so long ends a connection (`tcp_timeout`)."""
    head_timeout: float = 30.0
    """From the first byte of a request head, or of a ClientHello, to its last."""
    connect_timeout: float = 30.0
    """For one dial, and again for the TLS handshake on it."""
    limits: Limits = field(default_factory=Limits)

    @property
    def longest_head(self) -> float:
        """How long a head may take, which is never longer than a connection may be silent."""
        return min(self.head_timeout, self.idle_timeout)
