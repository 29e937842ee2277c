"""The program runs to its end, whatever its tasks raise. On both loops."""

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from midstream.app import loop_factory
from midstream.hub.endurance import run_to_end

LOOPS = [asyncio.new_event_loop, loop_factory() or asyncio.new_event_loop]


@pytest.fixture(params=LOOPS)
def runner(request: pytest.FixtureRequest) -> asyncio.Runner:
    make: Callable[[], asyncio.AbstractEventLoop] = request.param
    return asyncio.Runner(loop_factory=make)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_a_task_or_a_callback_raises_ends_nothing(
    runner: asyncio.Runner, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[int] = []

    async def fail() -> None:
        raise error("by design")

    def fail_at_once() -> None:
        raise error("by design")

    async def work() -> str:
        loop = asyncio.get_running_loop()
        tasks = []
        for step in range(3):
            tasks.append(loop.create_task(fail()))
            loop.call_soon(fail_at_once)
            await asyncio.sleep(0.001)
            steps.append(step)
        for task in tasks:
            assert isinstance(task.exception(), error)
        return "done"

    with runner:
        assert run_to_end(runner, work()) == "done"
    assert steps == [0, 1, 2]
    # uvloop keeps one of several in one turn of the loop.
    records = [record for record in caplog.records if record.name != "asyncio"]  # what loops chat about
    assert len(records) >= 3
    assert {record.getMessage() for record in records} == {
        f"a task of an addon raised {error.__name__}: by design; only ctx.master.shutdown() ends the program"
    }
    assert records[0].exc_info is not None and records[0].exc_info[2] is not None
    assert records[0].exc_info[2].tb_frame.f_code.co_filename == __file__


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, ValueError])
def test_what_the_work_itself_raises_comes_out(runner: asyncio.Runner, error: type[BaseException]) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise error

    with runner, pytest.raises(error):
        run_to_end(runner, work())


def test_an_interrupt_cancels_the_work(runner: asyncio.Runner) -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with runner, pytest.raises(KeyboardInterrupt):
        run_to_end(runner, work())
    assert seen == ["cancelled"]
