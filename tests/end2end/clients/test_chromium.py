"""Chromium, headless, loading a page with 200 sub-resources over HTTP/2 through the proxy.

The browser checks the bodies itself: scripts and style sheets by their integrity attributes, the others by a digest
that the page takes of what it fetched. What it found stands in the page's title.
"""

import asyncio
import base64
import hashlib
import os
import random
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.kit.origins import OriginCA
from tests.kit.tour import Capture, capturing
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import Message, Receive, Send, digest, respond, web_server, whole_body

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.skipif(CHROMIUM is None, reason="neither chromium-headless-shell nor chromium is installed"),
    pytest.mark.skipif(
        shutil.which("certutil") is None, reason="the program certutil (libnss3-tools) is not installed"
    ),
]

SCRIPTS = [f"/{number}.js" for number in range(60)]
STYLES = [f"/{number}.css" for number in range(40)]
FETCHED = [f"/{number}.bin" for number in range(100)]


def content(path: str) -> bytes:
    """A sub-resource: the text that its kind asks for, and noise of up to 100 KB that belongs to it alone."""
    noise = random.Random(path).randbytes(random.Random(path).randrange(100_000))
    if path.endswith(".bin"):
        return noise
    counting = b"window.loaded = (window.loaded || 0) + 1" if path.endswith(".js") else b"body {}"
    return counting + b"/*" + base64.b64encode(noise) + b"*/"


def page() -> str:
    """The page; `data:` keeps the browser from asking for an icon of its own accord."""
    sums = {path: base64.b64encode(hashlib.sha256(content(path)).digest()).decode() for path in SCRIPTS + STYLES}
    wanted = [(path, digest(content(path))) for path in FETCHED]
    return "".join(
        [
            "<!doctype html><title>loading</title><link rel=icon href=data:,>",
            *(f'<link rel=stylesheet href="{path}" integrity="sha256-{sums[path]}">' for path in STYLES),
            *(f'<script async src="{path}" integrity="sha256-{sums[path]}"></script>' for path in SCRIPTS),
            "<script>const wanted = ",
            repr([list(pair) for pair in wanted]),
            """
            const hex = (buffer) => [...new Uint8Array(buffer)].map((n) => n.toString(16).padStart(2, "0")).join("");
            async function check([path, sum]) {
                const body = await (await fetch(path, { method: "POST", body: "x".repeat(1000) })).arrayBuffer();
                return hex(await crypto.subtle.digest("SHA-256", body)) === sum;
            }
            const all = new Promise((resolve) => addEventListener("load", resolve));
            Promise.all([all, ...wanted.map(check)]).then(([_, ...good]) => {
                const styled = document.styleSheets.length;
                document.title = `${window.loaded} scripts, ${styled} styles, ${good.filter(Boolean).length} fetched`;
            });
            </script>""",
        ]
    )


async def app(scope: Message, receive: Receive, send: Send) -> None:
    path = scope["path"]
    await whole_body(receive)
    kinds = {"": "text/html", "js": "text/javascript", "css": "text/css", "bin": "application/octet-stream"}
    body = page().encode() if path == "/" else content(path)
    await respond(send, 200, body, ("content-type", kinds[path.partition(".")[2]]))


def environment(home: Path) -> dict[str, str]:
    """That of a program which lives in this home folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**inherited, "HOME": str(home)}


async def run(*argv: str, home: Path) -> str:
    """What a program says that lives in this home folder."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe, env=environment(home))
    async with asyncio.timeout(3 * PATIENCE):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def command_line(proxy: Capture, home: Path, *more: str) -> list[str]:
    """How the browser is started. It trusts our CA as a user makes it do so."""
    trusted = home / ".pki" / "nssdb"
    trusted.mkdir(parents=True)
    await run("certutil", "-N", "-d", f"sql:{trusted}", "--empty-password", home=home)
    await run("certutil", "-A", "-d", f"sql:{trusted}", "-n", "ours", "-t", "C,,", "-i", str(proxy.ca), home=home)
    assert CHROMIUM is not None
    return [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={home / 'profile'}", f"--proxy-server={proxy.address}", "--proxy-bypass-list=<-loopback>",
        *more,
    ]  # fmt: skip


async def browse(proxy: Capture, url: str, home: Path) -> str:
    """The page as it stands when nothing more is to be loaded."""
    return await run(*await command_line(proxy, home, "--virtual-time-budget=20000", "--dump-dom", url), home=home)


async def browse_until(found: asyncio.Future[str], proxy: Capture, url: str, home: Path) -> str:
    """What the page found, for one whose time is not only that of its requests."""
    process = await asyncio.create_subprocess_exec(
        *await command_line(proxy, home, "--remote-debugging-port=0", url),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(home),
    )
    try:
        async with asyncio.timeout(3 * PATIENCE):
            return await found
    finally:
        process.terminate()
        await process.wait()


async def test_a_page_with_200_parts(tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with web_server(app, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        seen = await browse(proxy, server.url("/"), tmp_path / "home")
        assert "<title>60 scripts, 40 styles, 100 fetched</title>" in seen, seen[:200]
    proxy.agrees_with(server, "HTTP/2.0")
    assert len(proxy.http) == 201
    assert {flow.request.path for flow in proxy.http} == {"/", *SCRIPTS, *STYLES, *FETCHED}
    assert len({flow.client_conn.id for flow in proxy.http}) == 1


LIVE = """<!doctype html><title>loading</title><link rel=icon href=data:,><script>
const said = ["hello", "", "ünïcödé".repeat(1000), new Uint8Array(100000).map((_, at) => at * 7)];
const equal = (a, b) => typeof a === "string" ? a === b : Array.from(a).join() === Array.from(new Uint8Array(b)).join();
const sockets = () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${location.host}/socket`);
    let heard = 0;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => said.forEach((message) => socket.send(message));
    socket.onmessage = ({ data }) => {
        if (!equal(said[heard], data)) reject("changed");
        if (++heard === said.length) socket.close(3000, "enough");
    };
    socket.onclose = ({ code }) => resolve(`${heard} messages, ${code}`);
});
const events = () => new Promise((resolve) => {
    const source = new EventSource("/events");
    const heard = [];
    source.onmessage = ({ data }) => {
        heard.push(data);
        fetch(`/next?${heard.length}`);  // the server says more only then
        if (heard.length === 3) { source.close(); resolve(heard.join()); }
    };
});
const tell = (found) => fetch("/found?" + encodeURIComponent(found));
Promise.all([sockets(), events()]).then((found) => tell(found.join("; ")), tell);
</script>"""


async def test_websocket_and_server_sent_events(
    tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    asked: asyncio.Queue[None] = asyncio.Queue()
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    versions = []

    async def live(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            versions.append(scope["http_version"])
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                await send({**message, "type": "websocket.send"})
        elif scope["path"] == "/events":
            fields = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            for number in range(3):
                await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
                await asked.get()
            await send({"type": "http.response.body"})
        else:
            if scope["path"] == "/next":
                asked.put_nowait(None)
            elif scope["path"] == "/found":
                found.set_result(unquote(scope["query_string"].decode()))
            await respond(send, 200, LIVE.encode(), ("content-type", "text/html; charset=utf-8"))

    async with web_server(live, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        assert await browse_until(found, proxy, server.url("/"), tmp_path / "home") == "4 messages, 3000; 0,1,2"
    assert versions == ["2"]  # RFC 8441: on the page's own connection
    assert len({flow.client_conn.id for flow in proxy.http}) == 1
    [socket] = [flow for flow in proxy.http if flow.websocket is not None]
    assert socket.websocket is not None and socket.request.url == server.url("/socket")
    sizes = [len(message.content) for message in socket.websocket.messages if message.from_client]
    assert sizes == [5, 0, 11_000, 100_000]
    assert (socket.websocket.close_code, socket.websocket.close_reason) == (3000, "enough")
