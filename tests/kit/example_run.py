"""One of examples/addons in a running proxy, with a client in front and an origin behind: real sockets, one process.

async with example(confdir, "add_header.py", answer, header_value="x") as run:
    head, body = await run.get("/path")
    … run.origin.requests, run.master, run.logged("text")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from midstream.app import DumpMaster
from midstream.hub import ctx
from tests.kit.origins import Heard, Origin, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.waiting import PATIENCE, until
from tests.kit.web_client import WebClient, web_client

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "addons"


@dataclass
class Run:
    """See the module."""

    running: RunningMaster
    origin: Origin
    client: WebClient

    @property
    def master(self) -> DumpMaster:
        return self.running.master

    def logged(self, *texts: str) -> list[str]:
        """The log records (info and above) that have all these texts in them."""
        return self.running.logged(*texts)

    async def get(self, path: str = "/", *fields: str) -> tuple[bytes, bytes]:
        """Head and body of the answer to a GET."""
        return await self.ask("GET", path, *fields)

    async def ask(self, method: str, path: str, *fields: str, body: bytes = b"") -> tuple[bytes, bytes]:
        """Head and body of the answer to any request."""
        self.client.ask(path, *fields, method=method, body=body)
        return await self.client.answer()

    def execute(self, line: str) -> object:
        """Run a command line, as at the prompt."""
        with ctx.use(self.master):
            return self.master.commands.execute(line)

    async def until_logged(self, *texts: str, patience: float = PATIENCE) -> str:
        """The first such record, once it is there."""
        await until(lambda: self.logged(*texts), f"{texts} is logged", patience)
        return self.logged(*texts)[0]


def hello(heard: Heard) -> bytes:
    """An answer that will do."""
    return ok(b"hello", "Content-Type: text/plain")


@asynccontextmanager
async def example(
    confdir: Path, name: str, answer: Callable[[Heard], bytes] = hello, **options: object
) -> AsyncIterator[Run]:
    """The example as `-s` loads it, with these options set. One that complains while it is loaded fails the test."""
    async with (
        origin(answering(answer)) as web,
        running_master(confdir, scripts=[str(EXAMPLES / name)]) as running,
    ):
        with ctx.use(running.master):
            running.master.options.update(**options)
        complaints = [entry.msg for entry in running.log if entry.level in ("warn", "error")]
        assert not complaints, complaints
        async with web_client(running.port, web, running.ca) as client:
            yield Run(running, web, client)
