"""Each exchange is disturbed at every step of the loop: whatever happens when, events pair up and nothing leaks."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from midstream.flows.errors import ControlException
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.proxy.settings import Settings
from tests.kit.connection_events import ConnectionEvents
from tests.kit.conversation import PATIENCE, Conversation, End, conversation
from tests.kit.tls_ends import Tls, as_client, as_server

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
GET_SENT = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n"

Scenario = Callable[[Conversation], Awaitable[None]]


async def plain(talk: Conversation) -> None:
    """Two requests on one connection."""
    talk.say(GET)
    server = await talk.server()
    for _ in range(2):
        await server.expect(GET_SENT)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(GET)


async def closing(talk: Conversation) -> None:
    """A last exchange, whose body ends with the connection."""
    talk.say(GET)
    server = await talk.server()
    await server.expect(GET_SENT)
    server.say(b"HTTP/1.1 200 OK\r\n\r\nall")
    server.stream.close()
    assert (await talk.client.rest()).endswith(b"all")


async def held_bodies(talk: Conversation) -> None:
    """Bodies in pieces, chunked one way."""
    talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\nabc")
    await asyncio.sleep(0)
    talk.say(b"def")
    server = await talk.server()
    await server.until(b"abcdef")
    server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await asyncio.sleep(0)
    server.say(b"0\r\n\r\n")
    await talk.client.until(b"0\r\n\r\n")


async def streamed_bodies(talk: Conversation) -> None:
    """Both bodies larger than what is held."""
    talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3000\r\n\r\n" + b"x" * 1000)
    server = await talk.server()
    await server.head()
    server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"y" * 1000)
    await talk.client.head()
    await talk.client.take(1000)
    await server.take(1000)
    talk.say(b"x" * 2000)
    await server.take(2000)
    server.say(b"y" * 1000)
    await talk.client.take(1000)


async def tunnelled(talk: Conversation) -> None:
    """Raw bytes both ways, then a regular end."""
    talk.say(CONNECT)
    await talk.client.head()
    talk.say(b"\x00\x01")
    server = await talk.server()
    await server.expect(b"\x00\x01")
    server.say(b"\x02")
    await talk.client.expect(b"\x02")
    talk.client.stream.write_eof()
    await server.expect_closed()
    server.stream.close()
    await talk.client.expect_closed()


async def switched(talk: Conversation) -> None:
    """A protocol that HTTP gives way to."""
    talk.say(GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n"))
    server = await talk.server()
    await server.head()
    server.say(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n\x01")
    await talk.client.head()
    await talk.client.expect(b"\x01")


async def intercepted(talk: Conversation) -> None:
    """TLS on both sides."""
    talk.say(CONNECT)
    await talk.client.head()
    async with asyncio.TaskGroup() as group:
        shaken = [group.create_task(as_client(talk.client, alpn=True)), group.create_task(_as_server(talk))]
    client, server = (task.result() for task in shaken)
    client.say(GET_SENT)
    await server.expect(GET_SENT)
    server.say(OK)
    await client.expect(OK)


async def _as_server(talk: Conversation) -> End:
    return await as_server(await talk.server())


async def pipelined(talk: Conversation) -> None:
    """Three requests at once, of which the server of the second cannot be reached."""
    talk.refusing.add(("b.test", 80))
    talk.say(GET + GET.replace(b"a.test", b"b.test") + GET)
    server = await talk.server()
    for _ in range(2):
        await server.expect(GET_SENT)
        server.say(OK)
    await talk.client.expect(OK)
    await talk.client.head()
    await talk.client.until(OK)


async def asked_for(talk: Conversation) -> None:
    """A body that waits to be asked for, and an interim response."""
    talk.say(b"PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    await talk.client.head()
    talk.say(b"ab")
    server = await talk.server()
    await server.until(b"ab")
    server.say(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
    await talk.client.head()
    await talk.client.expect(OK)


SCENARIOS = [pipelined, asked_for, plain, closing, held_bodies, streamed_bodies, tunnelled, switched, intercepted]


class Dawdles:
    """Lets one round of the loop pass in each event, so that each is a moment at which things happen."""

    async def _wait(self, _: object) -> None:
        await asyncio.sleep(0)

    requestheaders = request = responseheaders = response = error = _wait
    http_connect = http_connected = http_connect_error = tcp_start = tcp_message = tcp_end = tcp_error = _wait
    client_connected = client_disconnected = server_connect = server_connected = _wait
    server_connect_error = server_disconnected = tls_clienthello = tls_start_client = tls_start_server = _wait
    tls_established_client = tls_established_server = tls_failed_client = tls_failed_server = _wait


def client_resets(talk: Conversation) -> None:
    talk.client.stream.abort()


def client_ends(talk: Conversation) -> None:
    talk.client.stream.write_eof()


def server_resets(talk: Conversation) -> None:
    for end in talk.ends:
        end.stream.abort()


def server_ends(talk: Conversation) -> None:
    for end in talk.ends:
        end.stream.close()


def somebody_kills(talk: Conversation) -> None:
    for _, flow in talk.recorder.seen:
        try:
            flow.kill()
        except ControlException:
            pass


def patience_ends(talk: Conversation) -> None:
    talk.context.watch.expire()


def the_proxy_stops(talk: Conversation) -> None:
    talk.context.watch.end("midstream is shutting down")


DISTURBANCES = [
    client_resets,
    client_ends,
    server_resets,
    server_ends,
    somebody_kills,
    patience_ends,
    the_proxy_stops,
]


@pytest.mark.parametrize("disturb", DISTURBANCES)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_whatever_happens_when(scenario, disturb, caplog):
    caplog.set_level(logging.ERROR)
    step = 1
    while not await disturbed(scenario, disturb, step):
        step += 1
    assert step > 5
    assert [record.message for record in caplog.records] == []


@pytest.mark.parametrize("later", range(1, 12, 2))
@pytest.mark.parametrize("scenario", [plain, streamed_bodies, tunnelled])
async def test_a_client_that_leaves_while_a_failure_is_dealt_with(scenario, later, caplog):
    caplog.set_level(logging.ERROR)
    for first in (server_resets, server_ends, somebody_kills):
        step = 1
        while not await disturbed(scenario, first, step, later):
            step += 1
    assert [record.message for record in caplog.records] == []


async def disturbed(
    scenario: Scenario, disturb: Callable[[Conversation], None], step: int, later: int | None = None
) -> bool:
    """Disturb after so many steps; True if it was all over by then. `later`: steps until the client leaves too."""
    watched = ConnectionEvents()
    settings = Settings(stream_large_bodies=100)
    async with conversation(Tls(), watched, Dawdles(), settings=settings, capacity=500) as talk:
        script = asyncio.ensure_future(scenario(talk))
        for _ in range(step):
            await asyncio.sleep(0)
        over = script.done()
        disturb(talk)
        if later is not None:
            for _ in range(later):
                await asyncio.sleep(0)
            talk.client.stream.abort()
        script.cancel()
        await asyncio.wait([script], timeout=PATIENCE)
        if over:
            script.result()
        elif not script.cancelled():
            script.exception()  # what the script made of it does not matter
        for end in [talk.client, *talk.ends]:
            end.stream.abort()
        await talk.over()
        assert talk.task.done(), f"{scenario.__name__}, {disturb.__name__}, step {step}: the connection lives on"
    try:
        check(talk, watched)
    except AssertionError as exc:
        told = [*watched.names, "|", *talk.recorder.names()]
        raise AssertionError(f"{scenario.__name__}, {disturb.__name__}, step {step}: {exc}\n{told}") from None
    return over


def check(talk: Conversation, watched: ConnectionEvents) -> None:
    """What holds at the end of every connection."""
    seen = Counter(watched.names)
    assert seen["client_connected"] == seen["client_disconnected"] == 1
    assert seen["server_connect"] == seen["server_connected"] + seen["server_connect_error"]
    assert seen["server_connected"] == seen["server_disconnected"]
    for side in ("client", "server"):
        assert seen[f"tls_start_{side}"] == seen[f"tls_established_{side}"] + seen[f"tls_failed_{side}"]
    for flow in {id(flow): flow for _, flow in talk.recorder.seen}.values():
        names = [name for name, about in talk.recorder.seen if about is flow]
        assert not flow.live
        assert not flow.intercepted
        assert flow.killed_callback is None
        if isinstance(flow, TCPFlow):
            assert [name for name in names if name in ("tcp_end", "tcp_error")] == names[-1:]
        elif isinstance(flow, HTTPFlow) and flow.request.method != "CONNECT":
            assert [name for name in names if name in ("response", "error")] == names[-1:]
    assert not [stream for stream in talk.opened if not stream.closed], "a connection to a server is open"
    assert len(asyncio.all_tasks()) == 1, "a task is left behind"
