"""Examples that change, delay or hold traffic."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from midstream.flows.errors import OptionsError
from tests.kit.example_run import example, hello
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.program import free_port
from tests.kit.waiting import until


async def test_redirect_host(confdir: Path) -> None:
    async with example(confdir, "redirect_host.py") as run:
        run.master.options.redirect_host = [f"Shop.example=localhost:{run.origin.port}"]
        run.client.end.say(b"GET http://shop.EXAMPLE/x HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        assert (await run.client.answer())[1] == b"hello"
        assert run.origin.requests[0].fields["host"] == f"localhost:{run.origin.port}"
        for wrong in ("a", "a=", "=b", "a=b:c"):
            with pytest.raises(OptionsError, match="write host=host"):
                run.master.options.redirect_host = [wrong]


async def test_strip_cookies(confdir: Path) -> None:
    def answer(heard: Heard) -> bytes:
        return ok(b"", "Set-Cookie: id=1; HttpOnly", "Set-Cookie: consent=yes; Path=/", "Set-Cookie: ;;=")

    async with example(confdir, "strip_cookies.py", answer, strip_cookies_keep=["consent"]) as run:
        head, _ = await run.get("/", "Cookie: id=1; consent=yes; consent=no; x")
        assert run.origin.requests[-1].fields["cookie"] == "consent=yes; consent=no"
        assert head.count(b"Set-Cookie") == 1
        assert b"consent=yes; Path=/" in head
        run.master.options.strip_cookies_keep = []
        head, _ = await run.get("/", "Cookie: id=1")
        assert "cookie" not in run.origin.requests[-1].fields
        assert b"cookie" not in head.lower()


async def test_delay(confdir: Path) -> None:
    async with example(confdir, "delay.py", delay_filter="~u /slow", delay_ms=60) as run:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await run.get("/slow")
        assert loop.time() - started >= 0.06
        run.master.options.delay_ms = 3_600_000
        await run.get("/quick")


async def test_hold_for_review(confdir: Path) -> None:
    async with example(confdir, "hold_for_review.py") as run:
        await run.get("/free")
        assert run.execute("review.list") == []
        run.client.ask("/a", method="POST", body=b"x")
        await run.until_logged("held for review: POST", "/a")
        (row,) = cast(list[list[str]], run.execute("review.list"))
        assert row[2] == "POST"
        assert len(run.origin.requests) == 1
        run.execute(f"review.release @{row[0]}")
        assert (await run.client.answer())[1] == b"hello"
        assert run.execute("review.list") == []


async def test_hold_for_review_ends_by_itself(confdir: Path) -> None:
    async with example(confdir, "hold_for_review.py", review_seconds=1, review_filter="") as run:
        run.client.ask("/late")
        await run.until_logged("nobody reviewed GET", "/late")
        assert (await run.client.answer())[1] == b"hello"
        run.master.options.review_seconds = 3600
        run.client.ask("/unloaded")
        await run.until_logged("held for review: GET", "/unloaded")
        run.master.options.scripts = []
        assert (await run.client.answer())[1] == b"hello"


async def test_hold_for_review_forgets_a_client_that_left(confdir: Path) -> None:
    async with example(confdir, "hold_for_review.py") as run:
        run.client.ask("/a", method="PUT", body=b"x")
        await run.until_logged("held for review")
        run.client.end.writer.transport.abort()
        await until(lambda: run.execute("review.list") == [], "it is forgotten")


async def test_error_page(confdir: Path, tmp_path: Path) -> None:
    def answer(heard: Heard) -> bytes:
        status = "200 OK" if heard.target == "/good" else "502 Bad"
        return ok(b"<script>{url}", "Content-Type: text/plain", "Content-Encoding: br", status=status)

    async with example(confdir, "error_page.py", answer) as run:
        head, body = await run.get("/{body}", "Accept: text/html,*/*")
        assert head.startswith(b"HTTP/1.1 502 Bad\r\n")
        assert b"text/html; charset=utf-8" in head
        assert b"br\r\n" not in head
        assert b"<pre>&lt;script&gt;{url}</pre>" in body
        assert b"/{body}.\n" in body
        for path, accept in (("/good", "text/html"), ("/bad", "application/json")):
            assert (await run.get(path, f"Accept: {accept}"))[1] == b"<script>{url}"
        page = tmp_path / "page.html"
        page.write_text("ours: {status} ä")
        run.master.options.error_page = str(page)
        assert (await run.get("/bad", "Accept: text/html"))[1] == "ours: 502 ä".encode()
        with pytest.raises(OptionsError, match=r"error_page: .*No such file"):
            run.master.options.error_page = str(tmp_path / "none")
        assert (await run.get("/bad", "Accept: text/html"))[1] == "ours: 502 ä".encode()


async def test_async_fanout(confdir: Path) -> None:
    async with origin(answering(hello)) as mirror, example(confdir, "async_fanout.py") as run:
        gone = f"127.0.0.1:{free_port()}"
        run.master.options.update(fanout_host="files.example", fanout_mirrors=[gone, mirror.authority])
        for _ in range(2):
            run.client.end.say(b"GET http://files.example/x HTTP/1.1\r\nHost: files.example\r\n\r\n")
            assert (await run.client.answer())[1] == b"hello"
        assert len(mirror.requests) == 2
        assert len(run.logged(f"mirror {gone}: ")) == 1
        assert len(run.logged(f"the nearest mirror is {mirror.authority}")) == 1
        await run.get("/")
        assert len(run.origin.requests) == 1
        run.master.options.update(fanout_host="127.0.0.1", fanout_mirrors=[gone])
        await run.get("/")
        assert len(run.origin.requests) == 2
        assert run.logged("none of 1 mirrors answers")
        with pytest.raises(OptionsError, match="write host:port"):
            run.master.options.fanout_mirrors = ["a"]
