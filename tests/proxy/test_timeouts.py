"""What each kind of silence ends in, once patience is over: for the client, for the server, and in the row."""

import asyncio
import math

import pytest

from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, conversation

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"
STREAM = Settings(stream_large_bodies=4)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def over(talk: Conversation) -> None:
    """The deadline passes; there was one."""
    await settle()
    assert talk.context.watch.deadline < math.inf
    talk.context.watch.expire()
    await settle()


def reason(talk: Conversation) -> str:
    assert [name for name in talk.recorder.names() if name in ("response", "error")] == ["error"]
    return str(talk.recorder.last("error").error)


@pytest.mark.parametrize("settings", [Settings(), STREAM])
async def test_a_request_body_that_does_not_come(settings):
    async with conversation(settings=settings) as talk:
        talk.say(POST + b"12345")
        await over(talk)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 408 ")
        assert "the client stopped sending" in (await talk.client.until(b"\n")).decode()
        await talk.client.expect_closed()
        assert reason(talk) == "the client stopped sending"
        for server in talk.ends:
            await server.rest()


async def test_a_server_that_does_not_answer():
    async with conversation() as talk:
        talk.say(GET)
        server = await talk.server()
        await server.head()
        await over(talk)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        await server.expect_closed()
        assert reason(talk) == "a.test:80 did not answer"


async def test_a_server_that_does_not_answer_an_upload():
    async with conversation(settings=STREAM) as talk:
        talk.say(POST + b"1234567890")
        server = await talk.server()
        await server.until(b"1234567890")
        await over(talk)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert reason(talk) == "a.test:80 did not answer"


async def test_a_server_that_begins_its_head():
    async with conversation() as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nConte")
        await over(talk)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert "no whole message head" in reason(talk)


async def test_an_interim_response_in_pieces_does_not_shorten_the_patience_with_the_final_one():
    async with conversation(settings=Settings(head_timeout=1, idle_timeout=1000)) as talk:
        talk.say(GET)
        server = await talk.server()
        await settle()
        before = talk.context.watch.deadline
        for byte in b"HTTP/1.1 103 Early\r\n\r\n":
            server.say(bytes([byte]))
            await asyncio.sleep(0)
        await talk.client.head()
        await settle()
        assert talk.context.watch.deadline >= before


async def test_a_server_that_stops_inside_a_body_that_is_held():
    async with conversation() as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        await over(talk)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert reason(talk) == "a.test:80 stopped sending"


async def test_a_server_that_stops_inside_a_body_that_is_streamed():
    async with conversation(settings=STREAM) as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        await talk.client.until(b"12345")
        await over(talk)
        assert reason(talk) == "a.test:80 stopped sending"
        with pytest.raises(ConnectionResetError):
            await talk.client.stream.read()


@pytest.mark.parametrize("settings", [Settings(), STREAM])
async def test_a_client_that_stops_reading(settings):
    async with conversation(settings=settings, capacity=100) as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000)
        await settle()
        await over(talk)
        await talk.over()
        assert str(talk.recorder.seen[-1][1].error) == "the client stopped reading"


@pytest.mark.parametrize("settings", [Settings(), STREAM])
async def test_a_server_that_stops_reading(settings):
    async with conversation(settings=settings, capacity=100) as talk:
        talk.say(POST.replace(b"10", b"300000") + b"x" * 300_000)
        await talk.server()
        await over(talk)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert reason(talk) == "a.test:80 stopped reading"


async def test_an_idle_connection_is_closed_without_a_word():
    async with conversation() as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 204 No\r\n\r\n")
        await talk.client.head()
        await over(talk)
        await talk.client.expect_closed()
        await server.head()
        await server.expect_closed()
        assert talk.recorder.names()[-1] == "response"


async def test_the_rest_of_an_upload_that_was_answered_already():
    async with conversation(settings=STREAM) as talk:
        talk.say(POST + b"12345")
        server = await talk.server()
        server.say(b"HTTP/1.1 204 No\r\n\r\n")
        await talk.client.head()
        await over(talk)
        await talk.client.rest()
        await talk.over()
        assert [name for name in talk.recorder.names() if name in ("response", "error")] == ["response"]
