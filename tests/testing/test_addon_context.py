"""The context in which addons are tested: what it brings, what it tells addons, and that failures show."""

from __future__ import annotations

import asyncio
import doctest
import gc
import logging
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream import testing
from midstream.flows.errors import AddonHalt, AddonManagerError, CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub import command, ctx
from midstream.hub.addons import Loader
from midstream.hub.concurrent import concurrent
from midstream.hub.events import DECLARATIONS
from midstream.hub.given_options import GivenOptions as Options
from midstream.hub.options import Options as OptManager
from midstream.testing import context, tdnsflow, tflow, tflows, twebsocketflow
from tests.kit.waiting import until


class Counter:
    """Does a bit of everything."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def load(self, loader: Loader) -> None:
        self.told.append("load")
        loader.add_option("step", int, 1, "How far to count.")

    def configure(self, updated: set[str]) -> None:
        if "step" in updated and ctx.options.step < 1:
            raise OptionsError("step must be at least 1")
        self.told.append("configure")

    async def running(self) -> None:
        await asyncio.sleep(0)
        self.told.append("running")

    async def done(self) -> None:
        await asyncio.sleep(0)
        self.told.append("done")

    def request(self, flow: HTTPFlow) -> None:
        flow.metadata["count"] = ctx.options.step
        logging.info("counted %d", ctx.options.step)

    @command.command("count.add")
    def add(self, number: int, times: int = 1) -> int:
        return number + times * ctx.options.step

    @command.command("count.size")
    def size(self, flows: Sequence[Flow]) -> int:
        return len(flows)


class Holding:
    def request(self, flow: HTTPFlow) -> None:
        flow.intercept()

    def response(self, flow: HTTPFlow) -> None:
        raise AssertionError("the flow was held before")


class Failing:
    def request(self, flow: HTTPFlow) -> None:
        raise ZeroDivisionError("request")

    async def response(self, flow: HTTPFlow) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError("response")

    def configure(self, updated: set[str]) -> None:
        if "step" in updated and ctx.options.step > 100:
            raise KeyError("configure")

    @concurrent
    def error(self, flow: HTTPFlow) -> None:
        raise ZeroDivisionError("error")


def test_the_example_in_the_docstring() -> None:
    result = doctest.testmod(testing)
    assert result.attempted > 3
    assert not result.failed


# -- the block --


async def test_a_whole_life() -> None:
    counter = Counter()
    async with context(counter) as tests:
        assert counter.told == ["load", "configure", "running"]
        assert tests.master.is_running
        assert ctx.master is tests.master
    assert counter.told[-1] == "done"


async def test_without_async_addons_are_loaded_and_no_more() -> None:
    counter = Counter()
    with context(counter) as tests:
        assert ctx.options is tests.options
        assert tests.options.step == 1
    assert counter.told == ["load", "configure"]
    with pytest.raises(AttributeError):
        _ = ctx.options


def test_outside_of_an_event_loop() -> None:
    counter = Counter()
    with context(counter) as tests:
        tests.configure(counter, step=3)
        flow = tflow()
        counter.request(flow)
        assert flow.metadata["count"] == 3
        assert tests.command(counter.add, "4") == 7
        assert tests.log.has("info", "counted 3")
        loop = tests.master.event_loop
    assert loop.is_closed()
    made = context()  # and never entered
    loop = made.master.event_loop
    del made
    gc.collect()
    assert loop.is_closed()


async def test_a_plain_thread_finds_the_master() -> None:
    found: list[object] = []
    with context() as tests:
        thread = threading.Thread(target=lambda: found.append(ctx.master))
        thread.start()
        await asyncio.to_thread(thread.join)
        assert found == [tests.master]


async def test_nothing_is_left_behind() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sorted(sys.modules), asyncio.all_tasks())
    for _ in range(2):
        async with context(Counter()) as tests:
            tests.master.background.spawn(asyncio.Event().wait())
        with context(Counter()) as tests:
            task = tests.master.background.spawn(asyncio.Event().wait())
        await asyncio.wait([task])
    with pytest.raises(AddonManagerError):
        context(Counter(), Counter())
    assert (root.level, list(root.handlers), sorted(sys.modules), asyncio.all_tasks()) == before


# -- options --


async def test_options_of_the_proxy_are_there_unless_not_wanted() -> None:
    with context(options=Options(listen_port=99)) as tests:
        assert tests.options.listen_port == 99
        assert tests.options.ssl_insecure is False
        assert tests.options.block_global is True
        assert "scripts" not in tests.options
        assert "set" in tests.commands.commands
    with context(loadcore=False) as tests:
        assert not list(tests.options)
        assert not tests.commands.commands


async def test_options_that_nobody_has() -> None:
    before = list(logging.getLogger().handlers)
    with (
        pytest.raises(OptionsError, match="no such option: steps; did you mean 'step'"),
        context(Counter(), options=Options(steps=2)),
    ):
        pass
    assert logging.getLogger().handlers == before
    with context(Counter(), options=OptManager()) as tests:  # options of the plain kind will do
        assert tests.options.step == 1


async def test_configure() -> None:
    counter = Counter()
    with context(counter) as tests:
        with pytest.raises(OptionsError, match="at least 1"):
            tests.configure(counter, step=0)
        assert tests.options.step == 1
        with pytest.raises(KeyError, match="no option is called 'stop'"):
            tests.configure(counter, stop=1)
        with pytest.raises(TypeError, match="option step: expected int"):
            tests.configure(counter, step="1")
        other = Counter()
        tests.configure(other, step=2)
        assert other.told == ["configure"]  # though nobody added it
        tests.configure(counter)
        assert counter.told == ["load", "configure", "configure", "configure", "configure"]


# -- events --


async def test_emit_goes_to_every_addon_and_tells_of_the_update() -> None:
    class Watcher:
        def __init__(self) -> None:
            self.seen: list[Flow] = []

        def update(self, flows: Sequence[Flow]) -> None:
            self.seen.extend(flows)

    watcher = Watcher()
    async with context(Counter(), watcher) as tests:
        flow = tflow()
        await tests.emit("request", flow)
        assert flow.metadata["count"] == 1
        assert watcher.seen == [flow]
        with pytest.raises(AddonManagerError, match="no event is called 'reqest'; did you mean 'request'"):
            await tests.emit("reqest", flow)


async def test_emit_waits_for_a_held_flow() -> None:
    async with context(Holding()) as tests:
        flow = tflow()
        waiting = asyncio.ensure_future(tests.emit("request", flow))
        await until(lambda: flow.intercepted, "the flow is held")
        assert not waiting.done()
        flow.resume()
        await waiting


@pytest.mark.parametrize(
    ("flow", "events"),
    [
        (tflows()[0], "requestheaders request responseheaders response"),
        (tflows()[1], "requestheaders request error"),
        (tflows()[2], "requestheaders request websocket_start" + 3 * " websocket_message" + " websocket_end"),
        (tflows()[3], "tcp_start tcp_message tcp_message tcp_end"),
        (tflows()[4], "tcp_start tcp_message tcp_message tcp_error"),
        (tflows()[5], "udp_start udp_message udp_message udp_end"),
        (tflows()[6], "udp_start udp_message udp_message udp_error"),
        (tflows()[7], "dns_request dns_response"),
        (tflows()[8], "dns_request"),
        (tflows()[9], "dns_request dns_error"),
    ],
)
async def test_cycle(flow: Flow, events: str) -> None:
    class Recorder:
        """Never added: `cycle` takes any addon."""

    recorder, seen = Recorder(), []
    for name, event in DECLARATIONS.items():
        if event.parameters == ("flow",):
            setattr(recorder, name, lambda flow, name=name: seen.append(name))
    with context() as tests:
        await tests.cycle(recorder, flow)
    assert seen == events.split()


async def test_cycle_ends_when_the_flow_is_held() -> None:
    async with context() as tests:
        flow = tflow(resp=True)
        await tests.cycle(Holding(), flow)
        assert flow.intercepted


async def test_cycle_leaves_the_flow_whole() -> None:
    class Early:
        def websocket_message(self, flow: HTTPFlow) -> None:
            flow.intercept()

    with context() as tests:
        flow = twebsocketflow()
        await tests.cycle(Early(), flow)
        assert flow.websocket is not None
        assert len(flow.websocket.messages) == 3


# -- failures --


@pytest.mark.parametrize("event", ["request", "response", "error"])
async def test_a_handler_that_fails_makes_the_test_fail(event: str) -> None:
    failing, flow = Failing(), tflow(resp=True)
    async with context(failing) as tests:
        with pytest.raises(ZeroDivisionError, match=event):
            await tests.emit(event, flow)
        await tests.emit("requestheaders", flow)  # told once
    with context() as tests, pytest.raises(ZeroDivisionError):
        await tests.cycle(failing, flow)


async def test_the_other_handlers_run_all_the_same() -> None:
    flow = tflow()
    async with context(Failing(), Counter()) as tests:
        with pytest.raises(ZeroDivisionError):
            await tests.emit("request", flow)
        assert flow.metadata["count"] == 1


async def test_configure_that_fails() -> None:
    failing = Failing()
    with context(Counter(), failing) as tests, pytest.raises(KeyError, match="configure"):
        tests.configure(failing, step=101)


async def test_failures_on_the_way_in() -> None:
    class Loads:
        def load(self, loader: Loader) -> None:
            raise ZeroDivisionError("load")

    class Runs:
        def running(self) -> None:
            raise ZeroDivisionError("running")

    with pytest.raises(ZeroDivisionError, match="load"):
        context(Loads())
    with pytest.raises(ZeroDivisionError, match="running"):
        async with context(Runs()):
            raise AssertionError("not reached")


async def test_failures_that_nobody_waited_for() -> None:
    class Ends:
        def done(self) -> None:
            raise ZeroDivisionError("done")

    async def broken() -> None:
        raise ZeroDivisionError("background")

    with pytest.raises(ZeroDivisionError, match="done"):
        async with context(Ends()):
            pass
    with pytest.raises(ZeroDivisionError, match="background"):
        async with context() as tests:
            await tests.master.background.spawn(broken())


async def test_the_failure_of_the_test_itself_comes_first() -> None:
    with pytest.raises(AssertionError, match="the test"):
        async with context(Failing()) as tests:
            tests.master.addons.trigger("request", tflow())
            raise AssertionError("the test")


async def test_failures_may_be_looked_at() -> None:
    flow = tflow()
    async with context(Failing(), Counter(), strict=False) as tests:
        await tests.emit("request", flow)
        assert flow.metadata["count"] == 1
        assert tests.log.has("error", "failing failed in request: ZeroDivisionError: request")
        assert "test_addon_context.py" in tests.log.entries[0].exc_text


async def test_halting_an_event_is_no_failure() -> None:
    class Halting:
        def request(self, flow: HTTPFlow) -> None:
            raise AddonHalt

    flow = tflow()
    async with context(Halting(), Counter()) as tests:
        await tests.emit("request", flow)
        await tests.cycle(Halting(), flow)
    assert "count" not in flow.metadata


# -- the log --


async def test_the_log() -> None:
    async with context(Counter()) as tests:
        await tests.emit("request", tflow())
        logging.getLogger("mine").debug("quiet %s", "words")
        tests.master.log.alert("look")
        tests.master.log.warn("careful")
        assert tests.log.messages == ["counted 1", "quiet words", "look", "careful"]
        assert [entry.level for entry in tests.log.entries] == ["info", "debug", "alert", "warn"]
        assert tests.log.has("debug", "quiet")
        assert tests.log.has("warning", "careful") and tests.log.has("warn")
        assert not tests.log.has("error")
        assert not tests.log.has("info", "look")
        tests.log.clear()
        assert not tests.log.messages
        logging.error("an error that the addon itself tells is no failure")
    assert tests.log.has("error")


async def test_what_others_log_is_not_caught() -> None:
    async with context() as one, context() as two:
        one.master.log.info("from one")
        assert one.log.messages == ["from one"]
        assert two.log.messages == []


# -- commands and scripts --


async def test_commands() -> None:
    counter = Counter()
    async with context(counter) as tests:
        assert tests.command(counter.add, "4", "2") == 6
        assert tests.command(counter.add, 4) == 5
        assert tests.command(counter.size, [tflow(), tdnsflow()]) == 2
        assert tests.commands.execute("count.add 4") == 5
        flow = tflow()
        await tests.emit("requestheaders", flow)
        assert tests.commands.execute("count.size @all") == 1
        with pytest.raises(CommandError, match=r"count\.add: number: .*'x'"):
            tests.command(counter.add, "x")
        with pytest.raises(CommandError):
            tests.command(counter.add)


@pytest.mark.parametrize("package", ["midstream", "mitmproxy"])
async def test_scripts(tmp_path: Path, package: str) -> None:
    script = tmp_path / "counting.py"
    script.write_text(
        f"from {package} import ctx\n"
        "def load(loader): loader.add_option('start', int, 7, '')\n"
        "def request(flow): flow.metadata['count'] = ctx.options.start\n"
    )
    before = list(sys.meta_path)
    async with context() as tests:
        module = tests.script(str(script))
        assert module.__file__ == str(script)
        flow = tflow()
        await tests.emit("request", flow)
        await tests.cycle(module, flow)
        assert flow.metadata["count"] == 7
    assert sys.meta_path == before
    assert not [name for name in sys.modules if name.startswith(("__midstream", "mitmproxy"))]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, r"counting\.py: No such file or directory"),
        ("1/0\n", r"counting\.py:1: ZeroDivisionError: division by zero"),
        ("def request(flow:\n", r"counting\.py:1: SyntaxError"),
    ],
)
async def test_scripts_that_cannot_be_loaded(tmp_path: Path, source: str | None, message: str) -> None:
    script = tmp_path / "counting.py"
    if source is not None:
        script.write_text(source)
    with context() as tests, pytest.raises(OptionsError, match=message):
        tests.script(script)
