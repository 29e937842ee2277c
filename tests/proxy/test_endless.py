"""Bodies that are read while they come: passed on at once, shown live, held only when somebody asks."""

import pytest

from midstream.addons.intercept import Intercept
from midstream.flows.http import HTTPFlow
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, conversation
from tests.kit.waiting import until

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
SENT = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"a\r\ndata: one\n\r\n"


class Updates:
    """Notes what of a body the flow had at its updates."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def update(self, flows: list[HTTPFlow]) -> None:
        message = flows[0].response or flows[0].request
        if message.raw_content:
            self.bodies.append(message.raw_content)


async def begun(talk: Conversation, kind: bytes = b"text/event-stream; charset=utf-8") -> None:
    talk.say(GET)
    server = await talk.server()
    await server.expect(SENT)
    server.say(CHUNKED % kind + EVENT)


@pytest.mark.parametrize(
    "kind", [b"text/event-stream", b"Application/X-NDJSON", b"multipart/x-mixed-replace; boundary=x"]
)
async def test_events_pass_at_once_and_the_flow_shows_them(kind: bytes) -> None:
    updates = Updates()
    async with conversation(updates) as talk:
        await begun(talk, kind)
        await talk.client.until(EVENT)
        await until(lambda: bool(updates.bodies), "an update")
        assert updates.bodies == [b"data: one\n"]
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders"]
        talk.ends[0].say(EVENT + b"0\r\n\r\n")
        await talk.client.until(EVENT + b"0\r\n\r\n")
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow) and flow.response is not None
        assert flow.response.raw_content == b"data: one\n" * 2


async def test_what_came_is_kept_when_the_stream_breaks() -> None:
    async with conversation() as talk:
        await begun(talk)
        await talk.client.until(EVENT)
        talk.ends[0].stream.abort()
        await talk.over()
        flow = talk.recorder.last("error")
        assert isinstance(flow, HTTPFlow) and flow.response is not None
        assert flow.response.raw_content == b"data: one\n"


async def test_uploads_of_that_kind_pass_as_well() -> None:
    updates = Updates()
    async with conversation(updates) as talk:
        talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/grpc+proto\r\n")
        talk.say(b"Transfer-Encoding: chunked\r\n\r\n" + EVENT)
        await (await talk.server()).until(EVENT)
        await until(lambda: bool(updates.bodies), "an update")
        assert updates.bodies == [b"data: one\n"]


async def test_other_bodies_of_unknown_length_are_held() -> None:
    async with conversation() as talk:
        await begun(talk, b"text/plain")
        talk.ends[0].say(b"0\r\n\r\n")
        await talk.client.until(b"0\r\n\r\n")
        assert talk.recorder.names()[-1] == "response"


class WantsWhole:
    def responseheaders(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.stream = None

    def response(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.content = b"changed"


async def test_an_addon_may_ask_for_the_whole() -> None:
    async with conversation(WantsWhole()) as talk:
        await begun(talk)
        talk.ends[0].say(b"0\r\n\r\n")
        await talk.client.until(b"changed")


async def test_the_option_may_ask_for_the_whole() -> None:
    updates = Updates()
    async with conversation(updates, settings=Settings(stream_endless_bodies=False)) as talk:
        await begun(talk)
        talk.ends[0].say(b"0\r\n\r\n")
        await talk.client.until(b"data: one")
        assert b"data: one\n" in talk.recorder.last("response").response.raw_content  # type: ignore[attr-defined]


async def test_what_a_person_wants_to_hold_is_not_passed_on_before() -> None:
    intercept = Intercept()
    intercept._active, intercept._filter = True, lambda flow: flow.response is not None
    async with conversation(intercept) as talk:
        await begun(talk)
        talk.ends[0].say(b"0\r\n\r\n")
        await until(lambda: "response" in talk.recorder.names(), "the response")
        flow = talk.recorder.last("response")
        assert flow.intercepted and talk.client.heard == b""
        flow.resume()
        await talk.client.until(b"data: one")


@pytest.mark.parametrize("changes", [True, False])
async def test_who_changes_what_has_passed_hears_of_it(changes: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Shouts:
        def response(self, flow: HTTPFlow) -> None:
            assert flow.response is not None and flow.response.text is not None
            flow.response.text = flow.response.text.replace("one" if changes else "two", "ONE")

    async with conversation(Shouts()) as talk:
        await begun(talk)
        talk.ends[0].say(b"0\r\n\r\n")
        await talk.client.until(b"0\r\n\r\n")
    late = "a change of the response comes too late, as its body has passed already (by one of recorder, shouts); to"
    assert [late in text for text in caplog.messages] == [True] * changes
