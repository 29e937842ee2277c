"""Autobahn's cases, which kosoku runs: against an echo server behind a reverse mode, and by an echo client whose proxy
we are. Its cases fail on us if we let pass what we must not, or do not let pass what we must.

What is left out unless MIDSTREAM_AUTOBAHN=all, for it takes minutes and shows nothing new: messages of 1 MiB and more
(9.*), and most of the 1,000 messages each of the compressed ones (12.*, 13.*), of which a few sizes stay. All of them
need `-o faulthandler_timeout=1800`, too.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.kit.program import free_port
from tests.kit.running_master import running_master
from tests.kit.websocket_echo import websocket_echo

kosoku = pytest.importorskip("kosoku")

pytestmark = [
    pytest.mark.end2end,
    # kosoku's cases leave the files open that they read their messages from.
    pytest.mark.filterwarnings("ignore:unclosed file <_io:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"),
]

ALL = os.environ.get("MIDSTREAM_AUTOBAHN") == "all"
QUICK = [
    *(f"{group}.*" for group in (1, 2, 3, 4, 5, 6, 7, 10)),
    *("9.1.1", "9.2.1", "9.3.9", "9.4.9", "9.5.6", "9.7.1"),
    *(f"12.{settings}.{size}" for settings in range(1, 6) for size in (1, 5)),
    *(f"13.{settings}.{size}" for settings in range(1, 8) for size in (1, 5)),
]


NOT_WITHIN_A_FRAME = {"6.4.3", "6.4.4"}
"""What is no UTF-8 may be told once its frame is whole: that is allowed, but not called strict."""


@pytest.fixture(autouse=True, scope="module")
def no_shims() -> Iterator[None]:
    """kosoku puts stand-ins of other packages among the modules, which tests that come later would get."""
    yield
    sys.path[:] = [folder for folder in sys.path if "/kosoku/" not in folder]
    for name, module in list(sys.modules.items()):
        if "/kosoku/shim/" in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


async def conforms(url: str, cases: Sequence[str] | None) -> int:
    """How many cases were run; AssertionError names those that were not passed, or not as strictly as they should."""
    try:
        results = await kosoku.run_fuzzingclient(url, cases=cases, concurrency=4)
    except kosoku.FailureError as failure:
        failed = [one for one in failure.results if not one.passed]
        lines = [f"{one.case_id}: {one.behavior.value}, {one.behavior_close.value}: {one.result}" for one in failed]
        raise AssertionError("\n".join(lines)) from None
    assert {one.case_id for one in results if one.behavior.value == "NON-STRICT"} <= NOT_WITHIN_A_FRAME
    return len(results)


async def test_an_echo_server_behind_a_reverse_mode(tmp_path: Path):
    async with (
        websocket_echo(keep=False) as echo,
        running_master(tmp_path, mode=[f"reverse:http://127.0.0.1:{echo.port}@{free_port()}"]) as running,
    ):
        assert await conforms(f"ws://127.0.0.1:{running.port}/", None if ALL else QUICK) == (517 if ALL else 277)
        await running.idle()
        assert running.recorder.names().count("websocket_end") == running.recorder.names().count("websocket_start")
        assert not running.logged("unexpectedly")


NOT_OF_THIS_CLIENT = [f"13.{settings}.*" for settings in (2, 5, 6)]
"""What its offer of compression has not, so that these cases would end in its being told so."""


async def echo_client(url: str, proxy: str) -> None:
    """Send back what comes until the server has had enough."""
    async with connect(url, proxy=proxy, max_size=None, max_queue=None, ping_interval=None) as client:
        with contextlib.suppress(ConnectionClosed):
            async for message in client:
                await client.send(message)


async def test_a_client_whose_proxy_we_are_and_a_server_that_breaks_every_rule(tmp_path: Path):
    async with (
        kosoku.run_fuzzingserver(None if ALL else QUICK, NOT_OF_THIS_CLIENT, port=0) as server,
        running_master(tmp_path) as running,
    ):
        url = f"ws://{server.address}:{server.port}"
        async with connect(f"{url}/getCaseCount", proxy=running.address) as client:
            count = int(await client.recv())
        cases = iter(range(1, count + 1))

        async def work() -> None:
            for case in cases:
                await echo_client(f"{url}/runCase?case={case}&agent=midstream", running.address)

        await asyncio.gather(*(work() for _ in range(4)))
        async with connect(f"{url}/updateReports?agent=midstream", proxy=running.address) as client:
            await client.wait_closed()
        results = await asyncio.wait_for(server.get_result(), 10)
        failed = [f"{one.case_id}: {one.result}" for one in results if not one.passed]
        assert not failed, "\n".join(failed)
        assert len(results) == count
        assert not running.logged("unexpectedly")
