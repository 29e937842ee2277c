"""Serving DNS to one client: its queries, which may overlap, and the servers that they are sent on to.

Used by the mode `dns`, by `reverse:dns://` and for what runs to a DNS port inside of other modes. `query.py` is the way
of one query. Nothing is resolved here: who answers from what this machine knows is the addon `dnsresolver`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from midstream.flows.connection import Server
from midstream.proxy.client_context import ClientContext
from midstream.proxy.dns.messages import Messages, Origin, format_error
from midstream.proxy.dns.query import Query
from midstream.proxy.dns.upstream import Upstream
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.udp import UDP_IDLE

logger = logging.getLogger("midstream.proxy")

MOST_QUERIES = 100
"""How many queries of one client may be under way; until one is answered, no further one is read."""

NO_SERVER = "no name server is known that could be asked"

Connect = Callable[[], Awaitable[Stream]]
Place = tuple[object, object]


async def serve_dns(client: Stream, connect: Connect | None, server: Server, context: ClientContext, tcp: bool) -> None:
    """Serve a client until it leaves, or is silent for too long. Raises CancelledError.

    `connect` gives a stream to `server`, or raises UpstreamFailed; it is called when a query has to be sent on. None:
    to which server a query goes is for those to say who handle `dns_request`. `tcp`: messages follow their length.
    """
    await Conversation(client, connect, server, context, tcp).serve()


class Conversation:
    """What one client asks, and the connections to servers that this takes."""

    def __init__(
        self, client: Stream, connect: Connect | None, server: Server, context: ClientContext, tcp: bool
    ) -> None:
        self.context = context
        self.client = Messages(client, framed=tcp)
        self.server = server
        self._connect = connect
        self._tasks = asyncio.TaskGroup()
        self._reading: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(MOST_QUERIES)
        self._busy = 0
        """How many messages of the client are worked on."""
        self._under_way: dict[bytes, Query] = {}
        self._upstreams: dict[Place, tuple[Upstream, asyncio.Task[None]]] = {}
        self._dialling = asyncio.Lock()
        self._has_complained = False

    async def serve(self) -> None:
        """See `serve_dns`."""
        self.context.watch.busy = False
        try:
            async with self._tasks:
                self._reading = self._tasks.create_task(self._read())
                await asyncio.wait([self._reading])
                for _ in range(MOST_QUERIES):  # who has asked all that it will ask still gets the answers
                    await self._room.acquire()
                for _, listening in self._upstreams.values():
                    listening.cancel()
            self.client.stream.write_eof()
        finally:
            for upstream, _ in self._upstreams.values():
                await self.context.dialler.closed(upstream.server, upstream.messages.stream)

    async def _read(self) -> None:
        while True:
            await self._room.acquire()
            self._be_patient()
            try:
                raw = await self.client.receive()
            except OSError:
                raw = None
            except BaseException:
                self._room.release()
                raise
            if raw is None:
                self._room.release()
                return
            self.context.watch.rest()
            self._busy += 1
            self._tasks.create_task(self._take(raw))

    async def _take(self, raw: bytes) -> None:
        """A message from the client."""
        try:
            known = self._under_way.get(raw)
            if known is not None and not self.client.framed:
                await known.ask_again()  # over UDP nothing is certain to arrive, so clients repeat themselves
            else:
                await self._answer(raw)
        except OSError:
            pass  # the client is gone
        finally:
            self._busy -= 1
            self._room.release()
            self._be_patient()

    async def _answer(self, raw: bytes) -> None:
        try:
            origin = Origin(raw)
        except ValueError as exc:
            self._complain(f"what a client sent is no DNS message: {exc}")
            if (refusal := format_error(raw)) is not None:
                await self.client.send(refusal)
            return
        if not origin.entry.query:
            self._complain("a client sent an answer, to which there was no query")
            return
        query = Query(origin, self.client, self._new_server(), self._upstream, self.context)
        self._under_way[raw] = query
        try:
            await query.answer()
        finally:
            if self._under_way.get(raw) is query:
                del self._under_way[raw]

    def _be_patient(self) -> None:
        """While queries are under way nothing is due: servers have a limit of their own, and people have none."""
        if not self._busy:
            patience = self.context.settings.idle_timeout if self.client.framed else UDP_IDLE
            self.context.watch.expect(patience, "the client asked nothing more")

    def _complain(self, text: str) -> None:
        """Once for a conversation: who sends one such message can send many."""
        if not self._has_complained:
            self._has_complained = True
            logger.warning("%s", text, extra={"client": self.context.client.peername})

    # -- servers --

    def _new_server(self) -> Server:
        """The record of the server that a new flow begins with: each has its own, which addons may change."""
        transport: Literal["tcp", "udp"] = "tcp" if self.client.framed else "udp"
        return Server(address=self.server.address, via=self.server.via, transport_protocol=transport)

    async def _upstream(self, server: Server) -> Upstream:
        """The open connection to where a flow wants to go. Raises UpstreamFailed."""
        if server.address is None:
            raise UpstreamFailed(NO_SERVER)
        place = (server.address, server.via)
        async with self._dialling:
            found, _ = self._upstreams.get(place, (None, None))
            if found is not None:
                if not found.has_ended:
                    return found
                await self.context.dialler.closed(found.server, found.messages.stream)
            if self._connect is not None and place == (self.server.address, self.server.via):
                server, stream = self.server, await self._connect()
            elif self.client.framed:
                stream = await self.context.dialler.open_tcp(server)
            else:
                stream = await self.context.dialler.open_udp(server)
            upstream = Upstream(server, Messages(stream, framed=self.client.framed))
            self._upstreams[place] = upstream, self._tasks.create_task(self._listen(upstream))
            return upstream

    async def _listen(self, upstream: Upstream) -> None:
        await upstream.listen()
        if upstream.server is self.server and self._reading is not None:
            self._reading.cancel()  # the one connection that this was about has ended
