"""What every real client does through the proxy: the same requests, and the same questions about them afterwards.

async with capturing(confdir, *trusting) as proxy, web_server(bodies, tls=origin_ca) as server:
    await tour(server, ask)          # ask: what this client does for one `Step`
proxy.agrees_with(server)            # the captured flows are the exchanges of the server, body by body
"""

from __future__ import annotations

import asyncio
import gzip
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message
from midstream.io import FlowReader
from tests.kit.program import Middump, middump
from tests.kit.web_server import Exchange, Receive, Send, WebServer, digest, respond, whole_body
from tests.kit.web_server import Message as Scope

MEGABYTE = random.Random(4).randbytes(1024 * 1024)
TEXT = b"some text that packs well\n" * 4000
BODIES = {"/empty": b"", "/binary": bytes(range(256)) * 8 + b"\r\n\r\n\x00", "/1mb": MEGABYTE, "/pieces": MEGABYTE}


async def bodies(scope: Scope, receive: Receive, send: Send) -> None:
    """The app: a body by its name, the status that is asked for, or what was sent."""
    path = scope["path"]
    asked = await whole_body(receive)
    if path == "/echo":
        await respond(send, 201, asked, ("content-type", "application/octet-stream"))
    elif path == "/text":
        await respond(send, 200, gzip.compress(TEXT), ("content-type", "text/plain"), ("content-encoding", "gzip"))
    elif path.startswith("/status/"):
        await respond(send, int(path[8:]), b"" if path == "/status/204" else b"as asked")
    elif path.startswith("/small/"):
        await respond(send, 200, small(path))
    else:
        await respond(send, 200, BODIES[path], pieces=7 if path == "/pieces" else 1)


def small(path: str) -> bytes:
    """One of many different bodies, some kilobytes long."""
    return digest(path.encode()).encode() * (20 + len(path))


@dataclass(frozen=True)
class Step:
    """A request, and what has to come of it."""

    method: str
    path: str
    status: int
    answer: bytes
    """As the client's user sees it: unpacked."""
    body: bytes = b""
    in_pieces: bool = False
    """Whether the client sends the body without telling its length first."""


STEPS = (
    Step("GET", "/empty", 200, b""),
    Step("GET", "/binary", 200, BODIES["/binary"]),
    Step("GET", "/1mb?x=%41&y=a+b", 200, MEGABYTE),
    Step("GET", "/pieces", 200, MEGABYTE),
    Step("GET", "/text", 200, TEXT),
    Step("HEAD", "/binary", 200, b""),
    Step("POST", "/echo", 201, MEGABYTE, MEGABYTE),
    Step("PUT", "/echo", 201, MEGABYTE, MEGABYTE, in_pieces=True),
    Step("DELETE", "/status/204", 204, b""),
    Step("GET", "/status/404", 404, b"as asked"),
)
Ask = Callable[[Step], Awaitable[tuple[int, bytes]]]
"""One request of a client; its status, and its body unpacked."""


async def tour(ask: Ask, steps: tuple[Step, ...] = STEPS) -> None:
    """Take all the steps, one by one."""
    for step in steps:
        status, body = await ask(step)
        assert (status, digest(body)) == (step.status, digest(step.answer)), (step.method, step.path, status, body[:80])


async def crowd(ask: Ask, number: int) -> None:
    """Ask for that many small bodies at once."""
    steps = [Step("GET", f"/small/{n}", 200, small(f"/small/{n}")) for n in range(number)]
    await asyncio.gather(*(tour(ask, (step,)) for step in steps))


@dataclass
class Capture:
    """A middump that saves what it captures. `flows` is there once its block has ended."""

    program: Middump
    flows: list[Flow] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.program.port

    @property
    def address(self) -> str:
        return self.program.address

    @property
    def ca(self) -> Path:
        return self.program.ca

    @property
    def http(self) -> list[HTTPFlow]:
        """The captured exchanges."""
        return [flow for flow in self.flows if isinstance(flow, HTTPFlow)]

    def exchanges(self) -> list[Exchange]:
        """They as the proxy saw them."""
        return [_exchange(flow) for flow in self.http]

    def agrees_with(self, server: WebServer, *versions: str) -> None:
        """Whether it captured exactly what the server did, with HTTP in these versions towards the client."""
        assert [flow.error for flow in self.http if flow.error] == []
        theirs, ours = Counter(server.exchanges), Counter(self.exchanges())
        lacking, made_up = list(map(str, theirs - ours)), list(map(str, ours - theirs))
        if lacking or made_up:  # an assertion would show all of them
            pytest.fail(f"{len(lacking)} not captured: {lacking[:3]}\n{len(made_up)} made up: {made_up[:3]}")
        assert {flow.request.url.removesuffix(flow.request.path) for flow in self.http} == {server.url("")}
        if versions:
            assert {flow.request.http_version for flow in self.http} == set(versions)


def _exchange(flow: HTTPFlow) -> Exchange:
    assert flow.response is not None, flow
    request, response = flow.request, flow.response
    return Exchange(request.method, request.path, _digest(request), response.status_code, _digest(response))


def _digest(message: Message) -> str:
    assert message.raw_content is not None
    return digest(message.raw_content)


@asynccontextmanager
async def capturing(confdir: Path, *argv: str) -> AsyncIterator[Capture]:
    """middump with these arguments until the block ends; then what it saved is read."""
    saved = confdir.parent / "captured.flows"
    keeping = ("-s", str(Path(__file__).with_name("keep_flows.py")), "--set", f"keep_flows={saved}")
    async with middump(confdir, *keeping, *argv) as program:
        capture = Capture(program)
        yield capture
    with saved.open("rb") as file:
        capture.flows = list(FlowReader(file).stream())
