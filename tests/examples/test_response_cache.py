"""The response cache of the examples, against real traffic."""

from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import cast

import pytest

from tests.kit.example_run import Run, example
from tests.kit.origins import Heard, ok

NAME = "response_cache.py"


def answering(*fields: str, status: str = "200 OK") -> Callable[[Heard], bytes]:
    """Each answer is another, so that an old one is recognized. By its etag a request is answered with 304."""
    count = 0

    def answer(heard: Heard) -> bytes:
        nonlocal count
        count += 1
        if heard.fields.get("if-none-match") == '"tag"':
            return b'HTTP/1.1 304 Not Modified\r\nETag: "tag"\r\nX-Count: %d\r\nContent-Length: 99\r\n\r\n' % count
        return ok(f"answer {count}".encode(), *fields, status=status)

    return answer


async def bodies(run: Run, *asked: tuple[str, ...]) -> list[str]:
    return [(await run.get("/x", *fields))[1].decode() for fields in asked]


async def test_fresh_answers_come_from_the_cache(confdir: Path) -> None:
    async with example(confdir, NAME, answering("Cache-Control: public, max-age=60", 'ETag: "e"', "Age: 5")) as run:
        assert await bodies(run, (), (), ()) == ["answer 1"] * 3
        head, _ = await run.get("/x")
        assert int(head.lower().partition(b"\r\nage: ")[2].split()[0]) >= 5
        assert len(run.origin.requests) == 1
        head, body = await run.get("/x", 'If-None-Match: W/"z", "e"')
        assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 304 Not Modified", b"")
        assert (await run.get("/y"))[1] == b"answer 2"
        rows = cast(list[list[str]], run.execute("cache.show"))
        assert [(row[0], row[1][-2:], row[2], row[5]) for row in rows] == [
            ("200", "/y", "8 bytes", "used 0 times"),
            ("200", "/x", "8 bytes", "used 4 times"),
        ]
        run.execute("cache.clear")
        assert await bodies(run, ()) == ["answer 3"]


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("Cache-Control: no-store, max-age=60",),
        ("Cache-Control: private, max-age=60",),
        ("Cache-Control: max-age=60, s-maxage=0",),
        ("Cache-Control: max-age=x",),
        ("Cache-Control: no-cache",),
        ("Cache-Control: max-age=60", "Set-Cookie: a=b"),
        ("Cache-Control: max-age=60", "Vary: accept, *"),
        ("Cache-Control: max-age=60", "Age: 61"),
        ("Expires: 0",),
        (f"Expires: {formatdate(0, usegmt=True)}",),
    ],
)
async def test_what_must_not_be_kept(confdir: Path, fields: tuple[str, ...]) -> None:
    async with example(confdir, NAME, answering(*fields)) as run:
        assert await bodies(run, (), ()) == ["answer 1", "answer 2"]


@pytest.mark.parametrize("field", ["Authorization: x", "Range: bytes=0-1", "Cache-Control: no-store"])
async def test_requests_that_pass_by_the_cache(confdir: Path, field: str) -> None:
    async with example(confdir, NAME, answering("Cache-Control: max-age=60")) as run:
        assert await bodies(run, (field,), (), (field,), ()) == ["answer 1", "answer 2", "answer 3", "answer 2"]


async def test_clients_may_want_it_fresh(confdir: Path) -> None:
    async with example(confdir, NAME, answering("Cache-Control: max-age=60")) as run:
        refused = ("Cache-Control: no-cache",)
        assert await bodies(run, (), refused, (), ("Cache-Control: max-age=0",)) == [
            "answer 1", "answer 2", "answer 2", "answer 3",
        ]  # fmt: skip


async def test_expires(confdir: Path) -> None:
    answer = answering(f"Date: {formatdate(0, usegmt=True)}", f"Expires: {formatdate(60, usegmt=True)}")
    async with example(confdir, NAME, answer) as run:
        assert await bodies(run, (), ()) == ["answer 1"] * 2


async def test_variants(confdir: Path) -> None:
    async with example(confdir, NAME, answering("Cache-Control: max-age=60", "Vary: Accept-Language")) as run:
        german, english = ("Accept-Language: de",), ("Accept-Language: en",)
        assert await bodies(run, german, english, german, english, ()) == [
            "answer 1", "answer 2", "answer 1", "answer 2", "answer 3",
        ]  # fmt: skip
        for number in range(30):
            await run.get("/x", f"Accept-Language: l{number}")
        assert len(cast(list[object], run.execute("cache.show"))) == 20


async def test_stale_answers_are_asked_for_again(confdir: Path) -> None:
    async with example(confdir, NAME, answering("Cache-Control: no-cache", 'ETag: "tag"')) as run:
        assert await bodies(run, (), ()) == ["answer 1", "answer 1"]
        head, body = await run.get("/x")
        assert body == b"answer 1"
        assert b"Content-Length: 8\r\n" in head
        assert b"X-Count: 3\r\n" in head
        assert [heard.fields.get("if-none-match") for heard in run.origin.requests] == [None, '"tag"', '"tag"']
        # A client that asks by itself gets the server's own answer.
        run.client.ask("/x", 'If-None-Match: "tag"')
        assert (await run.client.end.head()).startswith(b"HTTP/1.1 304 ")


async def test_a_change_makes_it_forget(confdir: Path) -> None:
    async with example(confdir, NAME, answering("Cache-Control: max-age=60")) as run:
        await run.get("/x")
        await run.ask("POST", "/x", body=b"change")
        assert await bodies(run, ()) == ["answer 3"]


async def test_it_stays_within_its_bounds(confdir: Path) -> None:
    def answer(heard: Heard) -> bytes:
        return ok(b"x" * (200_000 if heard.target == "/large" else 90_000), "Cache-Control: max-age=60")

    async with example(confdir, NAME, answer, cache_mb=1) as run:
        await run.get("/large")
        assert run.execute("cache.show") == []
        for number in range(20):
            await run.get(f"/{number}")
        paths = [row[1].rpartition("/")[2] for row in cast(list[list[str]], run.execute("cache.show"))]
        assert paths == [str(number) for number in range(19, 9, -1)]
        run.master.options.cache_mb = 0
        assert run.execute("cache.show") == []


async def test_streamed_bodies_are_not_kept(confdir: Path) -> None:
    async with example(
        confdir, NAME, lambda heard: ok(b"x" * 5000, "Cache-Control: max-age=60"), stream_large_bodies="1k"
    ) as run:
        await run.get("/x")
        assert len((await run.get("/x"))[1]) == 5000
        assert len(run.origin.requests) == 2
