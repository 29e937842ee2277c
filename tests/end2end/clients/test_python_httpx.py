"""Python's httpx through the proxy: HTTP/1.1 and HTTP/2, and each of them to servers that speak only one."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.kit.origins import OriginCA
from tests.kit.tour import STEPS, Capture, Step, bodies, capturing, crowd, tour
from tests.kit.web_server import WebServer, web_server

pytestmark = pytest.mark.end2end


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 100_000):
        yield body[at : at + 100_000]


class Client:
    """httpx, asking what a tour asks."""

    def __init__(self, proxy: Capture, server: WebServer, *, http2: bool) -> None:
        trust = ssl.create_default_context(cafile=str(proxy.ca))
        self.session = httpx.AsyncClient(
            http2=http2, verify=trust, trust_env=False, proxy=proxy.address, timeout=15,
            limits=httpx.Limits(max_connections=1),
        )  # fmt: skip
        self.server = server
        self.versions: set[str] = set()

    async def __call__(self, step: Step) -> tuple[int, bytes]:
        content = in_pieces(step.body) if step.in_pieces else step.body
        done = await self.session.request(step.method, self.server.url(step.path), content=content)
        self.versions.add(done.http_version)
        return done.status_code, done.content


@pytest.mark.parametrize(
    ("http2", "alpn"),
    [(False, ["h2", "http/1.1"]), (True, ["h2", "http/1.1"]), (True, ["http/1.1"])],
    ids=["h1", "h2", "h2-to-h1"],
)
async def test_one_by_one(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], http2: bool, alpn: list[str]):
    async with (
        web_server(bodies, tls=origin_ca, alpn_protocols=alpn) as server,
        capturing(confdir, *trusting) as proxy,
    ):
        client = Client(proxy, server, http2=http2)
        async with client.session:
            await tour(client)
    spoken = http2 and "h2" in alpn
    assert client.versions == {"HTTP/2" if spoken else "HTTP/1.1"}
    assert server.versions == {"2" if spoken else "1.1"}
    proxy.agrees_with(server, "HTTP/2.0" if spoken else "HTTP/1.1")
    assert len(proxy.http) == len(STEPS)
    assert len({flow.client_conn.id for flow in proxy.http}) == 1


async def test_many_at_once_on_one_connection(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with web_server(bodies, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        client = Client(proxy, server, http2=True)
        async with client.session:
            await crowd(client, 300)
    proxy.agrees_with(server, "HTTP/2.0")
    assert len({flow.client_conn.id for flow in proxy.http}) == 1
    assert len({flow.server_conn.id for flow in proxy.http}) == 1
