"""`context`: a master around the addons of a test, without a network, a screen or a config file.

`with context(addon)` loads and configures addons; `async with` tells them `running` at its beginning and `done` at its
end as well. It may stand in a test without an event loop, as long as nothing is awaited.
"""

from __future__ import annotations

import asyncio
import os
import types
import weakref
from contextlib import ExitStack
from typing import Any, Self

from midstream import addons as built_in
from midstream.addons.core import Core
from midstream.addons.flow_specs import FlowSpecs
from midstream.addons.script import ScriptLoader
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.hub import ctx, script_file
from midstream.hub.addons import Loader
from midstream.hub.command import Command
from midstream.hub.given_options import GivenOptions
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.scripts import Scripts
from midstream.hub.simulation import happenings
from midstream.proxy.server import Proxy
from midstream.testing.caught_log import CaughtLog


class context:
    """`master`, `options`, `commands` and `log` for addons under test; `ctx` means this master within the block.

    A handler that fails makes the test fail: `emit`, `cycle` and `configure` raise what it raised, the end of the block
    what was raised elsewhere. With `strict=False` it is logged and the event goes on, as in the programs.
    `loadcore` brings the options of the programs, though nothing listens, and the commands on options and flows.
    """

    def __init__(
        self, *addons: object, options: Options | None = None, loadcore: bool = True, strict: bool = True
    ) -> None:
        self.options: Options = GivenOptions() if options is None else options
        loop = _loop_for(self)
        self.master = Master(self.options, loop)
        if loop is not None:
            self.master.at_end.callback(loop.close)
        self.commands = self.master.commands
        self.log = CaughtLog(self.master)
        self._strict = strict
        self._scripts = Scripts(self._install_compat)
        self._block = ExitStack()
        try:
            if loadcore:
                self.master.addons.add(_ProgramOptions(), Core(), FlowSpecs())
            self.master.addons.add(*addons)
            self._raise_failure()
        except BaseException:
            self.master.let_go()
            raise

    # -- the block ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            entered.callback(self.master.let_go)
            if isinstance(self.options, GivenOptions):
                self.options.settle()
            entered.callback(self.master.background.cancel)
            entered.enter_context(ctx.running(self.master))
            entered.enter_context(ctx.use(self.master))
            self._block = entered.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._block.close()
        if kind is None:
            self._raise_failure()

    async def __aenter__(self) -> Self:
        self.__enter__()
        try:
            await self.master.running()
            self._raise_failure()
        except BaseException:
            await self.master.done()
            self._block.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            await self.master.done()
        finally:
            self.__exit__(kind)

    # -- what tests do --------------------------------------------------------------------------------------------

    async def emit(self, event: str, *args: Any) -> None:
        """Send an event to all addons, as the proxy does: it ends when the flow, if one is held, is let go."""
        await self.master.addons.trigger_event(event, *args)
        self._raise_failure()

    async def cycle(self, addon: object, f: Flow) -> None:
        """Send one addon the events that the flow has seen in its life, until the addon holds the flow."""
        for event in happenings(f):
            await self.master.addons.invoke_addon(addon, event)
            self._raise_failure()
            if f.intercepted:
                return

    def configure(self, addon: object, **values: object) -> None:
        """Set options, and have the addon configured by them. OptionsError: it, or another addon, refuses them.

        Without values the addon is told `configure` with no names.
        """
        self.options.update(**values)
        if not values or addon not in self.master.addons:
            self.master.addons.invoke_addon_sync(addon, "configure", set(values))
        self._raise_failure()

    def script(self, path: str | os.PathLike[str]) -> types.ModuleType:
        """Load a script as `-s` does and return its module. OptionsError: one line that says why it cannot be."""
        try:
            module = self._scripts.load_apart(os.fspath(path))
        except script_file.ScriptError as error:
            raise OptionsError(str(error)) from error
        self.master.at_end.callback(script_file.forget, module)
        self.master.addons.add(module)
        self._raise_failure()
        return module

    def command(self, func: Any, *args: Any) -> Any:
        """Call a command with texts as they are typed (checked and parsed by its types), or with native values."""
        name = getattr(func, "command_name", func.__name__)
        if all(isinstance(each, str) for each in args):
            return Command(self.commands, name, func).call(args)
        return func(*args)

    def _install_compat(self) -> None:
        # Imported here: most tests of addons load no script.
        from midstream import compat

        self.master.at_end.enter_context(compat.installed())

    def _raise_failure(self) -> None:
        failures = self.log.take_failures()
        if self._strict and failures:
            raise failures[0]


class _ProgramOptions:
    """The options of every program, declared by those who own them; but nobody acts on them."""

    name = "program options"

    def load(self, loader: Loader) -> None:
        proxy = Proxy(loader.master.events, loader.master.options)
        for owner in built_in.common(proxy, None):
            if hasattr(owner, "load") and not isinstance(owner, ScriptLoader):  # that there is `script` for
                owner.load(loader)


def _loop_for(owner: object) -> asyncio.AbstractEventLoop | None:
    """None within a running loop, which the master finds; else one that nothing runs in, and that ends with `owner`."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        weakref.finalize(owner, loop.close)
        return loop
    return None
