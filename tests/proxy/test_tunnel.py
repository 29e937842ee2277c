"""Raw tunnels: the events of the TCP flow, what addons may do to it, and how much of it is kept."""

import asyncio

import pytest

from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.proxy.settings import Settings
from tests.kit.conversation import PATIENCE, Conversation, End, conversation

CONNECT = b"CONNECT a.test:1 HTTP/1.1\r\nHost: a.test\r\n\r\n"


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def opened(talk: Conversation, first: bytes = b"\x00") -> End:
    """A tunnel in which the client has said `first`."""
    talk.say(CONNECT + first)
    await talk.client.head()
    server = await talk.server()
    await server.expect(first)
    return server


def tcp_events(talk: Conversation) -> list[str]:
    return [name for name in talk.recorder.names() if name.startswith("tcp_")]


async def ended(talk: Conversation, server: End) -> TCPFlow:
    """Both sides closed."""
    await talk.client.expect_closed()
    await server.expect_closed()
    await talk.over()
    flow = talk.recorder.seen[-1][1]
    assert isinstance(flow, TCPFlow)
    assert not flow.live
    return flow


async def test_an_idle_tunnel_that_is_killed():
    async with conversation() as talk:
        server = await opened(talk)
        talk.recorder.last("tcp_message").kill()
        await ended(talk, server)
        assert tcp_events(talk) == ["tcp_start", "tcp_message", "tcp_error"]
        assert str(talk.recorder.last("tcp_error").error) == "Connection killed."


class Kills:
    def __init__(self, event: str) -> None:
        setattr(self, event, lambda flow: flow.kill())


@pytest.mark.parametrize("event", ["tcp_start", "tcp_message"])
async def test_a_handler_that_kills(event):
    async with conversation(Kills(event)) as talk:
        talk.say(CONNECT + b"\x00")
        await talk.client.head()
        server = await talk.server()
        await ended(talk, server)
        assert tcp_events(talk)[-1] == "tcp_error"
        assert tcp_events(talk).count("tcp_error") == 1
        assert "tcp_end" not in tcp_events(talk)
        assert str(talk.recorder.last("tcp_error").error) == "Connection killed."


class Holds:
    def __init__(self, event: str) -> None:
        self._held: asyncio.Queue[TCPFlow] = asyncio.Queue()
        setattr(self, event, self._hold)

    async def held(self) -> TCPFlow:
        async with asyncio.timeout(PATIENCE):
            return await self._held.get()

    def _hold(self, flow: TCPFlow) -> None:
        flow.intercept()
        self._held.put_nowait(flow)


@pytest.mark.parametrize("event", ["tcp_start", "tcp_message"])
async def test_a_held_tunnel_waits_without_a_limit(event):
    holds = Holds(event)
    async with conversation(holds) as talk:
        talk.say(CONNECT + b"\x00")
        flow = await holds.held()
        await settle()
        assert talk.context.watch.deadline == float("inf")
        flow.resume()
        await (await talk.server()).expect(b"\x00")
        await settle()
        assert talk.context.watch.deadline != float("inf")


async def test_each_message_is_the_last_one_when_addons_see_it():
    holds = Holds("tcp_message")
    async with conversation(holds) as talk:
        talk.say(CONNECT + b"\x00")
        flow = await holds.held()
        server = await talk.server()
        server.say(b"\x01")
        await settle()
        assert [message.content for message in flow.messages] == [b"\x00"]
        flow.resume()
        await server.expect(b"\x00")
        again = await holds.held()
        assert again is flow
        assert [message.content for message in flow.messages] == [b"\x00", b"\x01"]
        assert not flow.messages[-1].from_client
        flow.resume()
        await talk.client.until(b"\x01")


async def test_an_edit_of_a_held_message_that_is_undone():
    holds = Holds("tcp_message")
    async with conversation(holds) as talk:
        talk.say(CONNECT + b"\x00")
        flow = await holds.held()
        flow.backup()
        flow.messages[-1].content = b"edited"
        flow.revert()
        flow.resume()
        await (await talk.server()).expect(b"\x00")


class Replaces:
    def __init__(self, content: object) -> None:
        self.content = content

    def tcp_message(self, flow: TCPFlow) -> None:
        flow.messages[-1].content = self.content  # type: ignore[assignment]


async def test_what_addons_change_goes_on():
    async with conversation(Replaces(b"changed")) as talk:
        talk.say(CONNECT + b"\x00")
        await (await talk.server()).expect(b"changed")


class Lengthens:
    def tcp_message(self, flow: TCPFlow) -> None:
        message = flow.messages[-1]
        if message.content == b"long":
            message.content = b"0123456789abcdef" * 500_000


async def test_a_long_message_is_not_mixed_with_others():
    async with conversation(Lengthens()) as talk:
        server = await opened(talk)
        injector = talk.recorder.last("tcp_message").injector
        for _ in range(2):
            injector(TCPMessage(True, b"long"))
        talk.say(b"long")
        await settle()
        talk.say(b"after")
        for _ in range(3):
            await server.expect(b"0123456789abcdef" * 500_000)
        await server.expect(b"after")


async def test_an_emptied_message_is_dropped():
    async with conversation(Replaces(b"")) as talk:
        talk.say(CONNECT + b"\x00")
        server = await talk.server()
        await settle()
        talk.client.stream.write_eof()
        await server.expect_closed()


@pytest.mark.parametrize("content", [None, "text", 5])
async def test_a_message_that_cannot_be_sent(content, caplog):
    async with conversation(Replaces(content)) as talk:
        talk.say(CONNECT + b"\x00")
        await talk.client.head()
        server = await talk.server()
        await ended(talk, server)
        assert tcp_events(talk) == ["tcp_start", "tcp_message", "tcp_error"]
        assert type(content).__name__ in str(talk.recorder.last("tcp_error").error)
        assert "unexpectedly" not in caplog.text


async def test_a_server_that_resets():
    async with conversation() as talk:
        server = await opened(talk)
        server.stream.abort()
        await talk.client.rest()
        await talk.over()
        assert tcp_events(talk)[-1] == "tcp_error"
        assert tcp_events(talk).count("tcp_error") == 1


async def test_a_client_that_resets():
    async with conversation() as talk:
        server = await opened(talk)
        talk.client.stream.abort()
        await server.rest()
        await talk.over()
        assert tcp_events(talk)[-1] in ("tcp_error", "tcp_end")


@pytest.mark.parametrize("first", ["server", "client"])
async def test_who_resets_once_the_other_side_is_done_just_leaves(first):
    """Clients of TLS do, whenever the goodbye of the server comes while they close."""
    async with conversation() as talk:
        server = await opened(talk)
        done, other = (server, talk.client) if first == "server" else (talk.client, server)
        done.stream.write_eof()
        await other.expect_closed()
        other.stream.abort()
        await done.rest()
        await talk.over()
        assert tcp_events(talk)[-1] == "tcp_end"


async def test_a_silent_tunnel_ends():
    async with conversation() as talk:
        server = await opened(talk)
        await settle()
        talk.context.watch.expire()
        await ended(talk, server)
        assert str(talk.recorder.last("tcp_error").error) == "no byte passed in either direction"


async def test_a_flow_keeps_so_many_bytes():
    async with conversation(settings=Settings(body_buffer_limit=100_000)) as talk:
        server = await opened(talk)
        for _ in range(50):
            talk.say(b"x" * 10_000)
            await server.take(10_000)
            server.say(b"y" * 10_000)
            await talk.client.take(10_000)
        flow = talk.recorder.last("tcp_message")
        assert isinstance(flow, TCPFlow)
        assert 0 < sum(len(message.content) for message in flow.messages) <= 100_000
        assert flow.metadata["messages_dropped"] + len(flow.messages) == 101


async def test_small_messages_count_for_what_they_take_in_memory():
    async with conversation(settings=Settings(body_buffer_limit=100_000)) as talk:
        server = await opened(talk)
        for _ in range(2000):
            talk.say(b"x")
            await server.take(1)
        flow = talk.recorder.last("tcp_message")
        assert isinstance(flow, TCPFlow)
        assert len(flow.messages) < 1000


async def test_a_flow_whose_messages_an_addon_clears():
    class Clears:
        def tcp_message(self, flow: TCPFlow) -> None:
            flow.messages[-1].content = flow.messages[-1].content * 2
            if len(flow.messages) > 3:
                flow.messages.clear()

    async with conversation(Clears(), settings=Settings(body_buffer_limit=2000)) as talk:
        talk.say(CONNECT)
        await talk.client.head()
        server = await talk.server()
        for _ in range(50):
            talk.say(b"\x00" * 100)
            await server.take(200)


async def test_an_http_flow_that_became_a_tunnel_ends_once():
    async with conversation() as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
        server = await talk.server()
        server.say(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
        await talk.client.head()
        await server.head()
        server.say(b"\x01")
        await talk.client.expect(b"\x01")
        http = talk.recorder.last("response")
        assert not http.live
        talk.context.watch.expire()
        await ended(talk, server)
        assert talk.recorder.names()[3:] == ["response", "tcp_start", "tcp_message", "tcp_error"]
        assert http.error is None
