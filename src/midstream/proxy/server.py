"""The listeners that are open, and the tasks of the connections that they accept.

Made by `app.py`; the addon `proxyserver` starts and stops listeners and replaces `settings` when options change.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from midstream.flows.connection import Client, ConnectionState
from midstream.flows.proxy_mode import ProxyMode
from midstream.hub.events import Events
from midstream.proxy.client_context import ClientContext
from midstream.proxy.connection import Serve, serve_client
from midstream.proxy.dial import Dialler
from midstream.proxy.listeners import MOST_CONVERSATIONS, Listener, Listening, Transport
from midstream.proxy.modes.dns import serve_dns_mode
from midstream.proxy.modes.regular import serve_regular
from midstream.proxy.modes.reverse import serve_reverse
from midstream.proxy.modes.socks5 import serve_socks5
from midstream.proxy.modes.transparent import serve_transparent
from midstream.proxy.modes.upstream import serve_upstream
from midstream.proxy.open_files import most_clients
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
        self._watches: set[Watch] = set()
        self._events = events
        self._options = options
        self._listening = Listening(min(MOST_CONVERSATIONS, most_clients() // 2))
        self._listeners: dict[str, list[Listener]] = {}
        self._tasks = asyncio.TaskGroup()
        self._sweeper: asyncio.Task[None] | None = None
        self._context: contextvars.Context | None = None
        self._most = most_clients()
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
        """Where clients can connect, as the system reports it."""
        return [address for spec in self._listeners for address in self.addresses_of(spec)]

    def addresses_of(self, full_spec: str) -> list[tuple[str, int]]:
        """Where clients of one mode can connect, by TCP, UDP or both."""
        return list(dict.fromkeys([at for one in self._listeners.get(full_spec, ()) for at in one.addresses]))

    def addresses_over(self, transport: Transport) -> list[tuple[str, int]]:
        """Where clients of any mode can connect by TCP, or by UDP."""
        return [
            at for found in self._listeners.values() for one in found if one.transport == transport
            for at in one.addresses
        ]  # fmt: skip

    async def listen(self, mode: ProxyMode, host: str, port: int) -> None:
        """Accept clients for a mode. Raises ListenError."""
        # The handlers of events see the master that is running now, whoever's callback accepts the connection.
        self._context = contextvars.copy_context()
        serve = MODES[mode.type_name]
        opened = await self._listening.open(mode, host, port, lambda stream: self._accept(stream, mode, serve))
        self._listeners[mode.full_spec] = opened
        if self._sweeper is None:
            self._sweeper = self._tasks.create_task(self._sweep())

    async def stop_listening(self, full_spec: str) -> None:
        """Close the listeners of a mode. Its TCP connections go on; UDP conversations end with their socket."""
        for listener in self._listeners.pop(full_spec, ()):
            listener.close()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        for spec in list(self._listeners):
            await self.stop_listening(spec)
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        await asyncio.sleep(0)  # a task that is cancelled before its first step would never close its stream
        tasks = [context.watch.task for context in self.connections if context.watch.task is not None]
        for context in list(self.connections):
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

    def _accept(self, stream: Stream, mode: ProxyMode, serve: Serve) -> None:
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
        watch = Watch()
        dialler = Dialler(client, self._events, self.settings, self._options)
        context = ClientContext(
            client, self._events, self.settings, watch, dialler, lambda: self.settings, self._spawn, self._watches
        )
        if isinstance(stream, DatagramStream):
            # UDP clients do not leave; it is the listener that ends a conversation.
            stream.on_lost = lambda: watch.end(stream.why)
        else:
            stream.on_lost = watch.client_left
        self.connections.add(context)
        self._watches.add(watch)
        watch.task = self._tasks.create_task(serve_client(stream, serve, context), context=self._context)
        # Not within the task: one that is cancelled before its first step comes to no end of its own.
        watch.task.add_done_callback(lambda task: self._over(context))

    def _over(self, context: ClientContext) -> None:
        self.connections.discard(context)
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


async def _contained(work: Coroutine[Any, Any, None]) -> None:
    """The border of a task that belongs to no connection: a mistake of ours is logged, and everything goes on."""
    try:
        await work
    except Exception:
        logger.exception("a task of the proxy failed unexpectedly")
