"""browser.start: what browsers are told, by a program that notes it, and two real ones that come through the proxy."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from midstream.addons.browsers import KINDS
from midstream.flows.errors import CommandError
from tests.kit.browser import CHROMIUM, needs_chromium
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.waiting import PATIENCE, until

pytestmark = pytest.mark.end2end

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)

# Notes how it was called, and lives until it is told to end; with a child of its own that would not end by itself.
NOTING = """\
#!/bin/sh
for argument in "$@"; do echo "$argument" >> "$NOTED.part"; done
sleep 1000 &
echo $! >> "$NOTED.child"
mv "$NOTED.part" "$NOTED"
wait
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where programs are found before others, and the only place where browsers are; and one for profiles."""
    found, profiles = tmp_path / "bin", tmp_path / "profiles"
    found.mkdir()
    profiles.mkdir()
    for name in ("sh", "sleep", "mv", "certutil", "cat", "rm"):
        if real := shutil.which(name):
            (found / name).symlink_to(real)
    monkeypatch.setenv("PATH", str(found))
    monkeypatch.setenv("NOTED", str(tmp_path / "noted"))
    monkeypatch.setattr("tempfile.tempdir", str(profiles))
    return found


def put(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text(text)
    program.chmod(0o755)


def start(running: RunningMaster, *arguments: str) -> None:
    running.master.commands.execute(" ".join(("browser.start", *arguments)))


async def noted(tmp_path: Path) -> list[str]:
    """The arguments, each of which may be asked for once."""
    file = tmp_path / "noted"
    await until(file.exists, "the browser was started")
    lines = file.read_text().splitlines()
    file.unlink()
    return lines


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("mode", "scheme"),
    [
        ("regular", "http"),
        ("regular@0", "http"),  # the port is in the spec, where others look at listen_port
        ("upstream:http://127.0.0.1:9", "http"),
        ("socks5", "socks5"),
    ],
)
async def test_what_chromium_is_told(confdir: Path, path: Path, tmp_path: Path, mode: str, scheme: str):
    put(path, "chromium", NOTING)
    async with running_master(confdir, mode=["reverse:http://127.0.0.1:9@127.0.0.1:0", mode]) as running:
        start(running)
        arguments = await noted(tmp_path)
        [wanted] = [server for server in running.proxy.servers if server.mode.type_name != "reverse"]
        port = wanted.listen_addrs[0][1]
        assert f"--proxy-server={scheme}://127.0.0.1:{port}" in arguments
        for flag in ("--proxy-bypass-list=<-loopback>", "--disable-quic", "--no-first-run"):
            assert flag in arguments
        [profile] = [one.partition("=")[2] for one in arguments if one.startswith("--user-data-dir=")]
        assert Path(profile).parent.parent == tmp_path / "profiles"
        assert (Path(profile).parent.stat().st_mode & 0o777) == 0o700
        assert "--ignore-certificate-errors" not in arguments
        await until(lambda: running.logged("chrome runs through", f":{port}"), "it is told")
    assert os.listdir(tmp_path / "profiles") == []


async def test_every_address_is_this_machine_for_a_browser(confdir: Path, path: Path, tmp_path: Path):
    put(path, "chromium", NOTING)
    async with running_master(confdir, mode=["regular@0.0.0.0:0"]) as running:
        start(running, "chromium")
        assert f"--proxy-server=http://127.0.0.1:{running.port}" in await noted(tmp_path)


async def test_several_and_their_end(confdir: Path, path: Path, tmp_path: Path):
    put(path, "chromium", NOTING)
    profiles, children = tmp_path / "profiles", tmp_path / "noted.child"
    async with running_master(confdir) as running:
        for _ in range(2):
            start(running, "chrome")
            await noted(tmp_path)
        assert running.logged("one more browser is started")
        assert len(os.listdir(profiles)) == 2
        pids = [int(line) for line in children.read_text().split()]
        assert all(map(is_running, pids))
    assert os.listdir(profiles) == []
    await until(lambda: not any(map(is_running, pids)), "nothing of them is left")


async def test_one_that_is_closed(confdir: Path, path: Path, tmp_path: Path):
    put(path, "chromium", NOTING)
    async with running_master(confdir) as running:
        start(running)
        await noted(tmp_path)
        child = int((tmp_path / "noted.child").read_text())
        os.kill(child, signal.SIGTERM)
        await until(lambda: os.listdir(tmp_path / "profiles") == [], "its profile is deleted")


async def test_one_that_cannot_start(confdir: Path, path: Path, tmp_path: Path):
    put(path, "firefox", "#!/bin/sh\necho 'no display \x1b[31m' >&2\nexit 3\n")
    async with running_master(confdir) as running:
        start(running, "firefox")
        await until(lambda: running.logged("ended with status 3: no display ␛[31m"), "it is told")
        await until(lambda: os.listdir(tmp_path / "profiles") == [], "its profile is deleted")
        put(path, "chromium", "#!/nowhere\n")
        start(running)
        await until(lambda: running.logged("chromium cannot be started: "), "it is told")


async def test_mistakes_are_told(confdir: Path, path: Path):
    async with running_master(confdir) as running:
        with pytest.raises(CommandError, match="'lynx' is no browser that can be started; these can: chrome, chromium"):
            start(running, "lynx")
        for name in KINDS:
            with pytest.raises(CommandError, match=f"no program for {name} was found; install one of "):
                start(running, name)
        put(path, "firefox", NOTING)
        with pytest.raises(CommandError, match=r"no program for edge was found; browser\.start takes firefox, too"):
            start(running, "edge")
        put(path, "chromium", NOTING)
        running.master.options.update(mode=["reverse:http://127.0.0.1:9"])
        with pytest.raises(CommandError, match="no listener is there for a browser"):
            start(running)


async def test_firefox_without_certutil(confdir: Path, path: Path, tmp_path: Path):
    (path / "certutil").unlink(missing_ok=True)
    put(path, "firefox", NOTING)
    async with running_master(confdir) as running:
        start(running, "firefox")
        arguments = await noted(tmp_path)
        assert running.logged("does not trust our CA: the program certutil is missing")
        profile = Path(arguments[arguments.index("-profile") + 1])
        preferences = (profile / "user.js").read_text()
        assert f'user_pref("network.proxy.http_port", {running.port});' in preferences
        assert 'user_pref("network.proxy.ssl", "127.0.0.1");' in preferences
        assert 'user_pref("network.http.http3.enable", false);' in preferences


PAGE = b"<!doctype html><link rel=icon href=data:,><title>x</title><script>fetch('/run').catch(() => 0)</script>"
REAL = """\
#!/bin/sh
# As started, but without a window, and going to a page.
for argument in "$@"; do
    shift
    [ "$argument" = about:blank ] || set -- "$@" "$argument"
done
exec {program} --headless {more} "$@" {url}
"""


def page(heard: Heard) -> bytes:
    length = len(PAGE)
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (length, PAGE) if (
        heard.target == "/"
    ) else ok(b"")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "program", "more"),
    [
        pytest.param("chromium", CHROMIUM, "--remote-debugging-port=0", marks=needs_chromium, id="chromium"),
        pytest.param(
            "firefox",
            FIREFOX,
            "",
            marks=pytest.mark.skipif(FIREFOX is None, reason="firefox is not installed"),
            id="firefox",
        ),
    ],
)
async def test_a_real_one(
    confdir: Path,
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    origin_ca: OriginCA,
    trust: dict[str, str],
    name: str,
    program: str,
    more: str,
):
    """It comes to an https server on this very machine through the proxy, and runs what it is sent: it trusts us."""
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    async with (
        origin(answering(page), tls=origin_ca.context()) as web,
        running_master(confdir, **trust) as running,
    ):
        put(path, name, REAL.format(program=program, more=more, url=web.url("/")))
        start(running, name)
        await until(
            lambda: any(heard.target == "/run" for heard in web.requests), "the page was shown", patience=3 * PATIENCE
        )
        assert {name for name, _ in running.recorder.seen} >= {"http_connect", "request", "response"}
    assert os.listdir(tmp_path / "profiles") == []
