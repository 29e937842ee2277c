"""WebSockets between a client and a server in memory: events, edits, holding, closing, and hostile peers."""

import asyncio
import struct
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import BINARY, TEXT, WebSocketData, WebSocketMessage
from midstream.proxy.settings import Settings
from midstream.proxy.websocket.way import MOST_QUEUED
from midstream.wire.websocket import PING, Control, Event, Message, Reader, close_frame, frame, mask
from midstream.wire.websocket_deflate import Deflate
from tests.kit.conversation import PATIENCE, Conversation, End, conversation
from tests.kit.waiting import until

ASK = (
    b"GET http://a.test/chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%b\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%b\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
KEY = b"\x01\x02\x03\x04"


def up(payload: bytes, first: int = 0x81) -> bytes:
    """A frame of the client, masked by a key that tests know."""
    head = frame(first, b"x" * len(payload), False)[: -len(payload) or None]
    return head[:1] + bytes([head[1] | 0x80]) + head[2:] + KEY + mask(payload, KEY)


def down(payload: bytes, first: int = 0x81) -> bytes:
    """A frame of the server."""
    return frame(first, payload, False)


async def open_websocket(talk: Conversation, offer: bytes = b"", accept: bytes = b"") -> End:
    """The handshake; the server's end."""
    talk.say(ASK % offer)
    server = await talk.server()
    await server.head()
    server.say(ANSWER % accept)
    await talk.client.head()
    return server


@asynccontextmanager
async def websocket(
    *addons: object, settings: Settings | None = None, deflate: bool = False
) -> AsyncIterator[tuple[Conversation, End, End]]:
    extra = DEFLATE if deflate else b""
    async with conversation(*addons, settings=settings) as talk:
        server = await open_websocket(talk, extra, extra)
        yield talk, talk.client, server


def flow_of(talk: Conversation) -> HTTPFlow:
    flow = talk.recorder.last("websocket_start")
    assert isinstance(flow, HTTPFlow)
    return flow


def data_of(talk: Conversation) -> WebSocketData:
    data = flow_of(talk).websocket
    assert data is not None
    return data


def events_of(talk: Conversation) -> list[str]:
    return [name for name in talk.recorder.names() if name.startswith("websocket")]


async def ended(talk: Conversation) -> WebSocketData:
    """Both sides are done with."""
    await until(lambda: "websocket_end" in talk.recorder.names(), "the end is told")
    assert talk.recorder.names().count("websocket_end") == 1
    flow, data = flow_of(talk), data_of(talk)
    assert not flow.live and flow.injector is None and not flow.intercepted
    assert data.timestamp_end is not None
    assert "error" not in talk.recorder.names()
    return data


async def as_often_as_it_is_taken(end: End, block: bytes) -> int:
    """How often these bytes can be said before the sender has to wait."""
    count = 0
    async with asyncio.timeout(PATIENCE):
        while True:
            end.say(block)
            count += 1
            drained = asyncio.ensure_future(end.stream.drain())
            for _ in range(50):
                await asyncio.sleep(0)
            if not drained.done():
                drained.cancel()
                return count


class Does:
    """An addon with one handler."""

    def __init__(self, event: str, handler: Callable[[HTTPFlow], object]) -> None:
        setattr(self, event, handler)


def last(flow: HTTPFlow) -> WebSocketMessage:
    assert flow.websocket is not None
    return flow.websocket.messages[-1]


class Holds:
    """Holds the messages that `which` likes."""

    def __init__(self, which: Callable[[WebSocketMessage], bool] = lambda message: True) -> None:
        self.which = which
        self.queue: asyncio.Queue[HTTPFlow] = asyncio.Queue()

    async def held(self) -> HTTPFlow:
        async with asyncio.timeout(PATIENCE):
            return await self.queue.get()

    def websocket_message(self, flow: HTTPFlow) -> None:
        if self.which(last(flow)):
            flow.intercept()
            self.queue.put_nowait(flow)


# -- what passes --


async def test_messages_pass_as_they_came_and_are_told():
    async with websocket() as (talk, client, server):
        client.say(up(b"hello"))
        await server.expect(up(b"hello"))
        server.say(down(b"\x00\xff", 0x82))
        await client.expect(down(b"\x00\xff", 0x82))
        messages = data_of(talk).messages
        assert [(one.type, one.from_client, one.content, one.injected) for one in messages] == [
            (TEXT, True, b"hello", False),
            (BINARY, False, b"\x00\xff", False),
        ]
        assert flow_of(talk).live
    assert talk.recorder.names() == [
        "requestheaders", "request", "responseheaders", "response", "websocket_start", "websocket_message",
        "websocket_message", "websocket_end",
    ]  # fmt: skip


async def test_the_data_is_there_before_the_response_is_told():
    seen = []
    async with websocket(Does("response", lambda flow: seen.append((flow.websocket, flow.live)))) as (talk, _, _):
        assert seen == [(data_of(talk), True)]


async def test_fragments_stay_and_pings_between_them_pass_at_once():
    async with websocket() as (talk, client, server):
        client.say(up(b"ab", 0x01) + up(b"now", 0x89))
        await server.expect(up(b"now", 0x89))
        server.say(down(b"now", 0x8A))
        await client.expect(down(b"now", 0x8A))
        client.say(up(b"", 0x00) + up(b"c", 0x80))
        await server.expect(up(b"ab", 0x01) + up(b"", 0x00) + up(b"c", 0x80))
        assert [one.content for one in data_of(talk).messages] == [b"abc"]


async def test_bytes_that_come_one_by_one():
    async with websocket() as (talk, client, server):
        for byte in up(b"hello") + up(b"x" * 300, 0x82):
            client.say(bytes([byte]))
            await asyncio.sleep(0)
        await server.expect(up(b"hello") + up(b"x" * 300, 0x82))
        assert len(data_of(talk).messages) == 2


async def test_what_comes_with_the_handshake_is_not_lost():
    async with conversation() as talk:
        talk.say(ASK % b"")
        server = await talk.server()
        await server.head()
        server.say(ANSWER % b"" + down(b"welcome"))
        await talk.client.head()
        await talk.client.expect(down(b"welcome"))


async def test_compressed_messages_are_shown_and_pass_as_they_came():
    stream = zlib.compressobj(wbits=-15)
    async with websocket(deflate=True) as (talk, client, server):
        for text in (b"once upon a time", b"once upon a time again"):
            raw = up((stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xC1)
            client.say(raw)
            await server.expect(raw)
        assert [one.content for one in data_of(talk).messages] == [b"once upon a time", b"once upon a time again"]


# -- what addons do --


async def test_an_edit():
    async with websocket(Does("websocket_message", lambda flow: setattr(last(flow), "content", b"HELLO"))) as (
        _,
        client,
        server,
    ):
        server.say(down(b"hello"))
        await client.expect(down(b"HELLO"))
        server.say(down(b"a longer one"))
        await client.expect(down(b"HELLO"))


async def test_an_edit_of_a_compressed_message_leaves_later_ones_readable():
    def edit(flow: HTTPFlow) -> None:
        if last(flow).content == b"second second second":
            last(flow).text = "changed"

    stream, inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
    async with websocket(Does("websocket_message", edit), deflate=True) as (_, client, server):
        for text in (b"first first first", b"second second second", b"second second second third", b"first"):
            client.say(up((stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xC1))
            head = await server.take(6)
            assert head[0] == 0xC1
            content = inflate.decompress(mask(await server.take(head[1] & 0x7F), head[2:6]) + b"\x00\x00\xff\xff")
            assert content == (b"changed" if text == b"second second second" else text)


async def test_a_dropped_message():
    async with websocket(
        Does("websocket_message", lambda flow: last(flow).drop() if last(flow).content == b"no" else None)
    ) as (talk, client, server):
        client.say(up(b"no") + up(b"yes"))
        await server.expect(up(b"yes"))
        assert [one.dropped for one in data_of(talk).messages] == [True, False]


async def test_another_type():
    async with websocket(Does("websocket_message", lambda flow: setattr(last(flow), "type", BINARY))) as (_, c, server):
        server.say(down(b"hello"))
        await c.expect(down(b"hello", 0x82))


@pytest.mark.parametrize("content", [None, "text", 5])
async def test_a_message_that_cannot_be_sent(content: object, caplog: pytest.LogCaptureFixture):
    async with websocket(Does("websocket_message", lambda flow: setattr(last(flow), "content", content))) as (
        talk,
        client,
        server,
    ):
        client.say(up(b"x"))
        await client.expect(close_frame(1011, "", False))
        assert (await server.rest())[0] == 0x88
        assert (await ended(talk)).close_code == 1011
        assert type(content).__name__ in str(flow_of(talk).error)
        assert "unexpectedly" not in caplog.text


async def test_an_addon_that_clears_the_messages_or_takes_the_data_away():
    def clear(flow: HTTPFlow) -> None:
        if flow.websocket is not None and len(flow.websocket.messages) > 1:
            flow.websocket = None

    async with websocket(Does("websocket_message", clear)) as (_, client, server):
        for _ in range(5):
            client.say(up(b"x"))
            await server.expect(up(b"x"))


async def test_an_undo_of_the_whole_flow_while_it_is_live():
    async with websocket() as (talk, client, server):
        flow_of(talk).backup()
        client.say(up(b"one"))
        await server.expect(up(b"one"))
        flow_of(talk).revert()
        client.say(up(b"two"))
        await server.expect(up(b"two"))
        assert [one.content for one in data_of(talk).messages] == [b"two"]


async def test_an_edit_of_a_held_message_that_is_undone():
    holds = Holds()
    async with websocket(holds) as (_, client, server):
        client.say(up(b"as it came"))
        flow = await holds.held()
        flow.backup()
        last(flow).content = b"edited"
        flow.revert()
        flow.resume()
        await server.expect(up(b"as it came"))
        client.say(up(b"next"))
        flow = await holds.held()
        flow.backup()
        flow.revert()
        last(flow).drop()
        flow.resume()
        client.say(up(b"third"))
        (await holds.held()).resume()
        await server.expect(up(b"third"))


async def test_an_async_handler_delays_only_messages():
    go = asyncio.Event()

    async def wait(flow: HTTPFlow) -> None:
        if last(flow).content == b"slow":
            await go.wait()

    async with websocket(Does("websocket_message", wait)) as (talk, client, server):
        client.say(up(b"slow") + up(b"next") + up(b"?", 0x89))
        await server.expect(up(b"?", 0x89))
        server.say(down(b"mine") + down(b"!", 0x8A))
        await client.expect(down(b"!", 0x8A))
        assert len(data_of(talk).messages) == 1
        go.set()
        await server.expect(up(b"slow") + up(b"next"))
        await client.expect(down(b"mine"))
        assert [one.content for one in data_of(talk).messages] == [b"slow", b"next", b"mine"]


# -- holding and killing --


async def test_pings_pass_both_ways_while_a_message_is_held():
    holds = Holds(lambda message: message.from_client)
    async with websocket(holds) as (talk, client, server):
        client.say(up(b"held"))
        flow = await holds.held()
        assert talk.context.watch.deadline == float("inf")
        for number in range(20):
            ping = b"%d" % number
            client.say(up(ping, 0x89))
            await server.expect(up(ping, 0x89))
            server.say(down(ping, 0x89) + down(ping, 0x8A))
            await client.expect(down(ping, 0x89) + down(ping, 0x8A))
        server.say(down(b"later"))
        last(flow).content = b"edited"
        flow.resume()
        await server.take(6)
        await server.take(6)
        await client.expect(down(b"later"))
        await until(lambda: talk.context.watch.deadline != float("inf"), "patience is limited again")


async def test_each_message_is_the_last_one_when_addons_see_it():
    holds = Holds()
    async with websocket(holds) as (_, client, server):
        client.say(up(b"1") + up(b"2"))
        flow = await holds.held()
        server.say(down(b"3"))
        for seen in range(1, 4):
            assert flow.websocket is not None
            assert len(flow.websocket.messages) == seen
            flow.resume()
            if seen < 3:
                await holds.held()
        await server.expect(up(b"1") + up(b"2"))
        await client.expect(down(b"3"))


async def test_a_held_start():
    held: asyncio.Queue[HTTPFlow] = asyncio.Queue()

    def hold(flow: HTTPFlow) -> None:
        flow.intercept()
        held.put_nowait(flow)

    async with conversation(Does("websocket_start", hold)) as talk:
        server = await open_websocket(talk)
        talk.say(up(b"x"))
        (await held.get()).resume()
        await server.expect(up(b"x"))


async def test_what_queues_behind_a_held_message_is_bounded():
    holds = Holds(lambda message: message.content == b"held")
    async with websocket(holds) as (_, client, server):
        client.say(up(b"held"))
        flow = await holds.held()
        block = up(b"x" * 60_000, 0x82)
        count = await as_often_as_it_is_taken(client, block)
        assert count * 60_000 < MOST_QUEUED + 400_000
        flow.resume()
        await server.expect(up(b"held") + block * count)


async def test_messages_that_come_in_one_read_are_not_all_unpacked_behind_a_held_one():
    stream = zlib.compressobj(wbits=-15)
    bombs = [(stream.compress(bytes(5_000_000)) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(20)]
    holds = Holds(lambda message: message.content == b"held")
    async with websocket(holds, deflate=True) as (talk, client, server):
        tracemalloc.start()
        try:
            client.say(up(b"held") + b"".join(up(bomb, 0xC2) for bomb in bombs))
            flow = await holds.held()
            for _ in range(1000):
                await asyncio.sleep(0)
            assert tracemalloc.get_traced_memory()[1] < 40_000_000  # of a hundred
        finally:
            tracemalloc.stop()
        flow.resume()
        await until(lambda: events_of(talk).count("websocket_message") == 21, "all are told")
        assert (await server.take(6 + 4))[6:] == mask(b"held", KEY)


async def test_a_kill_of_a_held_message():
    holds = Holds()
    async with websocket(holds) as (talk, client, server):
        client.say(up(b"held"))
        (await holds.held()).kill()
        assert await server.rest() == b""
        assert await client.rest() == b""
        data = await ended(talk)
        assert (data.close_code, str(flow_of(talk).error)) == (1006, "Connection killed.")


@pytest.mark.parametrize("event", ["websocket_start", "websocket_message"])
async def test_a_handler_that_kills(event: str):
    async with conversation(Does(event, lambda flow: flow.kill())) as talk:
        talk.say(ASK % b"")
        server = await talk.server()
        await server.head()
        server.say(ANSWER % b"")
        talk.say(up(b"x"))
        assert await server.rest() == b""
        await talk.client.rest()
        assert (await ended(talk)).close_code == 1006


async def test_an_idle_one_that_is_killed():
    async with websocket() as (talk, client, server):
        await until(lambda: flow_of(talk).injector, "it is open")
        flow_of(talk).kill()
        assert await server.rest() == b""
        assert await client.rest() == b""
        assert (await ended(talk)).close_code == 1006


# -- the end --


@pytest.mark.parametrize(
    ("payload", "code", "reason"), [(struct.pack(">H", 4001) + b"bye", 4001, "bye"), (b"", 1005, "")]
)
@pytest.mark.parametrize("by_client", [True, False])
async def test_a_close_passes_as_it_came(payload: bytes, code: int, reason: str, by_client: bool):
    async with websocket() as (talk, client, server):
        if by_client:
            client.say(up(payload, 0x88))
            await server.expect(up(payload, 0x88))
            server.say(down(b"late") + down(b"\x03\xe8", 0x88))
            await client.expect(down(b"late") + down(b"\x03\xe8", 0x88))
        else:
            server.say(down(payload, 0x88))
            await client.expect(down(payload, 0x88))
            client.say(up(b"late") + up(b"\x03\xe8", 0x88))
            await server.expect(up(b"late") + up(b"\x03\xe8", 0x88))
        await client.expect_closed()
        await server.expect_closed()
        data = await ended(talk)
        assert (data.close_code, data.close_reason, data.closed_by_client) == (code, reason, by_client)
        assert flow_of(talk).error is None


@pytest.mark.parametrize("by_client", [True, False])
async def test_an_end_without_a_close_stays_one(by_client: bool):
    async with websocket() as (talk, client, server):
        one, other = (client, server) if by_client else (server, client)
        one.say(up(b"last") if by_client else down(b"last"))
        one.stream.close()
        assert await other.rest() == (up(b"last") if by_client else down(b"last"))
        data = await ended(talk)
        assert (data.close_code, data.close_reason, data.closed_by_client) == (1006, None, by_client)


@pytest.mark.parametrize("by_client", [True, False])
async def test_a_reset(by_client: bool):
    async with websocket() as (talk, client, server):
        one, other = (client, server) if by_client else (server, client)
        one.stream.abort()
        assert await other.rest() == b""
        data = await ended(talk)
        assert (data.close_code, data.closed_by_client) == (1006, by_client)


async def test_a_close_that_nobody_answers():
    async with websocket() as (talk, client, server):
        client.say(up(b"\x03\xe8", 0x88))
        await server.expect(up(b"\x03\xe8", 0x88))
        await until(lambda: talk.context.watch.deadline < asyncio.get_running_loop().time() + 3600, "soon")
        talk.context.watch.expire()
        await client.expect_closed()
        data = await ended(talk)
        assert (data.close_code, data.closed_by_client) == (1000, True)
        assert flow_of(talk).error is None


async def test_a_client_that_is_gone_when_the_server_answers_its_close():
    async with websocket() as (talk, client, server):
        client.say(up(b"\x03\xe8", 0x88))
        client.stream.close()
        await server.expect(up(b"\x03\xe8", 0x88))
        for _ in range(3):
            server.say(down(b"late"))
            await asyncio.sleep(0)
        server.say(down(b"\x03\xe8", 0x88))
        data = await ended(talk)
        assert (data.close_code, data.closed_by_client) == (1000, True)


async def test_silence():
    async with websocket() as (talk, client, server):
        await until(lambda: flow_of(talk).injector and talk.context.watch.deadline < float("inf"), "it is open")
        talk.context.watch.expire()
        assert await client.rest() == close_frame(1001, "no byte passed in either direction", False)
        assert (await server.rest())[0] == 0x88
        data = await ended(talk)
        assert (data.close_code, data.closed_by_client) == (1001, None)
        assert str(flow_of(talk).error) == "no byte passed in either direction"


async def test_a_held_message_of_a_client_that_left_still_goes_on():
    holds = Holds()
    async with websocket(holds) as (talk, client, server):
        client.say(up(b"held"))
        flow = await holds.held()
        client.stream.close()
        await asyncio.sleep(0)
        flow.resume()
        await server.expect(up(b"held"))
        assert (await ended(talk)).close_code == 1006


# -- hostile peers --

FLAWS = {
    "not masked": (down(b"x"), 1002),
    "reserved bits": (up(b"x", 0xF1), 1002),
    "unknown opcode": (up(b"x", 0x83), 1002),
    "long ping": (up(b"x" * 126, 0x89), 1002),
    "lost continuation": (up(b"x", 0x80), 1002),
    "not UTF-8": (up(b"\xff"), 1007),
    "too large": (up(b"x" * 2000), 1009),
    "too large in sum": (up(b"x" * 800, 0x01) + up(b"x" * 800, 0x80), 1009),
    "a petabyte": (b"\x82\xff" + struct.pack(">Q", 1 << 50) + KEY, 1009),
    "bad close code": (up(b"\x00\x01", 0x88), 1002),
}


@pytest.mark.parametrize("flaw", FLAWS)
async def test_a_client_that_breaks_the_protocol(flaw: str):
    raw, code = FLAWS[flaw]
    async with websocket(settings=Settings(body_size_limit=1500)) as (talk, client, server):
        client.say(up(b"fine") + raw)
        await server.expect(up(b"fine"))
        code_for_server, reason = await close_heard_by(server)
        assert code_for_server == 1011
        did = "sent too much" if code == 1009 else "broke the WebSocket protocol"
        assert reason.startswith(f"the client {did}: ")
        server.say(down(b"an answer") + down(b"\x03\xf3", 0x88))
        await client.expect(down(b"an answer"))
        assert (await close_heard_by(client))[0] == code
        data = await ended(talk)
        assert (data.close_code, data.closed_by_client) == (code, True)
        assert str(flow_of(talk).error) == reason
        client.stream.close()
        await talk.over()


async def close_heard_by(end: End) -> tuple[int, str]:
    """Code and reason of the close frame that comes next."""
    head = await end.take(2)
    assert head[0] == 0x88
    key = await end.take(4) if head[1] & 0x80 else bytes(4)
    payload = mask(await end.take(head[1] & 0x7F), key)
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()


async def test_a_server_that_breaks_the_protocol():
    async with websocket() as (talk, client, server):
        server.say(up(b"masked"))
        assert await close_heard_by(client) == (1011, "the server broke the WebSocket protocol: a frame is masked")
        client.say(up(b"\x03\xf3", 0x88))
        assert await close_heard_by(server) == (1002, "a frame is masked")
        await server.expect_closed()
        data = await ended(talk)
        assert (data.close_code, data.closed_by_client) == (1002, False)


async def test_both_sides_break_the_protocol():
    async with websocket() as (talk, client, server):
        client.say(down(b"not masked"))
        assert (await close_heard_by(server))[0] == 1011
        server.say(up(b"masked"))
        assert await close_heard_by(client) == (1002, "a frame is not masked")
        assert (await ended(talk)).closed_by_client is True


async def test_the_one_who_broke_it_is_told_though_the_other_does_not_answer():
    async with websocket() as (talk, client, server):
        client.say(down(b"not masked"))
        assert (await close_heard_by(server))[0] == 1011
        await until(lambda: talk.context.watch.deadline < asyncio.get_running_loop().time() + 3600, "soon")
        talk.context.watch.expire()
        assert (await close_heard_by(client))[0] == 1002
        assert (await ended(talk)).close_code == 1002


async def test_a_flaw_after_the_close_of_the_other_side():
    async with websocket() as (talk, client, server):
        server.say(down(b"\x03\xe8", 0x88))
        await client.expect(down(b"\x03\xe8", 0x88))
        client.say(down(b"not masked"))
        assert (await close_heard_by(server))[0] == 1011
        await client.expect_closed()
        assert (await ended(talk)).close_code == 1000


async def test_a_bomb_is_not_unpacked():
    stream = zlib.compressobj(wbits=-15)
    bomb = (stream.compress(bytes(100_000_000)) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]
    async with websocket(settings=Settings(body_size_limit=1_000_000), deflate=True) as (talk, client, server):
        client.say(up(bomb, 0xC2))
        assert (await close_heard_by(server))[0] == 1011
        server.stream.close()
        assert (await client.take(4))[2:] == struct.pack(">H", 1009)
        assert (await ended(talk)).messages == []


async def test_fifty_thousand_pings_are_passed_in_order():
    async with websocket() as (_, client, server):
        pings = b"".join(up(b"%06d" % number, 0x89) for number in range(50_000))

        async def say() -> None:
            for at in range(0, len(pings), 30_000):
                client.say(pings[at : at + 30_000])
                await client.stream.drain()

        async with asyncio.TaskGroup() as group, asyncio.timeout(20):
            group.create_task(say())
            for at in range(0, len(pings), 10_000):
                await server.expect(pings[at : at + 10_000])


async def turns_during(work: Awaitable[object]) -> int:
    """How often somebody else has a turn while this is done."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.ensure_future(count())
    async with asyncio.timeout(PATIENCE):
        await work
    task.cancel()
    return turns


async def test_others_have_their_turn_during_a_flood_of_pings():
    async with websocket() as (_, client, server):
        flood = up(b"", 0x89) * 40_000
        client.say(flood)
        assert await turns_during(server.take(len(flood))) > 5


@pytest.mark.parametrize("deflate", [False, True])
async def test_others_have_their_turn_during_a_long_message(deflate: bool):
    content = b"0123456789abcdef" * 1_000_000

    def edit(flow: HTTPFlow) -> None:
        last(flow).content = content + b"!"

    async with websocket(Does("websocket_message", edit), deflate=deflate) as (_, client, server):
        ping = up(b"there?", 0x89)
        stream = zlib.compressobj(wbits=-15)
        payload = (stream.compress(content) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] if deflate else content
        client.say(up(payload, 0xC2 if deflate else 0x82) + ping)
        reader, got = Reader(True, Deflate() if deflate else None, 20_000_000), list[Event]()

        async def hear() -> None:
            while len(got) < 2:
                got.extend(event for event in reader.feed(await server.stream.read()) if event is not None)

        assert await turns_during(hear()) > 5
        message, control = got
        assert isinstance(message, Message)
        assert message.content == content + b"!"
        assert control == Control(PING, ping)  # not in the middle of the frame


async def test_a_kill_in_the_middle_of_a_long_message():
    async with websocket() as (talk, client, server):
        client.say(up(bytes(20_000_000), 0x82))
        async with asyncio.timeout(PATIENCE):
            await server.stream.read()
        flow_of(talk).kill()
        with pytest.raises(OSError):
            await server.take(20_000_000)
        assert (await ended(talk)).close_code == 1006


async def test_pings_that_nobody_reads_hold_their_sender():
    async with websocket() as (_, client, _):
        block = up(b"x" * 100, 0x89) * 100
        count = await as_often_as_it_is_taken(client, block)
        assert count * len(block) < 1_000_000


async def test_fragments_without_end():
    async with websocket(settings=Settings(body_size_limit=200_000)) as (talk, client, server):
        client.say(up(b"", 0x01))
        for _ in range(100):
            client.say(up(b"", 0x00) * 100)
            await client.stream.drain()
        assert (await close_heard_by(server))[0] == 1011
        server.stream.close()
        assert (await client.take(4))[2:] == struct.pack(">H", 1009)
        assert (await ended(talk)).close_code == 1009


async def test_a_flow_keeps_so_many_bytes():
    async with websocket(settings=Settings(body_buffer_limit=100_000)) as (talk, client, server):
        for _ in range(50):
            client.say(up(b"x" * 10_000))
            await server.expect(up(b"x" * 10_000))
        messages = data_of(talk).messages
        assert 0 < sum(len(message.content) for message in messages) <= 100_000
        assert flow_of(talk).metadata["messages_dropped"] + len(messages) == 50


# -- injecting --


async def test_injected_messages_are_told_and_sent():
    async with websocket() as (talk, client, server):
        await until(lambda: flow_of(talk).injector, "it is open")
        inject = flow_of(talk).injector
        assert inject is not None
        inject(WebSocketMessage(TEXT, False, b"for the client", injected=True))
        await client.expect(down(b"for the client"))
        inject(WebSocketMessage(BINARY, True, b"for the server", injected=True))
        head = await server.take(6)
        assert head[0] == 0x82
        assert mask(await server.take(14), head[2:]) == b"for the server"
        assert [one.injected for one in data_of(talk).messages] == [True, True]


async def test_an_answer_injected_by_a_handler():
    def answer(flow: HTTPFlow) -> None:
        if not last(flow).injected and flow.injector is not None:
            flow.injector(WebSocketMessage(TEXT, False, b"no " + last(flow).content, injected=True))
            last(flow).drop()

    async with websocket(Does("websocket_message", answer)) as (talk, client, _):
        client.say(up(b"1") + up(b"2"))
        await client.expect(down(b"no 1") + down(b"no 2"))
        assert [one.content for one in data_of(talk).messages] == [b"1", b"no 1", b"2", b"no 2"]


async def test_nothing_is_injected_after_the_close():
    async with websocket() as (talk, client, server):
        client.say(up(b"\x03\xe8", 0x88))
        await server.expect(up(b"\x03\xe8", 0x88))
        inject = flow_of(talk).injector
        assert inject is not None
        with pytest.raises(ValueError, match="closed"):
            inject(WebSocketMessage(TEXT, True, b"x", injected=True))
        inject(WebSocketMessage(TEXT, False, b"still", injected=True))
        await client.expect(down(b"still"))


# -- handshakes --


async def offered(offer: bytes, settings: Settings | None = None) -> bytes:
    """The head that the server gets."""
    async with conversation(settings=settings) as talk:
        talk.say(ASK % offer)
        return await (await talk.server()).head()


async def test_what_cannot_be_understood_is_not_offered():
    offer = b"Sec-WebSocket-Extensions: x-foo; a=1, permessage-deflate; client_max_window_bits, x-bar\r\n"
    head = await offered(offer)
    assert b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" in head
    assert b"x-" not in head
    assert b"Extensions" not in await offered(b"Sec-WebSocket-Extensions: x-foo\r\n")


async def test_an_offer_that_is_understood_stays_as_it_is():
    offer = b"sec-websocket-EXTENSIONS:  permessage-deflate;client_max_window_bits ,permessage-deflate\r\n"
    assert offer in await offered(offer)


async def test_nothing_is_taken_out_where_nobody_looks():
    offer = b"Sec-WebSocket-Extensions: x-foo\r\n"
    assert offer in await offered(offer, Settings(websocket=False))


@pytest.mark.parametrize("accept", [b"x-foo", b"permessage-deflate; x=1", b"permessage-deflate, x-foo"])
async def test_extensions_that_nobody_offered_make_it_raw(accept: bytes, caplog: pytest.LogCaptureFixture):
    async with conversation() as talk:
        server = await open_websocket(talk, DEFLATE, b"Sec-WebSocket-Extensions: " + accept + b"\r\n")
        talk.say(up(b"x", 0xF1))
        await server.expect(up(b"x", 0xF1))
        assert talk.recorder.names()[-2:] == ["tcp_start", "tcp_message"]
        assert "cannot be shown" in caplog.text


async def test_the_option_makes_it_raw():
    async with conversation(settings=Settings(websocket=False)) as talk:
        server = await open_websocket(talk)
        talk.say(up(b"x"))
        await server.expect(up(b"x"))
        assert talk.recorder.names()[-2:] == ["tcp_start", "tcp_message"]


async def test_an_addon_that_refuses_it_at_the_response():
    def refuse(flow: HTTPFlow) -> None:
        from midstream.flows.http import Response

        flow.response = Response.make(403, b"no")

    async with conversation(Does("response", refuse)) as talk:
        talk.say(ASK % b"")
        server = await talk.server()
        await server.head()
        server.say(ANSWER % b"")
        assert b" 403 " in await talk.client.head()
        await talk.client.expect(b"no")
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.websocket is None
        await server.expect_closed()


async def test_an_addon_that_takes_compression_out_of_the_answer():
    def take_out(flow: HTTPFlow) -> None:
        assert flow.response is not None
        del flow.response.headers["sec-websocket-extensions"]

    stream = zlib.compressobj(wbits=-15)
    async with conversation(Does("responseheaders", take_out)) as talk:
        server = await open_websocket(talk, DEFLATE, DEFLATE)
        server.say(down((stream.compress(b"hello") + stream.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xC1))
        await talk.client.expect(down(b"hello"))
        talk.say(up(b"plain"))
        await server.expect(up(b"plain"))
