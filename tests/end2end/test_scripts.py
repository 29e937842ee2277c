"""User scripts in a running middump: mistakes in them are named and harm no traffic; a saved file takes effect."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA, answering, ok, origin
from tests.kit.program import Middump, free_port, middump, started
from tests.kit.waiting import PATIENCE, until

pytestmark = [pytest.mark.end2end, needs_curl]

EVENTS = [
    *("requestheaders", "request", "responseheaders", "response", "error"),
    *("http_connect", "http_connected", "http_connect_error"),
]


def write(path: Path, text: str) -> Path:
    """Save a script as an editor does: whole, and with a new time stamp."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)
    return path


@pytest.mark.parametrize("define", ["def", "async def"])
async def test_an_addon_that_raises_in_every_event_stops_no_flow(
    tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], define: str
):
    lines = "".join(f"{define} {event}(flow):\n    raise RuntimeError('oh {event}')\n" for event in EVENTS)
    script = write(tmp_path / "raises.py", lines)
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as plain,
        origin(answering(lambda heard: ok(b"whole")), tls=origin_ca.context()) as secure,
        middump(confdir, "-s", str(script), *trusting) as program,
    ):
        through = ("--proxy", program.address, "--cacert", str(program.ca))
        for web in (plain, secure):
            done = await curl(*through, web.url())
            assert (done.status, done.body) == (200, b"whole")
        refused = await curl(*through, f"http://127.0.0.1:{free_port()}/")
        assert refused.status == 502
        assert (await curl(*through, f"https://127.0.0.1:{free_port()}/")).exit == 56  # CONNECT got a 502
        for number, event in enumerate(EVENTS):
            await program.error(f"raises.py failed in {event}: RuntimeError: oh {event}")
            at = program.errors.index(await program.error(f"raises.py failed in {event}: "))
            await until(lambda at=at: len(program.errors) > at + 4, "the traceback has been read")
            # The traceback starts in the script's own file, not in the machinery that called it.
            assert program.errors[at + 1] == "Traceback (most recent call last):"
            assert program.errors[at + 2] == f'  File "{script}", line {2 * number + 2}, in {event}'
            assert program.errors[at + 4] == f"RuntimeError: oh {event}"
        await program.line("    <- 200 OK 5b")
        await program.line("    !! ")


@pytest.mark.parametrize(
    "statement", ["raise SystemExit(3)", "raise KeyboardInterrupt", "return object()", "flow.response = 'no'"]
)
async def test_no_script_ends_the_program(tmp_path: Path, confdir: Path, statement: str):
    script = write(tmp_path / "bad.py", f"def request(flow):\n    {statement}\n")
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", str(script)) as program:
        program.may_complain = True
        for _ in range(2):
            await curl("--proxy", program.address, web.url())
        assert program.process.returncode is None
        await program.line(f"GET {web.url()}")


async def test_a_misspelt_event_is_named(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "typo.py", "def reqest(flow):\n    pass\n")
    async with middump(confdir, "-s", str(script)) as program:
        warning = await program.line(f"{script}:1: reqest is no event")
        assert "it looks like request: def request(flow" in warning


async def test_a_script_with_a_syntax_error_ends_the_start(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "broken.py", "x = 1\ndef request(flow:\n    pass\n")
    async with started(confdir, "-p", "0", "--listen-host", "127.0.0.1", "-s", str(script)) as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1, program.printed()
    assert f"{script}:2: SyntaxError: " in program.errors[0]


async def test_a_script_that_fails_while_it_is_loaded_ends_the_start(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "broken.py", "import os\n\nos.no_such_thing()\n")
    async with started(confdir, "-p", "0", "--listen-host", "127.0.0.1", "-s", str(script)) as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1, program.printed()
    assert f"{script}:3: AttributeError: " in program.errors[0]


SCRIPT = """
from midstream import ctx

class Marks:
    def load(self, loader):
        loader.add_option("mark", str, "unset", "What to write.")

    def response(self, flow):
        flow.response.headers["X-Mark"] = f"{VERSION} {{ctx.options.mark}}"

addons = [Marks()]
"""


async def mark(program: Middump, url: str) -> str:
    """What the script of now wrote into a response."""
    done = await curl("--proxy", program.address, url)
    return next(line[8:] for line in done.head.decode().split("\r\n") if line.startswith("X-Mark: "))


def version(number: str) -> str:
    return SCRIPT.replace("{VERSION}", number).replace("{{", "{").replace("}}", "}")


async def test_a_saved_script_takes_effect_and_a_broken_one_does_not(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "marks.py", version("one"))
    async with (
        origin(answering(lambda heard: ok())) as web,
        middump(confdir, "-s", str(script), "--set", "mark=kept") as program,
    ):
        assert await mark(program, web.url()) == "one kept"
        write(script, version("two"))
        await program.line(f"{script} is loaded in its new form")
        assert await mark(program, web.url()) == "two kept"
        write(script, "class Marks(:\n")
        complaint = await program.error(f"{script}:1: SyntaxError")
        assert complaint.endswith("; its older form goes on")
        assert await mark(program, web.url()) == "two kept"
        seen = len(program.lines)
        write(script, version("three"))
        await program.line(f"{script} is loaded in its new form", after=seen)
        assert await mark(program, web.url()) == "three kept"
    assert len(program.errors) == 1


async def test_a_script_that_holds_the_loop_is_named(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "slow.py", "import time\n\ndef request(flow):\n    time.sleep(0.15)\n")
    started_at = time.monotonic()
    async with origin(answering(lambda heard: ok())) as web, middump(confdir, "-s", str(script)) as program:
        assert (await curl("--proxy", program.address, web.url())).status == 200
        assert time.monotonic() - started_at > 0.15
        assert "request" in await program.line("slow.py", "ms")


async def test_two_scripts_run_in_their_order(tmp_path: Path, confdir: Path):
    first, second = (
        write(
            tmp_path / f"{name}.py",
            f"def response(flow):\n    flow.response.headers.add('X-Seen', '{name}')\n",
        )
        for name in ("first", "second")
    )
    async with (
        origin(answering(lambda heard: ok())) as web,
        middump(confdir, "-s", str(second), "-s", str(first)) as program,
    ):
        done = await curl("--proxy", program.address, web.url())
        assert b"X-Seen: second\r\nX-Seen: first\r\n" in done.head


async def test_a_script_may_end_the_program(tmp_path: Path, confdir: Path):
    script = write(
        tmp_path / "ends.py",
        "from midstream import ctx\n\ndef response(flow):\n    ctx.master.shutdown()\n",
    )
    async with origin(answering(lambda heard: ok())) as web, middump(confdir, "-s", str(script)) as program:
        await curl("--proxy", program.address, web.url())
        assert await program.ended() == 0


async def test_a_broken_script_tells_its_traceback_only_with_v(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "broken.py", "def helper():\n    return {}['sku']\n\nhelper()\n")
    argv = ("-p", "0", "--listen-host", "127.0.0.1", "-s", str(script))
    async with started(confdir, *argv) as program:
        assert await program.ended() == 1
        assert [line.partition("] ")[2] for line in program.errors] == [f"{script}:2: KeyError: 'sku'"]
    async with started(confdir, "-v", *argv) as program:
        assert await program.ended() == 1
        first, *more = program.errors
        assert first.endswith(f"{script}:2: KeyError: 'sku'")
        # It begins in the script, not in what loads it.
        assert more[:2] == ["Traceback (most recent call last):", f'  File "{script}", line 4, in <module>']
        assert more[-1] == "KeyError: 'sku'"


async def test_the_same_script_twice_ends_the_start(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "twice.py", "")
    async with started(
        confdir, "-p", "0", "-s", str(script), "-s", f"{tmp_path}/../{tmp_path.name}/twice.py"
    ) as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1
    assert "is named twice" in program.errors[0]


async def test_two_scripts_with_one_addon_name_end_the_start(tmp_path: Path, confdir: Path):
    source = "class Counter:\n    def request(self, flow): ...\n\naddons = [Counter()]\n"
    first, second = (str(write(tmp_path / f"{name}.py", source)) for name in "ab")
    async with started(confdir, "-p", "0", "-s", first, "-s", second) as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1
    assert f"{second}: an addon called 'counter' is there already" in program.errors[0]


async def test_functions_and_objects_of_one_script_in_their_order(tmp_path: Path, confdir: Path):
    source = """
class Seen:
    def __init__(self, name, addons=()):
        self.name, self.addons = name, list(addons)
    def response(self, flow):
        flow.response.headers.add("X-Seen", self.name)

def response(flow):
    flow.response.headers.add("X-Seen", "module")

addons = [Seen("first", [Seen("child"), Seen("other child")]), Seen("second")]
"""
    script = write(tmp_path / "both.py", source)
    async with origin(answering(lambda heard: ok())) as web, middump(confdir, "-s", str(script)) as program:
        done = await curl("--proxy", program.address, web.url())
    seen = [line[8:] for line in done.head.decode().split("\r\n") if line.startswith("X-Seen: ")]
    assert seen == ["module", "first", "child", "other child", "second"]


async def test_a_deleted_script_is_back_with_its_file_and_its_neighbours_are_watched(tmp_path: Path, confdir: Path):
    neighbour = write(tmp_path / "wording.py", "WORD = 'one'\n")
    source = "import wording\n\ndef response(flow):\n    flow.response.headers['X-Mark'] = wording.WORD\n"
    script = write(tmp_path / "marks.py", source)
    async with origin(answering(lambda heard: ok())) as web, middump(confdir, "-s", str(script)) as program:
        assert await mark(program, web.url()) == "one"
        write(neighbour, "WORD = 'another'\n")
        await program.line(f"{script} is loaded in its new form")
        assert await mark(program, web.url()) == "another"
        script.unlink()
        await program.line(f"{script} was deleted")
        assert b"X-Mark" not in (await curl("--proxy", program.address, web.url())).head
        write(script, source.replace("wording.WORD", "'back'"))
        async with asyncio.timeout(PATIENCE):
            while b"X-Mark: back" not in (await curl("--proxy", program.address, web.url())).head:
                pass


HOLDING = """
import asyncio, threading
from collections.abc import Sequence
from midstream import command, ctx
from midstream.flow import Flow
from midstream.script import concurrent

held = []

class Holds:
    def request(self, flow):
        if flow.request.path == "/kill":
            flow.kill()
        elif flow.request.path != "/free":
            flow.intercept()
            held.append(flow)
        if flow.request.path == "/by-thread":
            threading.Timer(0.05, flow.resume).start()
        elif flow.request.path == "/by-task":
            self.task = asyncio.get_running_loop().create_task(self.release(flow))

    @concurrent
    def response(self, flow):
        flow.response.headers["X-Path"] = flow.request.path

    async def release(self, flow):
        await asyncio.sleep(0)
        flow.resume()

class Watches:
    async def requestheaders(self, flow):
        if flow.request.path == "/free":
            ctx.master.commands.call("held.resume", list(held))

    @command.command("held.resume")
    def resume(self, flows: Sequence[Flow]) -> None:
        for flow in flows:
            flow.resume()

addons = [Holds(), Watches()]
"""


async def test_flows_are_held_resumed_and_killed_by_handlers_threads_tasks_and_commands(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "holds.py", HOLDING)
    async with origin(answering(lambda heard: ok())) as web, middump(confdir, "-s", str(script)) as program:
        for path in ("/by-thread", "/by-task"):
            done = await curl("--proxy", program.address, web.url(path))
            assert f"X-Path: {path}".encode() in done.head
        assert (await curl("--proxy", program.address, web.url("/kill"))).exit == 52  # an empty reply
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(curl("--proxy", program.address, web.url("/by-command")))
            # Until it is held nobody can release it: the free ones come again and again.
            while not waiting.done():
                assert (await curl("--proxy", program.address, web.url("/free"))).status == 200
        assert b"X-Path: /by-command" in waiting.result().head
