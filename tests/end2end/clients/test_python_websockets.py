"""WebSocket clients of Python through the proxy to a server of `websockets`: each message whole, in order, captured."""

import random
import ssl
from pathlib import Path

import aiohttp
import pytest
from curl_cffi import AsyncSession, CurlWsFlag
from websockets.asyncio.client import connect

from midstream.flows.http import HTTPFlow
from tests.kit.echo_server import ECHO, echo_server
from tests.kit.origins import OriginCA
from tests.kit.tour import capturing

pytestmark = pytest.mark.end2end

NOISE = random.Random(6)
SAID: list[str | bytes] = [
    "hello",
    "",
    "ünïcödé \N{PILE OF POO}" * 500,
    b"",
    bytes(range(256)),
    NOISE.randbytes(125), NOISE.randbytes(126), NOISE.randbytes(65535), NOISE.randbytes(65536),
    NOISE.randbytes(900_000),
    "packs well " * 20_000,
]  # fmt: skip


def check(flow: HTTPFlow, url: str, heard: list[str | bytes], *, closed_by_client: bool) -> None:
    """A captured conversation: the upgrade, and each message in both directions."""
    assert heard == SAID
    assert flow.request.url.replace("http", "ws", 1) == url
    assert flow.request.http_version == "HTTP/1.1"
    assert flow.response is not None and flow.response.status_code == 101
    assert flow.websocket is not None and flow.error is None
    for from_client in (True, False):
        messages = [one for one in flow.websocket.messages if one.from_client == from_client]
        assert [one.text if one.is_text else one.content for one in messages][: len(SAID)] == SAID
    assert (flow.websocket.closed_by_client, flow.websocket.close_code) == (
        closed_by_client,
        1000 if closed_by_client else 4001,
    )


@pytest.mark.parametrize("compression", ["deflate", None], ids=["deflate", "plain"])
async def test_websockets(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], tls: ssl.SSLContext | None, compression: str | None
):
    async with echo_server(tls) as (url, heard), capturing(confdir, *trusting) as proxy:
        trust = ssl.create_default_context(cafile=str(proxy.ca)) if tls else None
        async with connect(
            url,
            proxy=proxy.address,
            ssl=trust,
            compression=compression,
            subprotocols=[ECHO],
        ) as socket:
            assert socket.subprotocol == ECHO
            assert bool(socket.protocol.extensions) == bool(compression)
            for message in SAID:
                await socket.send(message)
                assert await socket.recv() == message
            assert await (await socket.ping(b"are you there")) >= 0
    [flow] = proxy.http
    check(flow, url, heard, closed_by_client=True)


async def test_a_message_in_fragments_and_the_server_closes(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], tls: ssl.SSLContext | None
):
    async with echo_server(tls) as (url, heard), capturing(confdir, *trusting) as proxy:
        trust = ssl.create_default_context(cafile=str(proxy.ca)) if tls else None
        async with connect(url, proxy=proxy.address, ssl=trust, subprotocols=[ECHO]) as socket:
            for message in SAID:
                await socket.send([message[:100], message[100:200], message[200:]])
                assert await socket.recv() == message
            await socket.send("bye")
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4001, "so long")
    [flow] = proxy.http
    check(flow, url, heard, closed_by_client=False)
    assert flow.websocket is not None and flow.websocket.close_reason == "so long"


async def test_aiohttp(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], tls: ssl.SSLContext | None):
    async with (
        echo_server(tls) as (url, heard),
        capturing(confdir, *trusting) as proxy,
        aiohttp.ClientSession() as session,
    ):
        trust = ssl.create_default_context(cafile=str(proxy.ca))
        async with session.ws_connect(url, proxy=proxy.address, ssl=trust, compress=15, protocols=[ECHO]) as socket:
            for message in SAID:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
                assert (await socket.receive()).data == message
            await socket.close()
    [flow] = proxy.http
    check(flow, url, heard, closed_by_client=True)


async def test_libcurl(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], tls: ssl.SSLContext | None):
    """The library of curl; the program learned WebSocket only in version 8.11."""
    async with echo_server(tls) as (url, heard), capturing(confdir, *trusting) as proxy, AsyncSession() as session:
        socket = await session.ws_connect(
            url, proxy=proxy.address, verify=str(proxy.ca), headers={"Sec-WebSocket-Protocol": ECHO}
        )
        for message in SAID:
            await socket.send(
                message.encode() if isinstance(message, str) else message,
                CurlWsFlag.TEXT if isinstance(message, str) else CurlWsFlag.BINARY,
            )
            back, flags = await socket.recv()
            assert (back.decode() if flags & CurlWsFlag.TEXT else back) == message
        await socket.close()
    [flow] = proxy.http
    check(flow, url, heard, closed_by_client=True)
