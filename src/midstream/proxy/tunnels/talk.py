"""What the tunnels of TCP and UDP share: a live flow of messages, its events, and how much of it is kept.

`raw.py` and `udp.py` say what one message is and how a conversation ends. Nothing here knows what carries the bytes.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from midstream.flows.flow import Error
from midstream.flows.tunnel import TunnelFlow, TunnelMessage
from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import while_lasting
from midstream.proxy.errors import FlowKilled, Unsendable, UpstreamFailed, check_alive, is_killed
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.keeper import Keeper, as_it_is_now
from midstream.work.slices import Budget

logger = logging.getLogger("midstream.proxy")

# What is written in one go; a datagram is never larger.
_PIECE = 256 * 1024

M = TypeVar("M", bound=TunnelMessage)


class Telling(NamedTuple):
    """The four events of one kind of flow."""

    start: Callable[[Any], Awaitable[None]]
    message: Callable[[Any], Awaitable[None]]
    end: Callable[[Any], Awaitable[None]]
    error: Callable[[Any], Awaitable[None]]


class Talk(ABC, Generic[M]):
    """One tunnel while it lasts. `patience` is for how many seconds both sides may be silent."""

    __slots__ = ("context", "ended", "flow", "injected", "keeper", "over", "patience", "telling", "turn")

    silence: ClassVar[str] = "no byte passed in either direction"
    has_an_end: ClassVar[bool] = True
    """Peers say that they have ended; whoever leaves otherwise makes it a failure."""

    def __init__(self, flow: TunnelFlow[M], telling: Telling, context: ClientContext, patience: float) -> None:
        self.flow = flow
        self.telling = telling
        self.context = context
        self.patience = patience
        self.keeper: Keeper[M] = Keeper(flow, context.settings, context.holding)
        self.turn = asyncio.Lock()
        """One message at a time, so that the last one in the flow is the one that addons are told of."""
        self.injected: asyncio.Queue[M] = asyncio.Queue()
        """Messages that no peer sent; they are told of and sent like the others."""
        self.ended: set[bool] = set()
        """The directions whose end was passed on: True for what comes from the client."""
        self.over = asyncio.Event()

    @abstractmethod
    def message(self, from_client: bool, data: bytes) -> M:
        """A message of this kind."""

    async def next(self, source: Stream, from_client: bool) -> bytes | None:
        """What `source` says next; None at its end. Raises OSError, UpstreamFailed."""
        return await source.receive()

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """The flow's life. How it ended is told at the end; what went wrong is noted on the flow, not raised.

        Raises CancelledError when the client left, and whatever else is none of our expected failures.
        """
        flow, context = self.flow, self.context
        flow.killed_callback = context.watch.flow_killed
        context.watch.busy = True
        context.watch.rest()
        try:
            yield
        except (UpstreamFailed, FlowKilled, Unsendable, OSError) as exc:
            self._fail(exc)
        except BaseException as exc:
            if not is_killed(flow) and (self.has_an_end or not isinstance(exc, asyncio.CancelledError)):
                flow.error = Error(context.watch.reason or "the connection was closed")
            raise
        finally:
            flow.resume()  # there is nothing left to hold
            flow.live, flow.killed_callback, flow.injector = False, None, None
            context.holding.release()
            with context.watch.settling():
                await (self.telling.end if flow.error is None else self.telling.error)(flow)

    async def begin(self) -> None:
        """Tell addons that there is a flow. Raises FlowKilled."""
        await self.telling.start(self.flow)
        check_alive(self.flow)

    async def run(self, client: Stream, server: Stream) -> None:
        """Both directions until both have ended. Raises FlowKilled, Unsendable, OSError."""
        self.flow.injector = self._inject
        await while_lasting(
            self.over,
            self._pump(client, server, from_client=True),
            self._pump(server, client, from_client=False),
            self._send_injected(client, server),
        )

    def _inject(self, message: M) -> None:
        """For the `inject` commands. Raises ValueError."""
        if message.from_client in self.ended:
            raise ValueError("that direction has ended")
        self.injected.put_nowait(message)

    async def _send_injected(self, client: Stream, server: Stream) -> None:
        while True:
            message = await self.injected.get()
            sink = server if message.from_client else client
            async with self.turn:
                self.context.watch.rest()
                content = await self.told(message)
                self.context.watch.expect(self.patience, self.silence)
                if len(content) > _PIECE:
                    content = await self._write_most(content, sink, message.from_client)
            if content and message.from_client not in self.ended:
                sink.write(content)
                await sink.drain()

    async def _pump(self, source: Stream, sink: Stream, *, from_client: bool) -> None:
        """One direction, message by message, until its end is passed on."""
        watch = self.context.watch
        while True:
            if not self.turn.locked():  # else the other direction is held
                watch.expect(self.patience, self.silence)
            try:
                data = await self.next(source, from_client)
            except OSError:
                if (not from_client) not in self.ended:
                    raise
                data = None  # the other side is done, and this one leaves: TLS is mostly ended like that
            if data is None:
                break
            async with self.turn:
                watch.rest()
                content = await self.told(self.message(from_client, data))
                watch.expect(self.patience, self.silence)
                if len(content) > _PIECE:
                    content = await self._write_most(content, sink, from_client)
            if content or not data:
                sink.write(content)
                await sink.drain()
        sink.write_eof()
        self.ended.add(from_client)
        if len(self.ended) == 2:
            self.over.set()

    async def _write_most(self, content: bytes, sink: Stream, from_client: bool) -> bytes:
        """Send a long message but for its end, which is returned. TLS has to encrypt it, and others want their turn."""
        at, budget = 0, Budget()
        while len(content) - at > _PIECE and from_client not in self.ended:
            sink.write(content[at : at + _PIECE])
            at += _PIECE
            if budget.spent():
                await budget.rest()
        return content[at:]

    async def told(self, message: M) -> bytes:
        """What goes on of a message after addons saw it. Raises FlowKilled, Unsendable."""
        self.keeper.keep(self.flow.messages, message)
        await self.telling.message(self.flow)
        check_alive(self.flow)
        message = as_it_is_now(self.flow.messages, message)
        content: object = message.content
        if not isinstance(content, bytes | bytearray | memoryview):
            raise Unsendable(f"a message cannot be sent: its content is {type(content).__name__}, not bytes", message)
        return bytes(content)

    def _fail(self, exc: Exception) -> None:
        """Note the reason on the flow, and in the log unless somebody wanted it."""
        if is_killed(self.flow):
            return
        text = f"the connection broke: {exc}" if isinstance(exc, OSError) else str(exc)
        if isinstance(exc, Unsendable):
            text += self.context.events.authors.named(exc.at_fault)
        self.flow.error = Error(text)
        self.context.repeats.warn(logger, text, flow=self.flow.id)
