"""Saving flows: all that finish, into the file of `save_stream_file`, and the ones that `save.file` is given.

How finished flows get into their file is `save_stream.py`. When that fails, as on a full disk, saving stops with one
line in the log, and traffic goes on.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from midstream import filters
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.hub import ctx, lexer
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.types import Path
from midstream.store.files import Writing, target, why
from midstream.store.stream_file import repaired
from midstream.text.escape import visible
from midstream.work.slices import Budget
from midstream.work.whole_file import checked

if TYPE_CHECKING:
    from midstream.addons.save_stream import SaveStream

logger = logging.getLogger(__name__)


class Save:
    """The addon; see the module."""

    def __init__(self) -> None:
        self.addons: list[object] = []
        """What writes finished flows, while there is a file for them."""
        self._stream: SaveStream | None = None
        self._is_over = False
        self._busy: set[asyncio.Task[None]] = set()

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "save_stream_file",
            str | None,
            None,
            "File that finished flows are saved in; +FILE appends, %Y%m%d-%H%M and so on begin new ones with the time.",
            kind="path",
        )
        loader.add_option(
            "save_stream_filter", str | None, None, "Of these, save only flows that match this filter.", kind="filter"
        )

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        if "save_stream_filter" in updated:
            filter_ = _filter(options.save_stream_filter)
            if self._stream is not None:
                self._stream.filter = filter_
        if "save_stream_file" in updated:
            if options.save_stream_file:
                try:
                    checked(target(options.save_stream_file).path)
                except OSError as error:
                    raise OptionsError(f"option save_stream_file: {why(error)}") from None
            # Before the start is a success the file is left alone: it may hold what is wanted.
            if ctx.master.is_running:
                self._switch()

    async def running(self) -> None:
        if not ctx.master.startup_errors:
            self._switch()
            if self._stream is not None:
                await self._stream.is_open.wait()

    async def done(self) -> None:
        self._is_over = True
        self._switch()
        if self._busy:
            await asyncio.wait(self._busy)

    def _switch(self) -> None:
        """From one file to another, or none. Flows that are not finished then belong to the new one."""
        text = None if self._is_over else ctx.options.save_stream_file
        before, self._stream = self._stream, None
        if text:
            # Imported here: a start that saves nothing does without.
            from midstream.addons.save_stream import SaveStream

            self._stream = SaveStream(target(text), _filter(ctx.options.save_stream_filter), self._failed)
            if before is not None:
                self._stream.take_over(before)
        if before is not None:
            self._begin(before.close(), "save the last flows")
        self.addons[:] = [self._stream] if self._stream is not None else []
        ctx.master.addons.rebind()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something that the end of the program waits for."""
        task = ctx.master.background.spawn(work, name)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    def _failed(self, stream: SaveStream, error: OSError, lost: int) -> None:
        path = stream.path or stream.target.path
        ctx.master.exit_status = 1
        logger.error(
            "saving to %s has stopped: %s%s; `set save_stream_file %s` starts it again",
            visible(path),
            why(error),
            _without(lost),
            visible(lexer.quote(f"+{stream.target.path}")),
        )
        if self._stream is stream and not self._is_over:
            ctx.options.save_stream_file = None

    # -- some flows ---------------------------------------------------------------------------------------------------

    @command("save.file")
    def file(self, flows: Sequence[Flow], path: Path) -> None:
        """Save flows in a file, for `-r` and `view.flows.load`; +FILE appends to it."""
        self._begin(self._save(flows, path), f"save {path}")

    async def _save(self, flows: Sequence[Flow], path: str) -> None:
        from midstream.store.formats.native import Saver, Unsavable

        where, count = target(path), 0
        try:
            if where.append:
                _tell(await asyncio.to_thread(repaired, where.path))
            with ctx.master.jobs.begun(f"saving {os.path.basename(where.path)}") as job:
                async with Writing(path) as file:
                    budget, saver = Budget(), Saver()
                    for count, flow in enumerate(flows, 1):
                        item, left_out = saver.saved(flow)
                        _tell(f"{where.path}: saved without {what}" for what in left_out)
                        await file.write(item)
                        if budget.spent():
                            job.report(count / len(flows))
                            await budget.rest()
                        if job.stopped:
                            raise _Stopped
        except _Stopped:
            logger.log(ALERT, "%s: saving was stopped; it is as it was", visible(where.path))
        except Unsavable as error:
            logger.error("%s: nothing was saved: %s", visible(where.path), error)
        except OSError as error:
            logger.error("%s: nothing was saved: %s", visible(where.path), why(error))
        else:
            hint = "; this is no HAR file, for which there is save.har" if where.path.endswith(".har") else ""
            logger.log(ALERT, "saved %s in %s%s", _counted(count), visible(where.path), hint)


class _Stopped(Exception):
    """Somebody wants no more of it."""


def _tell(notes: Iterable[str]) -> None:
    for note in notes:
        logger.warning("%s", visible(note))


def _filter(text: str | None) -> filters.Filter | None:
    try:
        return filters.parse(text) if text else None
    except filters.FilterError as error:
        raise OptionsError(f"option save_stream_filter: {error}") from None


def _without(lost: int) -> str:
    return "; without the last flow" if lost == 1 else f"; without the last {lost} flows" if lost else ""


def _counted(flows: int) -> str:
    return "1 flow" if flows == 1 else f"{flows} flows"
