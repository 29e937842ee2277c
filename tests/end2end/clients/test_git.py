"""git through the proxy: clone, push, fetch over https, against git's own CGI program behind our server."""

import asyncio
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.origins import OriginCA
from tests.kit.tour import Capture, capturing
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import App, Message, Receive, Send, respond, web_server, whole_body

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.skipif(shutil.which("git") is None, reason="the program git is not installed"),
]

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git for somebody who has no configuration."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "init.defaultBranch=main")
    foreign = ("git_", "http_", "https_", "all_", "no_proxy")  # what would change where git goes and whom it trusts
    inherited = {name: value for name, value in os.environ.items() if not name.lower().startswith(foreign)}

    def run(folder: Path, *argv: str) -> str:
        done = subprocess.run(
            ["git", *who, *argv], cwd=folder, env={**inherited, **own}, timeout=PATIENCE, capture_output=True, text=True
        )
        assert done.returncode == 0, (argv, done.stderr)
        return done.stdout.strip()

    return run


def backend(root: Path) -> App:
    """An app that is `git http-backend` for the repositories in a folder."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        fields = {name.decode(): value.decode() for name, value in scope["headers"]}
        variables = {
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "pusher",
            "PATH_INFO": scope["path"],
            "QUERY_STRING": scope["query_string"].decode(),
            "REQUEST_METHOD": scope["method"],
            "CONTENT_TYPE": fields.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": fields.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": fields.get("git-protocol", ""),
        }
        pipe = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(
            "git", "http-backend", stdin=pipe, stdout=pipe, env={**os.environ, **variables}
        )
        out, _ = await program.communicate(await whole_body(receive))
        head, _, body = out.partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(lines.pop("Status", "200").split(" ")[0])
        await respond(send, status, body, *((name.lower(), value) for name, value in lines.items()))

    return app


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """A bare repository in a folder of its own: some commits, text and a megabyte that does not pack."""
    work = tmp_path / "author"
    work.mkdir()
    git(work, "init", "-q")
    for number in range(5):
        (work / f"{number}.txt").write_text(f"line {number}\n" * 1000)
        (work / f"{number}.bin").write_bytes(random.Random(number).randbytes(200_000))
        git(work, "add", ".")
        git(work, "commit", "-qm", f"commit {number}")
    bare = tmp_path / "served" / "some.git"
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    git(bare, "config", "http.receivepack", "true")
    return bare


@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_clone_and_push(
    tmp_path: Path,
    confdir: Path,
    origin_ca: OriginCA,
    trusting: tuple[str, str],
    repository: Path,
    git: Git,
    version: str,
):
    clone, again = tmp_path / "clone", tmp_path / "again"

    def work(proxy: Capture, url: str) -> None:
        through = ("-c", f"http.proxy={proxy.address}", "-c", f"http.sslCAInfo={proxy.ca}")
        through += ("-c", "http.version=HTTP/" + version)
        git(tmp_path, *through, "clone", "-q", url, str(clone))
        assert git(clone, "rev-parse", "HEAD") == git(repository, "rev-parse", "main")
        assert git(clone, "fsck", "--full", "--strict") == ""
        (clone / "more.bin").write_bytes(random.Random("more").randbytes(3_000_000))  # too much for one buffer of git
        git(clone, "add", ".")
        git(clone, "commit", "-qm", "more")
        git(clone, *through, "push", "-q", "origin", "main")
        git(tmp_path, *through, "clone", "-q", "--depth", "1", url, str(again))
        assert (
            git(again, "rev-parse", "HEAD") == git(clone, "rev-parse", "HEAD") == git(repository, "rev-parse", "main")
        )
        assert (again / "more.bin").read_bytes() == (clone / "more.bin").read_bytes()

    async with (
        web_server(backend(repository.parent), tls=origin_ca, alpn_protocols=["h2", "http/1.1"]) as server,
        capturing(confdir, *trusting) as proxy,
    ):
        await asyncio.to_thread(work, proxy, server.url("/some.git"))
        assert git(repository, "fsck", "--full", "--strict") == ""
    proxy.agrees_with(server, "HTTP/1.1" if version == "1.1" else "HTTP/2.0")
    services = [flow.request.path.rpartition("/")[2] for flow in proxy.http if flow.request.method == "POST"]
    assert "git-receive-pack" in services and "git-upload-pack" in services
    pushed = [flow for flow in proxy.http if len(flow.request.raw_content or b"") > 3_000_000]
    assert len(pushed) == 1
