"""map_local on real traffic: which file answers, and that nothing outside of its folder ever does."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from midstream.flows.errors import OptionsError
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.other_clients import memory
from tests.kit.program import middump
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import connected

pytestmark = [pytest.mark.end2end, needs_curl]

SIZE = 96 * 1024 * 1024


def answer(_: Heard) -> bytes:
    return ok(b"of the server")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("SECRET")
    www = tmp_path / "www"
    (www / "sub").mkdir(parents=True)
    (www / "index.html").write_text("index")
    (www / "app.js").write_text("script")
    (www / "sub" / "index.html").write_text("sub index")
    (www / "out").symlink_to("../secret.txt")
    (www / "outdir").symlink_to("..")
    return www


async def ask(running: RunningMaster, web: Origin, path: str, *arguments: str) -> Curled:
    done = await curl(
        "--proxy", running.address, "--cacert", str(running.ca), "--path-as-is", *arguments, web.url(path)
    )  # fmt: skip
    assert done.exit == 0, done.errors
    return done


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_files_of_a_folder(
    confdir: Path, folder: Path, tls: ssl.SSLContext | None, trust: dict[str, str], version: str
) -> None:
    async with (
        origin(answering(answer), tls=tls) as web,
        running_master(confdir, map_local=[rf"|:\d+/files|{folder}"], **trust) as run,
    ):
        done = await ask(run, web, "/files/app.js?v=1", version)
        assert (done.status, done.body) == (200, b"script")
        assert b"javascript" in done.head.lower()  # the system may know it as application, too
        for path in ("/files", "/files/", "/files?x"):
            assert (await ask(run, web, path, version)).body == b"index"
        assert (await ask(run, web, "/files/sub", version)).body == b"sub index"
        done = await ask(run, web, "/files/none", version)
        assert (done.status, done.body) == (404, b"")
        assert run.logged("map_local: there is no file for", "/files/none")
        done = await ask(run, web, "/files/app.js", version, "-I")
        assert b"content-length: 6" in done.head.lower()
        assert (await ask(run, web, "/files/app.js", version, "-d", "a body")).body == b"script"
        assert not web.requests
        assert (await ask(run, web, "/other", version)).body == b"of the server"


TRAVERSALS = [
    "/files/../secret.txt",
    "/files/%2e%2e/secret.txt",
    "/files/..%2fsecret.txt",
    "/files/%2e%2e%2fsecret.txt",
    "/files/sub/../../secret.txt",
    "/files//../secret.txt",
    "/files/..%5csecret.txt",
    "/files/out",
    "/files/outdir/secret.txt",
    "/files/outdir",
    "/files/%00",
    "/files/out%00.html",
    "/files/.%2e/secret.txt",
    "/files/..;/secret.txt",
    f"/files/{'../' * 30}etc/passwd",
    "/files//etc/passwd",
    "/files/%c0%ae%c0%ae/secret.txt",
]


@pytest.mark.parametrize("pattern", [r"|/files|{}", r"|/files(.*)|{}", r"|/files/?(.*)|{}"])
async def test_nothing_outside_of_the_folder(confdir: Path, folder: Path, pattern: str) -> None:
    async with (
        origin(answering(answer)) as web,
        running_master(confdir, map_local=[pattern.format(folder)]) as run,
    ):
        for path in TRAVERSALS:
            done = await ask(run, web, path)
            assert (done.status, done.body) == (404, b""), path
        assert not web.requests


async def test_folders_one_above_the_other(confdir: Path, folder: Path, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    (above / "app.js").write_text("changed")
    rules = [f"|/files|{above}", f"|/files|{folder}", f"|~m post|/one|{folder / 'app.js'}"]
    async with origin(answering(answer)) as web, running_master(confdir, map_local=rules) as run:
        assert (await ask(run, web, "/files/app.js")).body == b"changed"
        assert (await ask(run, web, "/files/sub")).body == b"sub index"
        assert (await ask(run, web, "/files/none")).status == 404
        assert (await ask(run, web, "/one/x")).body == b"of the server"
        assert (await ask(run, web, "/one/x", "-d", "")).body == b"script"


async def test_what_cannot_be_read_is_named_and_passed_over(confdir: Path, folder: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.txt"
    gone.touch()
    rules = [f"|/gone|{gone}", f"|/gone/app|{folder / 'app.js'}"]
    async with origin(answering(answer)) as web, running_master(confdir, map_local=rules) as run:
        gone.unlink()
        for _ in range(2):
            assert (await ask(run, web, "/gone/app")).body == b"script"
        assert (await ask(run, web, "/gone")).body == b"of the server"
        assert len(run.logged(f"the rule |/gone|{gone} of map_local is skipped: cannot read its file: no such")) == 1


async def test_a_change_is_for_the_next_flow_and_a_refused_one_changes_nothing(confdir: Path, folder: Path) -> None:
    async with origin(answering(answer)) as web, running_master(confdir) as run:
        options, bound = run.master.options, run.master.events.request.handlers
        options.update(map_local=[f"|/x|{folder}/app.js"])
        for bad in ("|/x|/nope/none", "|/x|", "|(|/tmp", f"/https://x{folder}"):
            with pytest.raises(OptionsError, match="option map_local: "):
                options.update(map_local=[bad])
        assert (await ask(run, web, "/x")).body == b"script"
        options.update(map_local=[])
        assert (await ask(run, web, "/x")).body == b"of the server"
        assert run.master.events.request.handlers == bound


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0", "--http2"])
async def test_a_large_file_is_read_while_it_is_sent(
    confdir: Path, folder: Path, origin_ca: OriginCA, trusting: tuple[str, str], version: str
) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(SIZE)
        file.seek(SIZE - 3)
        file.write(b"end")
    async with (
        origin(answering(answer), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, "--map-local", rf"|:\d+/files|{folder}", "-H", "/~s/X-New/1") as program,
    ):
        through = ("--proxy", program.address, "--cacert", str(program.ca), version)
        assert (await curl(*through, web.url("/files/app.js"))).status == 200
        before = memory(program)
        done = await curl(*through, web.url("/files/large.bin"))
        assert (done.exit, len(done.body), done.body[-3:]) == (0, SIZE, b"end"), done.errors
        head = done.head.lower()
        assert f"content-length: {SIZE}".encode() in head
        assert b"x-new: 1\r\n" in head
        assert memory(program) - before < 24 * 1024
        done = await curl(*through, "-I", web.url("/files/large.bin"))
        assert f"content-length: {SIZE}".encode() in done.head.lower()
        assert done.status == 200
        await program.line("GET", "large.bin")


async def test_a_client_that_leaves_a_large_file(confdir: Path, folder: Path) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(SIZE)
    async with running_master(confdir, map_local=[f"|/files|{folder}"]) as run:
        files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
        async with connected(run.port) as end:
            end.say(b"GET http://a.example/files/large.bin HTTP/1.1\r\nHost: a.example\r\n\r\n")
            await end.head()
        await run.idle()
        assert str(run.recorder.last("error").error) == "client disconnected"
        if files:
            assert len(os.listdir("/proc/self/fd")) <= files
