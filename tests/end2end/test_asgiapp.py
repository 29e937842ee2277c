"""Applications that scripts host: asked by curl through the proxy, in the clear, inside TLS and over HTTP/2."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.asgiapp import PIECE, ASGIApp, Message, Receive, Send, WSGIApp
from midstream.hub import ctx
from tests.kit.curl import curl, needs_curl
from tests.kit.program import middump
from tests.kit.running_master import RunningMaster, running_master

pytestmark = [pytest.mark.end2end, needs_curl]

seen: list[dict[str, Any]] = []


def wsgi(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    seen.append(environ)
    environ["thread"] = threading.current_thread()
    environ["master"] = ctx.master
    if environ["PATH_INFO"] == "/fail":
        raise ZeroDivisionError("on purpose")
    if environ["PATH_INFO"] == "/silent":
        return []
    if environ["PATH_INFO"] == "/late":
        start("200 OK", [])
        try:
            raise KeyError("late")
        except KeyError as problem:
            start("503 Later", [("X-Why", "late")], (type(problem), problem, None))
        return [b"sorry"]
    environ["wsgi.errors"].write("a note of the app\n")
    write = start("201 Made", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    write(environ["REQUEST_METHOD"].encode())
    return [b" ", environ["PATH_INFO"].encode("latin-1"), b" ", environ["wsgi.input"].read()]


async def asgi(scope: Message, receive: Receive, send: Send) -> None:
    seen.append(dict(scope))
    if scope["path"] == "/fail":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError("on purpose")
    if scope["path"] == "/half":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        return
    if scope["path"] == "/odd":
        await send({"type": "websocket.accept"})
    if scope["path"] == "/forever":
        await receive()
        await receive()  # until the client has gone
    sizes = []
    while True:
        message = await receive()
        sizes.append(len(message["body"]))
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 203, "headers": [(b"x-sizes", repr(sizes).encode())]})
    await send({"type": "http.response.body", "body": b"one ", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})
    assert await receive() == {"type": "http.disconnect"}


def through(running: RunningMaster) -> tuple[str, ...]:
    return "--proxy", running.address, "--cacert", str(running.ca)


@pytest.mark.parametrize("url", ["http://app.invalid:80", "https://app.invalid:80"])
async def test_wsgi(confdir: Path, url: str):
    """The name leads nowhere, and with the eager strategy a tunnel to it is opened all the same."""
    seen.clear()
    async with running_master(confdir, WSGIApp(wsgi, "app.invalid", 80)) as running:
        done = await curl(*through(running), "-d", "body", "-H", "X-A: 1", "-H", "X-A: 2", f"{url}/caf%C3%A9?q=1")
        assert done.status == 201, (done.errors, done.head)
        assert done.body == "POST /café body".encode()
        assert done.head.lower().count(b"set-cookie: ") == 2
        environ = seen[0]
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["HTTP_X_A"]) == ("app.invalid", "80", "1,2")
        assert (environ["QUERY_STRING"], environ["CONTENT_LENGTH"]) == ("q=1", "4")
        assert environ["thread"] is not threading.main_thread()
        assert environ["master"] is running.master
        assert running.logged("a note of the app")


async def test_wsgi_that_fails(confdir: Path):
    async with running_master(confdir, WSGIApp(wsgi, "app.invalid", 80)) as running:
        for path, why in (("fail", "on purpose"), ("silent", "did not call start_response")):
            failed = await curl(*through(running), f"http://app.invalid/{path}")
            assert (failed.status, failed.body) == (500, b"The application failed; the log says why.")
            assert running.logged(f"the application at app.invalid failed: {'Z' if path == 'fail' else 'R'}", why)
        late = await curl(*through(running), "http://app.invalid/late")
        assert (late.status, late.body) == (503, b"sorry")
        assert b"HTTP/1.1 503 Later\r\n" in late.head and b"X-Why: late" in late.head


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_asgi(confdir: Path, version: str):
    seen.clear()
    async with running_master(confdir, ASGIApp(asgi, "App.invalid", None)) as running:
        body = b"x" * (2 * PIECE + 5)
        done = await curl(*through(running), version, "-T", "-", "https://app.invalid/p%20q?r", stdin=body)
        assert (done.status, done.body) == (203, b"one two"), done.errors
        assert f"x-sizes: [{PIECE}, {PIECE}, 5]".encode() in done.head.lower()
        scope = seen[0]
        assert (scope["method"], scope["scheme"], scope["path"]) == ("PUT", "https", "/p q")
        assert (scope["raw_path"], scope["query_string"]) == (b"/p%20q", b"r")
        assert scope["http_version"] == ("2" if version == "--http2" else "1.1")
        assert (b"host", b"app.invalid") in scope["headers"]
        assert scope["extensions"]["mitmproxy.master"] is running.master
        head = await curl(*through(running), version, "-I", "https://app.invalid/")
        assert head.status == 203 and b"content-length: 7" in head.head.lower()


@pytest.mark.parametrize("path", ["fail", "half", "odd"])
async def test_asgi_that_fails(confdir: Path, path: str):
    async with running_master(confdir, ASGIApp(asgi, "app.invalid", 80)) as running:
        failed = await curl(*through(running), f"http://app.invalid/{path}")
        assert (failed.status, failed.body) == (500, b"The application failed; the log says why.")
        assert running.logged("the application at app.invalid failed: ")


async def test_a_client_that_leaves_ends_the_call(confdir: Path):
    async with running_master(confdir, ASGIApp(asgi, "app.invalid", 80)) as running:
        gone = await curl(*through(running), "-m", "0.3", "http://app.invalid/forever")
        assert gone.exit == 28
        await running.idle()


async def test_other_requests_are_for_their_servers(confdir: Path):
    async with running_master(confdir, ASGIApp(asgi, "app.invalid", 80)) as running:
        assert (await curl(*through(running), "http://app.invalid:81/")).status == 502
        assert (await curl(*through(running), "http://x.app.invalid/")).status == 502
        large = ("-T", "-", "-H", "Transfer-Encoding: chunked", "-H", "Expect:")
        running.master.options.update(body_buffer_limit="1k", stream_large_bodies="1k")
        refused = await curl(*through(running), *large, "http://app.invalid/", stdin=b"x" * 9999)
        assert refused.status == 502 and b"answers only whole HTTP requests" in refused.body


FLASK_LIKE = """\
from mitmproxy.addons import asgiapp

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello from " + environ["HTTP_HOST"].encode()]

addons = [asgiapp.WSGIApp(app, "example.com", 80), asgiapp.ASGIApp(None, "other.invalid", 443)]
"""


async def test_a_script_for_mitmproxy(confdir: Path, tmp_path: Path):
    script = tmp_path / "app.py"
    script.write_text(FLASK_LIKE)
    async with middump(confdir, "-s", str(script)) as program:
        done = await curl("--proxy", program.address, "http://example.com/")
        assert (done.status, done.body) == (200, b"Hello from example.com"), program.printed()
