"""Asking any view for its text without holding the loop. Called by whoever shows bodies: the console and the dumper.

Views that work in steps are given turns on the loop, those that need a library the worker process, and those of scripts
a thread, a limited input and a time limit: what a script's view does with more is nobody's to know. One that takes too
long is named in the log, and gets nothing more to do until it is done.
"""

from __future__ import annotations

import logging
import threading

from midstream.contentviews import apart
from midstream.contentviews.api import Contentview, Metadata
from midstream.contentviews.calling import ViewFailed, as_bytes, failure, prettified
from midstream.contentviews.stepped import Stepped
from midstream.text.sizes import human_size
from midstream.work.apart import run_apart
from midstream.work.slices import Budget
from midstream.work.worker import Worker

logger = logging.getLogger(__name__)

LARGEST_UNASKED = 8 * 1024 * 1024
"""Bytes that are made pretty without being asked for, and that a script's view is given."""

LARGEST = 64 * 1024 * 1024
"""Bytes that are decoded for display and made pretty at all."""

PATIENCE = 2.0
"""Seconds that a script's view may take."""


async def text_of(view: Contentview, data: bytes, metadata: Metadata, worker: Worker, overdue: set[int]) -> bytes:
    """The text as UTF-8; ViewFailed when there is none. `overdue` are the ids of the views whose threads go on."""
    match view:
        case Stepped():
            return await _in_steps(view, data, metadata)
        case apart.Apart():
            return await apart.text_of(view, data, metadata, worker)
        case _:
            return as_bytes(await _in_thread(view, data, metadata, overdue))


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


async def _in_thread(view: Contentview, data: bytes, metadata: Metadata, overdue: set[int]) -> str:
    if len(data) > LARGEST_UNASKED:
        raise ViewFailed(view, f"views of scripts are given no more than {human_size(LARGEST_UNASKED)}")
    if id(view) in overdue:  # an endless one must not get a thread for each body
        raise ViewFailed(view, "it is still busy with an earlier body")
    ended = threading.Event()

    def work() -> str:
        try:
            return prettified(view, data, metadata)
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
