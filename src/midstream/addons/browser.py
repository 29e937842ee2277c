"""The command `browser.start`: a browser that comes through the proxy and trusts it, in a profile that is thrown away.

It may be given several times. What was started ends with midstream, and its profile is deleted then, or when it is
closed. Which browsers there are: browsers.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from midstream.addons.tlsconfig import TlsConfig
from midstream.flows.errors import CommandError
from midstream.flows.proxy_mode import RegularMode, Socks5Mode, UpstreamMode
from midstream.hub import command, ctx
from midstream.proxy.binding import EVERY_ADDRESS
from midstream.proxy.server import Proxy
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.addons.browsers import Kind, Way

logger = logging.getLogger("midstream.addons.browser")

PATIENCE = 3.0
"""Seconds that a browser gets to end before it is killed."""


class Browser:
    """The addon; see the module."""

    def __init__(self, proxy: Proxy, tls: TlsConfig) -> None:
        self._proxy, self._tls = proxy, tls
        self._lives: set[asyncio.Task[None]] = set()

    @command.command("browser.start")
    def start(self, browser: str = "chrome") -> None:
        """Start a browser through the proxy, in a new profile: chrome or its kin, chromium, edge, brave, firefox."""
        # Imported here: most starts do without.
        from midstream.addons.browsers import KINDS

        kind = KINDS.get(browser.lower())
        if kind is None:
            raise CommandError(f"{visible(browser)!r} is no browser that can be started; these can: {', '.join(KINDS)}")
        program = kind.find()
        if program is None:
            there = ", ".join(name for name, each in KINDS.items() if each.find() is not None)
            how = f"browser.start takes {there}, too" if there else f"install one of {', '.join(kind.programs[:3])}"
            raise CommandError(f"no program for {kind.name} was found; {how}")
        way = self._way()
        if self._lives:
            logger.info("one more browser is started, beside %d", len(self._lives))
        life = ctx.master.background.spawn(_live(kind, program, way), f"browser {kind.name}")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    async def done(self) -> None:
        """End what was started."""
        for life in self._lives:
            life.cancel()
        if self._lives:
            await asyncio.wait(self._lives)

    def _way(self) -> Way:
        """By which of our listeners. Raises CommandError."""
        from midstream.addons.browsers import Way

        authority = self._tls.authority
        if authority is None:
            raise CommandError("there is no CA yet that a browser could trust")
        for modes, scheme in (((RegularMode, UpstreamMode), "http"), ((Socks5Mode,), "socks5")):
            for server in self._proxy.servers:
                if isinstance(server.mode, modes) and server.is_running:
                    for host, port in server.listen_addrs:
                        return Way(scheme, _reachable(host), port, authority)
        raise CommandError("no listener is there for a browser; add one by: set mode regular")


def _reachable(host: str) -> str:
    """From this machine, where a listener is bound to every address."""
    if host not in EVERY_ADDRESS:
        return host
    return "::1" if ":" in host else "127.0.0.1"


async def _live(kind: Kind, program: str, way: Way) -> None:
    """From an empty folder to none."""
    folder = Path(tempfile.mkdtemp(prefix=f"midstream-{kind.name}-"))
    try:
        await _run(kind, program, way, folder)
    except OSError as problem:
        logger.warning("%s cannot be started: %s", program, problem.strerror or problem)
    finally:
        await asyncio.shield(asyncio.to_thread(_remove, folder))


async def _run(kind: Kind, program: str, way: Way, folder: Path) -> None:
    arguments, doubt = await asyncio.to_thread(kind.prepare, folder, way)
    if doubt:
        logger.warning("%s: %s", kind.name, doubt)
    said = folder / "said"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A group of its own: what is typed at our terminal is not for it, and all of it can be ended at once.
            start_new_session=True,
        )
    logger.info("%s runs through %s, with a profile that is deleted when it ends", kind.name, way.url)
    try:
        status = await process.wait()
        if status:
            logger.warning("%s ended with status %d: %s", program, status, _last_line(said))
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it, and what it started."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    _signal(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    await process.wait()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):  # all of it has ended
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _remove(folder: Path) -> None:
    """What is left of a browser may be writing yet; what cannot be deleted then is said."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    logger.warning("%s could not be deleted; it is the profile of a browser that has ended", folder)


def _last_line(file: Path) -> str:
    lines = file.read_bytes()[-4096:].decode("utf-8", "replace").strip().splitlines()
    return visible(lines[-1]) if lines else "it said nothing"
