"""The listeners that are open, and the tasks of the connections that they accept.

Made by `app.py`; the addon `proxyserver` starts and stops listeners and replaces `settings` when options change.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import Coroutine
from functools import partial
from types import TracebackType
from typing import Any

from midstream.flows.connection import Client, ConnectionState
from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ProxyMode, UpstreamMode
from midstream.flows.websocket import WebSocketData
from midstream.hub.events import Events
from midstream.hub.repeats import Repeats
from midstream.proxy.client_context import ClientContext
from midstream.proxy.connection import Serve, serve_client
from midstream.proxy.dial import Dialler
from midstream.proxy.held import Held, Holding
from midstream.proxy.listeners import MOST_CONVERSATIONS, Listening
from midstream.proxy.mode_servers import ModeServers
from midstream.proxy.modes.dns import serve_dns_mode
from midstream.proxy.modes.regular import serve_regular
from midstream.proxy.modes.reverse import serve_reverse
from midstream.proxy.modes.socks5 import serve_socks5
from midstream.proxy.modes.transparent import serve_transparent
from midstream.proxy.modes.upstream import serve_upstream
from midstream.proxy.open_files import ServerRoom, Share, most_clients
from midstream.proxy.settings import Settings
from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch, now

logger = logging.getLogger("midstream.proxy")

SWEEP_INTERVAL = 1.0
# How long open connections get to end by themselves when the proxy closes.
CLOSE_PATIENCE = 2.0

MODES: dict[str, Serve] = {
    "dns": serve_dns_mode,
    "regular": serve_regular,
    "reverse": serve_reverse,
    "socks5": serve_socks5,
    "transparent": serve_transparent,
    "upstream": serve_upstream,
}
"""What can be served, by the name of the mode; the other modes that `flows.proxy_mode` knows come later."""


class Proxy:
    """An async context manager: its connections live in it and end with it."""

    def __init__(self, events: Events, options: object) -> None:
        self.settings = Settings()
        self.connections: set[ClientContext] = set()
        self._replays: set[ClientContext] = set()
        self._watches: set[Watch] = set()
        self._events = events
        self._options = options
        listening = Listening(min(MOST_CONVERSATIONS, most_clients() // 2))
        self.servers = ModeServers(listening, self._accept)
        """What clients connect to. `change` is for the addon `proxyserver`, `start` is ours."""
        self._tasks = asyncio.TaskGroup()
        self._sweeper: asyncio.Task[None] | None = None
        self._context: contextvars.Context | None = None
        self._most = most_clients()
        self._room = ServerRoom()
        self._held = Held()
        self._repeats = Repeats()
        # One of each for all connections: a method is made anew, with 64 bytes, wherever it is named.
        self._latest = lambda: self.settings
        self._spawner = self._spawn
        self._full = False

    async def __aenter__(self) -> "Proxy":
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        await self._tasks.__aexit__(None, None, None)

    # -- listening --

    @property
    def listen_addrs(self) -> list[tuple[str, int]]:
        """Where clients can connect, by whatever transport, as the system reports it."""
        return list(dict.fromkeys(address for server in self.servers for address in server.listen_addrs))

    async def start(self) -> None:
        """Accept clients wherever `servers` listen."""
        # The handlers of events see the master that is running now, whoever's callback accepts the connection.
        self._context = contextvars.copy_context()
        if self._sweeper is None:
            self._sweeper = self._tasks.create_task(self._sweep())
        await self.servers.start()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self.servers.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        await asyncio.sleep(0)  # a task that is cancelled before its first step would never close its stream
        running = [*self.connections, *self._replays]
        tasks = [context.watch.task for context in running if context.watch.task is not None]
        for context in running:
            context.watch.end("midstream is shutting down")
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_PATIENCE)
        for task in tasks:
            task.cancel()

    # -- connections --

    def _has_room(self) -> bool:
        """Whether one more client can be served; a change is logged, and not each client that it concerns."""
        count = len(self.connections)
        if count >= self._most and not self._full:
            self._full = True
            logger.warning("%d clients are connected, and no more fit into the open files that the system allows this "
                           "process (`ulimit -n`): further ones are turned away", count)  # fmt: skip
        elif count < self._most // 2 and self._full:
            self._full = False
            logger.info("there is room for further clients again")
        return count < self._most

    def _accept(self, stream: Stream, mode: ProxyMode) -> None:
        if not self._has_room():
            stream.abort()
            return
        client = Client(
            peername=stream.peername or ("", 0),
            sockname=stream.sockname or ("", 0),
            timestamp_start=time.time(),
            state=ConnectionState.OPEN,
            transport_protocol=stream.transport,
            proxy_mode=mode,
        )
        context = self._context_for(client)
        watch = context.watch
        stream.on_lost = partial(_conversation_ended, watch, stream) if stream.transport == "udp" else watch.client_left
        self.connections.add(context)
        self._watches.add(watch)
        work = serve_client(stream, MODES[mode.type_name], context)
        watch.task = self._tasks.create_task(work, context=self._context)
        # Not within the task: one that is cancelled before its first step comes to no end of its own.
        watch.task.add_done_callback(partial(self._over, context))

    def _context_for(self, client: Client) -> ClientContext:
        dialler = Dialler(client, self._events, self.settings, self._options, share=Share(self._room))
        return ClientContext(
            client, self._events, self.settings, Watch(), dialler, self._latest, self._spawner, self._watches,
            Holding(self._held), self._repeats,
        )  # fmt: skip

    def replay(
        self, flow: HTTPFlow, recorded: WebSocketData | None = None, parent: UpstreamMode | None = None
    ) -> asyncio.Task[None]:
        """Send the request of a flow that is not under way, and fill the flow with what comes back; `recorded` is what
        its WebSocket is to say. `parent`: the mode whose parent proxy it goes through. The task ends, without a
        failure, when the exchange is over.
        """
        # Imported here: most runs replay nothing.
        from midstream.proxy.replay import send, stand_in

        client = stand_in(flow.client_conn)
        context = self._context_for(client)
        if parent is not None:
            client.proxy_mode = parent
            context.dialler.via = parent.scheme, parent.address
        flow.client_conn, flow.live = client, True
        self._replays.add(context)
        self._watches.add(context.watch)
        task = context.watch.task = self._tasks.create_task(send(flow, recorded, context))
        task.add_done_callback(partial(self._over, context))
        return task

    def _over(self, context: ClientContext, task: object) -> None:
        self.connections.discard(context)
        self._replays.discard(context)
        self._watches.discard(context.watch)
        if self._full:
            self._has_room()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(_contained(work), context=self._context)

    async def _sweep(self) -> None:
        """End what has been silent for longer than its connection is patient."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            moment = now()
            for watch in list(self._watches):
                if watch.deadline < moment:
                    watch.expire()


def _conversation_ended(watch: Watch, stream: Stream) -> None:
    """UDP clients do not leave; it is the listener that ends a conversation."""
    assert isinstance(stream, DatagramStream)
    watch.end(stream.why)


async def _contained(work: Coroutine[Any, Any, None]) -> None:
    """The border of a task that belongs to no connection: a mistake of ours is logged, and everything goes on."""
    try:
        await work
    except Exception:
        logger.exception("a task of the proxy failed unexpectedly")
