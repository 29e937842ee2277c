"""Throttled traffic through the running proxy, by a clock that the test moves: states and byte counts, no waiting."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from midstream.addons.throttle import LOST
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Origin, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.slow_clock import SlowClock
from tests.kit.tour import bodies
from tests.kit.waiting import until
from tests.kit.web_server import web_server
from tests.kit.websocket_echo import websocket_echo

pytestmark = [pytest.mark.end2end, needs_curl]

BODY = bytes(range(256)) * 256  # 64 kB


@pytest.fixture
async def web() -> AsyncIterator[Origin]:
    async with origin(answering(lambda heard: ok(heard.body or BODY))) as web:
        yield web


def throttled(running: RunningMaster, *rules: str) -> SlowClock:
    """Set rules, and be the one who moves their clock."""
    clock = SlowClock()
    running.master.addons.get("throttle")._clock = clock
    running.master.options.throttle = [*rules]
    return clock


async def driven(clock: SlowClock, *arguments: str, stdin: bytes | None = None) -> Curled:
    """Run curl; time passes whenever everything waits for it."""
    task = asyncio.ensure_future(curl(*arguments, stdin=stdin))
    while not task.done():
        await until(lambda: task.done() or clock.waiting, "it waits for time, or is done")
        if clock.waiting:
            clock.pass_to_next()
    return await task


@pytest.mark.parametrize("streamed", [None, "1k"], ids=["held", "streamed"])
async def test_downloads_and_uploads_take_what_the_line_says(confdir: Path, web: Origin, streamed: str | None) -> None:
    async with running_master(confdir, stream_large_bodies=streamed) as running:
        clock = throttled(running, "/~u slow/latency=100ms down=16k up=8k")
        answer = await driven(clock, "-x", running.address, web.url("/slow"))
        assert answer.body == BODY and clock.now() == pytest.approx(4.1, rel=0.05)
        begun = clock.now()
        answer = await driven(clock, "-x", running.address, web.url("/slow"), "--data-binary", "@-", stdin=BODY)
        # Streamed, the answer would come meanwhile; this server reads all before it answers.
        assert answer.body == BODY and clock.now() - begun == pytest.approx(12.1, rel=0.05)
        begun = clock.now()
        answer = await driven(clock, "-x", running.address, web.url("/quick"))
        assert answer.body == BODY and clock.now() == begun


async def test_over_http2(confdir: Path, origin_ca: OriginCA) -> None:
    trusting = {"ssl_verify_upstream_trusted_ca": str(origin_ca.file)}
    async with web_server(bodies, tls=origin_ca) as server, running_master(confdir, **trusting) as running:
        clock = throttled(running, "down=256k up=128k")
        arguments = ("--http2", "--cacert", str(running.ca), "-x", running.address)
        answer = await driven(clock, *arguments, server.url("/echo"), "--data-binary", "@-", stdin=BODY * 8)
        assert answer.body == BODY * 8 and clock.now() == pytest.approx(6, rel=0.05)
        assert server.versions == {"2"}


async def test_offline_and_back(confdir: Path, web: Origin) -> None:
    async with running_master(confdir) as running:
        throttled(running, "offline")
        assert (await curl("-x", running.address, web.url("/"))).exit != 0
        flow = running.recorder.last("error")
        assert flow.metadata[LOST] == "lost" and flow.error is not None
        running.master.commands.execute("throttle.stop")
        assert (await curl("-x", running.address, web.url("/"))).body == BODY


async def test_a_client_that_leaves_takes_nothing_of_the_line(confdir: Path, web: Origin) -> None:
    async with running_master(confdir) as running:
        clock = throttled(running, "down=1k")
        task = asyncio.ensure_future(curl("-x", running.address, web.url("/")))
        await until(lambda: clock.waiting, "the body is on its way")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        running.master.options.throttle = []
        assert (await curl("-x", running.address, web.url("/"))).body == BODY


async def test_messages_of_a_websocket_come_later_and_in_order(confdir: Path) -> None:
    async with websocket_echo() as echo, running_master(confdir) as running:
        clock = throttled(running, "/~websocket/latency=200ms")
        url = f"ws://127.0.0.1:{echo.port}/"
        connecting = asyncio.ensure_future(connect(url, proxy=running.address, compression=None).__aenter__())
        await until(lambda: connecting.done() or clock.waiting, "the handshake waits, or is done")
        while not connecting.done():
            if clock.waiting:
                clock.pass_to_next()
            await asyncio.sleep(0)
        client = await connecting
        begun = clock.now()
        for number in range(5):
            await client.send(str(number))
        await until(lambda: clock.waiting, "the first message waits")
        assert echo.messages == []
        clock.pass_to_next()
        await until(lambda: len(echo.messages) == 5, "those behind it follow at once")
        await until(lambda: clock.waiting, "the first echo waits")
        clock.pass_to_next()
        assert [await client.recv() for _ in range(5)] == [str(number) for number in range(5)]
        assert clock.now() - begun == pytest.approx(0.4)
        await client.close()
