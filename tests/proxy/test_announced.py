"""Clients that a load balancer announces by the PROXY protocol."""

import asyncio

import pytest

from midstream.flows.connection import Client
from midstream.proxy.settings import Settings
from midstream.wire.proxy_protocol import SIGNATURE
from tests.kit.conversation import conversation

ANNOUNCED = Settings(proxy_protocol=True)
GET = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"


class Peers:
    """An addon that notes whom it saw come and go."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def client_connected(self, client: Client) -> None:
        self.seen.append(client.peername)

    def client_disconnected(self, client: Client) -> None:
        self.seen.append("gone")


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n", ("192.0.2.1", 4711)),
        (b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n", ("2001:db8::1", 4711)),
        (SIGNATURE + b"\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x00\x50", ("192.0.2.1", 4711)),
        (SIGNATURE + b"\x20\x00\x00\x00", ("127.0.0.1", 50000)),
        (b"PROXY UNKNOWN\r\n", ("127.0.0.1", 50000)),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_the_client_is_who_was_announced(header: bytes, peer: tuple[str, int], at_once: bool):
    peers = Peers()
    async with conversation(peers, settings=ANNOUNCED) as talk:
        for piece in [header + GET] if at_once else [bytes([byte]) for byte in header + GET]:
            talk.say(piece)
            await asyncio.sleep(0)
        await (await talk.server()).head()
        assert peers.seen == [peer]
        assert talk.recorder.last("request").client_conn.peername == peer


@pytest.mark.parametrize(
    "said", [GET, b"\x16\x03\x01\x00\x05", b"PROXY TCP4 a b 1 2\r\n" + GET, SIGNATURE + b"\x31\x11\x00\x00"]
)
async def test_without_a_header_there_is_no_client(said: bytes, caplog: pytest.LogCaptureFixture):
    peers = Peers()
    async with conversation(peers, settings=ANNOUNCED) as talk:
        talk.say(said)
        await talk.client.expect_closed()
    assert peers.seen == []
    assert "closed: " in caplog.text
    assert talk.recorder.names() == []


async def test_a_health_check_is_nothing_to_tell(caplog: pytest.LogCaptureFixture):
    peers = Peers()
    async with conversation(peers, settings=ANNOUNCED) as talk:
        talk.client.stream.write_eof()
        await talk.client.expect_closed()
    assert peers.seen == []
    assert caplog.text == ""


async def test_a_header_that_never_ends(caplog: pytest.LogCaptureFixture):
    async with conversation(settings=ANNOUNCED) as talk:
        talk.say(b"PROXY TCP4 192.0.2.1")
        while talk.context.watch.deadline > 1e9:
            await asyncio.sleep(0)
        talk.context.watch.expire()
        await talk.client.expect_closed()
    assert "closed: no whole PROXY protocol header came within 30 s" in caplog.text


async def test_who_was_not_asked_for_one_is_refused_as_any_bad_request():
    async with conversation() as talk:
        talk.say(b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n" + GET)
        await talk.client.expect(b"HTTP/1.1 400 Bad Request\r\n")
