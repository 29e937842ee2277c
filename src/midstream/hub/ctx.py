"""`ctx.master`, `ctx.options` and `ctx.log`: the master in whose name the present code runs.

For addons, whose handlers get no master as an argument. The attributes are resolved through a context variable that
the master and the addon manager set, so that two masters in one process do not meet, and threads that copy the
context (`asyncio.to_thread`) see the right one. A plain thread knows no context; there the attributes mean the master
that runs, if only one does. Code that could take a master as an argument should.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midstream.hub.log import Log
    from midstream.hub.master import Master
    from midstream.hub.options import Options

    master: Master
    options: Options
    log: Log

_current: ContextVar[Master] = ContextVar("midstream.master")

_running: set[Master] = set()


def current() -> Master | None:
    """The master of the present context, or None outside of any."""
    return _current.get(None)


@contextmanager
def use(master: Master) -> Iterator[None]:
    """Let `ctx` mean this master within the block."""
    token = _current.set(master)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def running(master: Master) -> Iterator[None]:
    """Let plain threads see this master for its whole run."""
    _running.add(master)
    try:
        yield
    finally:
        _running.discard(master)


def __getattr__(name: str) -> Any:
    """`master`, `options` or `log`. AttributeError for any other name, and while no master runs."""
    if name not in ("master", "options", "log"):
        raise AttributeError(f"ctx has master, options and log, but no {name!r}")
    found = current()
    if found is None and len(_running) == 1:
        (found,) = tuple(_running)
    if found is None:
        if _running:
            raise AttributeError(f"ctx.{name}: several masters run here; start the thread by asyncio.to_thread")
        raise AttributeError(f"ctx.{name} exists only while midstream runs: use it inside an event handler or command")
    return found if name == "master" else getattr(found, name)
