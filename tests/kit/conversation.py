"""A client and its servers in memory, with the proxy between: say bytes, expect bytes, never sleep.

Used by the tests of `proxy/`. Everything between the two ends is real (events, exchange, codecs); only sockets and name
resolution are not there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from midstream.flows.connection import Client, ConnectionState, Server
from midstream.flows.flow import Flow
from midstream.flows.proxy_mode import ProxyMode
from midstream.hub.background import Background
from midstream.hub.events import Events
from midstream.proxy.client_context import ClientContext
from midstream.proxy.connection import Serve, serve_client
from midstream.proxy.dial import Dialler
from midstream.proxy.modes.regular import serve_regular
from midstream.proxy.settings import Settings
from midstream.proxy.streams.memory import memory_pair
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch

PATIENCE = 5.0

Pair = Callable[[int], tuple[Stream, Stream]]
"""Two joined ends, given how much may wait between them."""


class End:
    """The test's end of a stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.heard = b""

    def say(self, data: bytes) -> None:
        """Send bytes."""
        self.stream.write(data)

    async def expect(self, data: bytes) -> None:
        """The next bytes that come are exactly these."""
        got = await self.take(len(data))
        assert got == data, f"expected {data!r}, got {got!r} then {self.heard!r}"

    async def take(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end of the stream."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < size and (more := await self.stream.read()):
                self.heard += more
        got, self.heard = self.heard[:size], self.heard[size:]
        return got

    async def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        async with asyncio.timeout(PATIENCE):
            while mark not in self.heard:
                more = await self.stream.read()
                assert more, f"the stream ended before {mark!r}; got {self.heard!r}"
                self.heard += more
        got, _, self.heard = self.heard.partition(mark)
        return got + mark

    async def head(self) -> bytes:
        """A whole message head."""
        return await self.until(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Everything until the other side ends, resets included."""
        async with asyncio.timeout(PATIENCE):
            try:
                while more := await self.stream.read():
                    self.heard += more
            except ConnectionError:
                pass
        got, self.heard = self.heard, b""
        return got

    async def expect_closed(self) -> None:
        """The other side ended, without another byte."""
        assert await self.rest() == b""


class MemoryDialler(Dialler):
    """Connects to `Conversation.server()` instead of the network."""

    def __init__(self, *args: object, conversation: "Conversation") -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.conversation = conversation

    async def _connect(self, server: Server) -> Stream:
        server.timestamp_start = time.time()
        assert server.address is not None
        if server.address in self.conversation.refusing:
            raise ConnectionRefusedError("refused")
        if server.address in self.conversation.overflowing:
            raise OverflowError("port must be 0-65535")
        if server.address in self.conversation.silent:
            self.conversation.dialling.put_nowait(server.address)
            await asyncio.Event().wait()
        ours, theirs = self.conversation.pair(self.conversation.capacity)
        self.conversation.dialled.append(server.address)
        end = End(theirs)
        self.conversation.ends.append(end)
        self.conversation.opened.append(ours)
        self.conversation.servers.put_nowait(end)
        return ours


@dataclass
class Recorder:
    """An addon that notes the name and the flow of each event that it sees."""

    seen: list[tuple[str, Flow]] = field(default_factory=list)

    def names(self) -> list[str]:
        """The events, in order."""
        return [name for name, _ in self.seen]

    def last(self, name: str) -> Flow:
        """The flow of the last event of that name."""
        return next(flow for event, flow in reversed(self.seen) if event == name)

    def requestheaders(self, flow: Flow) -> None:
        self.seen.append(("requestheaders", flow))

    def request(self, flow: Flow) -> None:
        self.seen.append(("request", flow))

    def responseheaders(self, flow: Flow) -> None:
        self.seen.append(("responseheaders", flow))

    def response(self, flow: Flow) -> None:
        self.seen.append(("response", flow))

    def error(self, flow: Flow) -> None:
        self.seen.append(("error", flow))

    def http_connect(self, flow: Flow) -> None:
        self.seen.append(("http_connect", flow))

    def http_connected(self, flow: Flow) -> None:
        self.seen.append(("http_connected", flow))

    def http_connect_error(self, flow: Flow) -> None:
        self.seen.append(("http_connect_error", flow))

    def tcp_start(self, flow: Flow) -> None:
        self.seen.append(("tcp_start", flow))

    def tcp_message(self, flow: Flow) -> None:
        self.seen.append(("tcp_message", flow))

    def tcp_end(self, flow: Flow) -> None:
        self.seen.append(("tcp_end", flow))

    def tcp_error(self, flow: Flow) -> None:
        self.seen.append(("tcp_error", flow))

    def udp_start(self, flow: Flow) -> None:
        self.seen.append(("udp_start", flow))

    def udp_message(self, flow: Flow) -> None:
        self.seen.append(("udp_message", flow))

    def udp_end(self, flow: Flow) -> None:
        self.seen.append(("udp_end", flow))

    def udp_error(self, flow: Flow) -> None:
        self.seen.append(("udp_error", flow))

    def dns_request(self, flow: Flow) -> None:
        self.seen.append(("dns_request", flow))

    def dns_response(self, flow: Flow) -> None:
        self.seen.append(("dns_response", flow))

    def dns_error(self, flow: Flow) -> None:
        self.seen.append(("dns_error", flow))

    def websocket_start(self, flow: Flow) -> None:
        self.seen.append(("websocket_start", flow))

    def websocket_message(self, flow: Flow) -> None:
        self.seen.append(("websocket_message", flow))

    def websocket_end(self, flow: Flow) -> None:
        self.seen.append(("websocket_end", flow))


class Conversation:
    """One client connection through the proxy. `recorder` is its last addon."""

    def __init__(self, capacity: int, pair: Pair) -> None:
        self.capacity = capacity
        self.pair = pair
        self.servers: asyncio.Queue[End] = asyncio.Queue()
        self.dialled: list[tuple[str, int]] = []
        self.ends: list[End] = []
        """The servers' ends of all connections, and in `opened` the proxy's."""
        self.opened: list[Stream] = []
        self.refusing: set[tuple[str, int]] = set()
        self.overflowing: set[tuple[str, int]] = set()
        """What the loop refuses to take for an address."""
        self.silent: set[tuple[str, int]] = set()
        """Servers that never accept; `dialling` tells that one is tried."""
        self.dialling: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self.recorder = Recorder()
        self.client: End
        self.context: ClientContext
        self.task: asyncio.Task[None]

    def say(self, data: bytes) -> None:
        """The client sends bytes."""
        self.client.say(data)

    async def server(self) -> End:
        """The next connection that the proxy opens."""
        async with asyncio.timeout(PATIENCE):
            return await self.servers.get()

    async def over(self) -> None:
        """The proxy has done with this client."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([self.task])


@asynccontextmanager
async def conversation(
    *addons: object,
    settings: Settings | None = None,
    capacity: int = 64 * 1024,
    serve: Serve = serve_regular,
    pair: Pair = memory_pair,
    mode: str = "regular",
) -> AsyncIterator[Conversation]:
    """A client that is connected to the proxy in one of its modes (`mode` is its spec); `pair` makes two ends."""
    talk = Conversation(capacity, pair)
    settings = settings or Settings()
    events = Events(Background())
    events.bind([*addons, talk.recorder])
    ours, theirs = pair(capacity)
    client = Client(
        peername=("127.0.0.1", 50000),
        sockname=("127.0.0.1", 8080),
        timestamp_start=1.0,
        state=ConnectionState.OPEN,
        transport_protocol=ours.transport,
        proxy_mode=ProxyMode.parse(mode),
    )
    watch = Watch()
    dialler = MemoryDialler(client, events, settings, None, conversation=talk)
    talk.client = End(theirs)
    ours.on_lost = watch.client_left
    async with asyncio.TaskGroup() as group:
        talk.context = ClientContext(client, events, settings, watch, dialler, lambda: settings, group.create_task)
        talk.task = watch.task = group.create_task(serve_client(ours, serve, talk.context))
        try:
            yield talk
        finally:
            theirs.abort()
            watch.end("the test is over")
            await asyncio.wait([talk.task], timeout=PATIENCE)
