"""`mitmproxy.utils.asyncio_utils`: tasks with a name and a client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from midstream.compat.shims.human import format_address

_kept: set[asyncio.Task[Any]] = set()
Address = tuple[Any, ...]


def create_task(
    coro: Coroutine[Any, Any, Any], *, name: str, keep_ref: bool, client: Address | None = None
) -> asyncio.Task[Any]:
    """A task in the running loop. With `keep_ref` nobody else has to hold it."""
    task = asyncio.get_running_loop().create_task(coro)
    set_task_debug_info(task, name=name, client=client)
    if keep_ref:
        _kept.add(task)
        task.add_done_callback(_kept.discard)
    return task


def set_task_debug_info(task: asyncio.Task[Any], *, name: str, client: Address | None = None) -> None:
    """Give a task its name, its client and the time of its start."""
    task.set_name(name)
    task.created = time.time()  # type: ignore[attr-defined] # tasks take attributes of others
    task.client = client  # type: ignore[attr-defined]


def set_current_task_debug_info(*, name: str, client: Address | None = None) -> None:
    """The same for the task that runs."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("no task is running")
    set_task_debug_info(task, name=name, client=client)


def task_repr(task: asyncio.Task[Any]) -> str:
    """A task in one line: its client, name and age."""
    client, created = getattr(task, "client", None), getattr(task, "created", None)
    age = f" (age: {time.time() - created:.0f}s)" if created else ""
    return f"{format_address(client)}: {task.get_name()}{age}" if client else f"{task.get_name()}{age}"


@contextmanager
def install_exception_handler(handler: Callable[..., object]) -> Iterator[None]:
    """Let the running loop report to `handler` within the block."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(handler)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


@contextmanager
def set_eager_task_factory() -> Iterator[None]:
    """Let tasks of the running loop start at once within the block, where Python knows that (3.12)."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", before))
    try:
        yield
    finally:
        loop.set_task_factory(before)
