"""A `DumpMaster` inside the test's own process and loop, listening: for what only its objects can tell.

async with running_master(tmp_path, addon, tcp_timeout=1) as running:
    … running.port, running.proxy.connections, running.recorder, running.log
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from midstream.app import DumpMaster, make_options
from midstream.hub.log import EventLogHandler, LogEntry
from midstream.proxy.server import Proxy
from tests.kit.conversation import Recorder
from tests.kit.waiting import PATIENCE, until


@dataclass
class RunningMaster:
    """See the module."""

    master: DumpMaster
    recorder: Recorder
    log: list[LogEntry]
    confdir: Path

    @property
    def proxy(self) -> Proxy:
        return self.master.proxy

    @property
    def port(self) -> int:
        return self.proxy.listen_addrs[0][1]

    @property
    def address(self) -> str:
        """For curl --proxy."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The certificate that clients have to trust."""
        return self.confdir / "midstream-ca-cert.pem"

    def trusting(self) -> ssl.SSLContext:
        """How a client that trusts our CA, and nobody else, speaks TLS."""
        return ssl.create_default_context(cafile=str(self.ca))

    def logged(self, *texts: str) -> list[str]:
        """The records that have all these texts in them."""
        return [entry.msg for entry in self.log if all(text in entry.msg for text in texts)]

    async def idle(self) -> None:
        """Wait until no client is connected."""
        await until(lambda: not self.proxy.connections, "no connection is left")


@asynccontextmanager
async def running_master(confdir: Path, *addons: object, **options: object) -> AsyncIterator[RunningMaster]:
    """A master with these addons, whose last one records the events. Its end has to leave no task behind."""
    tasks = asyncio.all_tasks()
    opts = make_options()
    opts.update(confdir=str(confdir))
    master = DumpMaster(opts, with_termlog=False, with_dumper=False)
    log: list[LogEntry] = []
    handler = EventLogHandler(log.append, logging.INFO)
    handler.install(master)
    recorder = Recorder()
    master.addons.add(*addons, recorder)
    opts.update(listen_host="127.0.0.1", listen_port=0, **options)
    running = RunningMaster(master, recorder, log, confdir)
    task = asyncio.get_running_loop().create_task(master.run())
    try:
        await until(lambda: task.done() or (master.proxy.listen_addrs and running.ca.exists()), "the master listens")
        yield running
    finally:
        master.shutdown()
        handler.uninstall()
        async with asyncio.timeout(PATIENCE):
            await task
    left = asyncio.all_tasks() - tasks
    assert not [one for one in left if "midstream" in repr(one.get_coro())], left
