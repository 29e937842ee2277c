"""Rules whose regular expressions backtrack on what strangers send: the rule is named, and nobody waits for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.other_clients import others_are_served
from tests.kit.program import middump
from tests.kit.stopwatch import within
from tests.kit.web_client import web_client

pytestmark = [
    pytest.mark.end2end,
    needs_curl,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]

SMALL = b"a" * 60 + b"!"
LARGE = b"lorem x " * 200_000 + b"a" * 60 + b"!"
BODIES = {"/small": SMALL, "/large": LARGE, "/": b"hello"}
RULE = "/(a|aa)+$/b"
PROMISED = 4.0  # seconds for the one who sends such a body; others wait no longer than ever


def trap(heard: Heard) -> bytes:
    return ok(BODIES[heard.target])


@pytest.mark.parametrize("path", ["/small", "/large"])
async def test_a_body_rule_that_backtracks(confdir: Path, path: str) -> None:
    async with (
        origin(answering(trap)) as web,
        middump(confdir, "-B", RULE, "-B", "/!/?") as program,
        others_are_served(program, web),
        web_client(program.port, web, program.ca) as client,
    ):
        for _ in range(4):
            with within(PROMISED, clock=time.monotonic):
                client.ask(path)
                _, body = await client.answer()
            assert body == BODIES[path].replace(b"!", b"?")  # the other rule is not skipped
        await program.line(path, f"the rule {RULE} of modify_body is skipped", "takes too long")


@pytest.mark.parametrize("option", ["map_remote", "map_local"])
async def test_a_url_rule_that_backtracks(confdir: Path, tmp_path: Path, option: str) -> None:
    rule = f"=(a|aa)+$={'b' if option == 'map_remote' else tmp_path}"
    hostile = f"/{'a' * 6000}!"
    async with (
        origin(answering(lambda heard: ok(b"hello"))) as web,
        middump(confdir, "--set", f"{option}={rule}") as program,
        others_are_served(program, web),
    ):
        for _ in range(4):
            done = await curl("--proxy", program.address, web.url(hostile))
            assert done.body == b"hello"
        assert web.requests[-1].target in (hostile, "/")
        await program.line(f"the rule {rule} of {option} is skipped", "takes too long")


async def test_bodies_that_would_grow_without_bound(confdir: Path, tmp_path: Path) -> None:
    file = tmp_path / "replacement"
    file.write_bytes(b"x" * (1 << 20))
    async with (
        origin(answering(lambda heard: ok(LARGE if heard.target == "/large" else b"hello"))) as web,
        middump(confdir, "-B", f"|~u large|l|@{file}") as program,
        others_are_served(program, web, growth=400 * 1024),
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/large")
        assert (await client.answer())[1] == LARGE
        await program.line("of modify_body is skipped")
