"""Scripts in the style of mitmproxy's, run unchanged by `middump -s` against real traffic; then with our own name in.

Each stands in `compat_scripts/` and touches another part of what `compat` maps. They run in mitmdump 12.2.3 too, where
what is asserted here was seen by hand.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import Middump, free_port, middump, started
from tests.kit.socket_end import SocketEnd, tunnelled
from tests.kit.waiting import PATIENCE

pytestmark = [pytest.mark.end2end, needs_curl]

SCRIPTS = Path(__file__).with_name("compat_scripts")
OUR_NAMES = {"mitmproxy.tools.dump": "midstream.master", "mitmproxy": "midstream"}


@pytest.fixture(params=["mitmproxy", "midstream"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Under which name a script imports what it needs."""
    return str(request.param)


def script(folder: Path, name: str, dialect: str = "mitmproxy") -> str:
    """The path of a script as it is, or of a copy that imports midstream."""
    path = SCRIPTS / f"{name}.py"
    if dialect == "mitmproxy":
        return str(path)
    text = path.read_text("utf-8")
    for theirs, ours in OUR_NAMES.items():
        text = text.replace(theirs, ours)
    assert "mitmproxy" not in text
    copy = folder / path.name
    copy.write_text(text, "utf-8")
    return str(copy)


def plain(heard: Heard) -> bytes:
    return ok(b"plain text", "Content-Type: text/plain", "Server: origin", f"X-Thread: {heard.fields.get('x-thread')}")


async def get(program: Middump, url: str, *arguments: str):
    return await curl("--proxy", program.address, "--cacert", str(program.ca), *arguments, url)


async def test_headers_and_options(tmp_path: Path, confdir: Path, dialect: str):
    path = script(tmp_path, "headers_and_options", dialect)
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", path, "--set", "addheader", "--set", "headername=tally") as program,
    ):
        first, second = await get(program, web.url()), await get(program, web.url())
        assert b"tally: 1\r\n" in first.head and b"tally: 2\r\n" in second.head
        assert b"server" not in first.head.lower() and first.body == b"plain text"


async def test_commands_and_types(tmp_path: Path, confdir: Path, dialect: str):
    path, tally = script(tmp_path, "commands_and_types", dialect), tmp_path / "tally.txt"
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", path, "--set", f"tally_file={tally}") as program,
    ):
        for target in ("/one", "/two"):
            await get(program, web.url(target))
        await program.line("the command refused too few arguments")
        assert tally.read_text() == f"{web.url('/one')}\n{web.url('/two')}\n"


async def test_filters(tmp_path: Path, confdir: Path, dialect: str):
    path = script(tmp_path, "filters_and_errors", dialect)
    async with origin(answering(plain)) as web, middump(confdir, "-s", path, "--set", "myfilter=~u one") as program:
        await get(program, web.url("/one"))
        await get(program, web.url("/two"))
        await program.line("Flow matches filter: /one")
        await program.line("no match: /two")


async def test_an_option_that_is_refused(tmp_path: Path, confdir: Path, dialect: str):
    path = script(tmp_path, "filters_and_errors", dialect)
    async with started(confdir, "-p", "0", "-s", path, "--set", "myfilter=~u (") as program:
        assert await program.ended() == 1
        assert "myfilter is bad" in "\n".join(program.errors)


async def test_answers(tmp_path: Path, confdir: Path, dialect: str):
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", script(tmp_path, "answers", dialect)) as program,
    ):
        made = await get(program, "http://nowhere.invalid/api/x?a=1&b=2", "-d", "c=d", "-A", "curly")
        assert made.status == 201 and json.loads(made.body) == {"q": {"a": "1", "b": "2"}, "form": [["c", "d"]]}
        assert (
            b"x-agent: curl\r\n" in made.head.lower() and b"\r\nset-cookie: seen=yes; path=/\r\n" in made.head.lower()
        )
        assert (await get(program, web.url("/kill"))).exit == 52  # an empty reply
        assert (await get(program, web.url("/"))).body == b"changed text"


async def test_blocking(tmp_path: Path, confdir: Path, dialect: str):
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", script(tmp_path, "blocking", dialect)) as program,
    ):
        done = await asyncio.gather(*(get(program, web.url(f"/{number}")) for number in range(5)))
        assert all(b"X-Thread: True\r\n" in one.head and b"x-waited: yes\r\n" in one.head for one in done)
        await program.line("handled /4")
        assert not program.errors


async def test_tls_events(tmp_path: Path, confdir: Path, dialect: str, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with (
        origin(answering(plain), tls=origin_ca.context()) as web,
        middump(confdir, "-s", script(tmp_path, "tls_events", dialect), *trusting) as program,
    ):
        url = f"https://localhost:{web.port}/"
        assert (await get(program, url)).status == 200
        await program.line("hello localhost True True")
        await program.line("client True TLSv1.3 localhost")
        await program.line("server localhost True")
        assert (await curl("--proxy", program.address, url)).exit == 60  # our CA is not trusted
        await program.line("failed 127.0.0.1")


async def test_flow_files(tmp_path: Path, confdir: Path, dialect: str):
    path = script(tmp_path, "flow_files", dialect)
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", path, "--set", f"flowsfile={tmp_path / 'flows'}") as program,
    ):
        await get(program, web.url("/one"))
        await get(program, web.url("/two"))
    assert [line for line in program.lines if line.startswith("read back")] == [
        "read back /one 200 written",
        "read back /two 200 written",
    ]
    assert "size is True" in program.lines


async def test_content_view(tmp_path: Path, confdir: Path, dialect: str):
    async with (
        origin(answering(lambda heard: ok(b"Hello", "Content-Type: text/swap; charset=utf-8"))) as web,
        middump(confdir, "-s", script(tmp_path, "content_view", dialect)) as program,
    ):
        await get(program, web.url())
        await program.line("view SwapCase: hELLO")
        await program.line("raw: Hello")


async def test_logs(tmp_path: Path, confdir: Path, dialect: str):
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", script(tmp_path, "logs", dialect)) as program,
    ):
        await get(program, web.url())
        await program.line("an alert by logging")
        await program.line("an alert by ctx.log")
        await program.line("a warning")
        await program.line("heard 2 warn [0, 1, 2, 2, 3]")
        assert not any("nobody sees this" in line for line in program.lines)


async def test_connections(tmp_path: Path, confdir: Path):
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", script(tmp_path, "connections"), "--set", f"send_to={web.port}") as program,
    ):
        assert (await get(program, "http://elsewhere.invalid/")).body == b"plain text"
        await program.line("client 127.0.0.1 regular ConnectionState.OPEN")
        await program.line("wanted elsewhere.invalid:80")
        await program.line("kinds [True, False, False] http None")


async def test_helpers(tmp_path: Path, confdir: Path):
    async with origin(answering(plain)) as web, middump(confdir, "-s", script(tmp_path, "helpers")) as program:
        done = await get(program, web.url("/x"), "-H", "Cookie: a=b")
        assert done.body.decode().splitlines() == [
            "GET /x HTTP/1.1\\r\\n",
            "HTTP/1.1 200 OK",
            "1.5k [['a', 'b']] a=b+c 404",
            "b False",
            "True",
        ]


async def echo(end: SocketEnd) -> None:
    while data := await end.read():
        end.say(data)


async def test_raw_connections(tmp_path: Path, confdir: Path):
    async with (
        origin(echo) as server,
        middump(confdir, "-s", script(tmp_path, "connections"), "--set", f"send_to={server.port}") as program,
        tunnelled(program.port, "elsewhere.invalid:4000") as client,
    ):
        client.say(b"RAW or not")
        await client.expect(b"RAW OR NOT")
        await program.line("wanted elsewhere.invalid:4000")


async def test_certificates_and_modes(tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    path = tmp_path / "certificates_and_modes.py"
    path.write_bytes(Path(script(tmp_path, "certificates_and_modes")).read_bytes())
    path.with_name("beside.py").write_text("WORD = 'late'")
    async with (
        origin(answering(plain), tls=origin_ca.context()) as web,
        middump(confdir, "-s", str(path), *trusting) as program,
    ):
        head = (await get(program, f"https://localhost:{web.port}/")).head.decode().split("\r\n")
        assert "x-cert: True False ['127.0.0.1', 'localhost']" in head
        assert {"x-beside: late", "x-mode: regular", "x-spec: http h"} <= set(head)
        await program.line("options True True 127.0.0.1")
        await program.line("mode reverse ('example.com', 443) 9000")


async def test_held_and_streamed(tmp_path: Path, confdir: Path, dialect: str):
    async with (
        origin(answering(plain)) as web,
        middump(confdir, "-s", script(tmp_path, "held_and_streamed", dialect)) as program,
    ):
        held, streamed = await asyncio.gather(get(program, web.url("/?hold=1")), get(program, web.url("/stream")))
        assert (held.body, streamed.body) == (b"plain text", b"longer than plain text!")
        assert sorted(heard.target for heard in web.requests) == ["/?hold=released", "/stream"]
        await program.line("done /?hold=released 'was held' :red_circle: True True True False")
        await program.line("done /stream '' :red_circle: True True True False")
        assert not any("left out" in line for line in program.lines)


async def run(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def test_a_unit_test(tmp_path: Path):
    process = await run("-m", "midstream.compat", script(tmp_path, "unit_test"))
    async with asyncio.timeout(PATIENCE):
        out, errors = await process.communicate()
    assert (out, errors) == (b"http://address:22/path 404 good day\n", b"")


@pytest.mark.parametrize("way", ["by -m", "by install()", "midstream"])
async def test_starting_the_tool(tmp_path: Path, confdir: Path, way: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MIDSTREAM_CONFDIR", str(confdir))
    port = free_port()
    process = await run(*starting(tmp_path, "starts_the_tool", way), str(port))
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert b"listening at" in await process.stdout.readline()
        done = await curl("--proxy", f"http://127.0.0.1:{port}", "http://nowhere.invalid/")
        assert done.body == b"from within"
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.parametrize("way", ["by -m", "by install()"])
async def test_running_the_program(tmp_path: Path, confdir: Path, way: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MIDSTREAM_CONFDIR", str(confdir))
    port = free_port()
    process = await run(*starting(tmp_path, "runs_the_program", way), str(port))
    try:
        proxy = f"http://127.0.0.1:{port}"
        done = await curl("--proxy", proxy, "--retry", "50", "--retry-connrefused", "--retry-delay", "1", "http://x.y/")
        assert done.body == b"seen x.y"
        async with asyncio.timeout(PATIENCE):
            assert await process.communicate() == (b"over\n", b"")
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def starting(folder: Path, name: str, way: str) -> list[str]:
    """The arguments of Python for a script that starts the tool by itself."""
    if way == "by -m":
        return ["-m", "midstream.compat", script(folder, name)]
    if way == "midstream":
        return [script(folder, name, "midstream")]
    copy = folder / f"{name}.py"
    install = "import midstream.compat\n\nmidstream.compat.install()\n"
    copy.write_text(install + Path(script(folder, name)).read_text("utf-8"), "utf-8")
    return [str(copy)]


def test_every_script_is_run() -> None:
    source = Path(__file__).read_text("utf-8")
    assert all(f'"{path.stem}"' in source for path in SCRIPTS.glob("*.py"))
