"""Opens connections to servers for one client: TCP, then TLS if asked, with the events of each step.

Used by the pool of an HTTP connection and by tunnels. What fails raises UpstreamFailed with a sentence for people.
"""

import asyncio
import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from midstream.flows.connection import Address, Client, ConnectionState, Server
from midstream.flows.context import Context
from midstream.flows.proxy_mode import ReverseMode
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.server_spec import ServerSpec
from midstream.hub.events import Events
from midstream.proxy.errors import Postponed, UpstreamFailed, explain_dial
from midstream.proxy.open_files import ServerRoom, Share
from midstream.proxy.parents import http, socks5
from midstream.proxy.settings import Settings
from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream
from midstream.proxy.streams.udp_dial import dial_udp
from midstream.proxy.tls import start_server_tls
from midstream.text.url import hostport
from midstream.wire.http1 import Fields
from midstream.wire.socks5 import Credentials

# To go to the server directly instead would show it who asks.
NO_UDP = "UDP cannot go through a parent proxy, which the server's `via` asks for; nothing was sent"


class _Carrier(NamedTuple):
    """The connection to a parent proxy; `is_told`: addons hear of the one that it carries, too."""

    parent: Server
    is_told: bool


class _Around(NamedTuple):
    """TLS with a server that other TLS runs inside of: who opens it, where, and what it asks for."""

    dialler: "Dialler"
    address: Address | None
    sni: str | None
    alpn_offers: Sequence[bytes]


@dataclass(slots=True)
class Dialler:
    """Opens upstream connections on behalf of one client connection."""

    client: Client
    events: Events
    settings: Settings
    options: object
    """Only handed on to `Context.options` for addons; the proxy reads none of them."""
    via: ServerSpec | None = None
    """The parent proxy that servers are reached through, unless an addon names another one."""
    share: Share = field(default_factory=lambda: Share(ServerRoom()))
    """Of the open files that connections to servers may take."""
    around: _Around | None = None
    """What this dialler opens connections inside of, if it is for TLS inside TLS."""
    _carriers: dict[int, "_Carrier"] = field(default_factory=dict)
    """By the identity of an open connection: what it goes through."""

    def server(self, address: Address) -> Server:
        """A connection that is still to be opened."""
        return Server(address=address, via=self.via)

    async def open(self, server: Server, *, tls: bool) -> Stream:
        """Connect `server` (its address is set). Raises UpstreamFailed; events say what happened either way."""
        server.tls = tls  # seen in server_connect
        stream = await self.open_tcp(server)
        if not tls:
            return stream
        try:
            return await self.start_tls(server, stream)
        except BaseException:
            await self.closed(server, stream)
            raise

    async def open_tcp(self, server: Server) -> Stream:
        """The transport alone: server_connect, then server_connected or server_connect_error.

        Of what goes through a parent proxy these events show the connection to the parent.
        """
        if self.around is not None and self.around.address == server.address:
            return await self._open_inside(server, self.around)
        if server.via is not None:
            return await self._open_through_parent(server)
        return await self._open_directly(server)

    def within(self, server: Server) -> "Dialler":
        """A dialler for what runs inside of the TLS with `server`, which from here on shows what that agrees on."""
        inner = copy.copy(self)
        offers = server.alpn_offers or ((self.client.alpn,) if self.client.alpn else ())
        inner.around = _Around(self, server.address, server.sni, offers)
        _forget_tls(server)
        return inner

    async def _open_inside(self, server: Server, around: _Around) -> Stream:
        wanted = server.tls, server.sni, server.alpn_offers
        server.sni, server.alpn_offers = around.sni, around.alpn_offers
        stream = await around.dialler.open(server, tls=True)
        _forget_tls(server)
        server.tls, server.sni, server.alpn_offers = wanted
        return stream

    async def _open_directly(self, server: Server, target: Server | None = None) -> Stream:
        """`target`: what is behind `server`, if that is a parent proxy."""
        data = ServerConnectionHookData(server, self.client)
        data.target = target
        try:
            await self.events.server_connect(data)
            if server.error is not None:
                raise UpstreamFailed(server.error or "the connection was refused")
            if data.postponed:
                raise Postponed(data.postponed)
            if target is not None:
                server.via = None  # addons that send all connections through a parent mean those to servers
            stream = await self._dial(server)
        except Postponed:
            raise  # nothing has happened, and the server may be asked for again
        except UpstreamFailed as failed:
            server.error = str(failed)
            await self.events.server_connect_error(data)
            raise
        except asyncio.CancelledError:
            server.error = "the client left, or the flow was killed, before there was a connection"
            await self.events.server_connect_error(data)
            raise
        if server.via is None:
            server.peername, server.sockname = stream.peername, stream.sockname
        server.timestamp_tcp_setup = time.time()
        server.state = ConnectionState.OPEN
        try:
            await self.events.server_connected(data)
            if server.error is not None:  # now that its address is known, an addon objects
                raise UpstreamFailed(server.error)
        except BaseException:
            await self.closed(server, stream)
            raise
        return stream

    async def open_udp(self, server: Server) -> DatagramStream:
        """A conversation of datagrams with `server`, with the events of a connection. Raises UpstreamFailed."""
        server.transport_protocol = "udp"
        stream = await self.open_tcp(server)
        assert isinstance(stream, DatagramStream)
        return stream

    async def _dial(self, server: Server) -> Stream:
        """The connection. Raises UpstreamFailed, whose cause is what the system said."""
        address = address_of(server)
        if server.via is not None:  # by the will of an addon that was just asked
            return await self._open_through_parent(server, is_told=True)
        try:
            return await self._connect(server)
        except (OSError, ValueError, OverflowError) as exc:
            raise UpstreamFailed(explain_dial(exc, *address, self.settings.connect_timeout)) from exc

    async def _connect(self, server: Server) -> Stream:
        assert server.address is not None
        host, port = server.address
        server.timestamp_start = time.time()
        loop = asyncio.get_running_loop()
        local = server.sockname or self.settings.local_address  # an addon may have chosen one in server_connect
        async with asyncio.timeout(self.settings.connect_timeout):
            if server.transport_protocol == "udp":
                return await dial_udp(host, port, local)
            with self.share.dialling() as opened:
                _, stream = await loop.create_connection(lambda: TCPStream(opened), host, port, local_addr=local)
        return stream

    async def start_tls(self, server: Server, stream: Stream) -> Stream:
        """TLS towards `server` over an open stream."""
        context = Context(self.client, self.options, server)
        return await start_server_tls(server, stream, context, self.events, self.settings)

    # -- through a parent proxy --

    async def open_parent(self, server: Server) -> Stream:
        """The connection to the parent proxy of `server` itself, to whom requests are given as they are. Raises
        UpstreamFailed.
        """
        parent, stream = await self._connect_parent(server)
        self._carried(server, parent, is_told=False)
        return stream

    def fields_for_parent(self) -> Fields:
        """What a request needs that is given to an HTTP parent as it is."""
        credentials = self._credentials()
        return ((b"Proxy-Authorization", http.basic(credentials)),) if credentials is not None else ()

    def _credentials(self) -> Credentials | None:
        """For the parent; those of a reverse mode are for the server."""
        is_for_server = isinstance(self.client.proxy_mode, ReverseMode)
        return None if is_for_server else self.settings.parent_credentials

    async def _open_through_parent(self, server: Server, *, is_told: bool = False) -> Stream:
        """A way to `server` that its parent proxy opens. Raises UpstreamFailed."""
        if server.transport_protocol == "udp":
            raise UpstreamFailed(NO_UDP)
        parent, stream = await self._connect_parent(server)
        try:
            await self._ask_parent(server, parent, stream)
        except BaseException:
            await self.closed(parent, stream)
            raise
        self._carried(server, parent, is_told)
        return stream

    async def _connect_parent(self, server: Server) -> tuple[Server, Stream]:
        scheme, address = _parent_of(server)
        server.timestamp_start = time.time()
        parent = Server(address=address)
        if scheme == "https":
            parent.tls, parent.sni, parent.alpn_offers = True, address[0], (b"http/1.1",)
        try:
            stream = await self._open_directly(parent, server)
            if scheme == "https":
                stream = await self._start_parent_tls(server, parent, stream)
        except Postponed:
            raise
        except UpstreamFailed as failed:
            server.error = f"the parent proxy cannot be used: {failed}"
            raise UpstreamFailed(server.error) from failed.__cause__
        return parent, stream

    async def _start_parent_tls(self, server: Server, parent: Server, stream: Stream) -> Stream:
        try:
            context = Context(self.client, self.options, server)
            return await start_server_tls(parent, stream, context, self.events, self.settings)
        except BaseException:
            await self.closed(parent, stream)
            raise

    async def _ask_parent(self, server: Server, parent: Server, stream: Stream) -> None:
        """Have the parent connect to `server`. Raises UpstreamFailed."""
        address = address_of(server)
        settings, (scheme, where) = self.settings, _parent_of(server)
        try:
            if scheme == "socks5":
                name = f"the parent proxy {hostport('', *where)}"
                await socks5.open_tunnel(stream, address, self._credentials(), name, settings.connect_timeout)
            else:
                flow = http.connect_flow(self.client, parent, address, with_host=settings.connect_with_host)
                await http.open_tunnel(stream, flow, self.events, settings)
        except UpstreamFailed as failed:
            server.error = str(failed)
            raise

    def _carried(self, server: Server, parent: Server, is_told: bool) -> None:
        self._carriers[id(server)] = _Carrier(parent, is_told)
        server.timestamp_tcp_setup = time.time()
        server.state = ConnectionState.OPEN

    # -- the end --

    async def closed(self, server: Server, stream: Stream) -> None:
        """Close and tell the addons, once; harmless when repeated."""
        stream.close()
        if server.timestamp_end is None:
            server.timestamp_end = time.time()
            server.state = ConnectionState.CLOSED
            carrier = self._carriers.pop(id(server), None)
            if carrier is not None:
                await self.closed(carrier.parent, stream)
                if not carrier.is_told:
                    return
            await self.events.server_disconnected(ServerConnectionHookData(server, self.client))


def _forget_tls(server: Server) -> None:
    """What was agreed on outside, to make room for what will be inside."""
    server.tls, server.sni, server.alpn, server.alpn_offers = False, None, None, ()
    server.certificate_list, server.cipher, server.tls_version = (), None, None
    server.timestamp_tls_setup, server.tls_resumed = None, False


def address_of(server: Server) -> Address:
    """Host and port of the server, which addons may have set to anything. Raises UpstreamFailed."""
    match server.address:
        case str(host), int() if host.isprintable():
            return server.address
        case None:
            raise UpstreamFailed("an addon took the address of the server away")
    raise UpstreamFailed(f"the server's `address` is {server.address!r}, and no host and port: ('127.0.0.1', 8080)")


def _parent_of(server: Server) -> ServerSpec:
    """Scheme and address of the parent proxy, which addons may have set to anything. Raises UpstreamFailed."""
    match server.via:
        case "http" | "https" | "socks5" as scheme, (str(host), int(port)):
            return scheme, (host, port)
    raise UpstreamFailed(
        f"the server's `via` is {server.via!r}, which names no parent proxy; "
        "it is a scheme (http, https or socks5) and an address: ('http', ('127.0.0.1', 8080))"
    )
