"""Tasks that end together: what is raised, and that nothing is left behind."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest

from midstream.flows.http import HTTPFlow
from midstream.proxy.duplex import both, while_lasting, while_uploading
from midstream.proxy.groups import Group
from tests.kit.conversation import conversation
from tests.kit.waiting import until


class Large:
    """What a task has in hand."""


async def holding(large: Large, *, failing: bool = False) -> None:
    await asyncio.sleep(0)
    if failing:
        raise ConnectionResetError("the first")
    await asyncio.Event().wait()


async def uploading(large: Large, failing: bool) -> None:
    await while_uploading(holding(large, failing=failing), holding(large), lambda: True)


async def downloading(large: Large, failing: bool) -> None:
    await while_uploading(holding(large), holding(large, failing=failing), lambda: True)


async def at_the_end(large: Large, failing: bool) -> None:
    await while_uploading(holding(large, failing=failing), asyncio.sleep(0), lambda: True)


async def in_both(large: Large, failing: bool) -> None:
    await both(holding(large), holding(large, failing=failing))


async def lasting(large: Large, failing: bool) -> None:
    await while_lasting(asyncio.Event(), holding(large), holding(large, failing=failing))


async def leaving(large: Large, failing: bool) -> None:
    async with Group() as group:
        group.create_task(holding(large, failing=failing))
        await asyncio.Event().wait()


Ways = Callable[[Large, bool], Awaitable[None]]


async def told(way: Ways, large: Large, failing: bool) -> str:
    try:
        await way(large, failing)
    except (asyncio.CancelledError, ConnectionResetError) as error:
        return type(error).__name__
    return ""


WAYS = [uploading, downloading, at_the_end, in_both, lasting, leaving]


@pytest.mark.parametrize("way", WAYS)
async def test_a_task_that_ends_by_its_cancellation_is_freed_at_once(way: Ways):
    gc.collect()
    gc.disable()
    try:
        large = Large()
        kept = weakref.ref(large)
        task = asyncio.create_task(way(large, False))
        del large
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        del task
        await asyncio.sleep(0)
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("failing", [False, True], ids=["cancelled", "failing"])
async def test_what_the_tasks_had_in_hand_is_freed_at_once(way: Ways, failing: bool):
    gc.collect()
    gc.disable()
    try:
        large = Large()
        kept = weakref.ref(large)
        task = asyncio.create_task(told(way, large, failing))
        del large
        for _ in range(3):
            await asyncio.sleep(0)
        if not failing:
            task.cancel()
        expected = {"": way is at_the_end, "ConnectionResetError": way is not at_the_end}
        assert await task == ("CancelledError" if not failing else next(name for name in expected if expected[name]))
        del task
        await asyncio.sleep(0)
        assert kept() is None
    finally:
        gc.enable()


async def test_the_first_failure_is_raised_as_it_is():
    first = ValueError("the first")

    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(ValueError, match="the first") as raised:
        async with Group() as group:
            group.create_task(fail(first))
            group.create_task(fail(OSError("the second")))
            await asyncio.Event().wait()
    assert raised.value is first
    assert first.__context__ is None


async def test_what_the_body_raises():
    with pytest.raises(OSError, match="of the body"):
        async with Group() as group:
            task = group.create_task(asyncio.Event().wait())
            raise OSError("of the body")
    assert task.cancelled()


class Streams:
    """An addon that passes uploads on as they come."""

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.stream = True


async def test_an_upload_that_its_client_leaves_is_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        async with conversation(Streams()) as talk:
            talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nsome")
            server = await talk.server()
            await server.head()
            await server.expect(b"some")
            flow = weakref.ref(talk.recorder.last("requestheaders"))
            talk.client.stream.close()
            await talk.over()
            talk.recorder.seen.clear()
            await until(lambda: flow() is None, "the flow is freed")
    finally:
        gc.enable()
