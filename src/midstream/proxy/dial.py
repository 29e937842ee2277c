"""Opens connections to servers for one client: TCP, then TLS if asked, with the events of each step.

Used by the pool of an HTTP connection and by tunnels. What fails raises UpstreamFailed with a sentence for people.
"""

import asyncio
import time
from dataclasses import dataclass

from midstream.flows.connection import Client, ConnectionState, Server
from midstream.flows.context import Context
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub.events import Events
from midstream.proxy.errors import UpstreamFailed, explain_dial
from midstream.proxy.settings import Settings
from midstream.proxy.streams.datagram import DatagramStream, dial_udp
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream
from midstream.proxy.tls import start_server_tls

# What an addon asked for by `Server.via`. To go to the server directly instead would show it who asks.
NO_PARENT = "this version cannot go through another proxy, as the server's `via` asks for; nothing was sent"


@dataclass(slots=True)
class Dialler:
    """Opens upstream connections on behalf of one client connection."""

    client: Client
    events: Events
    settings: Settings
    options: object
    """Only handed on to `Context.options` for addons; the proxy reads none of them."""

    async def open(self, server: Server, *, tls: bool) -> Stream:
        """Connect `server` (its address is set). Raises UpstreamFailed; events say what happened either way."""
        stream = await self.open_tcp(server)
        if not tls:
            return stream
        try:
            return await self.start_tls(server, stream)
        except BaseException:
            await self.closed(server, stream)
            raise

    async def open_tcp(self, server: Server) -> Stream:
        """The transport alone: server_connect, then server_connected or server_connect_error."""
        data = ServerConnectionHookData(server, self.client)
        try:
            await self.events.server_connect(data)
            if server.error is not None:
                raise UpstreamFailed(server.error or "the connection was refused")
            stream = await self._dial(server)
        except UpstreamFailed as failed:
            server.error = str(failed)
            await self.events.server_connect_error(data)
            raise
        except asyncio.CancelledError:
            server.error = "the client left, or the flow was killed, before there was a connection"
            await self.events.server_connect_error(data)
            raise
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
        if server.address is None:
            raise UpstreamFailed("an addon took the address of the server away")
        if server.via is not None:
            raise UpstreamFailed(NO_PARENT)
        try:
            return await self._connect(server)
        except (OSError, ValueError, OverflowError) as exc:
            raise UpstreamFailed(explain_dial(exc, *server.address, self.settings.connect_timeout)) from exc

    async def _connect(self, server: Server) -> Stream:
        assert server.address is not None
        host, port = server.address
        server.timestamp_start = time.time()
        loop = asyncio.get_running_loop()
        local = server.sockname or self.settings.local_address  # an addon may have chosen one in server_connect
        async with asyncio.timeout(self.settings.connect_timeout):
            if server.transport_protocol == "udp":
                return await dial_udp(host, port, local)
            _, stream = await loop.create_connection(TCPStream, host, port, local_addr=local)
        return stream

    async def start_tls(self, server: Server, stream: Stream) -> Stream:
        """TLS towards `server` over an open stream."""
        context = Context(self.client, self.options, server)
        return await start_server_tls(server, stream, context, self.events, self.settings)

    async def closed(self, server: Server, stream: Stream) -> None:
        """Close and tell the addons, once; harmless when repeated."""
        stream.close()
        if server.timestamp_end is None:
            server.timestamp_end = time.time()
            server.state = ConnectionState.CLOSED
            await self.events.server_disconnected(ServerConnectionHookData(server, self.client))
