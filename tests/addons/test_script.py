"""The command script.run; loading and watching scripts is tests/hub/test_scripts.py."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from midstream.addons.changes import Changes
from midstream.addons.core import Core
from midstream.addons.script import ScriptLoader
from midstream.addons.undo import Undo
from midstream.addons.view import ViewAddon
from midstream.flows.errors import CommandError
from midstream.hub.master import Master
from midstream.hub.recording import MOST_FLOWS
from midstream.store.view import View
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow, websocket_flow

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


# -- what a person has a script do is an edit --------------------------------------------------------------------------


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        view = ViewAddon(tests.master.view)
        tests.master.addons.add(ScriptLoader(), Changes(recorded=True), Undo(), Core(), view)
        await tests.master.running()
        yield tests.master


async def test_it_is_one_step_of_undo_is_recorded_and_can_be_reverted(recorded: Master, tmp_path: Path) -> None:
    script = tmp_path / "once.py"
    script.write_text(
        "def request(flow): flow.request.headers['x'] = '1'\n"
        "async def response(flow): flow.response.text = 'other'\n"
        "def websocket_message(flow): flow.websocket.messages[-1].content += b'!'\n"
    )
    flows = [http_flow(), websocket_flow((True, b"one"), (False, b"two"))]
    for flow in flows:
        recorded.view.add(flow)
    recorded.commands.call("script.run", flows, str(script))
    await until(lambda: recorded.undo.depth)
    assert flows[1].websocket is not None
    assert [each.content for each in flows[1].websocket.messages] == [b"one!", b"two!"]
    assert {(change.who, change.during) for flow in flows for change in flow.changes} == {("you", "script.run once.py")}
    assert recorded.undo.depth == 1
    recorded.commands.execute("edit.undo")
    assert "x" not in flows[0].request.headers
    assert flows[0].response is not None
    assert flows[0].response.text == "hello"
    assert [each.content for each in flows[1].websocket.messages] == [b"one", b"two"]
    recorded.commands.execute("edit.redo")
    assert flows[0].request.headers["x"] == "1"
    assert flows[0].modified()
    recorded.commands.call("flow.revert", flows)
    assert "x" not in flows[0].request.headers


async def test_a_script_that_only_looks_changes_nothing(
    recorded: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "look.py"
    script.write_text("def request(flow): flow.request.headers.get('x')")
    flow = http_flow()
    before = flow.get_state()
    recorded.view.add(flow)
    recorded.commands.call("script.run", [flow], str(script))
    await until(lambda: "look.py has run over 1 flow" in caplog.text)
    assert flow.get_state() == before
    assert not recorded.undo.depth
    assert not flow.changes


async def test_over_very_many_flows_it_is_still_one_step(recorded: Master, tmp_path: Path) -> None:
    script = tmp_path / "once.py"
    script.write_text("def request(flow): flow.comment = 'seen'")
    flows = [http_flow() for _ in range(MOST_FLOWS + 1)]
    for flow in flows:
        recorded.view.add(flow)
    recorded.commands.call("script.run", flows, str(script))
    await until(lambda: flows[-1].comment)
    assert recorded.undo.depth == 1
    await until(lambda: "now" not in recorded.undo.steps()[0])
    recorded.commands.execute("edit.undo")
    await until(lambda: not any(flow.comment for flow in flows))
