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

from midstream.app import DumpMaster
from midstream.hub.given_options import GivenOptions as Options
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
    given = Options(confdir=str(confdir), listen_host="127.0.0.1", listen_port=0, **options)
    master = DumpMaster(given, with_termlog=False, with_dumper=False)
    log: list[LogEntry] = []
    EventLogHandler(log.append, logging.INFO).install(master)
    recorder = Recorder()
    master.addons.add(*addons, recorder)
    async with asyncio.timeout(None) as patience, master:
        yield RunningMaster(master, recorder, log, confdir)
        patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)  # for its end
    left = asyncio.all_tasks() - tasks
    assert not [one for one in left if "midstream" in repr(one.get_coro())], left
