"""Many clients at once, each with one connection and many requests on it: nothing is lost and nothing is mixed up."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.program import Middump, middump
from tests.kit.web_client import web_client

pytestmark = pytest.mark.end2end

CLIENTS = 20
REQUESTS = 100


def body_of(target: str) -> bytes:
    """A body that belongs to one target alone, of a size of its own."""
    digest = hashlib.sha256(target.encode()).digest()
    return target.encode() + digest * (digest[0] * 4)


def answer(heard: Heard) -> bytes:
    return ok(body_of(heard.target), f"X-For: {heard.fields['x-id']}")


async def ask_many(program: Middump, web: Origin, name: str) -> None:
    async with web_client(program.port, web, program.ca) as client:
        for number in range(REQUESTS):
            target, mark = f"/{name}/{number}", f"{name}-{number}"
            client.ask(target, f"X-Id: {mark}")
            head, body = await client.answer()
            assert f"\r\nX-For: {mark}\r\n" in head.decode()
            assert body == body_of(target)


async def test_each_response_belongs_to_its_request(confdir: Path, origin_ca: OriginCA, scheme: str):
    tls = origin_ca.context() if scheme == "https" else None
    options = ("--flow-detail", "1", "--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}")
    async with origin(answering(answer), tls=tls) as web, middump(confdir, *options) as program:
        async with asyncio.TaskGroup() as clients:
            for number in range(CLIENTS):
                clients.create_task(ask_many(program, web, f"client{number}"))
        assert len(web.requests) == CLIENTS * REQUESTS
        assert len({heard.fields["x-id"] for heard in web.requests}) == CLIENTS * REQUESTS
        # One connection to the server for each client's own: they are reused, and not shared between clients.
        assert len(web.connections) == CLIENTS
    rows = [line for line in program.lines if " GET " in line]
    assert len(rows) == CLIENTS * REQUESTS
    assert len(set(rows)) == CLIENTS * REQUESTS
