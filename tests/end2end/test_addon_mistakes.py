"""Mistakes of addons, each with curl through a running middump: refused or mended, and named with the script.

The last row of design/promises.md, and promise 6: no script ends the running proxy.
"""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Origin, answering, ok, origin
from tests.kit.program import Middump, middump

pytestmark = [pytest.mark.end2end, needs_curl]

HEADER = "Headers([(b'Host', b'a'), (b'X-Bad', {})])"
RAW = "flow.{}.headers.fields = ((b'X-Bad', {}),)"


def script(tmp_path: Path, body: str, name: str = "bad.py") -> str:
    path = tmp_path / name
    path.write_text(body)
    return str(path)


def handler(event: str, *lines: str) -> str:
    """A script with one handler, which does this to `/bad` only."""
    body = "".join(f"        {line}\n" for line in lines)
    return f"def {event}(flow):\n    if flow.request.path == '/bad':\n{body}"


async def asked(program: Middump, web: Origin, path: str, *more: str) -> Curled:
    return await curl("--proxy", program.address, *more, web.url(path))


REFUSED = [
    # What Headers and the setters refuse is an error of the handler: the flow goes on without the change.
    ("request", "flow.request.headers['X-Bad'] = 'a\\r\\nHost: evil'", "no header may hold a line break", 200),
    ("response", "flow.response.headers['X-Bad'] = 'a\\nSet-Cookie: b'", "no header may hold a line break", 200),
    ("request", "flow.request.headers = None", "headers are Headers, a dict or pairs", 200),
    ("response", "flow.response.content = 'text'", "use .text to assign text", 200),
    ("request", "flow.response = 'text'", "flow.response is a Response or None", 200),
    ("request", "flow.request = None", "flow.request is a Request", 200),
    ("response", "flow.response.status_code = None", "Expected an int for status_code", 200),
    ("response", "flow.response.status_code = '404'", "Expected an int for status_code", 200),
    # What goes around them is found when the message is assembled.
    ("request", RAW.format("request", "b'a\\r\\nHost: evil'"), "X-Bad", 502),
    ("request", RAW.format("request", "'text'"), "X-Bad", 502),
    ("request", RAW.format("request", "None"), "X-Bad", 502),
    ("response", RAW.format("response", "b'a\\r\\nSet-Cookie: b'"), "X-Bad", 502),
    ("response", RAW.format("response", "b'\\0'"), "X-Bad", 502),
    ("request", "flow.request.path = '/ HTTP/1.1\\r\\nA: b\\r\\n\\r\\n'", "target", 502),
    ("request", "flow.request.method = 'GET /'", "method", 502),
    ("request", "flow.request.raw_content = 'text'", "str, not bytes", 502),
    ("response", "flow.response.raw_content = 'text'", "str, not bytes", 502),
    ("response", "flow.response.status_code = 1000", "1000", 502),
    ("response", "flow.response.reason = 'OK\\r\\nA: b'", "reason", 502),
]


@pytest.mark.parametrize(("event", "line", "words", "status"), REFUSED)
async def test_what_cannot_be_sent_is_refused_and_named(
    tmp_path: Path, confdir: Path, event: str, line: str, words: str, status: int
) -> None:
    path = script(tmp_path, handler(event, line))
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        done = await asked(program, web, "/bad")
        assert done.status == status
        assert b"Set-Cookie" not in done.head
        assert b"bad.py" not in done.head + done.body  # whose fault it is is no business of the client's
        if status == 502:
            await program.line("cannot be sent: ", words, "(by bad.py)")
        else:
            assert done.body == b"whole"
            await program.error(f"bad.py failed in {event}: ", words)
        assert [heard.fields["host"] for heard in web.requests] == [web.authority] * len(web.requests)
        fine = await asked(program, web, "/fine")
        assert (fine.status, fine.body) == (200, b"whole")


MENDED = [
    ("flow.response.headers['Content-Length'] = '99'", "was '99' and is now '5'"),
    ("flow.response.headers['Content-Length'] = 'many'", "was 'many' and is now '5'"),
    ("flow.response.headers['Transfer-Encoding'] = 'gzip, chunked'", "does not fit the body and was left out"),
]


@pytest.mark.parametrize(("line", "words"), MENDED)
async def test_what_can_only_be_meant_one_way_is_mended_and_named(
    tmp_path: Path, confdir: Path, line: str, words: str
) -> None:
    path = script(tmp_path, handler("response", line))
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        done = await asked(program, web, "/bad")
        assert (done.exit, done.status, done.body) == (0, 200, b"whole")
        assert b"\r\nContent-Length: 5\r\n" in done.head
        await program.line(words, "(by bad.py)")


async def test_a_body_while_transfer_encoding_stands(tmp_path: Path, confdir: Path) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n"
    path = script(tmp_path, handler("response", "flow.response.content = b'another'"))
    async with origin(answering(lambda heard: chunked)) as web, middump(confdir, "-s", path) as program:
        done = await asked(program, web, "/bad")
        assert (done.exit, done.status, done.body) == (0, 200, b"another")


async def test_an_upload_whose_length_an_addon_gets_wrong(tmp_path: Path, confdir: Path) -> None:
    path = script(tmp_path, handler("request", "flow.request.headers['Content-Length'] = '99'"))
    async with origin(answering(lambda heard: ok(heard.body))) as web, middump(confdir, "-s", path) as program:
        done = await asked(program, web, "/bad", "-d", "upload")
        assert (done.status, done.body) == (200, b"upload")
        await program.line("was '99' and is now '6'", "(by bad.py)")


async def test_of_several_scripts_the_one_at_fault_is_known_the_next_time(tmp_path: Path, confdir: Path) -> None:
    good = script(tmp_path, "def response(flow):\n    flow.response.headers['X-Good'] = '1'\n", "good.py")
    bad = script(tmp_path, handler("response", "flow.response.status_code = 42"))
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as web,
        middump(confdir, "-s", bad, "-s", good) as program,
    ):
        assert (await asked(program, web, "/bad")).status == 502
        await program.line("cannot be sent: ", "(by one of bad.py, good.py; the next time midstream can tell which)")
        assert (await asked(program, web, "/bad")).status == 502
        await program.line("cannot be sent: ", "(by bad.py)")
        assert b"X-Good: 1" in (await asked(program, web, "/fine")).head


# -- promise 6 --

ENDS_NOTHING = [
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise GeneratorExit", "GeneratorExit"),
    ("raise StopIteration", "StopIteration"),
    ("raise asyncio.CancelledError", "CancelledError"),
    ("deeper()", "RecursionError"),
    ("bytearray(1 << 62)", "MemoryError"),
    ("sys.exit()", "SystemExit"),
    ("assert False, 'by design'", "AssertionError: by design"),
    ("raise Nasty", "Nasty"),
]
RAISES = """
import asyncio, sys
from midstream.script import concurrent

class Nasty(BaseException):
    def __str__(self): raise RuntimeError

def deeper():
    deeper()

"""


@pytest.mark.parametrize("define", ["def", "async def", "@concurrent\ndef"])
async def test_whatever_a_handler_raises_is_logged_and_the_flow_goes_on(
    tmp_path: Path, confdir: Path, define: str
) -> None:
    lines = [
        f"    if flow.request.path == '/{number}':\n        {line}\n" for number, (line, _) in enumerate(ENDS_NOTHING)
    ]
    path = script(tmp_path, f"{RAISES}{define} request(flow):\n{''.join(lines)}")
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for number, (_, words) in enumerate(ENDS_NOTHING):
            done = await asked(program, web, f"/{number}")
            assert (done.status, done.body) == (200, b"whole")
            # What would end whoever awaits arrives as another error that names it.
            await program.error("bad.py failed in request: ", words)
        assert program.process.returncode is None


async def test_wrong_return_values_do_nothing(tmp_path: Path, confdir: Path) -> None:
    values = ["object()", "7", "'text'", "[flow]", "False", "(x for x in ())", "Exception", "{}", "NotImplemented"]
    path = script(tmp_path, f"def request(flow):\n    return [{', '.join(values)}][int(flow.request.path[1:])]\n")
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for number in range(len(values)):
            assert (await asked(program, web, f"/{number}")).body == b"whole"


TASKS = """
import asyncio
tasks = []

async def leave():
    await asyncio.sleep(0)
    raise SystemExit(3)

async def interrupt():
    raise KeyboardInterrupt

def at_once():
    raise SystemExit(4)

def request(flow):
    loop = asyncio.get_running_loop()
    tasks.append(loop.create_task(leave()))
    tasks.append(loop.create_task(interrupt()))
    loop.call_soon(at_once)

def done():
    for task in tasks:
        task.exception()
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_a_task_that_an_addon_starts_does_not_end_the_program_either(
    tmp_path: Path, confdir: Path, loop: str
) -> None:
    path = script(tmp_path, TASKS)
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as web,
        middump(confdir, "-s", path, env={"MIDSTREAM_EVENT_LOOP": loop}) as program,
    ):
        for _ in range(3):
            assert (await asked(program, web, "/")).body == b"whole"
        await program.error("a task of an addon raised SystemExit", "only ctx.master.shutdown() ends the program")
        assert program.process.returncode is None


@pytest.mark.parametrize("define", ["def", "async def"])
async def test_a_handler_that_blocks_is_named(tmp_path: Path, confdir: Path, define: str) -> None:
    path = script(tmp_path, f"import time\n\n{define} request(flow):\n    time.sleep(0.2)\n")
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        assert (await asked(program, web, "/")).body == b"whole"
        assert f"in request ({path}:3)" in await program.line("bad.py held everything up for", "ms")


COMMANDS = """
from midstream import command, ctx

@command.command("my.fail")
def fail(word: str) -> None:
    raise KeyboardInterrupt

@command.command("my.fail.later")
async def later() -> None:
    raise SystemExit(3)

async def request(flow):
    if flow.request.path == "/later":
        await ctx.master.commands.call("my.fail.later")
    else:
        ctx.master.commands.execute("my.fail word")
"""


async def test_what_a_command_raises_ends_nothing(tmp_path: Path, confdir: Path) -> None:
    path = script(tmp_path, COMMANDS)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for where, words in (("/", "KeyboardInterrupt"), ("/later", "SystemExit: 3")):
            assert (await asked(program, web, where)).body == b"whole"
            await program.error("bad.py failed in request: ", words)


VIEW = """
from midstream import contentviews

class Bad(contentviews.Contentview):
    def prettify(self, data, metadata):
        raise SystemExit(3)

    def render_priority(self, data, metadata):
        {line}

contentviews.add(Bad)
"""


@pytest.mark.parametrize("line", ["return 9", "raise KeyboardInterrupt"])
async def test_what_a_content_view_raises_ends_nothing(tmp_path: Path, confdir: Path, line: str) -> None:
    path = script(tmp_path, VIEW.format(line=line))
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as web,
        middump(confdir, "-s", path, "--set", "flow_detail=3") as program,
    ):
        for _ in range(2):
            assert (await asked(program, web, "/")).body == b"whole"
        if line.startswith("return"):
            await program.line("Bad failed: SystemExit: 3")
        else:
            await program.error("content view Bad is left out", "KeyboardInterrupt")
        await program.line("        whole")


OPTIONS = """
from midstream import ctx

def load(loader):
    ctx.options.subscribe(told, ["showhost"])

def told(options, updated):
    raise SystemExit(4)

def configure(updated):
    if ctx.options.flow_detail == 2:
        raise KeyboardInterrupt

def request(flow):
    ctx.options.update(flow_detail=2)
    ctx.options.update(showhost=not ctx.options.showhost)
"""


async def test_what_raises_when_options_change_ends_nothing(tmp_path: Path, confdir: Path) -> None:
    path = script(tmp_path, OPTIONS)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for _ in range(2):
            assert (await asked(program, web, "/")).body == b"whole"
        await program.error("bad.py failed in configure: KeyboardInterrupt")
        await program.error("bad.py failed in request: SystemExit: 4")


ENDLESS = """
def endless(piece):
    while True:
        yield {piece}

def {event}(flow):
    if flow.request.path == "/bad":
        flow.{part}.stream = endless
"""


@pytest.mark.parametrize("piece", ["b'x' * 65536", "b''"])
@pytest.mark.parametrize(("event", "part"), [("requestheaders", "request"), ("responseheaders", "response")])
async def test_a_stream_function_without_end_serves_others_and_ends_with_its_client(
    tmp_path: Path, confdir: Path, event: str, part: str, piece: str
) -> None:
    path = script(tmp_path, ENDLESS.format(event=event, part=part, piece=piece))
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        bad = asyncio.create_task(asked(program, web, "/bad", "-d", "upload", "-m", "2"))
        for _ in range(3):
            fine = await asked(program, web, "/fine", "-m", "2")
            assert (fine.status, fine.body) == (200, b"whole")
        assert (await bad).exit == 28  # curl's patience is at its end, as nothing else is
        await program.line("/bad")


async def test_a_stream_function_that_blocks_is_named(tmp_path: Path, confdir: Path) -> None:
    source = """
import time

def slow(piece):
    time.sleep(0.2)
    return piece

def responseheaders(flow):
    flow.response.stream = slow
"""
    path = script(tmp_path, source)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        assert (await asked(program, web, "/")).body == b"whole"
        await program.line(f"the stream function slow ({path}:4) held everything up for", "ms")


async def test_a_handler_that_never_returns_ends_with_its_client(tmp_path: Path, confdir: Path) -> None:
    path = script(tmp_path, "import asyncio\n\nasync " + handler("request", "await asyncio.Event().wait()"))
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        assert (await asked(program, web, "/bad", "-m", "1")).exit == 28
        await program.line("client disconnected")
        assert (await asked(program, web, "/fine")).body == b"whole"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_handler_that_holds_the_loop_for_ever_is_named_when_the_program_is_told_to_end(
    tmp_path: Path, confdir: Path, number: signal.Signals
) -> None:
    path = script(tmp_path, handler("request", "while True: pass"))
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        assert (await asked(program, web, "/bad", "-m", "1")).exit == 28
        program.signal(number)
        assert await program.ended() == 128 + number
        await program.error(f"held up by {path}:3, in request")


async def test_a_loop_that_a_script_stops_goes_on(tmp_path: Path, confdir: Path) -> None:
    path = script(
        tmp_path, "import asyncio\n\n" + handler("request", "asyncio.get_running_loop().stop()", "flow.comment = '1'")
    )
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for _ in range(2):
            done = await asked(program, web, "/bad")
            assert (done.status, done.body) == (200, b"whole")
        await program.error("an addon stopped the event loop", "ctx.master.shutdown()")


async def test_what_a_thread_raises_is_logged_with_visible_controls(tmp_path: Path, confdir: Path) -> None:
    source = """
import threading

def fail(text):
    raise RuntimeError(text)

def request(flow):
    threading.Thread(target=fail, args=(flow.request.headers["x-text"],), name="mine").start()
"""
    path = script(tmp_path, source)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        done = await asked(program, web, "/", "-H", "X-Text: \x9b31mred \u202e")
        assert done.body == b"whole"
        await program.error("thread mine failed: RuntimeError: ", "31mred")
        printed = program.printed()
        assert "\x9b" not in printed and "\u202e" not in printed


async def test_a_concurrent_handler_that_blocks_holds_nobody_up(tmp_path: Path, confdir: Path) -> None:
    source = """
import threading
from midstream.script import concurrent
released = threading.Event()

@concurrent
def request(flow):
    if flow.request.path == "/waits":
        released.wait(20)
    else:
        released.set()
"""
    path = script(tmp_path, source)
    async with (
        origin(answering(lambda heard: ok(heard.target.encode()))) as web,
        middump(confdir, "-s", path) as program,
    ):
        # The first one is answered only after the second has come through.
        done = await curl(
            "--parallel", "--parallel-immediate", "--proxy", program.address, web.url("/waits"), "--next", "-q", "-sS",
            "--proxy", program.address, web.url("/goes"), "-o", "/dev/null",
        )  # fmt: skip
        assert done.exit == 0
        assert {heard.target for heard in web.requests} == {"/waits", "/goes"}


async def test_a_concurrent_handler_that_never_returns_does_not_keep_the_program_from_ending(
    tmp_path: Path, confdir: Path
) -> None:
    source = """
import logging, threading
from midstream.script import concurrent

@concurrent
def request(flow):
    logging.info("stuck")
    threading.Event().wait()
"""
    path = script(tmp_path, source)
    async with origin(answering(lambda heard: ok())) as web, middump(confdir, "-s", path) as program:
        done = await curl("--proxy", program.address, "-m", "1", web.url("/"))
        assert done.exit == 28
        await program.line("stuck")


async def test_a_handler_that_floods_the_log_stops_no_traffic(tmp_path: Path, confdir: Path) -> None:
    source = """
import logging, threading

def flood():
    for number in range(20_000):
        logging.info("thread %d", number)

def request(flow):
    threading.Thread(target=flood, daemon=True).start()
    for number in range(2_000):
        logging.info("handler %d", number)
"""
    path = script(tmp_path, source)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for _ in range(3):
            assert (await asked(program, web, "/")).body == b"whole"
        await program.line("handler 1999")


MUTATES = """
from midstream import ctx

class Nested:
    def __init__(self, name):
        self.name = name
    def response(self, flow):
        flow.response.headers.add("X-Seen", self.name)

class Once:
    def request(self, flow):
        ctx.master.addons.remove(self)
        ctx.master.addons.add(Nested("added"))
        ctx.master.addons.get("removed") and ctx.master.addons.remove(ctx.master.addons.get("removed"))

addons = [Once(), Nested("removed"), Nested("stays")]
"""


async def test_an_addon_may_change_the_list_of_addons_during_an_event(tmp_path: Path, confdir: Path) -> None:
    path = script(tmp_path, MUTATES)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", path) as program:
        for _ in range(2):
            done = await asked(program, web, "/")
            assert b"X-Seen: stays\r\nX-Seen: added\r\n" in done.head
            assert b"removed" not in done.head
