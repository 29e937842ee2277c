"""Loads the user's scripts, keeps them up to date, and runs one over chosen flows.

The loading itself is hub/scripts.py. The scripts stand in `addons`, so that they are nested in this addon and come at
its place in the chain.
"""

from __future__ import annotations

import asyncio
import logging
import os
import types
from collections.abc import Callable, Sequence

from midstream.flows.errors import AddonManagerError, CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.hub import ctx, script_file
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.events import DECLARATIONS
from midstream.hub.handlers import handlers_of, walk
from midstream.hub.log import ALERT
from midstream.hub.recording import MOST_FLOWS, PERSON, Gesture, is_by_person
from midstream.hub.script_file import ScriptError
from midstream.hub.scripts import Scripts
from midstream.hub.simulation import happenings
from midstream.hub.types import Path
from midstream.text.escape import visible

logger = logging.getLogger(__name__)


class ScriptLoader:
    """The addon that owns the option `scripts`. `before_first_load` is called before any script runs."""

    def __init__(self, before_first_load: Callable[[], None] | None = None) -> None:
        self._scripts = Scripts(before_first_load)
        self.addons = self._scripts.modules

    def load(self, loader: Loader) -> None:
        loader.master.at_end.callback(self._scripts.forget_all)
        loader.add_option("scripts", Sequence[str], [], "Run these Python files as addons, in this order.", kind="path")

    def configure(self, updated: set[str]) -> None:
        if "scripts" in updated:
            self._scripts.set_paths(ctx.options.scripts, ctx.master.addons)

    def running(self) -> None:
        ctx.master.background.spawn(self._scripts.watch(ctx.master.addons), "watch scripts")

    @command("script.run")
    def script_run(self, flows: Sequence[Flow], path: Path) -> None:
        """Run a script once over flows: their events are sent to it alone."""
        try:
            module = self._scripts.load_apart(path)
        except ScriptError as error:
            raise CommandError(str(error)) from None
        try:
            for addon in walk([module]):
                handlers_of(addon, DECLARATIONS)
        except AddonManagerError as error:
            script_file.forget(module)
            raise CommandError(str(error)) from None
        ctx.master.background.spawn(self._run(module, list(flows), is_by_person()), f"run {path}")

    async def _run(self, module: types.ModuleType, flows: Sequence[Flow], by_person: bool) -> None:
        addons, name = ctx.master.addons, visible(os.path.basename(module.__file__ or ""))
        try:
            await addons.invoke_addon(module, "configure", ctx.options.keys())
            await addons.invoke_addon(module, "running")
            if by_person:
                await self._edit(module, flows, f"script.run {name}")
                logger.log(ALERT, "%s has run over %s", name, "1 flow" if len(flows) == 1 else f"{len(flows):,} flows")
                return
            for flow in flows:
                for event in happenings(flow):
                    await addons.invoke_addon(module, event)
                await self._tell(flow)
        except OptionsError as error:
            logger.error("%s: %s", module.__file__, error)
        finally:
            script_file.forget(module)

    async def _edit(self, module: types.ModuleType, flows: Sequence[Flow], name: str) -> None:
        """What a person has a script do to flows is one edit of that person: it can be undone and reverted."""
        recorder, is_long = ctx.master.events.recorder, len(flows) > MOST_FLOWS
        gesture = (recorder.long_gesture if is_long and recorder.on else Gesture)(name)
        try:
            with recorder.within(gesture):
                for flow in flows:
                    if not gesture.is_wanted:
                        break
                    had_backup = flow.modified()
                    flow.backup()
                    for event in happenings(flow):
                        with recorder.of([flow], PERSON, name):
                            await ctx.master.addons.invoke_addon(module, event)
                    if not had_backup and not flow.modified():
                        flow.revert()  # there is nothing to go back to
                    await self._tell(flow)
        finally:
            recorder.ended(gesture)

    async def _tell(self, flow: Flow) -> None:
        await ctx.master.events.update([flow])
        await asyncio.sleep(0)
