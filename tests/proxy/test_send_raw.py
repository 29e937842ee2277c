"""`request.send_raw`: bytes of a script's own for research, only where somebody has asked for it."""

from __future__ import annotations

import pytest

from midstream.flows.http import HTTPFlow
from midstream.proxy.settings import Settings
from tests.kit.conversation import conversation

ASKED = Settings(send_raw=True)
GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
SMUGGLED = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


class Researcher:
    """Sends what no proxy would."""

    def __init__(self, data: object, *, streams: bool = False) -> None:
        self._data = data
        self._streams = streams

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.stream = self._streams
        flow.request.send_raw = self._data  # type: ignore[assignment]


async def test_the_bytes_arrive_as_they_are_and_the_connection_is_not_used_again() -> None:
    async with conversation(Researcher(SMUGGLED), settings=ASKED) as talk:
        talk.say(GET)
        server = await talk.server()
        await server.expect(SMUGGLED)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert b"200 OK" in await talk.client.head()
        await talk.client.expect(b"hi")
        talk.say(GET)
        await (await talk.server()).expect(SMUGGLED)  # on another one
        assert len(talk.dialled) == 2


@pytest.mark.parametrize(
    ("researcher", "settings", "says"),
    [
        (Researcher(SMUGGLED), Settings(), "it needs the option send_raw"),
        (Researcher("text"), ASKED, "is str, not bytes"),
        (Researcher(SMUGGLED, streams=True), ASKED, "whose body does not stream"),
    ],
)
async def test_what_is_refused(researcher: Researcher, settings: Settings, says: str) -> None:
    async with conversation(researcher, settings=settings) as talk:
        body = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi"
        talk.say(body)
        assert b" 502 " in await talk.client.head()
        flow = talk.recorder.last("error")
        assert flow.error is not None
        assert says in flow.error.msg
