"""The upstream connections of one client connection, kept for its next requests.

They are never shared between clients: what one client's credentials opened (NTLM, client certificates) stays its own.
Requests that come at the same time (over HTTP/2) share one connection if the server speaks HTTP/2, too; else each has
one of at most `MAX_PARALLEL`.
"""

import asyncio
from dataclasses import dataclass, field

from midstream.flows.connection import Server
from midstream.flows.http import HTTPFlow
from midstream.proxy.client_context import ClientContext
from midstream.proxy.dial import Dialler
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.http.sides import Destination, Way
from midstream.proxy.http.upstream_h1 import UpstreamH1
from midstream.proxy.http.upstream_h2 import ServerLink, UpstreamH2, wants_websocket
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch
from midstream.text.url import hostport

# Idle connections that a client connection may keep; a browser's plain-http connection goes to many hosts.
MAX_IDLE = 8
MAX_PARALLEL = 5
"""HTTP/1 connections to one destination for the requests of one client connection; further requests wait."""


@dataclass(slots=True)
class _Place:
    """The connections that go one way."""

    way: Way
    idle: list[UpstreamH1] = field(default_factory=list)
    link: ServerLink | None = None
    """For all requests, if the server speaks HTTP/2."""
    busy: int = 0
    """HTTP/1 connections in use, and those of which nobody knows yet what will be spoken on them."""
    speaks_http1: bool = False
    opened: tuple[Server, Stream] | None = None
    """A connection that was opened before the first request, of which nobody knows what is spoken on it."""
    waiting: list[asyncio.Future[None]] = field(default_factory=list)  # a deque takes 600 bytes when it is empty

    @property
    def may_open(self) -> bool:
        """Whether one more connection may be opened: until it is clear that streams cannot be shared, one is enough."""
        return self.busy < (MAX_PARALLEL if self.speaks_http1 else 1)

    @property
    def is_empty(self) -> bool:
        """Nothing of it has to be remembered."""
        return not (self.idle or self.busy or self.link or self.waiting or self.opened)

    async def turn(self) -> None:
        """Wait until something has changed."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done():
                self.call_next()
            raise

    def call_next(self) -> None:
        """Somebody else may look whether it is his turn; all, where all can be served by one connection."""
        while self.waiting:
            turn = self.waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                if self.link is None:
                    return


class Pool:
    """Upstream connections by destination."""

    __slots__ = ("_context", "_failed", "_idle", "_places", "current", "prior_knowledge", "sni", "tunnel")

    def __init__(
        self, context: ClientContext, current: Server, tunnel: Destination | None = None, sni: str | None = None
    ) -> None:
        self.current = current
        """The server that the next flow most likely goes to: the one used last, or the tunnel's own."""
        self.tunnel = tunnel
        """Where the client's CONNECT went, whose SNI is the client's own."""
        self.sni = sni
        self.prior_knowledge = False
        """The client speaks HTTP/2 in the clear; a server that is reached in the clear is tried with it, too."""
        self._context = context
        self._places: dict[Way, _Place] = {}
        self._idle = 0
        self._failed: dict[Destination, str] = {}

    def expected(self, host: str, port: int) -> Server:
        """The server that a request for this address will most likely go to, connected or not."""
        if self.current.address != (host, port):
            self.current = self._context.dialler.server((host, port))
        return self.current

    async def connect(self, flow: HTTPFlow, watch: Watch) -> UpstreamH1 | UpstreamH2:
        """A connection for this request: an idle one if it still stands, else a new one. Raises UpstreamFailed."""
        if reason := self._context.latest().no_server:
            raise UpstreamFailed(reason)
        place = self._places.get((self._destination(flow), flow.server_conn.via))
        if place is not None and place.idle:
            self._idle -= 1
            upstream = place.idle.pop()
            place.busy += 1
            # What came while nothing was asked answers nothing: it would be taken for the answer to this request. It
            # may also be a goodbye, so it is looked at first.
            if not upstream.stream.take() and upstream.reusable:
                flow.server_conn = upstream.server
                upstream.attend(watch)
                return upstream
            await self.discard(upstream)
        return await self.connect_anew(flow, watch)

    async def connect_anew(self, flow: HTTPFlow, watch: Watch) -> UpstreamH1 | UpstreamH2:
        """A connection that nobody has used, or a shared one. Raises UpstreamFailed."""
        key = self._destination(flow)
        if failure := self._failed.pop(key, None):
            raise UpstreamFailed(failure)  # of the connection that the flow shows already
        way = (key, flow.server_conn.via)
        place = _Place(way)
        while True:
            place = self._places.setdefault(way, place)
            if place.link is not None:
                shared = await self._share_link(place.link, flow, key, place, watch)
                if shared is not None:
                    return shared
                place.link = None
            elif place.may_open:
                watch.rest()
                return await self._open(flow, key, place, watch)
            else:
                patience = self._dialler.settings.idle_timeout
                watch.expect_server(patience, f"all connections to {hostport('', key[1], key[2])} were busy")
                await place.turn()
                if place.idle:
                    return await self.connect(flow, watch)

    async def _open(self, flow: HTTPFlow, key: Destination, place: _Place, watch: Watch) -> UpstreamH1 | UpstreamH2:
        """A new connection."""
        opened, place.opened = place.opened, None
        server = opened[0] if opened is not None else self._server(flow, key)
        flow.server_conn = self.current = server
        via = server.via
        to_parent = via is not None and via[0] != "socks5" and key[0] == "http" and self.tunnel is None
        place.busy += 1
        try:
            if opened is not None:
                stream = opened[1]
            elif to_parent:  # it takes plain requests, and needs no tunnel for them
                stream = await self._dialler.open_parent(server)
            else:
                stream = await self._dialler.open(server, tls=key[0] == "https")
            is_usable = await self._look_at(place, server, stream, watch)
        except BaseException:
            self._free(place)
            raise
        if is_usable and place.link is None:
            # Addons may have set another `server.via` when it was dialled; it is still found by what was asked for.
            connection = UpstreamH1(server, stream, place.way, self._dialler.settings, watch)
            if to_parent and via is not None:
                connection.serve_by_parent(via, self._dialler.fields_for_parent())
            place.call_next()
            return connection
        place.busy -= 1
        if not is_usable:
            return await self._open(flow, key, place, watch)
        place.call_next()
        link = place.link
        assert link is not None
        upstream = await self._share_link(link, flow, key, place, watch)
        if upstream is None:
            raise UpstreamFailed(f"{link.where} closed the connection")
        return upstream

    async def _share_link(
        self, link: ServerLink, flow: HTTPFlow, key: Destination, place: _Place, watch: Watch
    ) -> UpstreamH1 | UpstreamH2 | None:
        """A stream of a shared connection, None if that takes none any more; for a WebSocket that cannot be opened on
        it a connection of its own.
        """
        watch.expect_server(self._dialler.settings.idle_timeout, f"{link.where} took no further request")
        if wants_websocket(flow.request) and not await link.takes_websockets():
            watch.rest()
            return await self._open_http1(flow, key, place, watch)
        upstream = await link.upstream(watch)
        if upstream is not None:
            flow.server_conn = upstream.server
        return upstream

    async def _open_http1(self, flow: HTTPFlow, key: Destination, place: _Place, watch: Watch) -> UpstreamH1:
        """A connection beside the shared one, on which HTTP/1 is asked for."""
        server = Server(address=(key[1], key[2]), via=flow.server_conn.via)
        server.sni, server.alpn_offers = flow.server_conn.sni, (b"http/1.1",)
        flow.server_conn = server
        place.busy += 1
        try:
            stream = await self._dialler.open(server, tls=key[0] == "https")
        except BaseException:
            self._free(place)
            raise
        return UpstreamH1(server, stream, place.way, self._dialler.settings, watch)

    def _destination(self, flow: HTTPFlow) -> Destination:
        """Where a request goes, and by what."""
        request = flow.request
        may_end = flow.server_conn.via is not None and request.scheme == "http" and self.tunnel is None
        if may_end and "upgrade" in request.headers:
            return "ws", request.host, request.port  # a parent proxy may end an Upgrade, but not inside of a tunnel
        return request.scheme, request.host, request.port

    def _server(self, flow: HTTPFlow, key: Destination) -> Server:
        """What a new connection is called: what the flow shows already, if that was not used."""
        server, via = self.current, flow.server_conn.via
        if server.address != key[1:] or server.timestamp_start is not None or server.via != via:
            server = Server(address=(key[1], key[2]), via=via)
        if key[0] == "https" and server.sni is None:
            server.sni = self.sni if key == self.tunnel and self.sni else key[1]
        return server

    async def _look_at(self, place: _Place, server: Server, stream: Stream, watch: Watch) -> bool:
        """Find out what is spoken on a new connection; False if that took its use away. Raises OSError."""
        knows = self.prior_knowledge and not server.tls and not place.speaks_http1
        if server.alpn != b"h2" and not knows:
            place.speaks_http1 = True
            return True
        link = ServerLink(server, stream, self._dialler)
        if knows:
            watch.expect_server(self._dialler.settings.connect_timeout, f"{link.where} did not answer")
            try:
                answers = await link.answers()
            except BaseException:
                await link.close()
                raise
            watch.rest()
            if not answers:
                await link.close()
                place.speaks_http1 = True
                return False
        self._share(place, link)
        return True

    def adopt(self, server: Server, stream: Stream, key: Destination) -> None:
        """Take in a connection that was opened before the first request (the tunnel's)."""
        self.current = server
        place = self._places[key, server.via] = _Place((key, server.via))
        if server.alpn == b"h2":
            self._share(place, ServerLink(server, stream, self._dialler))
        elif self.prior_knowledge and not server.tls:
            place.opened = server, stream
        else:
            place.speaks_http1 = True
            place.idle.append(UpstreamH1(server, stream, place.way, self._dialler.settings, self._context.watch))
            self._idle += 1

    def _share(self, place: _Place, link: ServerLink) -> None:
        place.link = link
        self._context.spawn(link.run())

    def fail_next(self, key: Destination, reason: str) -> None:
        """The connection for `key` has failed already: its first request is told so instead of failing once more."""
        self._failed[key] = reason

    async def release(self, upstream: UpstreamH1 | UpstreamH2) -> None:
        """Keep a connection for the next request, if it can carry one."""
        if isinstance(upstream, UpstreamH2):
            upstream.close()
            return
        if not upstream.reusable or self._dialler.share.room.is_scarce:
            await self.discard(upstream)
            return
        place = self._places[upstream.way]
        place.idle.append(upstream)
        self._idle += 1
        self._free(place)
        if len(self._places) > 1:
            self._places[place.way] = self._places.pop(place.way)  # the last one used is the last one to go
        if self._idle > MAX_IDLE:
            await self._drop_oldest()

    async def discard(self, upstream: UpstreamH1 | UpstreamH2) -> None:
        """Close a connection, or the stream of a shared one, and tell the addons."""
        if isinstance(upstream, UpstreamH2):
            upstream.close()
            return
        self._free(self._places[upstream.way])
        await self._dialler.closed(upstream.server, upstream.stream)

    def _free(self, place: _Place) -> None:
        place.busy -= 1
        if place.waiting:
            place.call_next()
        elif place.is_empty:
            self._places.pop(place.way, None)

    async def _drop_oldest(self) -> None:
        for place in self._places.values():
            if place.idle:
                upstream = place.idle.pop(0)
                self._idle -= 1
                if place.is_empty:
                    del self._places[place.way]
                await self._dialler.closed(upstream.server, upstream.stream)
                return

    async def close(self) -> None:
        """Close all that are idle, at once, whatever addons do meanwhile; shared ones, too: their users are gone."""
        idle = [upstream for place in self._places.values() for upstream in place.idle]
        links = [place.link for place in self._places.values() if place.link is not None]
        opened = [place.opened for place in self._places.values() if place.opened is not None]
        self._places.clear()
        for upstream in idle:
            upstream.stream.close()
        for upstream in idle:
            await self._dialler.closed(upstream.server, upstream.stream)
        for link in links:
            await link.close()
        for server, stream in opened:
            await self._dialler.closed(server, stream)

    @property
    def _dialler(self) -> Dialler:
        return self._context.dialler
