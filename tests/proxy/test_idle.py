"""What a connection keeps while it waits for its next request."""

import gc
import weakref

from midstream.flows.http import HTTPFlow
from tests.kit.conversation import conversation
from tests.kit.waiting import until


class Weakly:
    """An addon that knows flows only as long as somebody else does."""

    def __init__(self) -> None:
        self.flows: list[weakref.ref[HTTPFlow]] = []

    def response(self, flow: HTTPFlow) -> None:
        self.flows.append(weakref.ref(flow))


async def test_nothing_of_the_last_exchange():
    weakly = Weakly()
    async with conversation(weakly) as talk:
        for number in range(2):
            talk.say(b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
            server = await talk.server() if not number else talk.ends[0]
            await server.head()
            server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            await talk.client.until(b"hello")
            await until(lambda: not talk.context.watch.busy, "the connection is idle")
            talk.recorder.seen.clear()
            gc.collect()
            await until(lambda: weakly.flows[-1]() is None, "the flow is gone")
