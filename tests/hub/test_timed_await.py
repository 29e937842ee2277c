"""Awaiting through TimedAwait is awaiting the thing itself."""

import asyncio

import pytest

from midstream.hub.timed_await import TimedAwait


def timed(inner: object) -> TimedAwait:
    return TimedAwait(inner, 60, lambda seconds: pytest.fail("it was not slow"))  # type: ignore[arg-type]


async def test_coroutines_futures_and_tasks() -> None:
    seen: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        seen.append("work")

    await timed(work())
    await timed(asyncio.ensure_future(work()))
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await timed(future)
    assert seen == ["work", "work"]


async def test_exceptions_come_out() -> None:
    async def broken() -> None:
        await asyncio.sleep(0)
        raise ValueError

    with pytest.raises(ValueError):
        await timed(broken())


async def test_cancelling_reaches_the_inside() -> None:
    seen: list[str] = []

    async def inner() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def outer() -> None:
        await timed(inner())

    task = asyncio.ensure_future(outer())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def test_an_exception_that_the_inside_handles_lets_it_go_on() -> None:
    async def inner() -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.ensure_future(_outer(inner())), 5)


async def _outer(inner: object) -> None:
    await timed(inner)


async def test_closing_reaches_the_inside() -> None:
    seen: list[str] = []

    async def inner() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            seen.append("closed")

    outer = _outer(inner())
    outer.send(None)
    outer.close()
    assert seen == ["closed"]
