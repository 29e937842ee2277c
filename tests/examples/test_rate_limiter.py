"""The rate limiter of the examples, against real traffic."""

from pathlib import Path
from typing import cast

import pytest

from midstream.flows.errors import OptionsError
from tests.kit.example_run import Run, example

NAME = "rate_limiter.py"


def buckets(run: Run) -> list[list[str]]:
    return cast(list[list[str]], run.execute("rate.buckets"))


async def statuses(run: Run, count: int, path: str = "/") -> str:
    """One sign for each answer: . if it passed, x for a 429."""
    heads = [(await run.get(path))[0] for _ in range(count)]
    return "".join({b"200": ".", b"429": "x"}[head[9:12]] for head in heads)


async def test_after_a_burst_clients_are_told_when_to_come_back(confdir: Path) -> None:
    async with example(confdir, NAME, rate_burst=3, rate_per_minute=2) as run:
        assert await statuses(run, 5) == "...xx"
        head, body = await run.get("/")
        assert head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        seconds = int(head.partition(b"retry-after: ")[2].split()[0])
        assert 20 < seconds <= 30  # the machine may be slow
        assert f"in {seconds} s" in body.decode()
        assert len(run.origin.requests) == 3
        assert run.logged("rate limit reached") == ["rate limit reached: 127.0.0.1"]
        assert [(name, *counts) for name, _, *counts in buckets(run)] == [("127.0.0.1", "3 passed", "3 refused")]
        run.execute("rate.forget")
        assert await statuses(run, 4) == "...x"


async def test_tokens_come_back(confdir: Path) -> None:
    async with example(confdir, NAME, rate_burst=1, rate_per_minute=3000) as run:
        passed = 0
        while passed < 3:  # each takes 20 ms to come
            passed += await statuses(run, 1) == "."
        assert float(buckets(run)[0][1].split()[0]) <= 1


async def test_only_what_matches_is_counted(confdir: Path) -> None:
    async with example(confdir, NAME, rate_burst=1, rate_per_minute=1, rate_filter="~u /search") as run:
        assert await statuses(run, 3, "/page") == "..."
        assert await statuses(run, 2, "/search") == ".x"


@pytest.mark.parametrize(("by", "name"), [("host", "127.0.0.1"), ("both", "127.0.0.1 > 127.0.0.1")])
async def test_by_host_or_both(confdir: Path, by: str, name: str) -> None:
    async with example(confdir, NAME, rate_by=by) as run:
        await run.get("/")
        assert buckets(run)[0][0] == name
        with pytest.raises(OptionsError):
            run.master.options.rate_by = "moon"
        run.master.options.rate_by = "client"
        assert buckets(run) == []


async def test_many_hosts_take_bounded_memory(confdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with example(confdir, NAME, rate_by="host", rate_burst=1, rate_per_minute=1) as run:
        limiter = run.master.commands.commands["rate.buckets"].func.__self__  # type: ignore[attr-defined]
        for number in range(10_005):
            limiter.bucket(f"host{number}")
        assert len(limiter.buckets) == 10_000
        assert await statuses(run, 2) == ".x"
