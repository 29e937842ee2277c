"""Large bodies go through in bounded memory, at the pace of the slower side."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from tests.kit.origins import hear, ok, origin
from tests.kit.program import Middump, middump
from tests.kit.socket_end import SocketEnd
from tests.kit.waiting import until
from tests.kit.web_client import web_client

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]

SIZE = 100 * 1024 * 1024
PIECE = bytes(range(256)) * 1024
MOST = 48 * 1024
"""KiB by which the process may grow."""


def memory(program: Middump, what: str = "VmHWM") -> int:
    """KiB that the process has had in memory at most (VmHWM), or has now (VmRSS)."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what)))


async def stuck(end: SocketEnd) -> None:
    """Until what was said to a peer does not leave any more."""
    transport = end.writer.transport
    seen = -1

    def unchanged() -> bool:
        nonlocal seen
        before, seen = seen, transport.get_write_buffer_size()
        return before == seen > 60_000

    await until(unchanged, "everything between is full")


async def test_a_download_with_a_client_that_reads_late(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]
):
    async def pour(end: SocketEnd) -> None:
        await hear(end)
        end.say(ok())
        await hear(end)
        end.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // len(PIECE)):
            end.say(PIECE)
            await end.drain()
        await end.rest()

    async with (
        origin(pour, tls=tls) as web,
        middump(confdir, "--set", "stream_large_bodies=1m", *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/small")
        await client.answer()
        before = memory(program, "VmRSS")
        client.ask("/large")
        await client.end.head()
        await stuck(web.connections[0])
        assert memory(program) - before < MOST
        for _ in range(SIZE // len(PIECE)):
            assert await client.end.take(len(PIECE)) == PIECE
        assert memory(program) - before < MOST
        await program.line("    <- 200 OK ")


async def test_an_upload_to_a_server_that_reads_late(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]
):
    go_on = asyncio.Event()
    received = 0

    async def take_late(end: SocketEnd) -> None:
        nonlocal received
        await hear(end)
        end.say(ok())
        await end.head()
        await go_on.wait()
        while received < SIZE and (data := await end.take(65536)):
            received += len(data)
        end.say(ok(b"thanks"))
        await end.rest()

    async with (
        origin(take_late, tls=tls) as web,
        middump(confdir, "--set", "stream_large_bodies=1m", *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/small")
        await client.answer()
        before = memory(program, "VmRSS")

        async def pour() -> None:
            client.end.say(client.head("/large", f"Content-Length: {SIZE}", method="PUT"))
            for _ in range(SIZE // len(PIECE)):
                client.end.say(PIECE)
                await client.end.writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(pour())
            await stuck(client.end)
            assert memory(program) - before < MOST
            go_on.set()
        assert (await client.answer())[1] == b"thanks"
        assert received == SIZE
        assert memory(program) - before < MOST


async def test_an_answer_comes_before_the_upload_has_ended(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]
):
    early = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

    async def refuse_early(end: SocketEnd) -> None:
        await end.head()
        end.say(early)
        await end.rest()

    async with (
        origin(refuse_early, tls=tls) as web,
        middump(confdir, "--set", "stream_large_bodies=1m", *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.end.say(client.head("/large", f"Content-Length: {SIZE}", method="PUT") + PIECE)
        assert await client.answer() == (early[:-2], b"no")
        with contextlib.suppress(ConnectionError):
            await client.end.rest()
        await program.line("    <- 413 Too Large")


async def test_pieces_arrive_as_they_come(confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]):
    """Server-sent events and the like: nothing is held back until more has come."""
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def speak(end: SocketEnd) -> None:
        await hear(end)
        end.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        while piece := await said.get():
            end.say(b"%x\r\n%b\r\n" % (len(piece), piece))
        end.say(b"0\r\n\r\n")

    script = confdir.parent / "stream.py"
    script.write_text("def responseheaders(flow):\n    flow.response.stream = True\n")
    async with (
        origin(speak, tls=tls) as web,
        middump(confdir, "-s", str(script), *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/events")
        await client.end.head()
        for number in range(5):
            said.put_nowait(b"event %d" % number)
            await client.end.expect(b"7\r\nevent %d\r\n" % number)
        said.put_nowait(b"")
        await client.end.expect(b"0\r\n\r\n")
