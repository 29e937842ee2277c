"""Python's requests (urllib3, HTTP/1.1) through the proxy, as its users set a proxy and a CA."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.kit.origins import OriginCA
from tests.kit.tour import STEPS, Step, bodies, capturing, tour
from tests.kit.web_server import web_server

pytestmark = pytest.mark.end2end


def in_pieces(body: bytes) -> Iterator[bytes]:
    yield body[:70_000]
    yield body[70_000:]


async def test_a_session(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], scheme: str):
    async with (
        web_server(bodies, tls=origin_ca if scheme == "https" else None) as server,
        capturing(confdir, *trusting) as proxy,
    ):
        with requests.Session() as session:
            session.trust_env = False
            session.proxies = {"http": proxy.address, "https": proxy.address}
            session.verify = str(proxy.ca)

            def send(step: Step) -> tuple[int, bytes]:
                body = in_pieces(step.body) if step.in_pieces else step.body
                done = session.request(step.method, server.url(step.path), data=body, timeout=15)
                return done.status_code, done.content

            await tour(lambda step: asyncio.to_thread(send, step))
    proxy.agrees_with(server, "HTTP/1.1")
    assert len(proxy.http) == len(STEPS)
    assert len({flow.client_conn.id for flow in proxy.http}) == 1
