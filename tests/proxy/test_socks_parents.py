"""A SOCKS5 parent proxy: what it is asked and what it may answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from midstream.flows.http import HTTPFlow
from midstream.proxy.settings import Settings
from tests.kit.conversation import conversation
from tests.kit.parents import CONNECT, ESTABLISHED, GET, SECRET, expect_502, through_socks

NO_AUTH = b"\x05\x01\x00"
ASKED_SOCKS = b"\x05\x01\x00\x03\x06a.test\x01\xbb"
DONE = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


async def test_a_socks_parent_is_asked_by_name():
    async with through_socks() as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(NO_AUTH)
        parent.say(b"\x05\x00")
        await parent.expect(ASKED_SOCKS)
        parent.say(DONE + b"early")
        await talk.client.expect(ESTABLISHED + b"early")


async def test_a_socks_parent_gets_plain_requests_as_a_server_does():
    async with through_socks() as talk:
        talk.say(GET)
        parent = await talk.server()
        parent.say(b"\x05\x00" + DONE)
        await parent.expect(
            NO_AUTH + b"\x05\x01\x00\x03\x06a.test\x00\x50" + b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"
        )


@pytest.mark.parametrize(
    ("target", "address"),
    [(b"127.0.0.1:1", b"\x01\x7f\x00\x00\x01\x00\x01"), (b"[::1]:1", b"\x04" + bytes(15) + b"\x01\x00\x01")],
)
async def test_addresses_are_sent_as_such(target, address):
    async with through_socks() as talk:
        talk.say(b"CONNECT %b HTTP/1.1\r\n\r\n" % target)
        parent = await talk.server()
        parent.say(b"\x05\x00")
        await parent.expect(NO_AUTH + b"\x05\x01\x00" + address)


async def test_user_name_and_password():
    async with through_socks(settings=SECRET) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(b"\x05\x02\x00\x02")
        parent.say(b"\x05\x02")
        await parent.expect(b"\x01\x02me\x02pw")
        parent.say(b"\x01\x00")
        await parent.expect(ASKED_SOCKS)
        parent.say(DONE)
        await talk.client.expect(ESTABLISHED)


async def test_a_parent_that_does_not_want_them_does_not_get_them():
    async with through_socks(settings=SECRET) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(b"\x05\x00")
        await parent.expect(b"\x05\x02\x00\x02" + ASKED_SOCKS)


async def test_credentials_of_a_reverse_mode_are_for_its_server():
    async with conversation(settings=SECRET, mode="reverse:http://a.test") as talk:
        assert talk.context.dialler.fields_for_parent() == ()


@pytest.mark.parametrize(
    ("answers", "settings", "texts"),
    [
        (b"\x05\xff", Settings(), ["accepts no way", "by the option upstream_auth"]),
        (b"\x05\xff", SECRET, ["accepts no way"]),
        (b"\x05\x02", Settings(), ["accepts no way"]),
        (b"\x05\x02\x01\x01", SECRET, ["does not accept user name and password; check the option upstream_auth"]),
        (b"\x05\x00\x05\x05\x00\x01" + bytes(6), Settings(), ["cannot connect: the connection was refused"]),
        (b"\x05\x00\x05\x7b\x00\x01" + bytes(6), Settings(), ["cannot connect: error 123"]),
        (b"\x05\x00\x05\x04", Settings(), ["cannot connect: the host is unreachable"]),
        (b"\x05\x00\x05\x00\x00\x07", Settings(), ["does not speak SOCKS5 as it should", "unknown type 7"]),
        (b"HTTP/1.1 400 What\r\n", Settings(), ["does not speak SOCKS5"]),
        (b"\x05", Settings(), ["broke the connection off"]),
    ],
    ids=[
        "no way",
        "no way with password",
        "password",
        "wrong",
        "refused",
        "unknown",
        "short",
        "odd",
        "no SOCKS",
        "cut",
    ],
)
async def test_a_socks_parent_that_refuses(answers, settings, texts):
    async with through_socks(settings=settings) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(answers)
        parent.stream.write_eof()
        await expect_502(talk, "the parent proxy parent.test:8080", *texts)


async def test_a_socks_parent_that_never_answers():
    settings = replace(SECRET, connect_timeout=0.05)
    async with through_socks(settings=settings) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "the parent proxy parent.test:8080 did not answer within 0.05 s")


class Renaming:
    """An addon that sends a request to a host whose name is too long for SOCKS; clients cannot ask for such a one."""

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.host = ".".join(["a" * 60] * 5)


async def test_a_name_that_does_not_fit():
    async with through_socks(Renaming()) as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        (await talk.server()).say(b"\x05\x00")
        await expect_502(talk, "cannot be asked", "does not fit")
