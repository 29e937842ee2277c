"""A connection whose protocol is not understood: bytes go through as they come, each piece a message of a TCP flow.

Used for what CONNECT or an Upgrade opens and no other protocol claims. Each direction ends by itself (half-close).
"""

import time

from midstream.flows.connection import Server
from midstream.flows.flow import Error
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.proxy.client_context import ClientContext
from midstream.proxy.duplex import both
from midstream.proxy.errors import FlowKilled
from midstream.proxy.streams.stream import Stream


async def tunnel(client: Stream, server_stream: Stream, server: Server, context: ClientContext) -> None:
    """Both directions until both have ended, with the events of a TCP flow. Raises CancelledError when the client
    left.
    """
    flow = TCPFlow(context.client, server, True)
    context.watch.busy = True
    try:
        await context.events.tcp_start(flow)
        await _both_directions(flow, client, server_stream, context)
    except FlowKilled:
        client.abort()
        server_stream.abort()
    except OSError as exc:
        flow.error = Error(f"the connection broke: {exc}")
        client.abort()
        server_stream.abort()
    except BaseException:
        flow.error = Error(context.watch.reason or "the connection was closed")
        raise
    finally:
        flow.resume()  # there is nothing left to hold
        flow.live = False
        if flow.error is None:
            await context.events.tcp_end(flow)
        else:
            await context.events.tcp_error(flow)


async def _both_directions(flow: TCPFlow, client: Stream, server: Stream, context: ClientContext) -> None:
    # A client that ends its direction has not left: the server may still answer.
    context.watch.busy = False
    await both(
        _pump(flow, client, server, context, from_client=True), _pump(flow, server, client, context, from_client=False)
    )


async def _pump(flow: TCPFlow, source: Stream, sink: Stream, context: ClientContext, *, from_client: bool) -> None:
    """One direction, message by message, until its end is passed on."""
    events, keeper = context.events, _Keeper(flow, context.settings.body_buffer_limit)
    while data := await source.read():
        context.watch.expect(context.settings.idle_timeout, "no byte passed in either direction")
        message = TCPMessage(from_client, data, time.time())
        keeper.keep(message)
        await events.tcp_message(flow)
        if flow.error is not None:
            raise FlowKilled(flow.error.msg)
        if message.content:
            sink.write(message.content)
            await sink.drain()
    sink.write_eof()


class _Keeper:
    """Adds messages to the flow and forgets the oldest once they hold more bytes than a flow may keep."""

    __slots__ = ("_flow", "_left")

    def __init__(self, flow: TCPFlow, most: int) -> None:
        self._flow = flow
        self._left = most

    def keep(self, message: TCPMessage) -> None:
        messages = self._flow.messages
        messages.append(message)
        self._left -= len(message.content)
        while self._left < 0 and len(messages) > 1:
            self._left += len(messages.pop(0).content)
            self._flow.metadata["messages_dropped"] = self._flow.metadata.get("messages_dropped", 0) + 1
