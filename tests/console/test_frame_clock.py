from __future__ import annotations

import asyncio
import itertools

import pytest

from midstream.console.frame_clock import DATA_INTERVAL, INPUT_MERGE, FrameClock


class FakeLoop:
    """A loop whose time moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, object, list]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when, callback, *args):
        entry = [True]
        self.timers.append((when, (callback, args), entry))

        class Handle:
            def cancel(self) -> None:
                entry[0] = False

        return Handle()

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            due = [timer for timer in self.timers if timer[2][0] and timer[0] <= end]
            if not due:
                break
            timer = min(due, key=lambda each: each[0])
            self.timers.remove(timer)
            self.now = max(self.now, timer[0])
            callback, args = timer[1]
            callback(*args)
        self.now = end


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


def make(loop: FakeLoop, free=lambda: True) -> tuple[FrameClock, list[float]]:
    frames: list[float] = []
    return FrameClock(loop, lambda: frames.append(loop.now), free), frames  # type: ignore[arg-type]


def test_data_frames_are_at_most_twenty_a_second(loop):
    clock, frames = make(loop)
    for _ in range(1000):
        clock.request()
        loop.advance(0.001)
    assert 18 <= len(frames) <= 21
    assert all(later - earlier >= DATA_INTERVAL - 1e-9 for earlier, later in itertools.pairwise(frames))


def test_input_is_painted_at_once_and_merged_within_eight_milliseconds(loop):
    clock, frames = make(loop)
    clock.request()
    loop.advance(0)
    clock.request(now=True)
    clock.request(now=True)
    loop.advance(INPUT_MERGE)
    assert frames == [100.0, pytest.approx(100.0 + INPUT_MERGE)]


def test_input_pulls_a_waiting_data_frame_forward(loop):
    clock, frames = make(loop)
    clock.request()
    loop.advance(0)
    clock.request()
    loop.advance(0.01)
    clock.request(now=True)
    loop.advance(0)
    assert len(frames) == 2
    loop.advance(1)
    assert len(frames) == 2, "the data that asked first is on the screen already"


def test_nothing_is_painted_while_the_last_frame_is_on_its_way(loop):
    free = [False]
    clock, frames = make(loop, lambda: free[0])
    clock.request(now=True)
    loop.advance(1)
    clock.request()
    clock.request(now=True)
    loop.advance(1)
    assert frames == []
    assert clock.waits_for_terminal
    free[0] = True
    clock.terminal_free()
    loop.advance(0.01)
    assert len(frames) == 1


def test_a_writer_that_finishes_between_the_two_looks_is_not_missed(loop):
    answers = iter([False, True])
    clock, frames = make(loop, lambda: next(answers))
    clock.request()
    loop.advance(0)
    assert len(frames) == 1


def test_stop_and_start(loop):
    clock, frames = make(loop)
    clock.request()
    clock.stop()
    clock.request(now=True)
    loop.advance(1)
    assert frames == []
    clock.start()
    clock.request()
    loop.advance(1)
    assert len(frames) == 1


async def test_an_expensive_frame_pays_with_a_pause():
    loop = asyncio.get_running_loop()
    costs = []

    def paint() -> None:
        end = loop.time() + 0.012
        while loop.time() < end:
            pass
        costs.append(loop.time())

    clock = FrameClock(loop, paint, lambda: True)
    end = loop.time() + 0.5
    while loop.time() < end:
        clock.request()
        await asyncio.sleep(0.002)
    clock.stop()
    assert len(costs) <= 6  # 12 ms each: at most every 120 ms
