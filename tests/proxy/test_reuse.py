"""Which upstream connections carry a second request, and which must not."""

import asyncio

import pytest

from tests.kit.connection_events import ConnectionEvents
from tests.kit.conversation import Conversation, End, conversation
from tests.kit.tls_ends import Tls, as_client, as_server

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
GET_SENT = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def exchange(talk: Conversation, server: End | None = None, answer: bytes = OK) -> End:
    """One exchange, on that connection or on a new one."""
    talk.say(GET)
    server = server or await talk.server()
    await server.expect(GET_SENT)
    server.say(answer)
    await talk.client.expect(OK)
    return server


@pytest.mark.parametrize("surplus", [EVIL, b"x", b"\r\n"])
async def test_what_comes_with_a_response_and_beyond_it_reaches_nobody(surplus):
    async with conversation() as talk:
        server = await exchange(talk, answer=OK + surplus)
        await server.expect_closed()
        await exchange(talk)


@pytest.mark.parametrize("surplus", [EVIL, b"x", b"\r\n"])
async def test_what_comes_while_nothing_is_asked_reaches_nobody(surplus):
    async with conversation() as talk:
        server = await exchange(talk)
        await settle()
        server.say(surplus)
        await settle()
        await exchange(talk)
        await server.expect_closed()


async def test_the_same_inside_tls():
    async with conversation(Tls()) as talk:
        talk.say(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await talk.client.head()
        async with asyncio.TaskGroup() as group:
            client = group.create_task(as_client(talk.client))
            server = group.create_task(as_server(await talk.server()))
        client.result().say(GET_SENT)
        await server.result().expect(GET_SENT)
        server.result().say(OK)
        await client.result().expect(OK)
        server.result().say(EVIL)
        await settle()
        client.result().say(GET_SENT)
        again = await as_server(await talk.server())
        await again.expect(GET_SENT)
        again.say(OK)
        await client.result().expect(OK)
        client.result().say(GET_SENT)  # the tickets of TLS 1.3 are no surplus
        await again.expect(GET_SENT)


async def test_a_large_upload_that_is_repeatable_is_repeated():
    put = b"PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    async with conversation(capacity=1000) as talk:
        server = await exchange(talk)
        talk.say(put)
        await server.head()
        server.stream.close()
        again = await talk.server()
        await again.head()
        assert len(await again.take(100_000)) == 100_000
        again.say(OK)
        await talk.client.expect(OK)


async def test_a_connection_that_the_server_closed_meanwhile():
    watched = ConnectionEvents()
    async with conversation(watched) as talk:
        server = await exchange(talk)
        server.stream.close()
        await settle()
        await exchange(talk)
        assert watched.names[1:] == [
            "server_connect",
            "server_connected",
            "server_disconnected",
            "server_connect",
            "server_connected",
        ]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
    ],
)
async def test_a_connection_that_the_server_is_about_to_close(answer):
    async with conversation() as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(answer)
        await talk.client.head()
        await server.head()
        await server.expect_closed()


async def test_idle_connections_are_few():
    watched = ConnectionEvents()
    async with conversation(watched) as talk:
        for number in range(20):
            talk.say(GET.replace(b"a.test", b"h%d.test" % number))
            server = await talk.server()
            await server.head()
            server.say(OK)
            await talk.client.expect(OK)
        assert watched.names.count("server_connected") - watched.names.count("server_disconnected") <= 8
        talk.client.stream.close()
        await talk.over()
        assert watched.names.count("server_connected") == watched.names.count("server_disconnected") == 20


async def test_all_idle_connections_are_closed_even_if_an_addon_dawdles():
    class Dawdles:
        async def server_disconnected(self, data: object) -> None:
            await asyncio.Event().wait()

    async with conversation(Dawdles()) as talk:
        servers = []
        for number in range(3):
            talk.say(GET.replace(b"a.test", b"h%d.test" % number))
            servers.append(await talk.server())
            await servers[-1].head()
            servers[-1].say(OK)
            await talk.client.expect(OK)
        talk.client.stream.close()
        for server in servers:
            await server.expect_closed()


async def test_interim_responses_without_end():
    async with conversation() as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        while (head := await talk.client.head()).startswith(b"HTTP/1.1 103 "):
            pass
        assert head.startswith(b"HTTP/1.1 502 ")
        await server.head()
        await server.expect_closed()
