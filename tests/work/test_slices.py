import asyncio
import time

from midstream.work.slices import Budget, Generation, cooperate, let_go


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def test_every_item_comes_once_in_order() -> None:
    seen = [item async for chunk in cooperate(range(10_000)) for item in chunk]
    assert seen == list(range(10_000))


async def test_nothing_comes_of_nothing() -> None:
    assert [chunk async for chunk in cooperate([])] == []


async def test_the_loop_gets_turns_while_the_work_goes_on() -> None:
    turns = 0
    finished = False

    async def other() -> None:
        nonlocal turns
        while not finished:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(other())
        async for chunk in cooperate(range(64), budget=0.001):
            busy(0.0005 * len(chunk))
        finished = True
    assert turns >= 5


async def test_chunks_follow_the_cost_of_the_work() -> None:
    sizes = []
    async for chunk in cooperate(range(200), budget=0.002):
        sizes.append(len(chunk))
        busy(0.001 * len(chunk))
    assert sizes[-2] == 1
    cheap = [len(chunk) async for chunk in cooperate(range(100_000))]
    assert max(cheap) > 256


async def test_a_newer_request_ends_the_older() -> None:
    generation = Generation()
    first = generation.begin()
    seen = 0
    async for chunk in cooperate(range(100_000), token=first):
        seen += len(chunk)
        if seen > 100:
            second = generation.begin()
    assert 100 < seen < 100_000
    assert not first.current
    assert second.current
    generation.cancel()
    assert not second.current
    assert [chunk async for chunk in cooperate(range(10), token=second)] == []


async def test_a_budget_is_spent_by_time_and_renewed_by_a_rest() -> None:
    budget = Budget(0.002)
    assert not budget.spent()
    busy(0.003)
    assert budget.spent()
    await budget.rest()
    assert not budget.spent()


async def test_letting_go_gives_the_loop_its_turns() -> None:
    class Slow:
        def __del__(self) -> None:
            busy(0.00005)

    objects = [Slow() for _ in range(2000)]
    turns = 0
    task = asyncio.create_task(let_go(objects))
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    assert objects == []
    assert turns >= 5
