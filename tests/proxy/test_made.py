"""Answers of addons whose body is made while it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, conversation

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"


class Making:
    """Answers with what a function makes."""

    def __init__(self, function: Callable[[bytes], Any], **headers: str) -> None:
        self._function = function
        self._headers = headers

    def request(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(200)
        flow.response.headers = {name.replace("_", "-"): value for name, value in self._headers.items()}  # type: ignore[assignment]
        flow.response.content = None
        flow.response.stream = self._function


async def waiting(_: bytes) -> AsyncIterator[bytes]:
    yield b"one"
    await asyncio.sleep(0)
    yield b""
    yield b"two"


def at_once(_: bytes) -> Iterator[bytes]:
    yield b"one"
    yield bytearray(b"two")


def whole(data: bytes) -> bytes:
    assert data == b""
    return b"onetwo"


def response_of(talk: Conversation, event: str = "response") -> Response:
    flow = talk.recorder.last(event)
    assert isinstance(flow, HTTPFlow)
    assert flow.response is not None
    return flow.response


@pytest.mark.parametrize("function", [waiting, at_once, whole])
async def test_the_body_goes_out_as_it_is_made(function: Callable[[bytes], Any]) -> None:
    async with conversation(Making(function, content_length="6")) as talk:
        for _ in range(2):
            talk.say(GET)
            await talk.client.expect(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nonetwo")
        assert talk.recorder.names()[-4:] == ["requestheaders", "request", "responseheaders", "response"]
        assert response_of(talk).raw_content is None
        assert response_of(talk).stream is True


async def test_a_body_of_unknown_length() -> None:
    async with conversation(Making(waiting)) as talk:
        talk.say(GET)
        await talk.client.expect(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        )
        talk.say(GET.replace(b"1.1", b"1.0"))
        assert (await talk.client.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\nConnection: close")
        assert await talk.client.take(100) == b"onetwo"


async def test_an_answer_as_scripts_make_it() -> None:
    class Script:
        def request(self, flow: HTTPFlow) -> None:
            flow.response = Response.make(200)
            flow.response.content = None
            flow.response.stream = at_once

    async with conversation(Script()) as talk:
        talk.say(GET)
        await talk.client.expect(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        )


async def test_head_asks_for_no_body() -> None:
    async with conversation(Making(lambda _: pytest.fail("nobody wants it"), content_length="6")) as talk:
        talk.say(GET.replace(b"GET", b"HEAD"))
        await talk.client.expect(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")


async def test_what_is_made_may_be_kept() -> None:
    async with conversation(Making(at_once), settings=Settings(store_streamed_bodies=True)) as talk:
        talk.say(GET)
        await talk.client.until(b"0\r\n\r\n")
        assert response_of(talk).raw_content == b"onetwo"


async def test_an_addon_may_slow_it_down() -> None:
    class Slowly(Making):
        def responseheaders(self, flow: HTTPFlow) -> None:
            async def pace(size: int) -> int:
                return 2

            assert flow.response is not None
            flow.response.pace = pace

    async with conversation(Slowly(whole)) as talk:
        talk.say(GET)
        await talk.client.until(b"\r\n\r\n")
        assert await talk.client.until(b"0\r\n\r\n") == b"2\r\non\r\n2\r\net\r\n2\r\nwo\r\n0\r\n\r\n"


def wrong(_: bytes) -> Iterator[Any]:
    yield b"one"
    yield "two"


async def failing(_: bytes) -> AsyncIterator[bytes]:
    yield b"one"
    raise OSError("the disk is gone")


def exiting(_: bytes) -> Iterator[bytes]:
    yield b"one"
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (exiting, "SystemExit"),
        (wrong, "it gave str, not bytes"),
        (failing, "the disk is gone"),
        (lambda _: None, "the stream function"),
        (lambda _: b"too long for that", "longer than its Content-Length of 6"),
        (lambda _: b"short", "ends 1 bytes before its Content-Length of 6"),
    ],
)
async def test_a_function_that_fails_cuts_the_answer(function: Callable[[bytes], Any], says: str) -> None:
    async with conversation(Making(function, content_length="6")) as talk:
        talk.say(GET)
        await talk.over()
        flow = talk.recorder.seen[-1][1]
        assert flow.error is not None
        assert says in flow.error.msg


async def test_a_client_that_leaves_ends_the_making() -> None:
    ended = asyncio.Event()

    async def endless(_: bytes) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.set()

    async with conversation(Making(endless)) as talk:
        talk.say(GET)
        await talk.client.take(100_000)
        talk.client.stream.abort()
        await ended.wait()
        await talk.over()
        assert str(talk.recorder.last("error").error) == "client disconnected"
