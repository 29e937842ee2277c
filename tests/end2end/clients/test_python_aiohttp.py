"""Python's aiohttp through the proxy: requests one by one and many at once, and its WebSocket client."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.kit.origins import OriginCA
from tests.kit.tour import STEPS, Capture, Step, bodies, capturing, crowd, tour
from tests.kit.web_server import WebServer, web_server

pytestmark = pytest.mark.end2end


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body[:100_000]
    yield body[100_000:]


class Client:
    """aiohttp, asking what a tour asks."""

    def __init__(self, session: aiohttp.ClientSession, proxy: Capture, server: WebServer) -> None:
        self.session, self.server = session, server
        self.through = {"proxy": proxy.address, "ssl": ssl.create_default_context(cafile=str(proxy.ca))}

    async def __call__(self, step: Step) -> tuple[int, bytes]:
        data = in_pieces(step.body) if step.in_pieces else step.body
        url = self.server.url(step.path)
        async with self.session.request(step.method, url, data=data, **self.through) as done:
            return done.status, await done.read()


async def test_one_by_one_and_many_at_once(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], scheme: str):
    async with (
        web_server(bodies, tls=origin_ca if scheme == "https" else None) as server,
        capturing(confdir, *trusting) as proxy,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(15)) as session,
    ):
        client = Client(session, proxy, server)
        await tour(client)
        await crowd(client, 200)
    proxy.agrees_with(server, "HTTP/1.1")
    assert len(proxy.http) == len(STEPS) + 200
