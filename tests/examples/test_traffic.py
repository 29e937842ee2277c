"""The first examples against real traffic."""

from pathlib import Path

from tests.kit.example_run import example
from tests.kit.origins import Heard, ok


async def test_add_header(confdir: Path) -> None:
    async with example(confdir, "add_header.py") as run:
        head, body = await run.get("/x")
    assert b"x-seen-by: midstream" in head
    assert body == b"hello"


async def test_anatomy(confdir: Path) -> None:
    async with example(confdir, "anatomy.py", tally_limit=2) as run:
        await run.get("/a")
        await run.get("/b")
        assert run.execute("tally.show") == "2x 200"
        assert await run.until_logged("that was response number 2")


async def test_answer_locally(confdir: Path) -> None:
    async with example(confdir, "answer_locally.py") as run:
        run.client.end.say(b"GET http://api.example/health HTTP/1.1\r\nHost: api.example\r\n\r\n")
        head, body = await run.client.answer()
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"ok" in body


def moved(heard: Heard) -> bytes:
    return ok(status="410 Gone" if heard.target == "/v2/old" else "200 OK")


async def test_replay_variants(confdir: Path) -> None:
    async with example(confdir, "replay_variants.py", moved) as run:
        await run.get("/v1/new")
        await run.get("/v1/old")
        assert await run.until_logged("/v2/old answers 410, and 200 before")
        assert sorted(heard.target for heard in run.origin.requests) == ["/v1/new", "/v1/old", "/v2/new", "/v2/old"]
        assert not run.logged("/v2/new answers")
