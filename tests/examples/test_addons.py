"""The example addons: each loads into a running master as a script and does what its docstring says."""

import logging
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.addons.script import ScriptLoader
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.hub.master import Master
from midstream.options import Options
from midstream.testing import context
from tests.kit.captured import http_flow
from tests.kit.stopwatch import Slow

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "addons"
REPLACING = runpy.run_path(str(FOLDER / "stream_modify.py"))["replacing"]
EXAMPLES = sorted(path.name for path in FOLDER.glob("*.py"))


@asynccontextmanager
async def running(example: str, **options: object) -> AsyncIterator[Master]:
    """A running master with the example loaded as `-s` loads it."""
    given = Options(scripts=[str(FOLDER / example)], **options)
    async with context(ScriptLoader(), options=given, loadcore=False) as tests:
        yield tests.master


def texts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_loads_and_leaves_without_a_complaint(example: str, caplog: pytest.LogCaptureFixture) -> None:
    async with running(example) as master:
        assert not master.startup_errors
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    if any("held everything up" in text for text in said):
        raise Slow(said[0])
    assert not said


async def test_anatomy_tallies_each_response(caplog: pytest.LogCaptureFixture) -> None:
    async with running("anatomy.py", tally_limit=2) as master:
        for url, status in (("http://a.example/", 200), ("http://b.example/x", 404)):
            flow = http_flow(url, status=status)
            await master.events.request(flow)
            await master.events.response(flow)
        assert master.commands.execute("tally.show") == "1x 200, 1x 404"
        assert "tally: 1 http://a.example/: 1x 200" in texts(caplog)
        assert "tally: 2 http://b.example/x: 1x 200, 1x 404" in texts(caplog)
        assert "tally: that was response number 2" in texts(caplog)
        master.options.tally_hosts = True
        assert master.commands.execute("tally.show") == "nothing yet"
        with pytest.raises(OptionsError, match="tally_limit"):
            master.options.tally_limit = -1
        assert master.options.tally_limit == 2
    assert "tally: nothing yet" in texts(caplog)


async def test_add_header() -> None:
    async with running("add_header.py") as master:
        flow = http_flow()
        await master.events.response(flow)
    assert flow.response is not None
    assert flow.response.headers["x-seen-by"] == "midstream"


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "http://api.example/health?x=1", 200),
        ("POST", "http://api.example/v2/login", 201),
        ("GET", "http://api.example/v2/login", 404),
        ("GET", "http://other.example/health", None),
    ],
)
async def test_answer_locally(method: str, url: str, status: int | None) -> None:
    async with running("answer_locally.py") as master:
        flow = http_flow(url, method, status=None)
        await master.events.request(flow)
    assert (flow.response.status_code if flow.response else None) == status


@pytest.mark.parametrize(
    ("host", "cut"), [("ads.example", True), ("a.Ads.Example", True), ("example", False), ("xads.example", False)]
)
async def test_kill_by_host(host: str, cut: bool) -> None:
    def killed(flow: HTTPFlow) -> bool:
        return flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE

    async with running("kill_by_host.py", kill_hosts=["ads.example"]) as master:
        plain, tunnel = (http_flow(f"http://{host}/", status=None, live=True) for _ in range(2))
        await master.events.requestheaders(plain)
        await master.events.http_connect(tunnel)
    assert (killed(plain), killed(tunnel)) == (cut, cut)


async def test_stream_modify_decides_at_the_head() -> None:
    async with running("stream_modify.py", stream_replace="Cat/Dog") as master:
        text, picture = http_flow(), http_flow(response_headers=((b"Content-Type", b"image/png"),))
        for flow in (text, picture):
            await master.events.responseheaders(flow)
        assert text.response is not None and picture.response is not None
        assert callable(text.response.stream)
        assert not picture.response.stream
        with pytest.raises(OptionsError, match="old/new"):
            master.options.stream_replace = "Cat"


@given(st.lists(st.text("abc", min_size=1, max_size=4)), st.text("abc", min_size=1, max_size=3))
def test_stream_modify_finds_words_that_are_split_between_pieces(pieces: list[str], old: str) -> None:
    pass_on = REPLACING(old.encode(), b"-")
    out = b"".join(part for piece in [*pieces, ""] for part in pass_on(piece.encode()))
    assert out.decode() == "".join(pieces).replace(old, "-")
