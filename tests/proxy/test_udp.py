"""UDP flows: their events, what addons may do to a datagram, and how a conversation ends."""

import asyncio

import pytest

from midstream.flows.connection import Server
from midstream.flows.udp import UDPFlow, UDPMessage
from midstream.proxy.client_context import ClientContext
from midstream.proxy.settings import Settings
from midstream.proxy.streams.datagram import LARGEST, DatagramStream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.udp import UDP_IDLE, serve_udp
from midstream.proxy.watch import now
from tests.kit.conversation import PATIENCE, Conversation, conversation
from tests.kit.datagrams import datagram_pair, heard
from tests.kit.waiting import until

TARGET = ("a.test", 1234)


async def serve(stream: Stream, context: ClientContext) -> None:
    """What a mode does."""
    server = Server(address=TARGET)
    await serve_udp(stream, lambda: context.dialler.open_udp(server), server, context)


def udp(*addons: object, settings: Settings | None = None):
    return conversation(*addons, settings=settings, serve=serve, pair=datagram_pair)


async def opened(talk: Conversation, first: bytes = b"hello") -> DatagramStream:
    """The server's end of a conversation in which the client has said `first`."""
    talk.say(first)
    stream = (await talk.server()).stream
    assert isinstance(stream, DatagramStream)
    assert await heard(stream) == first
    return stream


def client(talk: Conversation) -> DatagramStream:
    assert isinstance(talk.client.stream, DatagramStream)
    return talk.client.stream


async def test_datagrams_keep_their_borders_and_are_messages():
    async with udp() as talk:
        server = await opened(talk, b"one")
        talk.say(b"two")
        talk.say(b"")
        assert await heard(server) == b"two"
        assert await heard(server) == b""
        server.write(b"three")
        assert await heard(client(talk)) == b"three"
        flow = talk.recorder.last("udp_message")
        assert isinstance(flow, UDPFlow)
        said = [(one.from_client, one.content) for one in flow.messages]
        assert said == [(True, b"one"), (True, b"two"), (True, b""), (False, b"three")]
        assert flow.live
        assert (flow.client_conn.transport_protocol, flow.server_conn.transport_protocol) == ("udp", "udp")
        assert flow.server_conn.address == TARGET


async def test_it_ends_regularly_when_both_sides_are_silent():
    async with udp() as talk:
        server = await opened(talk)
        assert UDP_IDLE - 1 < talk.context.watch.deadline - now() <= UDP_IDLE
        talk.context.watch.expire()  # what the sweep does after that time
        await talk.over()
        assert talk.recorder.names() == ["udp_start", "udp_message", "udp_end"]
        flow = talk.recorder.last("udp_end")
        assert flow.error is None and not flow.live
        server.close()


async def test_each_datagram_makes_it_wait_anew():
    async with udp() as talk:
        server = await opened(talk)
        talk.context.watch.deadline = 0
        server.write(b"x")
        await heard(client(talk))
        await until(lambda: talk.context.watch.deadline > now() + 1, "it waits")


class Sets:
    def __init__(self, content: object) -> None:
        self.content = content

    def udp_message(self, flow: UDPFlow) -> None:
        if flow.messages[-1].from_client and flow.messages[-1].content == b"change":
            flow.messages[-1].content = self.content  # type: ignore[assignment]


@pytest.mark.parametrize("content", [b"changed", bytearray(b"changed"), memoryview(b"changed")])
async def test_an_edited_datagram(content):
    async with udp(Sets(content)) as talk:
        server = await opened(talk)
        talk.say(b"change")
        assert await heard(server) == b"changed"


async def test_an_emptied_datagram_is_not_sent():
    async with udp(Sets(b"")) as talk:
        server = await opened(talk)
        talk.say(b"change")
        talk.say(b"next")
        assert await heard(server) == b"next"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("text", "its content is str, not bytes"),
        (None, "its content is NoneType, not bytes"),
        (bytes(LARGEST + 1), "a message of 65508 bytes cannot be sent: a datagram holds 65507 at most"),
    ],
    ids=["text", "none", "long"],
)
async def test_a_mistake_of_an_addon_ends_it_and_names_the_addon(content, reason, caplog):
    async with udp(Sets(content)) as talk:
        await opened(talk)
        talk.say(b"change")
        await talk.over()
        error = talk.recorder.last("udp_error").error
        assert error is not None and reason in error.msg and "(by " in error.msg
        assert error.msg in caplog.text


class Kills:
    def __init__(self, event: str) -> None:
        setattr(self, event, lambda flow: flow.kill())


@pytest.mark.parametrize("event", ["udp_start", "udp_message"])
async def test_a_handler_that_kills(event):
    async with udp(Kills(event)) as talk:
        talk.say(b"x")
        await talk.over()
        names = talk.recorder.names()
        assert names[-1] == "udp_error" and names.count("udp_error") == 1 and "udp_end" not in names
        assert str(talk.recorder.last("udp_error").error) == "Connection killed."


async def test_a_person_that_kills():
    async with udp() as talk:
        await opened(talk)
        talk.recorder.last("udp_message").kill()
        await talk.over()
        assert talk.recorder.names() == ["udp_start", "udp_message", "udp_error"]
        assert str(talk.recorder.last("udp_error").error) == "Connection killed."


class Holds:
    def __init__(self) -> None:
        self._held: asyncio.Queue[UDPFlow] = asyncio.Queue()

    async def held(self) -> UDPFlow:
        async with asyncio.timeout(PATIENCE):
            return await self._held.get()

    def udp_message(self, flow: UDPFlow) -> None:
        flow.intercept()
        self._held.put_nowait(flow)


async def test_a_held_datagram_waits_without_a_limit_and_so_do_the_others():
    holds = Holds()
    async with udp(holds) as talk:
        talk.say(b"one")
        flow = await holds.held()
        assert talk.context.watch.deadline == float("inf")
        talk.say(b"two")
        flow.messages[-1].content = b"edited"
        flow.resume()
        server = (await talk.server()).stream
        assert isinstance(server, DatagramStream)
        assert await heard(server) == b"edited"
        assert await holds.held() is flow
        flow.resume()
        assert await heard(server) == b"two"


async def test_the_server_cannot_be_reached(caplog):
    async with udp() as talk:
        talk.refusing.add(TARGET)
        talk.say(b"x")
        await talk.over()
        assert talk.recorder.names() == ["udp_start", "udp_error"]
        error = talk.recorder.last("udp_error").error
        assert error is not None and "a.test:1234 refused the connection" in error.msg
        assert "a.test:1234 refused the connection" in caplog.text


REFUSED = "a datagram to 127.0.0.1:50000 was not delivered: nothing listens there"


def refuse(talk: Conversation) -> None:
    """The network says that the server has no such port."""
    ours = talk.opened[-1]
    assert isinstance(ours, DatagramStream)
    ours.fail(ConnectionRefusedError(111, "Connection refused"))


async def test_nobody_is_there(caplog):
    async with udp() as talk:
        await opened(talk)
        refuse(talk)
        await talk.over()
        assert talk.recorder.names() == ["udp_start", "udp_message", "udp_error"]
        assert str(talk.recorder.last("udp_error").error) == REFUSED
        assert REFUSED in caplog.text


async def test_a_server_that_was_there_may_come_back(caplog):
    async with udp() as talk:
        server = await opened(talk)
        server.write(b"here")
        assert await heard(client(talk)) == b"here"
        for _ in range(3):
            refuse(talk)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        talk.say(b"again")
        assert await heard(server) == b"again"
        assert caplog.text.count(REFUSED) == 1


async def test_it_ends_regularly_when_the_listener_has_no_room():
    async with udp() as talk:
        await opened(talk)
        talk.context.watch.end("it was the most silent of too many UDP conversations")
        await talk.over()
        assert talk.recorder.names()[-1] == "udp_end"


async def test_a_flow_keeps_a_bounded_number_of_messages():
    async with udp(settings=Settings(body_buffer_limit=10_000)) as talk:
        server = await opened(talk)
        for number in range(200):
            talk.say(b"%3d" % number + bytes(97))
            await heard(server)
        flow = talk.recorder.last("udp_message")
        assert isinstance(flow, UDPFlow)
        assert len(flow.messages) <= 10_000 / 300 + 1
        assert flow.messages[-1].content[:3] == b"199"
        assert flow.metadata["messages_dropped"] == 201 - len(flow.messages)


async def test_an_injected_datagram_goes_where_it_was_meant_to():
    async with udp() as talk:
        server = await opened(talk)
        flow = talk.recorder.last("udp_message")
        assert flow.injector is not None
        flow.injector(UDPMessage(True, b"to the server"))
        assert await heard(server) == b"to the server"
        flow.injector(UDPMessage(False, b"to the client"))
        assert await heard(client(talk)) == b"to the client"
