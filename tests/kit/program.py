"""middump as a process of its own: started, watched by its lines, told to end.

async with middump(confdir, "-s", "script.py") as program:
    await program.line("tally:", "200")
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.waiting import PATIENCE

LISTENING = re.compile(r" listening at .*?:(\d+)$")
START = "import sys; from midstream.cli import middump; sys.exit(middump())"
# Warnings of the interpreter (a socket that nobody closed, a coroutine that nobody awaited) would stand on stderr.
ENVIRONMENT = {"PYTHONWARNINGS": "default", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


@dataclass
class Middump:
    """A running middump, and what it has printed."""

    process: asyncio.subprocess.Process
    confdir: Path
    lines: list[str] = field(default_factory=list)
    """On stdout."""
    errors: list[str] = field(default_factory=list)
    """On stderr: log records of level error, and whatever Python itself complains about."""
    port: int = 0
    may_complain: bool = False
    """Whether the test wants lines on stderr; otherwise one there fails it."""
    watchers: list[asyncio.Task[None]] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def ca(self) -> Path:
        """The certificate that clients have to trust."""
        return self.confdir / "midstream-ca-cert.pem"

    @property
    def address(self) -> str:
        """For curl --proxy."""
        return f"http://127.0.0.1:{self.port}"

    async def line(self, *texts: str, after: int = 0) -> str:
        """The first line (from line number `after` on) with all these texts in it, once it is there."""
        return await self._seen(self.lines, texts, after)

    async def error(self, *texts: str) -> str:
        """The same on stderr."""
        self.may_complain = True
        return await self._seen(self.errors, texts, 0)

    async def ended(self, patience: float = PATIENCE) -> int:
        """The exit status, once it has ended and all it printed was read."""
        try:
            async with asyncio.timeout(patience):
                status = await self.process.wait()
                await asyncio.gather(*self.watchers)
                return status
        except TimeoutError:
            raise AssertionError(f"still running after {patience:g} s\n{self.printed()}") from None

    def signal(self, number: int) -> None:
        """Send a signal to it."""
        self.process.send_signal(number)

    def printed(self) -> str:
        """Everything, for a failure's message."""
        return "\n".join(["-- stdout", *self.lines, "-- stderr", *self.errors])

    async def _seen(self, lines: list[str], texts: tuple[str, ...], after: int) -> str:
        def found() -> str | None:
            return next((line for line in lines[after:] if all(text in line for text in texts)), None)

        try:
            async with asyncio.timeout(PATIENCE), self._news:
                while (line := found()) is None:
                    assert self.process.returncode is None, f"ended without {texts}\n{self.printed()}"
                    await self._news.wait()
                return line
        except TimeoutError:
            raise AssertionError(f"never printed: {texts}\n{self.printed()}") from None

    async def watch(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        """Take in what it prints until it closes the stream."""
        while line := await stream.readline():
            async with self._news:
                lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


def free_port() -> int:
    """A port that nobody listens on, for programs that have to be told one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        name: tuple[str, int] = probe.getsockname()
        return name[1]


def _before(umask: int, files: int) -> str:
    limits = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files})); " if files else ""
    return limits + (f"import os; os.umask({umask}); " if umask >= 0 else "")


@asynccontextmanager
async def started(
    confdir: Path, *argv: str, env: Mapping[str, str] | None = None, umask: int = -1, files: int = 0
) -> AsyncIterator[Middump]:
    """The process with exactly these arguments (and its own config folder), listening or not. Killed if still there."""
    async with python(confdir, "-c", _before(umask, files) + START, *argv, env=env) as program:
        yield program


@asynccontextmanager
async def python(confdir: Path, *argv: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Middump]:
    """Any program of Python, watched in the same way; `confdir` is where a midstream in it keeps its files."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, "MIDSTREAM_CONFDIR": str(confdir), **(env or {})},
        limit=64 * 1024 * 1024,
    )
    assert process.stdout is not None and process.stderr is not None
    program = Middump(process, confdir)
    loop = asyncio.get_running_loop()
    program.watchers = [
        loop.create_task(program.watch(process.stdout, program.lines)),
        loop.create_task(program.watch(process.stderr, program.errors)),
    ]
    try:
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await asyncio.gather(*program.watchers)


@asynccontextmanager
async def middump(
    confdir: Path, *argv: str, env: Mapping[str, str] | None = None, umask: int = -1, files: int = 0
) -> AsyncIterator[Middump]:
    """middump, listening on `port`, until the block ends; it then has to end by SIGTERM with status 0."""
    port = () if "-p" in argv else ("-p", "0")
    async with started(
        confdir, "--listen-host", "127.0.0.1", *port, *argv, env=env, umask=umask, files=files
    ) as program:
        found = LISTENING.search(await program.line("listening at"))
        assert found is not None
        program.port = int(found[1])
        yield program
        if program.process.returncode is None:
            program.signal(signal.SIGTERM)
            assert await program.ended() == 0, program.printed()
    assert program.may_complain or program.errors == [], program.printed()
