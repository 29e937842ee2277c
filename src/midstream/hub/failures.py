"""What happens when a handler of an addon fails or dawdles: a log record, and the event goes on.

Called by emitters.py only. Nothing that a script raises may end the program (promises.md 6); the one thing that
passes is the cancellation of the very task that runs the handler.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import types
from collections.abc import Sequence
from pathlib import Path

from midstream.flows.errors import AddonHalt
from midstream.flows.flow import Flow
from midstream.hub.handlers import addon_name, location, short_name

logger = logging.getLogger(__name__)

_MACHINERY = Path(__file__).parent


def settle(event: str, handler: object, error: BaseException, data: Sequence[object]) -> bool:
    """Deal with what a handler of an event with this data raised. True when no later addon shall see this event."""
    if isinstance(error, AddonHalt):
        return True
    if isinstance(error, asyncio.CancelledError) and task_is_cancelled():
        raise error
    owner = owner_name(handler)
    _forget_earlier(error)
    logger.error(
        "%s failed in %s: %s",
        owner,
        event,
        one_line(error),
        exc_info=(type(error), error, own_traceback(error, location(handler).rpartition(":")[0])),
        extra={"addon": owner, "flow": next((each.id for each in data if isinstance(each, Flow)), "")},
    )
    return False


def report_slow(event: str, handler: object, seconds: float) -> None:
    """Name a handler that kept the loop, and so every other connection, waiting. Of ours only `-v` tells: mostly the
    machine was busy with other things, and nobody who reads this could make them faster.
    """
    owner = owner_name(handler)
    is_ours = str(getattr(handler, "__module__", "")).startswith("midstream.")
    logger.log(
        logging.DEBUG if is_ours else logging.WARNING,
        "%s held everything up for %.0f ms in %s (%s); make it faster, async, or @concurrent",
        owner,
        seconds * 1000,
        event,
        location(handler) or "not Python",
        extra={"addon": owner},
    )


def report_refused(event: str, handler: object) -> None:
    """A handler of an event that cannot wait returned something to wait for."""
    owner = owner_name(handler)
    logger.error("%s: %s cannot be async (%s)", owner, event, location(handler), extra={"addon": owner})


def task_is_cancelled() -> bool:
    """Whether the running task was told to stop, so that its CancelledError is no addon's doing."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def one_line(error: BaseException) -> str:
    """`ValueError: no such thing`, whatever the exception's own `__str__` does."""
    try:
        text = str(error)
    except Exception:
        text = ""
    first, *_ = text.splitlines() or [""]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def own_traceback(error: BaseException, file: str = "") -> types.TracebackType | None:
    """The traceback from the first frame in `file`, the addon's own; else from the first outside this machinery."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != file:
        frame = frame.tb_next
    if frame is not None:
        return frame
    frame = error.__traceback__
    while frame is not None and Path(frame.tb_frame.f_code.co_filename).parent == _MACHINERY:
        frame = frame.tb_next
    return frame


def _forget_earlier(error: BaseException) -> None:
    """Cut off what was being handled when the event was emitted (the failure that `error` tells of): Python calls it
    the context of whatever is raised from then on, but it is no part of the addon's story.
    """
    running: set[types.FrameType] = set()
    frame = inspect.currentframe()
    while frame is not None:
        running.add(frame)
        frame = frame.f_back
    while (context := error.__context__) is not None:
        caught = context.__traceback__
        if caught is not None and caught.tb_frame in running:
            error.__context__ = None
            return
        error = context


def owner_name(handler: object) -> str:
    """The addon that a handler belongs to: the object of a method, the file of a module's function."""
    owner = getattr(handler, "__self__", None)
    if owner is not None:
        return short_name(addon_name(owner))
    function = inspect.unwrap(handler) if callable(handler) else handler
    names = getattr(function, "__globals__", {})
    return short_name(str(names.get("name") or names.get("__file__") or "an addon"))
