"""The command script.run; loading and watching scripts is tests/hub/test_scripts.py."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from midstream.addons.script import ScriptLoader
from midstream.flows.errors import CommandError
from midstream.hub.master import Master
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow

SOURCE = """
import asyncio
import logging
from pathlib import Path

out = Path(__file__).with_suffix(".out")

def note(text):
    with out.open("a") as file:
        file.write(text + "\\n")

def load(loader): note("load")
def configure(updated): note("configure " + " ".join(updated))
def running(): note("running")
def request(flow): note("request " + flow.request.host)
async def response(flow):
    await asyncio.sleep(0)
    note("response")
def tcp_message(flow): note("tcp " + flow.messages[-1].content.decode())
def tcp_end(flow): note("end")
"""


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(ScriptLoader(), loadcore=False) as tests:
        yield tests.master


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.01)


async def test_a_script_runs_once_over_flows(master: Master, tmp_path: Path) -> None:
    script = tmp_path / "once.py"
    script.write_text(SOURCE)
    out = script.with_suffix(".out")
    master.commands.call("script.run", [http_flow("http://a.example/"), tcp_flow((True, b"x"))], str(script))
    await until(lambda: out.exists() and out.read_text().endswith("end\n"))
    assert out.read_text().splitlines() == [
        "configure scripts",
        "running",
        "request a.example",
        "response",
        "tcp x",
        "end",
    ]
    assert str(script) not in master.addons


async def test_flows_that_were_run_over_are_updated(master: Master, tmp_path: Path) -> None:
    class Viewer:
        def __init__(self) -> None:
            self.flows: list[object] = []

        def update(self, flows: list[object]) -> None:
            self.flows += flows

    viewer = Viewer()
    master.addons.add(viewer)
    script = tmp_path / "once.py"
    script.write_text("def request(flow): flow.marked = ':grin:'")
    held = http_flow()
    held.intercepted = True
    master.commands.call("script.run", [held], str(script))
    await until(lambda: viewer.flows)
    assert viewer.flows == [held]
    assert held.marked == ":grin:"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("1 +", "once.py:1: SyntaxError"),
        ("def request(): ...", "once.py:1: request.* cannot be called"),
        ("class Inner:\n    def request(self): ...\naddons = [Inner()]", r"once.py:2: request\(\) cannot be called"),
        (None, "once.py: No such file"),
    ],
)
async def test_a_script_that_cannot_run_is_a_command_error(
    master: Master, tmp_path: Path, source: str | None, complaint: str
) -> None:
    script = tmp_path / "once.py"
    if source is not None:
        script.write_text(source)
    with pytest.raises(CommandError, match=complaint):
        master.commands.call("script.run", [], str(script))


async def test_a_script_that_refuses_the_options_is_logged(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "once.py"
    script.write_text(
        "from midstream.exceptions import OptionsError\ndef configure(updated): raise OptionsError('not with me')"
    )
    master.commands.call("script.run", [http_flow()], str(script))
    await until(lambda: any(record.levelno == logging.ERROR for record in caplog.records))
    assert "not with me" in caplog.text
