"""middump ends soon and with status 0 when it is told to, whatever its clients are doing."""

import contextlib
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA, answering, hear, ok, origin
from tests.kit.program import Middump, middump
from tests.kit.socket_end import SocketEnd, connected, tunnelled
from tests.kit.stopwatch import within
from tests.kit.waiting import until
from tests.kit.web_client import web_client

pytestmark = pytest.mark.end2end

SOON = 2.0

HOLDS = """
def response(flow):
    flow.intercept()
"""


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that chooses an event loop."""
    return {"MIDSTREAM_EVENT_LOOP": request.param}


@asynccontextmanager
async def ends_soon(program: Middump, number: int) -> AsyncIterator[None]:
    """After the block a signal ends the program, soon and in order."""
    yield
    with within(SOON, clock=time.monotonic):
        program.signal(number)
        assert await program.ended() == 0, program.printed()
    assert program.errors == [], program.printed()


SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
async def test_an_idle_program(confdir: Path, loop: dict[str, str], number: int):
    async with middump(confdir, env=loop) as program, ends_soon(program, number):
        pass


@pytest.mark.parametrize("number", SIGNALS)
async def test_with_clients_in_every_state(
    confdir: Path, tmp_path: Path, loop: dict[str, str], origin_ca: OriginCA, trusting: tuple[str, str], number: int
):
    script = tmp_path / "holds.py"
    script.write_text(HOLDS)

    async def drip(end: SocketEnd) -> None:
        while (heard := await hear(end)) is not None:
            if heard.target == "/stalls":
                end.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 60_000)
            else:
                end.say(ok(b"whole"))

    options = ("-s", str(script), "--set", "stream_large_bodies=50k", *trusting)
    async with (
        origin(drip) as web,
        origin(drip, tls=origin_ca.context()) as secure,
        middump(confdir, *options, env=loop) as program,
        AsyncExitStack() as clients,  # they stay connected while the program ends
        ends_soon(program, number),
    ):
        enter = clients.enter_async_context
        await enter(connected(program.port))  # has said nothing
        half = await enter(connected(program.port))
        half.say(b"GET http://")
        await enter(tunnelled(program.port, web.authority))  # has said nothing in its tunnel
        for server in (web, secure):
            held = await enter(web_client(program.port, server, program.ca))
            held.ask("/held")
            stalls = await enter(web_client(program.port, server, program.ca))
            stalls.ask("/stalls")
            await stalls.end.until(b"xxx")
            sends = await enter(web_client(program.port, server, program.ca))
            sends.end.say(sends.head("/up", "Content-Length: 100000", method="POST") + b"x" * 90_000)


@pytest.mark.parametrize("number", SIGNALS)
async def test_with_a_client_that_does_not_read(confdir: Path, loop: dict[str, str], number: int):
    async def flood(end: SocketEnd) -> None:
        await hear(end)
        end.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            end.say(b"x" * 65536)
            await end.drain()

    async with (
        origin(flood) as web,
        middump(confdir, "--set", "stream_large_bodies=1m", env=loop) as program,
        connected(program.port) as client,
        ends_soon(program, number),
    ):
        client.say(f"GET {web.url()} HTTP/1.1\r\nHost: {web.authority}\r\n\r\n".encode())
        await client.until(b"xxx")
        # Once everything between is full, the server cannot go on either.
        transport = web.connections[0].writer.transport
        await until(lambda: transport.get_write_buffer_size() > 60_000, "all buffers are full")


async def test_twice_told_is_no_trouble(confdir: Path):
    async with middump(confdir) as program:
        program.signal(signal.SIGINT)
        with contextlib.suppress(ProcessLookupError):
            program.signal(signal.SIGINT)
        assert await program.ended() == 0


@needs_curl
async def test_the_other_loop_serves_as_well(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], loop: dict[str, str], scheme: str
):
    tls = origin_ca.context() if scheme == "https" else None
    async with (
        origin(answering(lambda heard: ok(heard.body)), tls=tls) as web,
        middump(confdir, *trusting, env=loop) as program,
    ):
        through = ("--proxy", program.address, "--cacert", str(program.ca))
        body = bytes(range(256)) * 4000
        for _ in range(2):
            done = await curl(*through, "--data-binary", "@-", web.url("/up"), stdin=body)
            assert (done.status, done.body) == (200, body), done.errors
        refused = await curl(*through, "http://127.0.0.1:1/")
        assert refused.status == 502
        raw = await curl(*through, "-H", "Expect: 100-continue", "-T", "-", web.url("/put"), stdin=body)
        assert raw.body == body


async def test_a_thread_that_logs_to_the_very_end_is_not_heard_after_it(tmp_path: Path, confdir: Path):
    path = tmp_path / "chatty.py"
    path.write_text(
        "import logging, threading\n\ndef chat():\n    while True:\n        logging.info('still here')\n\n"
        "def running():\n    threading.Thread(target=chat, daemon=True).start()\n"
    )
    async with middump(confdir, "-s", str(path)) as program:
        await program.line("still here")
    assert program.errors == []
