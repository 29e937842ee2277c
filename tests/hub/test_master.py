"""A master starts, ends and shares nothing."""

import asyncio
import gc
import logging
import threading
from typing import Any

import pytest

from midstream.addons.termlog import TermLog
from midstream.hub import ctx
from midstream.hub import master as master_module
from midstream.hub.addons import Loader
from midstream.hub.log import EventLogHandler
from midstream.hub.master import Master
from midstream.hub.options import Options


class Addon:
    """Has an option, logs, and notes which master it sees."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, Any]] = []
        self.logged: list[str] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("colour", str, "red", "A colour.")
        EventLogHandler(lambda entry: self.logged.append(entry.msg), logging.INFO).install()

    def configure(self, updated: set[str]) -> None:
        self.note("configure")

    def running(self) -> None:
        self.note("running")
        logging.info("my colour is %s", ctx.options.colour)
        ctx.master.shutdown()

    def done(self) -> None:
        self.note("done")

    def note(self, event: str) -> None:
        self.seen.append((event, ctx.master, ctx.options.colour))


def make() -> tuple[Master, Addon]:
    master, addon = Master(Options()), Addon()
    master.addons.add(addon)
    return master, addon


async def test_only_a_program_that_keeps_flows_has_a_view() -> None:
    """Scripts for both programs ask for it."""
    assert not hasattr(Master(Options()), "view")


async def test_a_run_from_start_to_end() -> None:
    master, addon = make()
    assert not master.is_running
    await asyncio.wait_for(master.run(), 5)
    assert [event for event, _, _ in addon.seen] == ["configure", "running", "done"]
    assert not master.is_running
    assert master.exit_status == 0


async def test_two_masters_in_one_loop_share_nothing() -> None:
    (one, first), (other, second) = make(), make()
    one.options.colour = "blue"
    await asyncio.wait_for(asyncio.gather(one.run(), other.run()), 5)
    assert {seen for _, seen, _ in first.seen} == {one}
    assert {seen for _, seen, _ in second.seen} == {other}
    assert first.seen[-1][2] == "blue"
    assert second.seen[-1][2] == "red"
    assert first.logged == ["my colour is blue"]
    assert second.logged == ["my colour is red"]
    assert one.addons.get("addon") is first
    assert other.addons.get("addon") is second


async def test_two_masters_in_two_threads_share_nothing() -> None:
    results: dict[str, Addon] = {}

    async def main(colour: str) -> None:
        master, addon = make()
        master.options.colour = colour
        results[colour] = addon
        await asyncio.wait_for(master.run(), 5)

    threads = [threading.Thread(target=asyncio.run, args=(main(colour),)) for colour in ("blue", "green")]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    for colour, addon in results.items():
        assert addon.logged == [f"my colour is {colour}"]
        assert addon.seen[-1][2] == colour


async def test_shutdown_from_another_thread() -> None:
    master = Master(Options())
    task = asyncio.ensure_future(master.run())
    await asyncio.sleep(0)
    threading.Thread(target=master.shutdown).start()
    await asyncio.wait_for(task, 5)


def test_shutdown_after_the_loop_has_ended_is_harmless() -> None:
    async def main() -> Master:
        return Master(Options())

    asyncio.run(main()).shutdown()


async def test_async_running_and_done_are_awaited() -> None:
    calls: list[str] = []

    class Waiting:
        async def running(self) -> None:
            await asyncio.sleep(0)
            calls.append("running")
            ctx.master.shutdown()

        async def done(self) -> None:
            await asyncio.sleep(0)
            calls.append("done")

    master = Master(Options())
    master.addons.add(Waiting())
    await asyncio.wait_for(master.run(), 5)
    assert calls == ["running", "done"]


async def test_an_addon_that_another_removes_at_the_end_is_told_once() -> None:
    calls: list[str] = []

    class Held:
        def done(self) -> None:
            calls.append("done")

    class Holder:
        def done(self) -> None:
            ctx.master.addons.remove(held)

    held = Held()
    master = Master(Options())
    master.addons.add(Holder(), held)
    await master.done()
    assert calls == ["done"]


async def test_a_done_that_never_ends_keeps_neither_the_others_nor_the_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_module, "END_PATIENCE", 0.05)
    calls: list[str] = []

    class Endless:
        async def done(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                calls.append("cancelled")

    class After:
        def done(self) -> None:
            calls.append("after")

    master = Master(Options())
    master.addons.add(Endless(), After())
    master.shutdown()
    await asyncio.wait_for(master.run(), 5)
    assert calls == ["cancelled", "after"]
    assert "endless: its done has not ended after 0.05 s" in caplog.text


async def test_background_tasks_end_with_the_master() -> None:
    master = Master(Options())
    ended: list[bool] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.ensure_future(master.run())
    await asyncio.sleep(0)
    master.background.spawn(endless())
    await asyncio.sleep(0)
    master.shutdown()
    await asyncio.wait_for(task, 5)
    assert ended == [True]


async def test_a_failing_background_task_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise ValueError("by design")

    await Master(Options()).background.spawn(broken())
    assert "by design" in caplog.text


async def test_errors_are_startup_errors_until_the_start_has_ended() -> None:
    master = Master(Options())
    master.log.error("before")
    with ctx.use(master):
        await master.running()
    master.log.error("after")
    assert [entry.msg for entry in master.startup_errors] == ["before"]
    await master.done()


async def test_a_master_that_never_ran_leaves_no_handler_behind() -> None:
    gc.collect()  # what other tests left
    before = len(logging.getLogger().handlers)
    master = Master(Options())
    master.addons.add(TermLog())
    assert len(logging.getLogger().handlers) == before + 2
    del master
    gc.collect()
    assert len(logging.getLogger().handlers) == before


async def test_the_log_is_heard_until_the_last_addon_is_done() -> None:
    class Late:
        def done(self) -> None:
            logging.info("goodbye")

    master, addon = make()
    master.addons.add(Late())
    await asyncio.wait_for(master.run(), 5)
    assert addon.logged[-1] == "goodbye"
    left = [handler for handler in logging.getLogger().handlers if isinstance(handler, EventLogHandler)]
    assert not any(handler.master is master for handler in left)


async def test_ctx_outside_a_master_says_so() -> None:
    with pytest.raises(AttributeError, match=r"ctx\.options exists only while midstream runs"):
        _ = ctx.options
    with pytest.raises(AttributeError, match="no 'option'"):
        _ = ctx.option  # type: ignore[attr-defined]


async def test_ctx_in_a_thread_that_copies_the_context() -> None:
    master = Master(Options())
    with ctx.use(master):
        assert await asyncio.to_thread(lambda: ctx.master) is master
        assert ctx.options is master.options
        assert ctx.log is master.log


class Threaded:
    """Asks from a plain thread, as scripts do that know nothing of contexts."""

    def __init__(self, ready: asyncio.Event) -> None:
        self.ready = ready
        self.answer = ""

    async def running(self) -> None:
        await self.ready.wait()
        thread = threading.Thread(target=self.ask)
        thread.start()
        thread.join()
        ctx.master.shutdown()

    def ask(self) -> None:
        try:
            self.answer = ctx.options.colour
        except AttributeError as error:
            self.answer = str(error)


def coloured(addon: object, colour: str) -> Master:
    options = Options()
    options.add_option("colour", str, colour, "")
    master = Master(options)
    master.addons.add(addon)
    return master


async def test_ctx_in_a_plain_thread_is_the_only_master_that_runs() -> None:
    ready = asyncio.Event()
    ready.set()
    threaded = Threaded(ready)
    await asyncio.wait_for(coloured(threaded, "red").run(), 5)
    assert threaded.answer == "red"


async def test_ctx_in_a_plain_thread_does_not_guess_among_several() -> None:
    ready = asyncio.Event()
    threads = [Threaded(ready), Threaded(ready)]
    runs = [asyncio.ensure_future(coloured(each, "red").run()) for each in threads]
    await asyncio.sleep(0)
    ready.set()
    await asyncio.wait_for(asyncio.gather(*runs), 5)
    assert {each.answer for each in threads} == {
        "ctx.options: several masters run here; start the thread by asyncio.to_thread"
    }
