"""Listening over UDP on real sockets: conversations by address, answers from where they were asked, and bounds."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.flows.connection import Client
from midstream.flows.proxy_mode import ProxyMode
from midstream.hub.background import Background
from midstream.hub.events import Events
from midstream.proxy import listeners
from midstream.proxy.listeners import Conversations, Listening, UDPListener, transports_of
from midstream.proxy.server import Proxy
from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.stream import Stream
from tests.kit.datagrams import UdpEnd, udp_client, udp_echo, udp_server
from tests.kit.waiting import until

LOCAL = "127.0.0.1"
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the machine has one loopback address")


class Accepted:
    """A listener, and the conversations that it accepted; each is answered by `answer`."""

    def __init__(self, most: int, answer: Callable[[bytes], bytes]) -> None:
        self.listening = Listening(most)
        self.streams: list[DatagramStream] = []
        self.listener: UDPListener
        self._answer = answer
        self._tasks: list[asyncio.Task[None]] = []

    def accept(self, stream: Stream) -> None:
        assert isinstance(stream, DatagramStream)
        self.streams.append(stream)
        self._tasks.append(asyncio.ensure_future(self._serve(stream)))

    async def _serve(self, stream: DatagramStream) -> None:
        while (data := await stream.receive()) is not None:
            stream.write(self._answer(data))

    async def over(self) -> None:
        self.listener.close()
        await asyncio.gather(*self._tasks)

    @property
    def port(self) -> int:
        return self.listener.port


@asynccontextmanager
async def accepting(
    host: str = LOCAL, most: int = 100, answer: Callable[[bytes], bytes] = lambda data: data
) -> AsyncIterator[Accepted]:
    accepted = Accepted(most, answer)
    (listener,) = accepted.listening.bind(["udp"], host, 0, accepted.accept)
    assert isinstance(listener, UDPListener)
    accepted.listener = listener
    await listener.start()
    try:
        yield accepted
    finally:
        await accepted.over()


async def test_each_address_is_a_conversation():
    async with accepting() as accepted, udp_client(accepted.port) as one, udp_client(accepted.port) as other:
        for end, said in ((one, b"1"), (other, b"2"), (one, b"3"), (one, bytes(1400))):
            end.say(said)
            await end.expect(said)
        assert [stream.peername for stream in accepted.streams] == [one.name, other.name]
        assert {stream.sockname for stream in accepted.streams} == {(LOCAL, accepted.port)}


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "127.3.4.5", "::1"])
async def test_the_answer_comes_from_the_address_that_was_asked(host):
    async with accepting("") as accepted, udp_client(accepted.port, host) as client:
        client.say(b"hello")
        await client.expect(b"hello")  # the socket hears nobody else
        assert accepted.streams[0].sockname == (host, accepted.port)


@linux
async def test_one_client_at_two_of_our_addresses_has_two_conversations():
    async with accepting("") as accepted, udp_server(lambda data: None) as client:
        for host in (LOCAL, "127.0.0.2"):
            client.say(host.encode(), (host, accepted.port))
            await client.expect(host.encode())
            assert client.peers[-1] == (host, accepted.port)
        assert [stream.sockname for stream in accepted.streams] == client.peers


async def test_what_comes_after_the_end_begins_anew():
    async with accepting() as accepted, udp_client(accepted.port) as client:
        for said in (b"1", b"2"):
            client.say(said)
            await client.expect(said)
            accepted.streams[-1].close()
        assert len(accepted.streams) == 2
        assert len(accepted.listening.conversations) == 0


async def test_who_was_refused_is_not_heard_for_a_while(monkeypatch):
    time = 1000.0
    monkeypatch.setattr(listeners, "now", lambda: time)
    async with accepting() as accepted, udp_client(accepted.port) as refused, udp_client(accepted.port) as other:
        refused.say(b"1")
        await refused.expect(b"1")
        accepted.streams[0].abort()
        refused.say(b"2")
        other.say(b"3")
        await other.expect(b"3")
        assert len(accepted.streams) == 2 and refused.inbox.empty()
        time += listeners.SHUNNED + 0.1
        refused.say(b"4")
        await refused.expect(b"4")


async def test_the_most_silent_makes_room(caplog):
    async with accepting(most=3) as accepted:
        ends: list[UdpEnd] = []
        loop = asyncio.get_running_loop()
        for number in range(4):
            _, end = await loop.create_datagram_endpoint(UdpEnd, remote_addr=(LOCAL, accepted.port))
            ends.append(end)
            if number == 3:  # the first has spoken lately, the second has not
                ends[0].say(b"still here")
                await ends[0].expect(b"still here")
            end.say(b"%d" % number)
            await end.expect(b"%d" % number)
        assert [stream.lost for stream in accepted.streams] == [False, True, False, False]
        assert accepted.streams[1].why == "it was the most silent of too many UDP conversations"
        assert len(accepted.listening.conversations) == 3
        assert caplog.text.count("there are 3 UDP conversations") == 1
        for end in ends:
            end.close()


async def test_a_listener_that_closes_ends_its_conversations_and_no_others():
    async with (
        accepting() as accepted,
        accepting() as other,
        udp_client(accepted.port) as first,
        udp_client(other.port) as second,
    ):
        for end in (first, second):
            end.say(b"x")
            await end.expect(b"x")
        accepted.listener.close()
        assert accepted.streams[0].lost and accepted.streams[0].why == "the listener was closed"
        second.say(b"y")
        await second.expect(b"y")


def test_who_is_shunned_is_bounded_too():
    conversations = Conversations(most=10)
    for number in range(1000):
        key = (None, (LOCAL, number), (LOCAL, 1))
        conversations.over(key, aborted=True)  # type: ignore[arg-type]
    assert len(conversations._shunned) == 10


@pytest.mark.parametrize(
    ("spec", "transports"),
    [
        ("regular", ("tcp",)),
        ("dns", ("tcp", "udp")),
        ("reverse:udp://h:1", ("udp",)),
        ("reverse:dns://h", ("tcp", "udp")),
        ("reverse:https://h", ("tcp",)),  # no HTTP/3 yet
    ],
)
def test_the_transports_of_modes(spec, transports):
    assert transports_of(ProxyMode.parse(spec)) == transports


# -- with everything behind them --


class Notes:
    """What is told of clients and flows."""

    def __init__(self, refuse: bool = False) -> None:
        self.refuse = refuse
        self.names: list[str] = []
        self.clients: list[Client] = []

    def client_connected(self, client: Client) -> None:
        self.names.append("client_connected")
        self.clients.append(client)
        if self.refuse:
            client.error = "not you"

    def client_disconnected(self, client: Client) -> None:
        self.names.append("client_disconnected")

    def udp_start(self, flow: object) -> None:
        self.names.append("udp_start")

    def udp_end(self, flow: object) -> None:
        self.names.append("udp_end")


@asynccontextmanager
async def proxy(addon: object, spec: str, most: int | None = None) -> AsyncIterator[Proxy]:
    events = Events(Background())
    events.bind([addon])
    async with Proxy(events, None) as running:
        if most is not None:
            running.servers._listening.conversations.most = most
        running.servers.change({spec: (ProxyMode.parse(spec), LOCAL, 0)})
        await running.start()
        yield running


async def test_a_conversation_is_accepted_like_a_connection():
    notes = Notes()
    async with (
        udp_echo() as port,
        proxy(notes, f"reverse:udp://{LOCAL}:{port}") as running,
        udp_client(running.listen_addrs[0][1]) as client,
    ):
        client.say(b"x")
        await client.expect(b"x")
        assert [one.client.peername for one in running.connections] == [client.name]
        for one in running.connections:
            one.watch.expire()
        await until(lambda: not running.connections, "it is over")
    assert notes.names == ["client_connected", "udp_start", "udp_end", "client_disconnected"]
    assert notes.clients[0].transport_protocol == "udp"
    assert notes.clients[0].timestamp_end is not None


async def test_a_refused_client_is_told_of_once():
    notes = Notes(refuse=True)
    async with (
        udp_echo() as port,
        proxy(notes, f"reverse:udp://{LOCAL}:{port}") as running,
        udp_client(running.listen_addrs[0][1]) as client,
    ):
        for _ in range(50):
            client.say(b"x")
        await until(lambda: "client_disconnected" in notes.names, "it was refused")
        for _ in range(50):
            client.say(b"x")
            await asyncio.sleep(0)
    assert notes.names.count("client_connected") == 1


@linux
async def test_a_flood_from_many_addresses_is_bounded_and_others_are_served():
    notes = Notes()
    async with udp_echo() as port, proxy(notes, f"reverse:udp://{LOCAL}:{port}", most=20) as running:
        address = running.listen_addrs[0]
        async with udp_client(address[1]) as client:
            for number in range(600):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooding:
                    flooding.bind((f"127.1.{number % 250}.1", 0))
                    flooding.sendto(b"flood", address)
                if number % 50 == 0:
                    client.say(b"%d" % number)
                    await client.expect(b"%d" % number)
                    assert len(running.connections) <= 20 + 64  # those that end at this moment included
            await until(lambda: len(running.connections) <= 20, "the evicted are gone")
            assert len(running._watches) == len(running.connections)
        assert notes.names.count("client_connected") > 100


@given(datagrams=st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=50)), max_size=30))
@settings(max_examples=25, deadline=None)
def test_no_datagrams_harm_a_listener(datagrams):
    async def run() -> None:
        async with udp_echo() as port, proxy(Notes(), f"reverse:udp://{LOCAL}:{port}", most=4) as running:
            address = running.listen_addrs[0]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _, data in datagrams:
                    sender.sendto(data, address)
                # While the port of the sender is taken: another socket there would hear the answers to it.
                async with udp_client(address[1]) as client:
                    client.say(b"still there?")
                    await client.expect(b"still there?")

    asyncio.run(run())
