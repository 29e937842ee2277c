"""A connection whose protocol is not understood: bytes go through as they come, each piece a message of a TCP flow.

Used for what CONNECT or an Upgrade opens and no other protocol claims. Each direction ends by itself (half-close).
"""

import time
from collections.abc import Awaitable, Callable

from midstream.flows.connection import Server
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.proxy.client_context import ClientContext
from midstream.proxy.errors import FlowKilled, Unsendable, UpstreamFailed
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.talk import Talk, Telling


class TCPTalk(Talk[TCPMessage]):
    """A TCP connection while it lasts."""

    __slots__ = ()

    def __init__(self, server: Server, context: ClientContext) -> None:
        events = context.events
        telling = Telling(events.tcp_start, events.tcp_message, events.tcp_end, events.tcp_error)
        super().__init__(TCPFlow(context.client, server, True), telling, context, context.settings.idle_timeout)

    def message(self, from_client: bool, data: bytes) -> TCPMessage:
        return TCPMessage(from_client, data, time.time())


async def tunnel(
    client: Stream, connect: Callable[[], Awaitable[Stream]], server: Server, context: ClientContext
) -> None:
    """Both directions until both have ended, with the events of a TCP flow.

    `connect` gives the stream to `server`, or raises UpstreamFailed. Raises CancelledError when the client left.
    """
    talk = TCPTalk(server, context)
    upstream: Stream | None = None
    async with talk.live():
        try:
            await talk.begin()
            upstream = await connect()
            # A client that ends its direction has not left: the server may still answer.
            context.watch.busy = False
            await talk.run(client, upstream)
        except UpstreamFailed:
            client.close()
            raise
        except (FlowKilled, Unsendable, OSError):
            client.abort()
            if upstream is not None:
                upstream.abort()
            raise
