"""TLS that runs inside of the TLS of a tunnel is intercepted, too, on both sides alike."""

import asyncio

import pytest

from midstream.flows.http import HTTPFlow
from midstream.flows.next_layer import NextLayer
from midstream.flows.tls import ClientHelloData
from midstream.proxy.inside import DEEPEST
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, End, conversation
from tests.kit.tls_ends import Tls, as_client, as_server
from tests.proxy.test_connect import CONNECT, ESTABLISHED, GET, LAZY, OK


async def tunnelled(talk: Conversation) -> None:
    talk.say(CONNECT)
    await talk.client.expect(ESTABLISHED)


async def shake(client: End, server: End, name: str = "a.test") -> tuple[End, End]:
    """One more handshake, of which each end has one with the proxy, or both with each other."""
    async with asyncio.TaskGroup() as group:
        near = group.create_task(as_client(client, name))
        far = group.create_task(as_server(server))
    return near.result(), far.result()


async def lazily(talk: Conversation, client: End, depth: int) -> tuple[End, End]:
    """The proxy connects for the first request only."""
    for _ in range(depth):
        client = await as_client(client)
    client.say(GET)
    server = await talk.server()
    for _ in range(depth):
        server = await as_server(server)
    return client, server


async def test_a_request_inside_tls_inside_tls() -> None:
    async with conversation(tls := Tls()) as talk:
        await tunnelled(talk)
        client, server = await shake(talk.client, await talk.server())
        client, server = await shake(client, server, "b.test")
        client.say(GET)
        await server.expect(GET)
        server.say(OK)
        await client.expect(OK)
        assert tls.names == ["a.test", "b.test"]
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert (flow.client_conn.sni, flow.server_conn.sni) == ("b.test", "b.test")
        assert flow.server_conn.tls_established
        assert flow.request.scheme == "https"
    assert talk.recorder.names().count("http_connect_error") == 0


@pytest.mark.parametrize("depth", [2, 3])
async def test_a_server_that_is_connected_to_for_the_first_request(depth: int) -> None:
    async with conversation(tls := Tls(), settings=LAZY) as talk:
        await tunnelled(talk)
        client, server = await lazily(talk, talk.client, depth)
        await server.expect(GET)
        server.say(OK)
        await client.expect(OK)
        assert tls.names == ["a.test"] * depth


async def test_a_second_connection_to_the_server_is_made_like_the_first() -> None:
    async with conversation(tls := Tls()) as talk:
        await tunnelled(talk)
        client, server = await shake(talk.client, await talk.server())
        client, server = await shake(client, server, "b.test")
        client.say(GET)
        await server.expect(GET)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        server.stream.close()
        await client.until(b"hi")
        client.say(GET)
        server = await as_server(await as_server(await talk.server()))
        await server.expect(GET)
        assert tls.names == ["a.test", "b.test", "a.test", "b.test"]


async def test_raw_bytes_inside_tls_inside_tls() -> None:
    async with conversation(Tls()) as talk:
        await tunnelled(talk)
        client, server = await shake(*await shake(talk.client, await talk.server()))
        client.say(b"\0raw")
        await server.expect(b"\0raw")
        assert talk.recorder.names()[-2:] == ["tcp_start", "tcp_message"]


class Ignores(Tls):
    """Lets the inner TLS pass: by the hello, or by the first bytes."""

    def __init__(self, how: str) -> None:
        super().__init__()
        if how == "hello":
            self.tls_clienthello = self._hello
        else:
            self.next_layer = self._layer

    def _hello(self, data: ClientHelloData) -> None:
        data.ignore_connection = data.client_hello.sni == "b.test"

    def _layer(self, data: NextLayer) -> None:
        if data.context.client.tls and data.data_client()[:1] == b"\x16":
            data.layer = "ignore"


@pytest.mark.parametrize("how", ["hello", "layer"])
@pytest.mark.parametrize("settings", [Settings(), LAZY])
async def test_inner_tls_that_passes_untouched(how: str, settings: Settings) -> None:
    async with conversation(tls := Ignores(how), settings=settings) as talk:
        await tunnelled(talk)
        if settings.eager:
            client, server = await shake(talk.client, await talk.server())
            client, server = await shake(client, server, "b.test")
        else:
            client = await as_client(talk.client)
            async with asyncio.TaskGroup() as group:
                near = group.create_task(as_client(client, "b.test"))
                server = await as_server(await as_server(await talk.server()))
            client = near.result()
        client.say(b"secret")
        await server.expect(b"secret")
        assert tls.names == ["a.test"]
        assert talk.recorder.names() == ["http_connect", "http_connected"]


async def test_a_server_that_speaks_no_tls_inside_of_its_tls() -> None:
    async with conversation(Tls()) as talk:
        await tunnelled(talk)
        client, server = await shake(talk.client, await talk.server())
        async with asyncio.TaskGroup() as group:
            inner = group.create_task(as_client(client, "b.test"))
            server.say(b"no such thing\r\n")
        client = inner.result()
        client.say(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")


async def test_deeper_than_anybody_needs_it_is_raw() -> None:
    async with conversation(tls := Tls()) as talk:
        await tunnelled(talk)
        client, server = talk.client, await talk.server()
        for _ in range(DEEPEST + 1):
            client, server = await shake(client, server)
        client.say(GET)
        await server.expect(GET)
        assert len(tls.names) == DEEPEST
        assert "tcp_start" in talk.recorder.names()
