"""A WebSocket once its handshake is done: messages become events, everything else passes on as it comes.

Called where a 101 goes to a client, and for RFC 8441 over HTTP/2. What nobody changes goes on byte for byte. While one
message waits for an addon or a person, pings, pongs and further messages are still read; the messages queue behind it.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable

from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketData, WebSocketMessage
from midstream.hub.emitters import FINISHED
from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import while_lasting
from midstream.proxy.errors import FlowKilled, Unsendable, check_alive, is_killed
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.keeper import Keeper, as_it_is_now
from midstream.proxy.websocket.handshake import agreement, extensions_in
from midstream.proxy.websocket.way import MOST_QUEUED, Item, Way, weight
from midstream.wire.websocket import ABNORMAL, MESSAGE_TOO_BIG, Broken, Close, Control, Message
from midstream.work.slices import Budget

logger = logging.getLogger("midstream.proxy")

SILENT = "no byte passed in either direction"
CLOSE_PATIENCE = 10.0
"""Seconds without a byte that the other side gets to answer a close frame."""
GOING_AWAY = 1001
INTERNAL_ERROR = 1011


async def serve_websocket(
    flow: HTTPFlow, client: Stream, server: Stream, context: ClientContext, accepted: str
) -> None:
    """Both directions until the WebSocket is closed; closing the streams is left to the caller, unless the flow was
    killed. `accepted`: the server's Sec-WebSocket-Extensions. Raises CancelledError when the connection has to end.
    """
    context.watch.busy = True
    context.watch.rest()
    conversation = _Conversation(flow, client, server, context, accepted)
    try:
        await conversation.run()
    except (FlowKilled, Unsendable) as failure:
        conversation.fail(failure)
    except BaseException:
        conversation.interrupt()
        raise
    finally:
        conversation.settle()
        with context.watch.settling():
            await context.events.websocket_end(flow)


class _Conversation:
    """One WebSocket while it lasts."""

    __slots__ = ("_busy", "_context", "_flow", "_keeper", "_over", "_patience", "_queue", "_to_client", "_to_server",
                 "_told", "_verdict", "_waiting", "_wake")  # fmt: skip

    def __init__(self, flow: HTTPFlow, client: Stream, server: Stream, context: ClientContext, accepted: str) -> None:
        self._flow = flow
        self._context = context
        self._keeper: Keeper[WebSocketMessage] = Keeper(flow, context.settings, context.holding)
        self._patience = context.settings.idle_timeout
        self._over = asyncio.Event()
        self._wake = asyncio.Event()
        # One message at a time, so that the last one in the flow is the one that addons are told of.
        self._busy = False
        self._queue: deque[tuple[Way, Item]] = deque()
        self._waiting: tuple[Way, Message | WebSocketMessage, WebSocketMessage] | None = None
        self._told: Awaitable[None] = FINISHED
        # What to close with towards the side that broke the protocol, once the other one has said its last.
        self._verdict: tuple[Way, Broken] | None = None
        theirs = agreement(accepted)
        ours = agreement(extensions_in(flow.response.headers)) if flow.response is not None else None
        client_thinks, server_thinks = ours or (None, None), theirs or (None, None)
        most = largest_message(context.settings)
        self._to_server = Way(client, server, client_thinks[0], server_thinks[0], most, from_client=True)
        self._to_client = Way(server, client, server_thinks[1], client_thinks[1], most, from_client=False)

    async def run(self) -> None:
        """From `websocket_start` to the last close. Raises FlowKilled, Unsendable."""
        await self._context.events.websocket_start(self._flow)
        check_alive(self._flow)
        # A client that leaves is noticed by whoever reads: what it said before still counts.
        self._context.watch.busy = False
        self._flow.injector = self._inject
        await while_lasting(self._over, self._pump(self._to_server), self._pump(self._to_client), self._work_off())

    # -- reading --

    async def _pump(self, way: Way) -> None:
        """One direction, until its close frame, its end or its failure is in the queue."""
        watch, source = self._context.watch, way.source
        try:
            while True:
                if not self._busy:
                    watch.expect(self._patience, SILENT)
                data = await source.read()
                if not data:
                    break
                budget = Budget()
                for event in way.reader.feed(data):
                    if isinstance(event, Control):
                        way.send_control(event.raw)
                    elif event is not None:
                        self._take(way, event)
                        if not isinstance(event, Message):
                            return
                    if way.queued > MOST_QUEUED:
                        await self._until_room(way)
                    if budget.spent():
                        await budget.rest()
                if not way.fits(self._context.holding, self._context.settings.total_buffer_limit):
                    self._take(way, Broken(MESSAGE_TOO_BIG, "all flows together hold more than total_buffer_limit"))
                    return
                await self._until_room(way)
        except OSError:
            pass  # reset, which is an end like any other here
        finally:
            way.is_read = False
        self._take(way, None)

    async def _until_room(self, way: Way) -> None:
        """Wait while too much of this direction is on its way already."""
        while way.queued > MOST_QUEUED:
            way.room.clear()
            await way.room.wait()
        try:
            await way.sink.drain()
        except OSError:
            # Who took these bytes is gone. Whoever reads what it said last will find out, unless it was a goodbye.
            if not self._back(way).is_read:
                self._take(self._back(way), None)
                await self._over.wait()

    # -- one after the other --

    def _take(self, way: Way, item: Item) -> None:
        """Deal with it now; or put it behind what is waiting already."""
        if self._over.is_set():
            return
        if self._busy:
            self._put(way, item)
            return
        self._busy = True
        self._begin(way, item)
        if self._waiting is not None:
            if self._told is not FINISHED:
                self._context.watch.rest()
                self._wake.set()
                return
            self._finish()
        if self._queue or way.is_under_way:  # an addon injected something meanwhile, or it is long
            self._wake.set()
        else:
            self._busy = False

    def _put(self, way: Way, item: Item) -> None:
        way.queued += weight(item)
        self._queue.append((way, item))

    async def _work_off(self) -> None:
        """What has to wait waits here, so that both sides are read meanwhile."""
        watch, budget = self._context.watch, Budget()
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._complete(budget)
            while self._queue and not self._over.is_set():
                way, item = self._queue.popleft()
                way.queued -= weight(item)
                way.room.set()
                self._begin(way, item)
                await self._complete(budget)
                if budget.spent():
                    await budget.rest()
            self._busy = False
            watch.expect(self._patience, SILENT)

    async def _complete(self, budget: Budget) -> None:
        """Deal with the rest of a message: wait for addons, and send what is left of it."""
        if self._waiting is not None:
            self._context.watch.rest()
            told, self._told = self._told, FINISHED
            await told
            self._finish()
        for way in (self._to_server, self._to_client):
            while way.is_under_way:
                way.go_on()
                if budget.spent():
                    await budget.rest()

    def _begin(self, way: Way, item: Item) -> None:
        """The first half of dealing with an item: all of it, but for messages, of which addons are told now."""
        match item:
            case Message(opcode, content):
                shown = WebSocketMessage(opcode, way.from_client, content, time.time())
            case WebSocketMessage():
                shown = item
            case Close():
                self._pass_close(way, item)
                return
            case Broken():
                self._break(way, item)
                return
            case None:
                self._note_end(ABNORMAL, None, way.from_client)
                self._over.set()
                return
        self._keeper.keep(self._data().messages, shown)
        self._waiting = (way, item, shown)
        self._told = self._context.events.websocket_message(self._flow)

    def _finish(self) -> None:
        """The second half for a message: what addons left of it goes on. Raises FlowKilled, Unsendable."""
        assert self._waiting is not None
        (way, item, shown), self._waiting = self._waiting, None
        check_alive(self._flow)
        way.send(item, as_it_is_now(self._data().messages, shown))

    def _inject(self, message: WebSocketMessage) -> None:
        """Send a message that no peer sent, after those that wait already."""
        way = self._to_server if message.from_client else self._to_client
        if way.closed:
            raise ValueError("the WebSocket is being closed in that direction")
        self._put(way, message)
        if not self._busy:
            self._busy = True
            self._wake.set()

    # -- the end --

    def _pass_close(self, way: Way, close: Close) -> None:
        """A close frame goes on as it came. The one that answers it ends the WebSocket."""
        self._note_end(close.code, close.reason, way.from_client)
        if not way.closed and self._verdict is None:
            way.closed = True
            way.sink.write(close.raw)
        if self._back(way).closed:
            self._over.set()
        else:
            self._await_answer()

    def _break(self, way: Way, broken: Broken) -> None:
        """One side has broken the protocol, or sent too much, and is not heard any more. The other one, who has done
        nothing wrong, may answer what it was told before, as if both were connected without us; then each gets its own
        close.
        """
        self._note_end(broken.code, broken.reason, way.from_client)
        did = "sent too much" if broken.code == MESSAGE_TOO_BIG else "broke the WebSocket protocol"
        text = f"the {'client' if way.from_client else 'server'} {did}: {broken.reason}"
        if self._flow.error is None:
            self._flow.error = Error(text)
            logger.warning("%s: %s", self._flow.request.url, text, extra={"flow": self._flow.id})
        back = self._back(way)
        if self._verdict is None:
            way.close(INTERNAL_ERROR, text)
        if self._verdict is None and not back.closed:
            self._verdict = back, broken
            self._await_answer()
        else:
            self._over.set()

    def _await_answer(self) -> None:
        """A close frame has gone out; the one that answers it will be the last."""
        self._patience = min(self._patience, CLOSE_PATIENCE)
        self._context.watch.expect(self._patience, SILENT)

    def _close_both(self, code: int, reason: str) -> None:
        self._to_client.close(code, reason)
        self._to_server.close(code, reason)

    def _note_end(self, code: int, reason: str | None, by_client: bool | None) -> None:
        """How it ended; the first cause counts."""
        data = self._data()
        if data.timestamp_end is None:
            data.close_code, data.close_reason, data.closed_by_client = code, reason, by_client
            data.timestamp_end = time.time()

    def fail(self, failure: FlowKilled | Unsendable) -> None:
        """An addon or a person has ended it."""
        if isinstance(failure, Unsendable):
            text = f"{failure}{self._context.events.authors.named(failure.at_fault)}"
            self._flow.error = Error(text)
            logger.warning("%s: %s", self._flow.request.url, text, extra={"flow": self._flow.id})
            self._close_both(INTERNAL_ERROR, "")
            self._note_end(INTERNAL_ERROR, "", None)
        else:
            self._abort()

    def interrupt(self) -> None:
        """The connection has to end: it was silent for too long, was killed, or the proxy stops."""
        if is_killed(self._flow):
            self._abort()
            return
        reason = self._context.watch.reason or "the connection was closed"
        if self._data().timestamp_end is None:
            self._flow.error = Error(reason)
            self._close_both(GOING_AWAY, reason)
            self._note_end(GOING_AWAY, reason, None)

    def _abort(self) -> None:
        self._to_client.sink.abort()
        self._to_server.sink.abort()
        self._note_end(ABNORMAL, None, None)

    def settle(self) -> None:
        """There is nothing left to hold, to kill or to inject into."""
        flow = self._flow
        if self._verdict is not None:
            back, broken = self._verdict
            back.close(broken.code, broken.reason)
        if asyncio.iscoroutine(self._told):
            self._told.close()
        flow.resume()
        flow.live, flow.killed_callback, flow.injector = False, None, None
        self._note_end(ABNORMAL, None, None)

    # -- small --

    def _back(self, way: Way) -> Way:
        return self._to_client if way.from_client else self._to_server

    def _data(self) -> WebSocketData:
        """Whatever an addon, or an undo, made of it."""
        data = self._flow.websocket
        if data is None:
            data = self._flow.websocket = WebSocketData()
        return data


def largest_message(settings: Settings) -> int:
    """Bytes after decompression; what is larger closes the WebSocket with 1009."""
    limit = settings.body_size_limit
    return settings.body_buffer_limit if limit is None else min(limit, settings.body_buffer_limit)
