"""midstream within other programs: how it starts and ends there, and that the program is afterwards what it was."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from midstream.app import loop_factory
from midstream.exceptions import MidstreamError, OptionsError, StartError
from midstream.http import HTTPFlow, Response
from midstream.hub import command, ctx
from midstream.hub.addons import Loader
from midstream.hub.given_options import GivenOptions as Options
from midstream.master import DumpMaster
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.waiting import PATIENCE, until

pytestmark = [pytest.mark.end2end]

SCRIPT = """
from mitmproxy import ctx
from mitmproxy.script import concurrent

def load(loader):
    loader.add_option("word", str, "none", "")

@concurrent
def response(flow):
    flow.response.headers["x-word"] = ctx.options.word
"""


class Answering:
    """Answers every request by itself, so that no server is needed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[str] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("mark", str, "no mark", "What the answer says.")

    def running(self) -> None:
        self.told.append("running")

    def done(self) -> None:
        self.told.append("done")

    def request(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(200, f"{self.name}: {ctx.options.mark}")

    @command.command("mark.later")
    async def mark_later(self) -> str:
        await asyncio.sleep(0)
        return str(ctx.options.mark)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., DumpMaster]:
    """A quiet master on a free port of loopback."""

    def made(*addons: object, **options: object) -> DumpMaster:
        values = {"listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(tmp_path)} | options
        master = DumpMaster(Options(**values), with_termlog=False, with_dumper=False)
        master.addons.add(*addons)
        return master

    return made


async def get(master: DumpMaster, path: str = "/") -> bytes:
    """The body of a response that comes through the proxy."""
    reader, writer = await asyncio.open_connection(*master.addresses[0])
    writer.write(f"GET http://x.example{path} HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


# -- start and end --


@needs_curl
async def test_real_traffic(make: Callable[..., DumpMaster]) -> None:
    class Stamp:
        def response(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.headers["x-stamp"] = "yes"

    async with origin(answering(lambda heard: ok(b"hello"))) as web, make(Stamp()) as proxy:
        ((host, port),) = proxy.addresses
        done = await curl("--proxy", f"http://{host}:{port}", web.url("/"))
        assert (done.status, done.body) == (200, b"hello")
        assert b"x-stamp: yes\r\n" in done.head


async def test_async_with(make: Callable[..., DumpMaster]) -> None:
    addon = Answering("one")
    async with make(addon, mark="given") as proxy:
        assert addon.told == ["running"]
        assert proxy.addresses[0][1] != 0
        assert await get(proxy) == b"one: given"
        proxy.options.update(mark="changed")
        assert await get(proxy) == b"one: changed"
        address = proxy.addresses[0]
    assert addon.told == ["running", "done"]
    assert proxy.addresses == []
    with pytest.raises(OSError):
        await asyncio.open_connection(*address)


async def test_run_and_shutdown(make: Callable[..., DumpMaster]) -> None:
    master = make(Answering("one"))
    task = asyncio.ensure_future(master.run())
    await until(lambda: master.addresses, "it listens")
    assert await get(master) == b"one: no mark"
    master.shutdown()
    await asyncio.wait_for(task, PATIENCE)
    assert not master.addresses


async def test_the_end_of_a_block_by_shutdown(make: Callable[..., DumpMaster]) -> None:
    class Ender:
        def response(self, flow: HTTPFlow) -> None:
            ctx.master.shutdown()

    async with make(Answering("one"), Ender()) as proxy:
        await get(proxy)
        await asyncio.wait_for(proxy.until_exit(), PATIENCE)


async def test_a_task_that_is_cancelled_ends_its_proxy(make: Callable[..., DumpMaster]) -> None:
    addon = Answering("one")
    master = make(addon)
    task = asyncio.ensure_future(master.run())
    await until(lambda: addon.told, "it runs")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert addon.told == ["running", "done"]
    assert not master.addresses


async def test_a_failing_block_ends_its_proxy(make: Callable[..., DumpMaster]) -> None:
    addon = Answering("one")
    with pytest.raises(ZeroDivisionError):
        async with make(addon):
            raise ZeroDivisionError
    assert addon.told == ["running", "done"]


async def test_a_master_runs_once(make: Callable[..., DumpMaster]) -> None:
    master = make()
    async with master:
        with pytest.raises(RuntimeError, match="runs only once"):
            await master.run()
    with pytest.raises(RuntimeError, match="runs only once"):
        await master.run()


async def test_addons_that_come_and_go_while_it_runs(make: Callable[..., DumpMaster]) -> None:
    addon = Answering("late")
    async with make() as proxy:
        proxy.options.update_defer(mark="before it came")
        proxy.addons.add(addon)
        assert addon.told == ["running"]
        assert await get(proxy) == b"late: before it came"
        proxy.addons.remove(addon)
        assert addon.told == ["running", "done"]


async def test_commands_and_scripts(make: Callable[..., DumpMaster], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    async with make(Answering("one"), scripts=[str(script)], word="told") as proxy:
        assert proxy.options.word == "told"
        proxy.commands.execute("set mark commanded")
        assert await get(proxy) == b"one: commanded"


def test_a_loop_that_does_not_run_yet(tmp_path: Path) -> None:
    """As old scripts do it."""
    loop = asyncio.new_event_loop()
    try:
        options = Options(listen_host="127.0.0.1", listen_port=0, confdir=str(tmp_path))
        master = DumpMaster(options, loop=loop, with_termlog=False, with_dumper=False)
        loop.call_later(0, master.shutdown)
        loop.run_until_complete(asyncio.wait_for(master.run(), PATIENCE))
    finally:
        loop.close()
    with pytest.raises(RuntimeError, match="no running event loop"):
        DumpMaster(Options())


def test_in_a_thread(make: Callable[..., DumpMaster]) -> None:
    ready, answers = threading.Event(), []
    made: list[DumpMaster] = []

    async def serve() -> None:
        async with make(Answering("threaded")) as proxy:
            made.append(proxy)
            answers.append(await get(proxy))
            ready.set()
            await proxy.until_exit()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(PATIENCE)
    made[0].shutdown()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert answers == [b"threaded: no mark"]


# -- what goes wrong --


async def test_a_port_in_use(make: Callable[..., DumpMaster]) -> None:
    addon = Answering("two")
    async with make() as first:
        port = first.addresses[0][1]
        second = make(addon, listen_port=port)
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}: the port is in use"):
            async with second:
                raise AssertionError("not reached")
        assert addon.told == ["running", "done"]
        with pytest.raises(StartError, match="the port is in use"):
            await make(listen_port=port).run()
    assert issubclass(StartError, MidstreamError)


async def test_nothing_is_printed(make: Callable[..., DumpMaster], capfd: pytest.CaptureFixture[str]) -> None:
    async with make(Answering("one")) as first:
        await get(first)
        with pytest.raises(StartError):
            await make(listen_port=first.addresses[0][1]).run()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"listen_port": "8080"}, r"Options\(\): option listen_port: expected int or nothing, got '8080' \(str\)"),
        ({"mode": ["regulr"]}, "'regulr' is no mode; did you mean 'regular'"),
        ({"listen_prot": 8080}, "no such option: listen_prot; did you mean 'listen_port'"),
        ({"scripts": ["/no/such/file.py"]}, "/no/such/file.py does not exist"),
    ],
)
async def test_options_that_are_wrong(make: Callable[..., DumpMaster], options: dict[str, Any], message: str) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    with pytest.raises(OptionsError, match=message):
        async with make(**options):
            raise AssertionError("not reached")
    assert (root.handlers, root.level) == before


async def test_a_broken_script(make: Callable[..., DumpMaster], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import nothing_of_that_name\n")
    with pytest.raises(StartError, match=r"script\.py:1: ModuleNotFoundError"):
        await make(scripts=[str(script)]).run()


async def test_an_addon_that_fails_at_the_start(make: Callable[..., DumpMaster]) -> None:
    class Failing:
        def running(self) -> None:
            raise ZeroDivisionError("by design")

    with pytest.raises(StartError, match="failing failed in running: ZeroDivisionError: by design"):
        await make(Failing()).run()


async def test_errors_of_the_program_around_it_do_not_count(make: Callable[..., DumpMaster]) -> None:
    class Slow:
        async def running(self) -> None:
            started.set()
            await asyncio.wait_for(logged.wait(), PATIENCE)

    async def complain() -> None:
        await started.wait()
        logging.error("of the program")
        thread = threading.Thread(target=logging.error, args=("of its thread",))
        thread.start()
        thread.join()
        logged.set()

    started, logged = asyncio.Event(), asyncio.Event()
    master = make(Slow())
    complaining = asyncio.ensure_future(complain())
    async with master:
        await complaining


# -- options --


def test_options_before_there_is_a_master() -> None:
    options = Options(listen_host="127.0.0.1", listen_port=0, mode=("regular",))
    assert (options.listen_host, options.listen_port, options.mode) == ("127.0.0.1", 0, ["regular"])
    options.mode.append("socks5")
    assert options.mode == ["regular"]  # a copy, as ever
    options.listen_port = 8081
    options.update(ssl_insecure=True)
    assert (options.listen_port, options.ssl_insecure) == (8081, True)
    with pytest.raises(AttributeError, match="no option is called 'listen_prot'"):
        _ = options.listen_prot
    options.add_option("mine", int, 3, "")
    options.mine = 4
    assert options.mine == 4
    with pytest.raises(TypeError, match="option mine: expected int"):
        options.update(mine="4")


async def test_options_once_it_runs(make: Callable[..., DumpMaster]) -> None:
    async with make() as proxy:
        with pytest.raises(AttributeError):
            proxy.options.listen_prot = 1
        with pytest.raises(KeyError):
            proxy.options.update(listen_prot=1)
        with pytest.raises(OptionsError):
            proxy.options.set("listen_prot=1")


async def test_the_config_file_is_read_when_asked_only(make: Callable[..., DumpMaster], tmp_path: Path) -> None:
    from midstream import optmanager

    config = tmp_path / "config.yaml"
    config.write_text("mark: from the file\ntcp_timeout: 5\n")
    async with make(Answering("one")) as proxy:
        assert (proxy.options.mark, proxy.options.tcp_timeout) == ("no mark", 600)
    master = make(Answering("one"), mark="given")
    optmanager.load_paths(master.options, config)
    async with master as proxy:
        assert (proxy.options.mark, proxy.options.tcp_timeout) == ("given", 5)


# -- two of them --


async def test_two_in_one_loop(make: Callable[..., DumpMaster]) -> None:
    one, two = Answering("one"), Answering("two")
    async with make(one, mark="1") as first, make(two, mark="2") as second:
        assert first.addresses != second.addresses
        assert await asyncio.gather(get(first), get(second)) == [b"one: 1", b"two: 2"]
        # Although `ctx` could mean either:
        first.commands.execute("set mark 3")
        assert await first.commands.execute("mark.later") == "3"
        assert await second.commands.execute("mark.later") == "2"


async def test_the_first_may_end_first(make: Callable[..., DumpMaster]) -> None:
    first, second = make(Answering("one")), make(Answering("two"))
    await first.__aenter__()
    await second.__aenter__()
    await first.__aexit__(None, None, None)
    assert await get(second) == b"two: no mark"
    await second.__aexit__(None, None, None)


async def test_two_threads(tmp_path: Path, make: Callable[..., DumpMaster]) -> None:
    both, answers = threading.Barrier(2, timeout=PATIENCE), {}

    async def serve(name: str) -> None:
        async with make(Answering(name), confdir=str(tmp_path / name)) as proxy:
            await asyncio.to_thread(both.wait)
            answers[name] = await get(proxy)
            await asyncio.to_thread(both.wait)

    threads = [threading.Thread(target=lambda name=name: asyncio.run(serve(name))) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join, PATIENCE)
    assert answers == {"one": b"one: no mark", "two": b"two: no mark"}


# -- what stays --


def files() -> dict[str, str]:
    """What is open, by number."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # the folder itself
            continue
    return found


def process_state() -> dict[str, Any]:
    """Whatever of a process a library might leave changed."""
    gc.collect()  # sockets close with their objects
    root = logging.getLogger()
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "signals": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "log handlers": list(root.handlers),
        "log level": root.level,
        "loggers": [name for name, logger in logging.root.manager.loggerDict.items() if getattr(logger, "handlers", 0)],
        "meta_path": list(sys.meta_path),
        "path": list(sys.path),
        "path_hooks": list(sys.path_hooks),
        "modules": sorted(name for name in sys.modules if name.startswith(("__midstream", "mitmproxy"))),
        "files": files(),
        "limit": resource.getrlimit(resource.RLIMIT_NOFILE),
        "gc": (gc.get_threshold(), gc.get_freeze_count(), gc.isenabled()),
        "context": dict(contextvars.copy_context()),
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.displayhook),
        "standard files": (sys.stdin, sys.stdout, sys.stderr),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "timeout": socket.getdefaulttimeout(),
        "policy": sys.getswitchinterval(),
        "running": list(ctx._running),
    }


def until_now(holds: Callable[[], bool]) -> None:
    """Wait for what ends by itself at once, in another thread."""
    asyncio.run(until(holds, "it has ended", patience=5))


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop] | None] = {
    "asyncio": asyncio.new_event_loop,
    "installed": loop_factory(),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_nothing_is_left_in_the_process(make: Callable[..., DumpMaster], tmp_path: Path, loop: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    async def live() -> None:
        tasks = asyncio.all_tasks()
        async with make(Answering("one"), scripts=[str(script)]) as first, make(Answering("two")) as second:
            assert first.addons.get(str(script)) is not None
            assert await asyncio.gather(get(first), get(second)) == [b"one: no mark", b"two: no mark"]
            reader, writer = await asyncio.open_connection(*first.addresses[0])  # still open at the end
        with pytest.raises(StartError):
            blocker = socket.create_server(("127.0.0.1", 0))
            try:
                await make(scripts=[str(script)], listen_port=blocker.getsockname()[1]).run()
            finally:
                blocker.close()
        assert await reader.read() == b""
        writer.close()
        assert asyncio.all_tasks() == tasks

    def run(main: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(main())  # type: ignore[arg-type]

    alone = threading.active_count()
    run(live)  # what is imported on the way stays imported
    until_now(lambda: threading.active_count() == alone)
    logging.getLogger().setLevel(logging.ERROR)
    try:
        before = process_state()
        run(live)
        until_now(lambda: threading.active_count() == len(before["threads"]))
        for name, after in process_state().items():
            assert after == before[name], name
    finally:
        logging.getLogger().setLevel(logging.WARNING)


async def test_nothing_of_the_process_is_taken_while_it_runs(make: Callable[..., DumpMaster]) -> None:
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    limits, thresholds = resource.getrlimit(resource.RLIMIT_NOFILE), gc.get_threshold()
    async with make():
        assert {number: signal.getsignal(number) for number in signal.valid_signals()} == handlers
        assert (resource.getrlimit(resource.RLIMIT_NOFILE), gc.get_threshold()) == (limits, thresholds)
        assert ctx.current() is None
