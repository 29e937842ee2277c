"""Threads for handlers that block: enough, but not without bound."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from midstream.hub import threads as threads_module
from midstream.hub.threads import Threads
from tests.kit.waiting import PATIENCE, until


async def test_there_are_never_more_than_the_bound_and_all_work_is_done() -> None:
    threads, go_on, done = Threads(most=3), threading.Event(), threading.Semaphore(0)
    running: list[int] = []

    def work() -> None:
        running.append(threads.count)
        go_on.wait(PATIENCE)
        done.release()

    for _ in range(10):
        threads.start(work)
    await until(lambda: len(running) == 3, "three have begun")
    assert threads.count == 3
    go_on.set()
    for _ in range(10):
        assert done.acquire(timeout=PATIENCE)
    assert max(running) == 3


async def test_a_free_thread_takes_the_next_work() -> None:
    threads = Threads()
    names: list[int] = []
    for number in range(5):
        threads.start(lambda: names.append(threading.get_ident()))
        await until(lambda number=number: len(names) > number and threads._idle == 1, "it is done")
    assert len(set(names)) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread that wants too much may be refused otherwise")
async def test_what_the_system_gives_no_thread_for_waits_for_another_one() -> None:
    threads, go_on, done = Threads(), threading.Event(), threading.Semaphore(0)
    with no_threads(), pytest.raises(RuntimeError):
        threads.start(done.release)
    assert threads.count == 0
    threads.start(lambda: bool(go_on.wait(PATIENCE)))
    with no_threads():
        threads.start(done.release)
    assert threads.count == 1
    go_on.set()
    assert done.acquire(timeout=PATIENCE)
    assert not done.acquire(blocking=False)


@contextmanager
def no_threads() -> Iterator[None]:
    """As if the system had none left: they want more memory than there can be."""
    before = threading.stack_size(2**47)
    try:
        yield
    finally:
        threading.stack_size(before)


async def test_threads_with_nothing_to_do_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads_module, "_PATIENCE", 0.01)
    threads = Threads()
    threads.start(lambda: None)
    await until(lambda: threads.count == 0, "it has ended")
    ran = threading.Event()
    threads.start(ran.set)
    assert ran.wait(PATIENCE)


def test_they_do_not_keep_the_interpreter_from_ending() -> None:
    threads, seen = Threads(), threading.Event()
    daemonic: list[bool] = []

    def work() -> None:
        daemonic.append(threading.current_thread().daemon)
        seen.set()

    threads.start(work)
    assert seen.wait(PATIENCE)
    assert daemonic == [True]


async def test_closed_they_end_at_once_but_do_what_was_to_be_done() -> None:
    threads, go_on, done = Threads(most=1), threading.Event(), threading.Event()
    threads.start(lambda: bool(go_on.wait(PATIENCE)))
    threads.start(done.set)
    threads.close()
    go_on.set()
    assert done.wait(PATIENCE)
    await until(lambda: threads.count == 0, "it has ended", patience=5)
