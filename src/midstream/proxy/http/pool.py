"""The upstream connections of one client connection, kept for its next requests.

They are never shared between clients: what one client's credentials opened (NTLM, client certificates) stays its own.
"""

from dataclasses import dataclass, field

from midstream.flows.connection import Server
from midstream.flows.http import HTTPFlow
from midstream.flows.server_spec import ServerSpec
from midstream.proxy.dial import Dialler
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.http.sides import Destination
from midstream.proxy.http.upstream_h1 import UpstreamH1
from midstream.proxy.watch import Watch
from midstream.text.url import hostport

# Idle connections that a client connection may keep; a browser's plain-http connection goes to many hosts.
MAX_IDLE = 8

Way = tuple[Destination, ServerSpec | None]
"""A destination, and the parent proxy that it is reached through."""


@dataclass(slots=True)
class Pool:
    """Upstream connections by destination."""

    dialler: Dialler
    watch: Watch
    current: Server
    """The server that the next flow most likely goes to: the one used last, or the tunnel's own."""
    tunnel: Destination | None = None
    """Where the client's CONNECT went, whose SNI is the client's own."""
    sni: str | None = None
    _idle: dict[Way, UpstreamH1] = field(default_factory=dict)
    _failed: dict[Destination, str] = field(default_factory=dict)

    def expected(self, host: str, port: int) -> Server:
        """The server that a request for this address will most likely go to, connected or not."""
        if self.current.address != (host, port):
            self.current = self.dialler.server((host, port))
        return self.current

    async def connect(self, flow: HTTPFlow) -> UpstreamH1:
        """A connection for this request: an idle one if it still stands, else a new one. Raises UpstreamFailed."""
        request = flow.request
        key = (request.scheme, request.host, request.port)
        upstream = self._idle.pop((key, flow.server_conn.via), None)
        if upstream is not None:
            # What came while nothing was asked answers nothing: it would be taken for the answer to this request. It
            # may also be a goodbye, so it is looked at first.
            if not upstream.stream.take() and upstream.reusable:
                flow.server_conn = upstream.server
                return upstream
            await self.discard(upstream)
        return await self.connect_anew(flow)

    async def connect_anew(self, flow: HTTPFlow) -> UpstreamH1:
        """A new connection for this request, whatever is idle. Raises UpstreamFailed."""
        request = flow.request
        key = (request.scheme, request.host, request.port)
        if failure := self._failed.pop(key, None):
            raise UpstreamFailed(failure)  # of the connection that the flow shows already
        server, via = self.current, flow.server_conn.via
        if server.address != (request.host, request.port) or server.timestamp_start is not None or server.via != via:
            server = Server(address=(request.host, request.port), via=via)
        flow.server_conn = self.current = server
        tls = request.scheme == "https"
        if tls and server.sni is None:
            server.sni = self.sni if key == self.tunnel and self.sni else request.host
        if via is not None and via[0] != "socks5" and not tls and self.tunnel is None:
            return await self._open_parent(server, key)
        stream = await self.dialler.open(server, tls=tls)
        return UpstreamH1(server, stream, key, self.dialler.settings, self.watch)

    async def _open_parent(self, server: Server, key: Destination) -> UpstreamH1:
        """The parent proxy takes plain requests as they are, and needs no tunnel for them."""
        stream = await self.dialler.open_parent(server)
        upstream = UpstreamH1(server, stream, key, self.dialler.settings, self.watch)
        upstream.to_parent = self.dialler.fields_for_parent()
        assert server.via is not None
        upstream.where = f"the parent proxy {hostport('', *server.via[1])}"
        upstream.did_not_answer = f"{upstream.where} did not answer"
        return upstream

    def adopt(self, upstream: UpstreamH1) -> None:
        """Take in a connection that was opened before the first request (the tunnel's)."""
        self.current = upstream.server
        self._idle[upstream.key, upstream.server.via] = upstream

    def fail_next(self, key: Destination, reason: str) -> None:
        """The connection for `key` has failed already: its first request is told so instead of failing once more."""
        self._failed[key] = reason

    async def release(self, upstream: UpstreamH1) -> None:
        """Keep a connection for the next request, if it can carry one."""
        if not upstream.reusable:
            await self.discard(upstream)
            return
        self._idle[upstream.key, upstream.server.via] = upstream
        if len(self._idle) > MAX_IDLE:
            await self.discard(self._idle.pop(next(iter(self._idle))))

    async def discard(self, upstream: UpstreamH1) -> None:
        """Close a connection and tell the addons."""
        await self.dialler.closed(upstream.server, upstream.stream)

    async def close(self) -> None:
        """Close all that are idle, at once, whatever addons do meanwhile."""
        idle = list(self._idle.values())
        self._idle.clear()
        for upstream in idle:
            upstream.stream.close()
        for upstream in idle:
            await self.discard(upstream)
