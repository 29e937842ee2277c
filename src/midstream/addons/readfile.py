"""Reads a flow file at the start (`-r`): its flows pass through the events as if they happened now.

In the background, so that the proxy serves and the screen lives meanwhile. Whatever is wrong with the file is one line
in the log, after the flows that can be read. A file that is saved to at the same time is kept until all of it was read.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

from midstream import filters
from midstream.flows.errors import FlowReadException, OptionsError
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.jobs import Job
from midstream.store.files import target
from midstream.store.stream_file import path_of
from midstream.text.escape import visible
from midstream.work.slices import Budget

logger = logging.getLogger(__name__)


class ReadFile:
    """The addon; see the module."""

    def __init__(self) -> None:
        self._filter: filters.Filter | None = None
        self._is_reading = False

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "rfile", str | None, None, "Read flows from this file at the start; - is standard input.", kind="path"
        )
        loader.add_option("readfile_filter", str | None, None, "Read only flows that match this filter.", kind="filter")

    def configure(self, updated: set[str]) -> None:
        if "readfile_filter" in updated:
            text = ctx.options.readfile_filter
            try:
                self._filter = filters.parse(text) if text else None
            except filters.FilterError as error:
                raise OptionsError(f"option readfile_filter: {error}") from None

    def running(self) -> None:
        path = ctx.options.rfile
        if path and not ctx.master.startup_errors:
            self._is_reading = True
            path = os.path.expanduser(path)
            ctx.master.background.spawn(self._read(path, _kept(path)), f"read {path}")

    @command("readfile.reading")
    def reading(self) -> bool:
        """Whether the file of the start is still being read."""
        return self._is_reading

    async def _read(self, path: str, kept: str) -> None:
        shown = "standard input" if path == "-" else visible(path)
        count = 0
        try:
            with ctx.master.jobs.begun(f"reading {os.path.basename(shown)}") as job:
                async for so_many in self._load(kept or path, job):
                    count = so_many
        except FlowReadException as error:
            logger.error("%s: %s; read %s", shown, error, _counted(count))
            if not hasattr(ctx.master, "view"):  # nobody is there who reads the line: scripts look at the status
                ctx.master.exit_status = 1
        else:
            if kept and not job.stopped:
                os.unlink(kept)
                kept = ""
            logger.info("read %s from %s%s", _counted(count), shown, ", and was then stopped" if job.stopped else "")
        finally:
            self._is_reading = False
            if kept:
                logger.warning("what was in %s before is in %s", shown, visible(kept))

    async def _load(self, path: str, job: Job) -> AsyncGenerator[int, None]:
        """Pass the flows on, and count them."""
        # Imported here: few starts read a file.
        from midstream.store.formats.loading import batches

        count, budget, master = 0, Budget(), ctx.master
        async with aclosing(batches(path, job, self._filter)) as some_flows:
            async for batch in some_flows:
                for flow in batch:
                    await master.load_flow(flow)
                    count += 1
                    if budget.spent():
                        yield count
                        await budget.rest()
                yield count
                if hasattr(master, "view"):  # of a file that is larger than memory
                    await master.view.written()


def _kept(path: str) -> str:
    """Another name for the file when it is also the one that is saved to, which begins anew; else nothing."""
    option = ctx.options.save_stream_file
    if path == "-" or not option or target(option).append:
        return ""
    try:
        if not os.path.samefile(path, path_of(target(option))):
            return ""
        path = os.path.realpath(path)
        return _linked(path)
    except OSError:  # it is not there, or cannot be read: who reads it will say so
        return ""


def _linked(path: str) -> str:
    for number in itertools.count(1):
        kept = f"{path}.before{'' if number == 1 else f'-{number}'}"
        try:
            os.link(path, kept)
        except FileExistsError:  # left by a run that was killed
            continue
        return kept
    raise AssertionError("unreachable")


def _counted(flows: int) -> str:
    return "1 flow" if flows == 1 else f"{flows} flows"
