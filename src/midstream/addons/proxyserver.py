"""The listeners and limits of the proxy: owns the options that `proxy.Settings` is compiled from.

Starts the listeners when the program runs and follows changes of `mode`, `listen_host`, `listen_port` and `server`. How
a connection is served is the business of the room `proxy/`.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from midstream.addons.mode_specs import checked_modes
from midstream.addons.own_ends import OwnEnds
from midstream.flows.errors import OptionsError
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub import command, ctx
from midstream.hub.addons import Loader
from midstream.hub.option_kinds import Kind
from midstream.proxy.binding import EVERY_ADDRESS, ListenError, Transport
from midstream.proxy.mode_servers import ModeServers, Wanted
from midstream.proxy.server import Proxy
from midstream.text.sizes import parse_size
from midstream.text.url import hostport

logger = logging.getLogger("midstream.proxy")

LISTENING = {"mode", "listen_host", "listen_port", "server"}
REDIRECTED = (
    "the firewall redirects this proxy's own connections to it, so that they go round for ever; "
    "run it as a user of its own, and leave that user's connections out of the rule"
)
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


class ProxyServer:
    """Keeps a `Proxy` in step with the options."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._running = False
        self._addresses: dict[Transport, list[tuple[str, int]]] = {"tcp": [], "udp": []}
        self._is_redirected_to = False
        self._own_ends = OwnEnds()

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        _declare_listeners(loader.add_option)
        _declare_bodies(loader.add_option)
        _declare_patience(loader.add_option)

    def configure(self, updated: set[str]) -> None:
        """Check, compile, and follow."""
        options = ctx.options
        wanted = self._wanted()
        self.proxy.settings = replace(
            self.proxy.settings,
            stream_large_bodies=_size(options.stream_large_bodies),
            body_size_limit=_size(options.body_size_limit),
            body_buffer_limit=parse_size(options.body_buffer_limit),
            total_buffer_limit=parse_size(options.total_buffer_limit),
            store_streamed_bodies=options.store_streamed_bodies,
            stream_endless_bodies=options.stream_endless_bodies,
            eager=options.connection_strategy == "eager",
            rawtcp=options.rawtcp,
            websocket=options.websocket,
            proxy_protocol=options.proxy_protocol,
            local_address=_local_address(options.connect_addr),
            idle_timeout=float(options.tcp_timeout),
            head_timeout=float(options.head_timeout),
            connect_timeout=float(options.connect_timeout),
        )
        if self._running and updated & LISTENING:
            try:
                self._change(wanted)
            except ListenError as exc:
                raise OptionsError(f"{exc} (nothing was changed)") from None
            finally:
                ctx.master.background.spawn(self.proxy.start(), "listeners")

    async def running(self) -> None:
        """Open the listeners; what cannot be opened is an error of the start."""
        self._running = True
        if ctx.master.startup_errors:  # the start has failed already: nobody shall connect meanwhile
            return
        try:
            self._change(self._wanted())
        except ListenError as exc:
            # As text: who keeps log records must not keep, by a traceback, the whole master.
            logger.error("%s", str(exc))
        await self.proxy.start()

    async def done(self) -> None:
        """Close the listeners and end the connections."""
        self._running = False
        await self.proxy.close()

    def _wanted(self) -> Wanted:
        """What the options ask for. Raises OptionsError."""
        options = ctx.options
        modes = checked_modes(options.mode, options.listen_host, options.listen_port)
        return modes if options.server else {}

    def _change(self, wanted: Wanted) -> None:
        """Listen there, and nowhere else. Raises ListenError, with the listeners that there were."""
        self.proxy.servers.change(wanted)
        self._addresses = {
            "tcp": self.proxy.servers.addresses_over("tcp"),
            "udp": self.proxy.servers.addresses_over("udp"),
        }
        self._is_redirected_to = any(server.mode.type_name == "transparent" for server in self.proxy.servers)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """A request to one of our own listeners would come back to us for ever."""
        address = data.server.address
        if address is not None and self.is_ours(address, data.server.transport_protocol):
            data.server.error = f"{hostport('', *address)} is this proxy itself: the request would go round for ever"
        elif data.client.peername in self._own_ends:
            data.server.error = REDIRECTED

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """The same by the address that was reached: there are many names and spellings for one's own machine."""
        server = data.server
        peer, own = server.peername, server.sockname
        if self._is_redirected_to and own is not None:
            self._own_ends.opened(own)
            if data.client.peername in self._own_ends:  # it was not known yet when this one was dialled
                server.error = REDIRECTED
                return
        if peer is None or own is None or not (peer[0] == own[0] or ipaddress.ip_address(_plain(peer[0])).is_loopback):
            return
        behind = data.target.address if data.target is not None else None
        if self._listens_at(peer, server.transport_protocol):
            server.error = f"{hostport('', *peer)} is this proxy itself: the request would go round for ever"
        elif behind is not None and self.is_ours(behind, "tcp"):  # through a parent proxy on this very machine
            server.error = f"{hostport('', *behind)} is this proxy itself: the request would go round for ever"

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        """Another connection may have its address some day."""
        if data.server.sockname is not None:
            self._own_ends.closed(data.server.sockname)

    def _listens_at(self, address: tuple[str, int], transport: Transport) -> bool:
        names = (_plain(address[0]), *EVERY_ADDRESS)
        return any(port == address[1] and name in names for name, port in self._addresses[transport])

    def is_ours(self, address: tuple[str, int], transport: Transport) -> bool:
        """Whether one of our listeners is at that address."""
        host, port = address[0], address[1]
        for name, number in self._addresses[transport]:
            if number != port:
                continue
            if host == name or host.lower() in LOOPBACK_NAMES:
                return True
            try:
                ip = ipaddress.ip_address(host)
            except ValueError:
                continue
            if ip.is_unspecified or (ip.is_loopback and (name == str(ip) or name in EVERY_ADDRESS)):
                return True
        return False

    @property
    def servers(self) -> ModeServers:
        """The modes that run, for scripts: `for server in ctx.master.addons.get("proxyserver").servers: …`."""
        return self.proxy.servers

    def listen_addrs(self) -> list[tuple[str, int]]:
        """Where clients can connect. For scripts: `ctx.master.addons.get("proxyserver").listen_addrs()`."""
        return self.proxy.listen_addrs

    @command.command("proxyserver.active_connections")
    def active_connections(self) -> int:
        """How many clients are connected now."""
        return len(self.proxy.connections)


def _plain(host: str) -> str:
    """An IPv4 address that came as an IPv6 one, as itself."""
    return host.removeprefix("::ffff:") if "." in host else host


def _size(text: str | None) -> int | None:
    return parse_size(text) if text else None


def _local_address(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    try:
        return str(ipaddress.ip_address(text)), 0
    except ValueError:
        raise OptionsError(f"connect_addr: {text!r} is no IP address") from None


def _declare_listeners(option: Callable[..., None]) -> None:
    """Where clients connect, and from where and when servers are connected to."""
    option("server", bool, True, "Run the listeners at all.")
    option("mode", Sequence[str], ["regular"], "The proxy servers to run; may be given more than once.", kind="mode")
    option("listen_host", str, "", "Address to bind for every mode without its own; empty: every address.")
    option(
        "listen_port",
        int | None,
        None,
        "Port to bind for every mode without its own; 0 picks a free one.",
        kind=Kind("range", editor="range", low=0, high=65535),
    )
    option(
        "proxy_protocol",
        bool,
        False,
        "Every TCP connection begins with a PROXY protocol header (version 1 or 2), as load balancers send it, and its "
        "client is who that names; only for listeners that nobody else can reach, who could claim any address.",
    )
    option("connect_addr", str | None, None, "Local address that upstream connections come from.")
    option(
        "connection_strategy",
        str,
        "eager",
        "When to connect to the server: 'eager' at once, 'lazy' once a request needs it.",
        choices=["eager", "lazy"],
    )
    option("rawtcp", bool, True, "Pass on connections that speak neither HTTP nor TLS as raw TCP.")
    option("websocket", bool, True, "Show the messages of WebSockets; without it their bytes pass as raw TCP.")


def _declare_bodies(option: Callable[..., None]) -> None:
    """How large a body may be, and which ones are streamed."""
    option(
        "body_size_limit",
        str | None,
        None,
        "Largest HTTP body that may pass; a larger one fails the flow. Suffixes k, m, g.",
        kind="size",
    )
    option(
        "stream_large_bodies",
        str | None,
        None,
        "Stream HTTP bodies above this size instead of holding them in memory. Suffixes k, m, g.",
        kind="size",
    )
    option(
        "body_buffer_limit",
        str,
        "64m",
        "Size from which a body is streamed although nobody asked for it; the flow keeps its beginning.",
        kind="size",
    )
    option(
        "total_buffer_limit",
        str,
        "1g",
        "Memory for the bodies and messages of all flows under way; beyond it further bodies are streamed.",
        kind="size",
    )
    option(
        "stream_endless_bodies",
        bool,
        True,
        "Pass on event streams, gRPC and their like as they come, and show them live, rather than hold them whole.",
    )
    option("store_streamed_bodies", bool, False, "Keep bodies that are streamed in the flow as well.")


def _declare_patience(option: Callable[..., None]) -> None:
    """How long others are waited for."""
    option(
        "tcp_timeout",
        int,
        600,
        "Seconds without a byte in either direction before a connection is closed.",
        kind=Kind("range", editor="range", low=1),
    )
    option(
        "head_timeout",
        int,
        30,
        "Seconds from the first byte of a message head to its last.",
        kind=Kind("range", editor="range", low=1),
    )
    option(
        "connect_timeout",
        int,
        30,
        "Seconds that a server gets to accept a connection, and again for its TLS handshake.",
        kind=Kind("range", editor="range", low=1),
    )
