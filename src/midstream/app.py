"""Puts the rooms together: the two programs as masters, and the start from a command line to an exit status.

The only place that knows all rooms. Every object is made here and handed down as an argument; nothing is global, so a
process may run several masters at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, Self

from midstream import addons as built_in
from midstream.addons.errorcheck import print_errors, start_failed
from midstream.flows.errors import StartError
from midstream.hub import config, ctx
from midstream.hub.adopting import adopt
from midstream.hub.endurance import run_to_end
from midstream.hub.given_options import GivenOptions
from midstream.hub.invocation import Invocation, Tool, apply, choose_folder, listing, show, understand
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.signals import told_to_end
from midstream.proxy.open_files import raise_limit
from midstream.proxy.server import Proxy
from midstream.text.escape import visible
from midstream.work.collector import Collector

INTERRUPTED = 130
"""The exit status, as shells know it, of a program that was told again and again to end."""

IMPATIENT = 1.0  # seconds after a first signal, before which another one is nothing new


def make_options() -> Options:
    """Options with the one that no addon owns: the folder where everything of ours is kept."""
    options = GivenOptions()
    config.declare_folder(options)
    options.settle()
    return options


class ProxyMaster(Master):
    """A master with a proxy; the programs differ in their addons.

    `await master.run()` serves until `shutdown`, `async with master:` for the length of the block, at whose beginning
    the listeners are open. Either may be done once. MidstreamError says why a start failed: StartError for what went
    wrong, OptionsError for a name in `Options(…)` that nobody has declared.
    """

    def __init__(self, opts: Options, event_loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(opts, event_loop)
        self.proxy = Proxy(self.events, self.options)
        self._life: contextlib.AsyncExitStack | None = None

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where clients can connect, once it has started: host and port of each listener."""
        return self.proxy.listen_addrs

    def before_first_script(self) -> None:
        """From now until this master ends, `import mitmproxy` means midstream."""
        # Imported here: a start without scripts does not pay for it.
        from midstream import compat

        self.at_end.enter_context(compat.installed())

    async def run(self) -> None:
        """Serve until `shutdown`; every connection has ended when this returns."""
        async with self:
            with ctx.use(self):
                await self.until_exit()

    async def __aenter__(self) -> Self:
        if self._life is not None:
            raise RuntimeError("a master runs only once; make another one")
        self._life = contextlib.AsyncExitStack()
        async with contextlib.AsyncExitStack() as entered:
            entered.callback(self.let_go)
            if isinstance(self.options, GivenOptions):
                self.options.settle()
            self._refuse_errors()  # of scripts: no port is opened for a broken one
            await entered.enter_async_context(self.proxy)
            await entered.enter_async_context(self.started())
            self._refuse_errors()
            self._life = entered.pop_all()
        return self

    def _refuse_errors(self) -> None:
        if start_failed(self):
            raise StartError("\n".join(entry.msg for entry in self.startup_errors))

    async def __aexit__(self, *failure: Any) -> None:
        if self._life is not None:
            await self._life.__aexit__(*failure)


class DumpMaster(ProxyMaster):
    """The headless program, also for other asyncio programs to run within theirs (docs/embedding.md).

    OptionsError: one of the options has a value that its addon refuses.
    """

    def __init__(
        self,
        options: Options,
        loop: asyncio.AbstractEventLoop | None = None,
        with_termlog: bool = True,
        with_dumper: bool = True,
    ) -> None:
        super().__init__(options, loop)
        try:
            chosen = built_in.headless(
                self.proxy, self.before_first_script, with_termlog=with_termlog, with_dumper=with_dumper
            )
            self.addons.add(*chosen)
        except BaseException:
            self.let_go()
            raise


class ConsoleMaster(ProxyMaster):
    """The console program."""

    def __init__(self, opts: Options, event_loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(opts, event_loop)
        # Imported here: a headless start does without the terminal library.
        from midstream.console.console import Console
        from midstream.store.view import View

        self.view = View()
        self.console = Console(self, self.view)
        chosen = built_in.interactive(self.proxy, self.view, self.console.addon, self.before_first_script)
        self.addons.add(*chosen)

    async def until_exit(self) -> None:
        """Show the console; a start that failed has asked to exit by now and shows none."""
        if not self.should_exit.is_set():
            await self.console.run()


def start(tool: Tool, argv: Sequence[str]) -> int:
    """Run a program to its end and return its exit status. MidstreamError: the start failed, its text says why."""
    # Threads of scripts may log after the master's end: without any handler `logging.info` makes one that prints.
    logging.getLogger().addHandler(logging.NullHandler())
    raise_limit()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return run_to_end(runner, _run(tool, argv))
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
        invocation = understand(tool, argv, options)
        if invocation.action == "check":
            return _check(invocation, master)
        if invocation.action == "adopt":
            return _adopt(invocation, options)
        if invocation.action == "completion":
            return _completion(invocation, options)
        if invocation.action == "sessions":
            return _sessions(invocation, options)
        if invocation.action not in ("help", "version"):
            apply(invocation, options)
        if start_failed(master):  # a broken script: no port is opened for it
            print_errors(master)
            return master.exit_status
        text = listing(invocation, options, master.commands)
        if text is not None:
            show(text)
            return 0
        if invocation.resume is not None:
            with ctx.use(master):
                master.addons.get("session").resume(invocation.resume)
        return await _serve(master, invocation)
    finally:
        master.let_go()


def _check(invocation: Invocation, master: ProxyMaster) -> int:
    # Imported here: no run needs it.
    from midstream.hub.checking import check

    keys = (master.console.bindings.read_now,) if isinstance(master, ConsoleMaster) else ()
    problems, summary = check(invocation, master, keys)
    show("".join(f"{visible(problem)}\n" for problem in [*problems, summary]))
    return 1 if problems else 0


def _adopt(invocation: Invocation, options: Options) -> int:
    lines, is_whole = adopt(invocation.folder, choose_folder(invocation, options), options)
    show("".join(f"{visible(line)}\n" for line in lines))
    return 0 if is_whole else 1


def _sessions(invocation: Invocation, options: Options) -> int:
    # Imported here: no run needs it.
    from midstream.store.session_listing import FOLDER, done

    lines, is_whole = done(choose_folder(invocation, options) / FOLDER, invocation.words)
    show("".join(f"{visible(line)}\n" for line in lines))
    return 0 if is_whole else 1


def _completion(invocation: Invocation, options: Options) -> int:
    # Imported here: no run needs it.
    from midstream.hub.flags import make_parser
    from midstream.hub.shell_completion import script

    show(script(invocation.shell, make_parser(invocation.tool, "", options, show_all=True), options))
    return 0


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

    collector = Collector(loop)
    collector.settle()
    if isinstance(master, ConsoleMaster):
        # It keeps every flow until the list is cleared.
        master.view.on_change.append(lambda change: None if len(master.view) else collector.settle_soon())
        collector.start()
    try:
        with told_to_end(on_signal):
            await master.run()
    except StartError:
        print_errors(master)
    collector.stop()
    return master.exit_status
