"""Which events an exchange fires, in which order, and that each flow ends with exactly one of response and error."""

import asyncio

import pytest

from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.settings import Settings
from tests.kit.connection_events import ConnectionEvents
from tests.kit.conversation import PATIENCE, Conversation, End, conversation

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
GET_SENT = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
HTTP = ["requestheaders", "request", "responseheaders", "response", "error"]


async def ask(talk: Conversation) -> End:
    talk.say(GET)
    server = await talk.server()
    await server.expect(GET_SENT)
    return server


class At:
    """Does something to the flow at one event, once; `reached` tells."""

    def __init__(self, event: str, action: str) -> None:
        self._reached: asyncio.Queue[HTTPFlow] = asyncio.Queue()
        self._action = action
        self._done = False
        setattr(self, event, self._act)

    async def reached(self) -> HTTPFlow:
        async with asyncio.timeout(PATIENCE):
            return await self._reached.get()

    def _act(self, flow: HTTPFlow) -> None:
        if not self._done:
            self._done = True
            getattr(flow, self._action)()
            self._reached.put_nowait(flow)


class Updates:
    """Notes for which flows an update was told."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []

    def update(self, flows: list[Flow]) -> None:
        self.flows += flows


async def test_a_response_that_the_client_does_not_take_is_no_second_end():
    updates = Updates()
    async with conversation(updates, capacity=1000) as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000)
        await talk.client.head()
        talk.client.stream.abort()
        await talk.over()
        assert talk.recorder.names() == HTTP[:4]
        flow = talk.recorder.last("response")
        assert str(flow.error) == "client disconnected"
        assert not flow.live
        assert updates.flows[-1] is flow
        assert not flow.intercepted


async def test_a_client_that_leaves_while_the_response_is_held():
    holds = At("response", "intercept")
    async with conversation(holds) as talk:
        server = await ask(talk)
        server.say(OK)
        flow = await holds.reached()
        talk.client.stream.close()
        await talk.over()
        assert talk.recorder.names() == HTTP[:4]
        assert not flow.intercepted
        assert str(flow.error) == "client disconnected"


async def test_a_kill_while_the_response_is_held():
    holds = At("response", "intercept")
    async with conversation(holds) as talk:
        server = await ask(talk)
        server.say(OK)
        (await holds.reached()).kill()
        await talk.client.expect_closed()
        await talk.over()
        assert talk.recorder.names() == HTTP[:4]


async def test_a_client_that_leaves_before_all_addons_saw_the_response():
    class Dawdles:
        async def response(self, flow: HTTPFlow) -> None:
            reached.set()
            await asyncio.Event().wait()

    reached = asyncio.Event()
    async with conversation(Dawdles()) as talk:
        server = await ask(talk)
        server.say(OK)
        await asyncio.wait_for(reached.wait(), PATIENCE)
        talk.client.stream.close()
        await talk.over()
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "error"]


@pytest.mark.parametrize("event", HTTP[:4])
async def test_a_handler_that_kills(event):
    kills = At(event, "kill")
    watched = ConnectionEvents()
    async with conversation(kills, watched) as talk:
        talk.say(GET)
        if event.startswith("response"):
            server = await talk.server()
            server.say(OK)
        await talk.client.expect_closed()
        await talk.over()
        expected = HTTP[: HTTP.index(event) + 1] + ([] if event == "response" else ["error"])
        assert talk.recorder.names() == expected
        assert watched.names.count("server_connected") == watched.names.count("server_disconnected")


@pytest.mark.parametrize("event", HTTP[:4])
async def test_a_flow_that_is_held_and_killed(event):
    holds = At(event, "intercept")
    async with conversation(holds) as talk:
        talk.say(GET)
        if event.startswith("response"):
            server = await talk.server()
            server.say(OK)
        (await holds.reached()).kill()
        await talk.client.expect_closed()
        await talk.over()
        expected = HTTP[: HTTP.index(event) + 1] + ([] if event == "response" else ["error"])
        assert talk.recorder.names() == expected


async def test_a_kill_at_the_head_of_an_answer_by_an_addon():
    class AnswersItself:
        def request(self, flow: HTTPFlow) -> None:
            flow.response = Response.make(200, b"local")

    async with conversation(AnswersItself(), At("responseheaders", "kill")) as talk:
        talk.say(GET)
        await talk.client.expect_closed()
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "error"]


async def test_a_note_in_flow_error_is_no_kill():
    class Notes:
        def request(self, flow: HTTPFlow) -> None:
            flow.error = Error("looks odd")

    async with conversation(Notes()) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.recorder.names() == HTTP[:4]


async def test_a_kill_from_a_thread_ends_the_exchange():
    async with conversation() as talk:
        await ask(talk)
        await asyncio.to_thread(talk.recorder.last("request").kill)
        await talk.client.expect_closed()
        await talk.over()
        assert talk.recorder.names() == ["requestheaders", "request", "error"]


async def test_the_error_event_may_hold_the_flow_and_the_client_may_leave_meanwhile():
    holds = At("error", "intercept")
    async with conversation(holds) as talk:
        talk.refusing.add(("a.test", 80))
        talk.say(GET)
        flow = await holds.reached()
        talk.client.stream.abort()
        flow.resume()
        await talk.over()
        assert talk.recorder.names() == ["requestheaders", "request", "error"]


async def test_connection_events_come_in_pairs():
    watched = ConnectionEvents()
    async with conversation(watched) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        flow = talk.recorder.last("response")
        assert flow.server_conn is watched.servers[0]
        assert flow.server_conn.connected
        assert flow.server_conn.timestamp_start is not None
        assert flow.server_conn.timestamp_tcp_setup is not None
        talk.client.stream.close()
        await talk.over()
        assert watched.names == [
            "client_connected",
            "server_connect",
            "server_connected",
            "server_disconnected",
            "client_disconnected",
        ]
        assert flow.server_conn.timestamp_end is not None
        assert not flow.server_conn.connected
        assert not flow.client_conn.connected
        assert flow.client_conn.timestamp_end is not None


async def test_a_client_that_leaves_during_the_dial():
    watched = ConnectionEvents()
    async with conversation(watched) as talk:
        talk.silent.add(("a.test", 80))
        talk.say(GET)
        await asyncio.wait_for(talk.dialling.get(), PATIENCE)
        talk.client.stream.close()
        await talk.over()
        assert watched.names == [
            "client_connected",
            "server_connect",
            "server_connect_error",
            "client_disconnected",
        ]
        assert talk.recorder.names() == ["requestheaders", "request", "error"]


async def test_a_client_that_leaves_while_server_connected_is_handled():
    class Dawdles:
        async def server_connected(self, data: object) -> None:
            reached.set()
            await asyncio.Event().wait()

    reached = asyncio.Event()
    watched = ConnectionEvents()
    async with conversation(watched, Dawdles()) as talk:
        talk.say(GET)
        server = await talk.server()
        await asyncio.wait_for(reached.wait(), PATIENCE)
        talk.client.stream.close()
        await talk.over()
        await server.expect_closed()
        assert watched.names[1:4] == ["server_connect", "server_connected", "server_disconnected"]


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (None, "took the address"),
        ("foo", "'foo', and no host and port"),
        (("a.test",), "no host"),
        ((b"a", 1), "no host"),
        (("a\r\nb", 1), "no host"),
    ],
)
async def test_an_addon_may_set_what_is_no_address(address, text):
    class Sets:
        def server_connect(self, data: object) -> None:
            data.server.address = address  # type: ignore[attr-defined]

    watched = ConnectionEvents()
    async with conversation(Sets(), watched) as talk:
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert text in (await talk.client.until(b"\n")).decode()
        assert watched.names[1:] == ["server_connect", "server_connect_error"]


async def test_an_addon_may_refuse_once_the_peer_is_known():
    class Refuses:
        def server_connected(self, data: object) -> None:
            data.server.error = "not there"  # type: ignore[attr-defined]

    watched = ConnectionEvents()
    async with conversation(Refuses(), watched) as talk:
        talk.say(GET)
        server = await talk.server()
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        await server.expect_closed()
        assert str(talk.recorder.last("error").error) == "not there"
        assert watched.names[1:] == ["server_connect", "server_connected", "server_disconnected"]


class Answers:
    """Answers without a server, for one host."""

    def request(self, flow: HTTPFlow) -> None:
        if flow.request.host == "b.test":
            flow.response = Response.make(200, b"local")


async def test_a_flow_does_not_show_the_server_of_the_flow_before_it():
    async with conversation(Answers()) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(GET.replace(b"a.test", b"b.test"))
        await talk.client.until(b"local")
        flow = talk.recorder.last("response")
        assert flow.server_conn.address in (None, ("b.test", 80))
        assert not flow.server_conn.connected


async def test_a_request_that_came_with_the_end_of_the_connection_is_that_of_a_client_that_left():
    async with conversation() as talk:
        talk.say(GET)
        talk.client.stream.write_eof()
        await talk.over()
        assert talk.recorder.names() == ["requestheaders", "request", "error"]
        assert str(talk.recorder.last("error").error) == "client disconnected"


async def test_a_streamed_exchange_ends_once_too():
    async with conversation(settings=Settings(stream_large_bodies=4), capacity=1000) as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        await talk.client.until(b"12345")
        server.stream.abort()
        await talk.client.rest()
        await talk.over()
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "error"]
        assert not talk.recorder.last("error").live


async def test_a_finished_flow_keeps_nothing_of_its_connection():
    async with conversation() as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(GET)
        await server.expect(GET_SENT)
        first = talk.recorder.seen[0][1]
        assert not first.live
        assert first.killed_callback is None
