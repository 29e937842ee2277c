"""@concurrent runs handlers in threads, and the event waits for them."""

import asyncio
import threading

import pytest

from midstream.hub import ctx
from midstream.hub.concurrent import concurrent
from midstream.hub.events import Events
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.threads import Threads
from tests.kit.waiting import until


class Flow:
    intercepted = False


def bound(*addons: object) -> Events:
    events = Events()
    events.bind(addons)
    return events


async def test_the_event_waits_while_the_loop_goes_on() -> None:
    entered, leave = threading.Event(), threading.Event()
    calls: list[object] = []

    class Addon:
        @concurrent
        def request(self, flow: object) -> None:
            entered.set()
            leave.wait(5)
            calls.append(flow)

    flow = Flow()
    task = asyncio.ensure_future(bound(Addon()).request(flow))
    await asyncio.to_thread(entered.wait, 5)
    assert not task.done()
    leave.set()
    await asyncio.wait_for(task, 5)
    assert calls == [flow]


async def test_many_block_at_once() -> None:
    barrier = threading.Barrier(40, timeout=10)

    class Addon:
        @concurrent
        def request(self, flow: object) -> None:
            barrier.wait()

    events = bound(Addon())
    await asyncio.gather(*(events.request(Flow()) for _ in range(40)))
    assert not barrier.broken


async def test_ctx_works_in_the_thread_and_async_handlers_get_a_loop() -> None:
    seen: list[object] = []

    class Addon:
        @concurrent
        async def request(self, flow: object) -> None:
            await asyncio.sleep(0)
            seen.extend([ctx.master, threading.current_thread() is threading.main_thread()])

    master = Master(Options())
    with ctx.use(master):
        await bound(Addon()).request(Flow())
    assert seen == [master, False]


async def test_the_threads_of_a_master_are_bounded_and_the_rest_waits_its_turn() -> None:
    go_on = threading.Event()
    begun: list[object] = []

    class Addon:
        @concurrent
        def request(self, flow: object) -> None:
            begun.append(flow)
            go_on.wait(10)

    master = Master(Options())
    master.threads = Threads(most=2)
    with ctx.use(master):
        events = bound(Addon())
        tasks = [asyncio.ensure_future(events.request(Flow())) for _ in range(5)]
        await until(lambda: len(begun) == 2, "as many run as may")
        gone = tasks.pop()
        gone.cancel()  # its client left while it waited for its turn
        await asyncio.wait([gone])
        go_on.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert len(begun) == 4
    await master.done()


@pytest.mark.parametrize("error", [ValueError, SystemExit, StopIteration, GeneratorExit, KeyboardInterrupt])
async def test_what_it_raises_is_logged(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    class Addon:
        @concurrent
        def request(self, flow: object) -> None:
            raise error

    await bound(Addon()).request(Flow())
    assert "addon failed in request" in caplog.text
    assert error.__name__ in caplog.text


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_the_traceback_starts_in_the_addons_file(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    class Plain:
        @concurrent
        def request(self, flow: object) -> None:
            raise ValueError

    class Async:
        @concurrent
        async def request(self, flow: object) -> None:
            raise ValueError

    await bound(Plain() if kind == "plain" else Async()).request(Flow())
    [record] = [record for record in caplog.records if record.name != "asyncio"]
    assert record.exc_info is not None and record.exc_info[2] is not None
    assert record.exc_info[2].tb_frame.f_code.co_filename == __file__


@pytest.mark.parametrize("name", ["load", "configure", "add_log", "reqest"])
def test_other_names_are_refused(name: str) -> None:
    def handler(argument: object) -> None: ...

    handler.__name__ = name
    with pytest.raises(NotImplementedError, match=name):
        concurrent(handler)
