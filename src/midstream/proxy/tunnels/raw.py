"""A connection whose protocol is not understood: bytes go through as they come, each piece a message of a TCP flow.

Used for what CONNECT or an Upgrade opens and no other protocol claims. Each direction ends by itself (half-close).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from midstream.flows.connection import Server
from midstream.flows.flow import Error
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import both
from midstream.proxy.errors import FlowKilled, Unsendable, UpstreamFailed, check_alive, is_killed
from midstream.proxy.streams.stream import Stream

logger = logging.getLogger("midstream.proxy")

# What a message costs beside its bytes: without it, a tunnel of single bytes would hold a hundred times its limit.
MESSAGE_OVERHEAD = 200


async def tunnel(
    client: Stream, connect: Callable[[], Awaitable[Stream]], server: Server, context: ClientContext
) -> None:
    """Both directions until both have ended, with the events of a TCP flow.

    `connect` gives the stream to `server`, or raises UpstreamFailed. Raises CancelledError when the client left.
    """
    flow = TCPFlow(context.client, server, True)
    flow.killed_callback = context.watch.flow_killed
    context.watch.busy = True
    context.watch.rest()
    upstream: Stream | None = None
    try:
        await context.events.tcp_start(flow)
        check_alive(flow)
        upstream = await connect()
        await _both_directions(flow, client, upstream, context)
    except UpstreamFailed as exc:
        _fail(flow, exc, context)
        client.close()
    except (FlowKilled, Unsendable, OSError) as exc:
        _fail(flow, exc, context)
        client.abort()
        if upstream is not None:
            upstream.abort()
    except BaseException:
        if not is_killed(flow):
            flow.error = Error(context.watch.reason or "the connection was closed")
        raise
    finally:
        flow.resume()  # there is nothing left to hold
        flow.live, flow.killed_callback = False, None
        with context.watch.settling():
            if flow.error is None:
                await context.events.tcp_end(flow)
            else:
                await context.events.tcp_error(flow)


def _fail(flow: TCPFlow, exc: Exception, context: ClientContext) -> None:
    """Note the reason on the flow, and in the log unless somebody wanted it."""
    if is_killed(flow):
        return
    text = f"the connection broke: {exc}" if isinstance(exc, OSError) else str(exc)
    if isinstance(exc, Unsendable):
        text += context.events.authors.named(exc.at_fault)
    flow.error = Error(text)
    logger.warning("%s", text)


@dataclass(slots=True)
class _Conversation:
    """What the two directions share."""

    flow: TCPFlow
    context: ClientContext
    keeper: "_Keeper"
    turn: asyncio.Lock
    """One message at a time, so that the last one in the flow is the one that addons are told of."""


async def _both_directions(flow: TCPFlow, client: Stream, server: Stream, context: ClientContext) -> None:
    # A client that ends its direction has not left: the server may still answer.
    context.watch.busy = False
    shared = _Conversation(flow, context, _Keeper(flow, context.settings.body_buffer_limit), asyncio.Lock())
    await both(_pump(shared, client, server, from_client=True), _pump(shared, server, client, from_client=False))


async def _pump(shared: _Conversation, source: Stream, sink: Stream, *, from_client: bool) -> None:
    """One direction, message by message, until its end is passed on."""
    watch, patience = shared.context.watch, shared.context.settings.idle_timeout
    while True:
        if not shared.turn.locked():  # else the other direction is held
            watch.expect(patience, "no byte passed in either direction")
        data = await source.read()
        if not data:
            break
        async with shared.turn:
            watch.rest()
            content = await _told(shared, TCPMessage(from_client, data, time.time()))
            watch.expect(patience, "no byte passed in either direction")
        if content:
            sink.write(content)
            await sink.drain()
    sink.write_eof()


async def _told(shared: _Conversation, message: TCPMessage) -> bytes:
    """What goes on of a message after addons saw it. Raises FlowKilled, Unsendable."""
    shared.keeper.keep(message)
    await shared.context.events.tcp_message(shared.flow)
    check_alive(shared.flow)
    content: object = message.content
    if not isinstance(content, bytes | bytearray | memoryview):
        raise Unsendable(f"a message cannot be sent: its content is {type(content).__name__}, not bytes", message)
    return bytes(content)


class _Keeper:
    """Adds messages to the flow and forgets the oldest once they take more memory than a flow may."""

    __slots__ = ("_flow", "_held", "_most", "_sizes")

    def __init__(self, flow: TCPFlow, most: int) -> None:
        self._flow = flow
        self._most = most
        self._sizes: deque[int] = deque()
        self._held = 0

    def keep(self, message: TCPMessage) -> None:
        size = len(message.content) + MESSAGE_OVERHEAD
        self._flow.messages.append(message)
        self._sizes.append(size)
        self._held += size
        if self._held > self._most:
            self._forget()

    def _forget(self) -> None:
        """Drop a quarter at once: taking the first of a long list moves all the others."""
        count = 0
        while len(self._sizes) > 1 and self._held > self._most * 3 // 4:
            self._held -= self._sizes.popleft()
            count += 1
        del self._flow.messages[: min(count, len(self._flow.messages) - 1)]
        self._flow.metadata["messages_dropped"] = self._flow.metadata.get("messages_dropped", 0) + count
