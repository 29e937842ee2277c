"""Regular expressions of the user that backtrack on what servers send: the rule is named, and nobody waits for it."""

import time
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.program import middump
from tests.kit.stopwatch import within
from tests.kit.web_client import web_client

pytestmark = [pytest.mark.end2end, needs_curl]

PROMISED = 2.0  # seconds (promises.md 2)
SMALL = b"a" * 60 + b"!"
LARGE = b"lorem x " * 1_000_000
SCRIPT = """
from midstream import flowfilter

slow = flowfilter.parse("~bs 'x.*y'")

def response(flow):
    flow.response.headers["x-slow"] = str(flowfilter.match(slow, flow))
"""


BODIES = {"/small": SMALL, "/large": LARGE, "/": b"harmless"}
FILTER = "~bs '(a|aa)+$' | ~bs 'x.*y'"


def trap(heard: Heard) -> bytes:
    return ok(BODIES[heard.target])


@pytest.mark.parametrize("path", ["/small", "/large"])
async def test_a_filter_that_backtracks(confdir: Path, tmp_path: Path, path: str) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SCRIPT)
    async with (
        origin(answering(trap)) as web,
        middump(confdir, "-s", str(script), "--set", f"dumper_filter={FILTER}") as program,
        web_client(program.port, web, program.ca) as client,
    ):
        for wanted in [path, "/"] * 3:
            with within(PROMISED, clock=time.monotonic):
                client.ask(wanted)
                head, body = await client.answer()
            assert body == BODIES[wanted]
            assert b"x-slow: False" in head
        await program.line(f"filter {FILTER} is skipped for", path, "takes too long")


HOSTILE = "a" * 6_000 + "!"


@pytest.mark.parametrize("operator", ["u", "h", "hq", "d"])
async def test_a_filter_that_backtracks_on_the_head(confdir: Path, tmp_path: Path, operator: str) -> None:
    text = f"~{operator} '(a|aa)+x'"
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as web,
        middump(confdir, "--set", f"dumper_filter={text} | ~u fine") as program,
    ):
        for path in [f"/{HOSTILE}", "/fine"] * 3:
            with within(PROMISED, clock=time.monotonic):
                host = f"{HOSTILE}.example" if operator == "d" and path != "/fine" else web.authority
                done = await curl(
                    "--proxy", program.address, "-H", f"X-A: {HOSTILE}", "-H", f"Host: {host}", web.url(path)
                )  # fmt: skip
                assert done.body == b"whole"
        if operator != "d":  # names of hosts are that of the target
            await program.line(f"filter {text}", "takes too long")


@pytest.mark.parametrize("text", ["~u '/users/{id}'", "~u '/users/[[:x]'"])
async def test_a_filter_in_the_words_of_re(confdir: Path, text: str) -> None:
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as web,
        middump(confdir, "--set", f"dumper_filter={text}") as program,
    ):
        for path in ("/users/ab", "/users/{id}", "/users/:x"):
            await curl("--proxy", program.address, "--globoff", web.url(path))
        wanted, other = ("/users/{id}", "/users/:x") if "id" in text else ("/users/:x", "/users/{id}")
        await program.line("GET", wanted)
        assert not [line for line in program.lines if "/users/ab" in line or other in line]
