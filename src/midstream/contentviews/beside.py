"""Asking any view for its text without holding the loop. Called by whoever shows bodies: the console and the dumper.

Views that work in steps are given turns on the loop, or the worker process when there is much to do; those that need a
library the worker process; those of scripts a thread, a limited input and a time limit, since nobody knows what they
do. One that takes too long is named in the log, and gets nothing more to do until it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from midstream.contentviews import apart
from midstream.contentviews.api import Contentview, Metadata
from midstream.contentviews.calling import ViewFailed, as_bytes, failure, prettified
from midstream.contentviews.plain_text import content_type_of
from midstream.contentviews.stepped import Stepped, joined
from midstream.text.sizes import human_size
from midstream.work.apart import run_apart
from midstream.work.slices import Budget
from midstream.work.worker import Worker

logger = logging.getLogger(__name__)

LARGEST_UNASKED = 8 * 1024 * 1024
"""Bytes that are made pretty without being asked for, and that a script's view is given."""

LARGEST = 64 * 1024 * 1024
"""Bytes that are decoded for display and made pretty at all."""

_PIECE = 1024 * 1024

PATIENCE = 2.0
"""Seconds that a script's view may take."""


LARGE = 256 * 1024
"""Bytes that are worth a way to the worker process."""

_TOLD_EACH = 0.3  # seconds

# The slowest of our views on a busy machine, and low priority.
_SECONDS_FOR_MEGABYTE = 2.0


def is_for_worker(view: Contentview, data: bytes) -> bool:
    """Whether a view that works in steps does so in the worker process."""
    return isinstance(view, Stepped) and view.needs_only_type and len(data) > LARGE


async def text_of(
    view: Contentview,
    data: bytes,
    metadata: Metadata,
    worker: Worker,
    overdue: set[int],
    progress: Callable[[int], object] | None = None,
) -> bytes:
    """The text as UTF-8; ViewFailed when there is none. `overdue` are the ids of the views whose threads go on;
    `progress` is told a percentage now and then, where one is known.
    """
    match view:
        case Stepped() if is_for_worker(view, data):
            told = Metadata(content_type=content_type_of(metadata))
            seconds = PATIENCE + _SECONDS_FOR_MEGABYTE * len(data) / 1e6
            with _told_to(progress) as path:
                job = partial(_prettified_by, type(view), told, path)
                return await apart.run(worker, view, data, job, round(seconds))
        case Stepped():
            return await _in_steps(view, data, metadata)
        case apart.Apart():
            return await apart.text_of(view, data, metadata, worker)
        case _:
            return await _in_thread(view, data, metadata, overdue)


def _prettified_by(view: type[Stepped], metadata: Metadata, path: str, data: bytes) -> bytes:
    """In the worker process. Writes into the file at `path`, if any, how many percent are done."""
    steps = view().steps(data, metadata)
    if not path:
        return joined(steps)
    whole, done, told = max(_without_space(data), 1), 0, time.monotonic()
    collected: list[bytes] = []
    for part in steps:
        if part is None:
            continue
        collected.append(part)
        # Views move text and put space between: what is no space tells how far they are.
        done += _without_space(part)
        if time.monotonic() - told > _TOLD_EACH:
            told = time.monotonic()
            with contextlib.suppress(OSError):
                Path(path).write_bytes(b"%d" % min(100 * done // whole, 99))
    return b"".join(collected)


def _without_space(data: bytes) -> int:
    return len(data) - data.count(b" ") - data.count(b"\n")


@contextlib.contextmanager
def _told_to(progress: Callable[[int], object] | None) -> Iterator[str]:
    """A file for a percentage, which is told to `progress` while the work goes on; empty when nobody asks."""
    if progress is None:
        yield ""
        return
    loop = asyncio.get_running_loop()
    try:
        file = tempfile.NamedTemporaryFile(prefix="midstream-progress-")  # noqa: SIM115 - closed below
    except OSError:  # no room: then nobody knows how far it is
        yield ""
        return
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal timer
        timer = loop.call_later(_TOLD_EACH, look)
        if said := Path(file.name).read_bytes():
            progress(int(said))

    timer = loop.call_later(_TOLD_EACH, look)
    try:
        yield file.name
    finally:
        timer.cancel()
        file.close()


async def _in_steps(view: Stepped, data: bytes, metadata: Metadata) -> bytes:
    collected: list[bytes] = []
    budget = Budget()
    try:
        for part in view.steps(data, metadata):
            if part is not None:
                collected.append(part)
            if budget.spent():
                await budget.rest()
    except Exception as error:
        raise failure(view, error) from error
    return b"".join(collected)


async def _in_thread(view: Contentview, data: bytes, metadata: Metadata, overdue: set[int]) -> bytes:
    if len(data) > LARGEST_UNASKED:
        raise ViewFailed(view, f"views of scripts are given no more than {human_size(LARGEST_UNASKED)}")
    if id(view) in overdue:  # an endless one must not get a thread for each body
        raise ViewFailed(view, "it is still busy with an earlier body")
    ended = threading.Event()

    def work() -> bytes:
        try:
            text = prettified(view, data, metadata)
            # In pieces: nobody else's turn comes while one is encoded.
            return b"".join([as_bytes(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE)])
        finally:
            ended.set()
            overdue.discard(id(view))

    try:
        return await run_apart(work, PATIENCE, f"view {view.name}")
    except TimeoutError:
        overdue.add(id(view))
        if ended.is_set():  # just now
            overdue.discard(id(view))
        logger.warning("content view %s takes longer than %g s for %s", view.name, PATIENCE, human_size(len(data)))
        raise ViewFailed(view, f"it takes longer than {PATIENCE:g} s") from None
