"""HAR files: `save.har` writes flows that are there, the option `hardump` all that finish, for other programs to open.

What is captured goes to the disk as it comes, into a hidden file beside the one that is named, which takes its place
when the program ends: nothing is kept in memory, and what a kill leaves behind is a HAR without its end, which `-r` and
`view.flows.load` read. The form is the business of `store/formats/har_write`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from midstream import filters
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.types import Path
from midstream.store.files import Writing, target, why
from midstream.text.escape import visible
from midstream.work.slices import Budget
from midstream.work.whole_file import checked

if TYPE_CHECKING:
    from midstream.addons.hardump import HarDump

logger = logging.getLogger("midstream.addons.savehar")


class SaveHar:
    """The addon; see the module."""

    name = "savehar"

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What notes finished flows, while there is a `hardump`."""
        self._dump: HarDump | None = None
        self._busy: set[asyncio.Task[None]] = set()
        self._is_over = False

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "hardump",
            str,
            "",
            "HAR file of all finished HTTP flows, whole when the program ends; packed if named .zhar, - prints it.",
            kind="path",
        )

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "save_stream_filter" in updated and self._dump is not None:
            self._dump.filter = _filter()
        if "hardump" in updated:
            _filter()
            if options.hardump and options.hardump != "-":
                try:
                    checked(target(options.hardump).path)
                except OSError as error:
                    raise OptionsError(f"option hardump: {why(error)}") from None
            if options.hardump.startswith("+"):
                raise OptionsError("option hardump: nothing can be appended to a HAR file")
            if ctx.master.is_running:
                self._switch()

    async def running(self) -> None:
        if not ctx.master.startup_errors:
            self._switch()
            if self._dump is not None:
                await self._dump.is_open.wait()

    async def done(self) -> None:
        self._is_over = True
        self._switch()
        if self._busy:
            await asyncio.wait(self._busy)

    def _switch(self) -> None:
        """From one file to another, or none."""
        text = "" if self._is_over else ctx.options.hardump
        before, self._dump = self._dump, None
        if text:
            # Imported here: a start that writes no HAR does without.
            from midstream.addons.hardump import HarDump

            self._dump = HarDump(text, _filter(), self._failed)
            if before is not None:
                self._dump.take_over(before)
            self._begin(self._dump.run(), "hardump")
        if before is not None:
            before.close()
        self.addons[:] = [self._dump] if self._dump is not None else []
        ctx.master.addons.rebind()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something that the end of the program waits for."""
        task = ctx.master.background.spawn(work, name)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    def _failed(self, dump: HarDump, error: OSError) -> None:
        count = f"; it holds {_counted(dump.count)}" if dump.count else ""
        ctx.master.exit_status = 1
        logger.error("hardump to %s has stopped: %s%s", visible(dump.path), why(error), count)
        if self._dump is dump and not self._is_over:
            ctx.options.hardump = ""

    # -- some flows ---------------------------------------------------------------------------------------------------

    @command("save.har")
    def export_har(self, flows: Sequence[Flow], path: Path) -> None:
        """Write flows as a HAR file, which browsers and many tools open; it is packed if its name ends in .zhar."""
        if target(path).append:
            raise CommandError("nothing can be appended to a HAR file; save.file +FILE appends flows to a flow file")
        self._begin(self._save(flows, path), f"save {path}")

    async def _save(self, flows: Sequence[Flow], path: str) -> None:
        from midstream.addons.hardump import paced, program_version
        from midstream.store.formats.har_write import END, Entries, Packer, start

        where, passed_over = target(path).path, 0
        entries, budget = Entries(), Budget()
        try:
            with ctx.master.jobs.begun(f"saving {where}") as job:
                async with Writing(path) as file:
                    packer = Packer(where)
                    await file.write(packer.pack(start(program_version())))
                    for number, flow in enumerate(flows, 1):
                        if not isinstance(flow, HTTPFlow):
                            passed_over += 1
                            continue
                        async for piece in paced(entries, flow, budget):
                            await file.write(packer.pack(piece))
                        job.report(number / len(flows))
                        if job.stopped:
                            raise _Stopped
                    await file.write(packer.pack(END) + packer.finish())
        except _Stopped:
            logger.log(ALERT, "%s: saving was stopped; it is as it was", visible(where))
        except OSError as error:
            logger.error("%s: nothing was saved: %s", visible(where), why(error))
        else:
            others = f"; {_counted(passed_over)} without HTTP have no place in a HAR" if passed_over else ""
            logger.log(ALERT, "saved %s in %s%s", _counted(entries.count), visible(where), others)

    def make_har(self, flows: Sequence[Flow]) -> dict[str, Any]:
        """The document of some flows, for scripts."""
        from midstream.addons.hardump import program_version
        from midstream.store.formats.har_write import har_pieces

        document: dict[str, Any] = json.loads(
            b"".join(har_pieces(map(ctx.master.showing.flow, flows), program_version()))
        )
        return document


class _Stopped(Exception):
    """Somebody wants no more of it."""


def _filter() -> filters.Filter | None:
    text = ctx.options.save_stream_filter if "save_stream_filter" in ctx.options else None
    try:
        return filters.parse(text) if text else None
    except filters.FilterError as error:
        raise OptionsError(f"option save_stream_filter: {error}") from None


def _counted(flows: int) -> str:
    return "1 flow" if flows == 1 else f"{flows} flows"
