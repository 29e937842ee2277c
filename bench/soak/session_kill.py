"""kill -9 while 500 flows a second come in, then --resume: is every flow there that had ended a second before?

PYTHONPATH=. python bench/soak/session_kill.py [flows a second] [seconds]

midstream runs on a pseudo terminal; clients ask through it at a steady rate, each answer 1 kB, told apart by its token,
and note when they had the whole of it. Then the process is killed, started again with --resume, and asked to save all
flows in a file, which is read here. Printed is how many flows were promised, how many are there, and how long before
the kill the first missing one had ended.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.kit.pty import ProgramOnPty

from midstream.store.formats.native import read_flows_from_paths

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]
CLIENTS = 20


def body_of(token: str) -> bytes:
    return (token.encode() + b"," * 12 + b"x" * 1024)[:1024]


async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            token = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + body_of(token))
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def client(number: int, proxy: int, server: int, pause: float, finished: dict[str, float]) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy)
        due = time.monotonic() + pause * number / CLIENTS
        for index in range(1_000_000):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += pause
            token = f"{number}-{index}"
            target = f"http://127.0.0.1:{server}/{token}"
            writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{server}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(1024) == body_of(token)
            finished[token] = time.monotonic()
    except (asyncio.IncompleteReadError, OSError):
        pass  # killed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(proxy: int, rate: float, finished: dict[str, float]) -> threading.Thread:
    async def run() -> None:
        server = await asyncio.start_server(origin, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await asyncio.gather(*(client(number, proxy, port, CLIENTS / rate, finished) for number in range(CLIENTS)))
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    return thread


def start(folder: Path, port: int, *more: str) -> ProgramOnPty:
    return ProgramOnPty([*MIDSTREAM, "--set", f"confdir={folder}/conf", "-p", str(port), *more], 120, 32)


def main(rate: float, seconds: float) -> int:
    finished: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with start(folder, port) as program:
            program.wait_for("No flows yet")
            clients = load(port, rate, finished)
            until = time.monotonic() + seconds
            program.wait_for(lambda _: time.monotonic() > until, deadline=seconds + 30)
            killed = time.monotonic()
            program.process.kill()
            program.process.wait()
            clients.join()
        with start(folder, port, "--resume") as program:
            program.wait_for("back", deadline=120)
            print(next(line.strip() for line in program.lines if "back" in line))
            program.send(":", f"save.file @all {folder}/saved", "<enter>")
            program.wait_for("saved ", deadline=120)
            program.signal(signal.SIGTERM)
            program.wait_ended()
        bodies = {flow.request.path[1:]: flow.response for flow in read_flows_from_paths([folder / "saved"])}
    whole = {token for token, answer in bodies.items() if answer and answer.raw_content == body_of(token)}
    promised = {token for token, at in finished.items() if at < killed - 1}
    missing = sorted(killed - at for token, at in finished.items() if token not in whole)
    print(f"{len(finished):,} flows ended in {seconds:g} s ({len(finished) / seconds:.0f} a second)")
    print(f"{len(promised):,} of them a second before the kill; {len(promised - whole)} of these are missing")
    print(f"in all {len(missing)} are missing, the first ended {max(missing, default=0) * 1000:.0f} ms before the kill")
    return 1 if promised - whole else 0


if __name__ == "__main__":
    given = [float(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(given + [500.0, 10.0][len(given) :])))
