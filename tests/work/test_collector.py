"""The collector against the interpreter's own: what it looks at, and what it frees."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator

import pytest

from midstream.work import collector as module
from midstream.work.collector import ENOUGH, Collector


class Thing:
    """Something with a reference to something."""

    def __init__(self, other: object = None) -> None:
        self.other = other


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    monkeypatch.setattr(module, "SOON", 0.001)
    collector = Collector(asyncio.get_running_loop())
    before = gc.get_threshold()
    collector.settle()
    collector.start()
    yield collector
    collector.stop()
    gc.freeze()  # what other tests left is looked at no more
    gc.set_threshold(*before)


async def until_frozen(more_than: int) -> None:
    deadline = time.monotonic() + 10
    while gc.get_freeze_count() <= more_than:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_what_is_kept_is_frozen(collector):
    frozen = gc.get_freeze_count()
    kept = [Thing() for _ in range(2 * ENOUGH)]
    await until_frozen(frozen + ENOUGH)
    assert len(gc.get_objects()) < ENOUGH, "a collection has nothing of it to look at"
    assert len(kept) == 2 * ENOUGH


async def test_garbage_is_freed_and_not_frozen(collector):
    cycle = Thing()
    cycle.other = cycle
    gone = weakref.ref(cycle)
    del cycle
    kept = [Thing() for _ in range(2 * ENOUGH)]
    await until_frozen(gc.get_freeze_count())
    assert gone() is None
    assert kept


async def test_frozen_garbage_is_freed_by_settling(collector):
    cycle = Thing()
    cycle.other = cycle
    gone = weakref.ref(cycle)
    kept = [Thing() for _ in range(2 * ENOUGH)]
    await until_frozen(gc.get_freeze_count())
    del cycle
    gc.collect()
    assert gone() is not None
    kept.clear()
    collector.settle()
    assert gone() is None


async def test_settling_soon_happens_once_for_all_who_ask(collector):
    settled: list[int] = []
    kept = [Thing() for _ in range(2 * ENOUGH)]
    await until_frozen(gc.get_freeze_count())
    kept.clear()
    gc.callbacks.append(lambda phase, info: settled.append(1) if (phase, info["generation"]) == ("start", 2) else None)
    try:
        for _ in range(5):
            collector.settle_soon()
        while not settled:
            await asyncio.sleep(0.001)
        collector.settle_soon()
        await asyncio.sleep(0.01)
    finally:
        gc.callbacks.pop()
    assert settled == [1]


async def test_what_somebody_still_keeps_is_not_looked_at(collector, monkeypatch):
    monkeypatch.setattr(module, "MOST_FROZEN", 100)
    kept = [Thing() for _ in range(2 * ENOUGH)]
    await until_frozen(gc.get_freeze_count())
    looks: list[int] = []
    gc.callbacks.append(lambda phase, info: looks.append(info["generation"]))
    try:
        collector.settle_soon()
        await asyncio.sleep(0.01)
    finally:
        gc.callbacks.pop()
    assert 2 not in looks
    assert kept


async def test_nothing_is_done_while_nothing_is_made(collector):
    phases: list[str] = []
    gc.callbacks.append(lambda phase, info: phases.append(phase))
    try:
        for _ in range(20):
            await asyncio.sleep(0.001)
    finally:
        gc.callbacks.pop()
    assert phases == []
