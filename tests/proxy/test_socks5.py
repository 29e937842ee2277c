"""The socks5 mode over memory streams: what it answers, to whom, and what comes after."""

import asyncio

import pytest

from midstream.flows.http import HTTPFlow
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.socks5 import Socks5AuthData
from midstream.flows.tcp import TCPFlow
from midstream.proxy.modes.socks5 import serve_socks5
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation
from tests.kit.conversation import conversation as any_conversation

HELLO = b"\x05\x01\x00"
CONNECT = b"\x05\x01\x00\x03\x09a.example\x00\x50"
GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


def conversation(*addons: object, settings: Settings | None = None):
    return any_conversation(*addons, settings=settings, serve=serve_socks5)


async def granted(talk: Conversation) -> None:
    talk.say(HELLO)
    await talk.client.expect(b"\x05\x00")
    talk.say(CONNECT)
    await talk.client.expect(b"\x05\x00\x00")
    await talk.client.take(7)


class Judge:
    """An addon that knows one user."""

    def __init__(self) -> None:
        self.asked: list[Socks5AuthData] = []

    async def socks5_auth(self, data: Socks5AuthData) -> None:
        self.asked.append(data)
        await asyncio.sleep(0)
        data.valid = (data.username, data.password) == ("ann", "söcret")


async def test_http_after_connect():
    async with conversation() as talk:
        await granted(talk)
        server = await talk.server()
        talk.say(b"GET /path HTTP/1.1\r\nHost: a.example\r\n\r\n")
        await server.expect(b"GET /path HTTP/1.1\r\nHost: a.example\r\n\r\n")
        server.say(b"HTTP/1.1 204 No Content\r\n\r\n")
        await talk.client.expect(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert talk.dialled == [("a.example", 80)]
    flow = talk.recorder.last("response")
    assert isinstance(flow, HTTPFlow)
    assert flow.request.url == "http://a.example/path"
    assert "http_connect" not in talk.recorder.names()


async def test_anything_else_is_a_tcp_flow():
    async with conversation() as talk:
        await granted(talk)
        server = await talk.server()
        server.say(b"220 ready\r\n")
        await talk.client.expect(b"220 ready\r\n")
        talk.say(b"\x00\x01")
        await server.expect(b"\x00\x01")
        talk.client.stream.write_eof()
        server.stream.write_eof()
        await talk.over()
    flow = talk.recorder.last("tcp_end")
    assert isinstance(flow, TCPFlow)
    assert flow.server_conn.address == ("a.example", 80)


async def test_all_at_once_and_byte_by_byte():
    said = HELLO + CONNECT + b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
    for pieces in ([said], [bytes([byte]) for byte in said]):
        async with conversation() as talk:
            for piece in pieces:
                talk.say(piece)
                await asyncio.sleep(0)
            await talk.client.expect(b"\x05\x00" + GRANTED[:3])
            server = await talk.server()
            await server.expect(b"GET / HTTP/1.1\r\n")


async def test_lazy_dials_when_there_is_something_to_send():
    async with conversation(settings=Settings(eager=False)) as talk:
        talk.say(HELLO + CONNECT)
        await talk.client.expect(b"\x05\x00" + GRANTED)
        assert talk.dialled == []
        talk.say(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        await (await talk.server()).head()


@pytest.mark.parametrize(
    ("request_", "host"),
    [
        (b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50", "192.0.2.7"),
        (b"\x05\x01\x00\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x01\x00\x50", "2001:db8::1"),
    ],
)
async def test_addresses(request_: bytes, host: str):
    async with conversation() as talk:
        talk.say(HELLO + request_)
        await talk.client.expect(b"\x05\x00\x05\x00")
    assert talk.dialled == [(host, 80)]


@pytest.mark.parametrize(
    ("said", "answer", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"", "perhaps HTTP"),
        (b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", b"", "version 4"),
        (b"\x05\x01\x02", b"\x05\xff", "does not offer no authentication"),
        (HELLO + b"\x05\x02" + CONNECT[2:], b"\x05\x00\x05\x07", "command BIND; only CONNECT"),
        (HELLO + b"\x05\x03" + CONNECT[2:], b"\x05\x00\x05\x07", "command UDP_ASSOCIATE"),
        (HELLO + b"\x05\x09" + CONNECT[2:], b"\x05\x00\x05\x07", "command number 9"),
        (HELLO + b"\x05\x01\x00\x02", b"\x05\x00\x05\x08", "unknown type 2"),
        (HELLO + b"\x05\x01\x00\x03\x03a\nb\x00\x50", b"\x05\x00\x05\x01", "no host name"),
        (HELLO + b"\x05\x01\x00\x03\x09a.example\x00\x00", b"\x05\x00\x05\x01", "without a port"),
    ],
)
async def test_what_is_refused(said: bytes, answer: bytes, reason: str, caplog: pytest.LogCaptureFixture):
    async with conversation() as talk:
        talk.say(said)
        await talk.client.expect(answer)
        assert len(await talk.client.rest()) in (0, 10 - len(answer[2:]))
    assert talk.dialled == []
    assert reason in caplog.text
    assert talk.recorder.names() == []


async def test_who_leaves_early_leaves_nothing():
    for said in (b"", b"\x05", HELLO, HELLO + CONNECT[:7]):
        async with conversation() as talk:
            talk.say(said)
            talk.client.stream.write_eof()
            await talk.over()
            assert talk.dialled == []


# -- who asks --


async def test_user_and_password_are_for_addons_to_judge():
    judge = Judge()
    async with conversation(judge) as talk:
        talk.say(b"\x05\x02\x00\x02")
        await talk.client.expect(b"\x05\x02")
        talk.say(b"\x01\x03ann\x07s\xc3\xb6cret")
        await talk.client.expect(b"\x01\x00")
        talk.say(CONNECT)
        await talk.client.expect(GRANTED[:3])
    [asked] = judge.asked
    assert asked.client_conn is talk.context.client
    assert "cret" not in repr(asked)


@pytest.mark.parametrize("said", [b"\x01\x03ann\x05wrong", b"\x01\x00\x00", b"\x01\x01\xff\x01\xff", b"\x02\x01a\x01b"])
async def test_the_wrong_password_ends_it(said: bytes, caplog: pytest.LogCaptureFixture):
    async with conversation(Judge()) as talk:
        talk.say(b"\x05\x01\x02" + said + CONNECT)
        await talk.client.expect(b"\x05\x02\x01\x01")
        await talk.client.expect_closed()
    assert talk.dialled == []
    assert "wrong" not in caplog.text


async def test_who_offers_no_password_is_refused():
    async with conversation(Judge()) as talk:
        talk.say(HELLO + CONNECT)
        await talk.client.expect(b"\x05\xff")
        await talk.client.expect_closed()
    assert talk.dialled == []


# -- servers that cannot be reached --


async def test_the_reply_says_why_there_is_no_connection(caplog: pytest.LogCaptureFixture):
    async with conversation() as talk:
        talk.refusing.add(("a.example", 80))
        talk.say(HELLO + CONNECT)
        await talk.client.expect(b"\x05\x00\x05\x05")
        await talk.client.take(8)
        await talk.client.expect_closed()
    assert "SOCKS to a.example:80: " in caplog.text


async def test_an_addon_that_refuses_the_server():
    class Refuse:
        def server_connect(self, data: ServerConnectionHookData) -> None:
            data.server.error = "not today"

    async with conversation(Refuse()) as talk:
        talk.say(HELLO + CONNECT)
        await talk.client.expect(b"\x05\x00\x05\x02")
    assert talk.dialled == []


async def test_a_client_that_leaves_ends_the_dial():
    async with conversation() as talk:
        talk.silent.add(("a.example", 80))
        talk.say(HELLO + CONNECT)
        await talk.client.expect(b"\x05\x00")
        await talk.dialling.get()
        talk.client.stream.abort()
        await talk.over()
        assert talk.context.watch.reason == "client disconnected"


async def test_http_to_a_server_that_fails_later_is_answered():
    async with conversation(settings=Settings(eager=False)) as talk:
        talk.refusing.add(("a.example", 80))
        talk.say(HELLO + CONNECT + b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        await talk.client.expect(b"\x05\x00" + GRANTED + b"HTTP/1.1 502 Bad Gateway\r\n")


async def test_connect_inside_is_refused():
    async with conversation() as talk:
        await granted(talk)
        talk.say(b"CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n")
        await talk.client.expect(b"HTTP/1.1 400 Bad Request\r\n")
