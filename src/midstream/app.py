"""Puts the rooms together: the two programs as masters, and the start from a command line to an exit status.

The only place that knows all rooms. Every object is made here and handed down as an argument; nothing is global, so a
process may run several masters at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from midstream import addons as built_in
from midstream.addons.errorcheck import start_failed
from midstream.hub import config
from midstream.hub.invocation import Invocation, Tool, listing, parse, refuse_unclaimed, show
from midstream.hub.log import uninstall_all
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.proxy.open_files import raise_limit
from midstream.proxy.server import Proxy
from midstream.work.collector import Collector

INTERRUPTED = 130
"""The exit status, as shells know it, of a program that was told again and again to end."""

IMPATIENT = 1.0  # seconds after a first signal, before which another one is nothing new


def make_options() -> Options:
    """Options with the one that no addon owns: the folder where everything of ours is kept."""
    options = Options()
    config.declare_folder(options)
    return options


class ProxyMaster(Master):
    """A master with a proxy; the programs differ in their addons."""

    def __init__(self, opts: Options, event_loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(opts, event_loop)
        self.proxy = Proxy(self.events, self.options)

    async def run(self) -> None:
        """Serve until `shutdown`; every connection has ended when this returns."""
        async with self.proxy:
            await super().run()


class DumpMaster(ProxyMaster):
    """The headless program."""

    def __init__(
        self,
        options: Options,
        loop: asyncio.AbstractEventLoop | None = None,
        with_termlog: bool = True,
        with_dumper: bool = True,
    ) -> None:
        super().__init__(options, loop)
        self.addons.add(*built_in.headless(self.proxy, with_termlog=with_termlog, with_dumper=with_dumper))


class ConsoleMaster(ProxyMaster):
    """The console program."""

    def __init__(self, opts: Options, event_loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(opts, event_loop)
        # Imported here: a headless start does without the terminal library.
        from midstream.console.console import Console
        from midstream.store.view import View

        self.view = View()
        self.console = Console(self, self.view)
        self.addons.add(*built_in.interactive(self.proxy, self.view, self.console.addon))

    async def until_exit(self) -> None:
        """Show the console; a start that failed has asked to exit by now and shows none."""
        if not self.should_exit.is_set():
            await self.console.run()


def start(tool: Tool, argv: Sequence[str]) -> int:
    """Run a program to its end and return its exit status. MidstreamError: the start failed, its text says why."""
    raise_limit()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_run(tool, argv))
    except asyncio.CancelledError:
        return INTERRUPTED


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed; MIDSTREAM_EVENT_LOOP=asyncio asks for the standard library's."""
    if os.environ.get("MIDSTREAM_EVENT_LOOP", "") != "asyncio":
        try:
            import uvloop
        except ImportError:  # Windows, PyPy
            pass
        else:
            return uvloop.new_event_loop
    return None


async def _run(tool: Tool, argv: Sequence[str]) -> int:
    options = make_options()
    master = make_master(tool, options)
    try:
        invocation = parse(tool, argv, options)
        if start_failed(master):  # a broken script: no port is opened for it
            return master.exit_status
        text = listing(invocation, options, master.commands)
        if text is not None:
            show(text)
            return 0
        refuse_unclaimed(tool, options)
        return await _serve(master, invocation)
    finally:
        uninstall_all(master)


def make_master(tool: Tool, options: Options) -> ProxyMaster:
    """The program with its built-in addons, not running yet. Made inside the loop that it will run in."""
    return DumpMaster(options) if tool == "middump" else ConsoleMaster(options)


async def _serve(master: ProxyMaster, invocation: Invocation) -> int:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    told_at: list[float] = []

    def on_signal() -> None:
        told_at.append(loop.time())
        if told_at[-1] - told_at[0] > IMPATIENT:  # a script is never done: leave without it
            task.cancel()
        master.shutdown()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, on_signal)
        except NotImplementedError:  # Windows: the interpreter's own KeyboardInterrupt ends the run
            break
    collector = Collector(loop)
    collector.settle()
    if isinstance(master, ConsoleMaster):
        # It keeps every flow until the list is cleared.
        master.view.on_change.append(lambda change: None if len(master.view) else collector.settle_soon())
        collector.start()
    await master.run()
    collector.stop()
    return master.exit_status
