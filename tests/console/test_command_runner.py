"""What comes of a command line: results as text, tables or flows; errors in one line; async commands beside others."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream.addons.eventstore import EventStore
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.hub import types
from midstream.hub.commands import command
from tests.console.masters import Shown, shown_console
from tests.kit.captured import START, http_flow, websocket_flow

SCRIPT = """
import asyncio
from midstream import command

def deep():
    return {}["sku"]

@command.command("script.sync")
def sync() -> None:
    deep()

@command.command("script.async")
async def later() -> None:
    await asyncio.sleep(0)
    deep()

@command.command("script.liar")
def liar() -> int:
    return "three"

@command.command("script.exit")
def leave() -> None:
    raise SystemExit(3)

@command.command("script.exit.later")
async def leave_later() -> None:
    raise SystemExit(3)

@command.command("script.interrupt")
def interrupt() -> None:
    raise KeyboardInterrupt

@command.command("script.cancelled")
async def cancelled() -> None:
    raise asyncio.CancelledError

@command.command("script.odd")
def odd():
    class Odd:
        def __str__(self):
            raise ValueError("no text")
    return Odd()
"""


class Example:
    """Commands of every kind of result."""

    name = "example"

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.flows: list[Flow] = []

    @command("show.text")
    def text(self, text: str) -> str:
        return text

    @command("show.bytes")
    def octets(self) -> bytes:
        return b"\x00\xff"

    @command("show.bool")
    def truth(self) -> bool:
        return True

    @command("show.words")
    def words(self) -> Sequence[str]:
        return ["one", "two\x1b[2J"]

    @command("show.table")
    def table(self) -> types.Data:
        return [["one", b"two\x00"], ["three"]]  # type: ignore[return-value]

    @command("show.long")
    def long(self) -> Sequence[str]:
        return [f"row {number}" for number in range(20_000)]

    @command("show.flows")
    def some(self) -> Sequence[Flow]:
        return self.flows

    @command("show.flow")
    def one(self) -> Flow:
        return self.flows[0]

    @command("refuse")
    def refuse(self) -> None:
        raise CommandError("not today")

    @command("refuse.option")
    async def refuse_option(self) -> None:
        raise OptionsError("no such value")

    @command("later")
    async def later(self, name: str) -> str:
        gate = self.gates[name] = asyncio.Event()
        await gate.wait()
        return f"{name} is ready"

    @command("later.flows")
    async def later_flows(self, flows: Sequence[Flow]) -> int:
        gate = self.gates["flows"] = asyncio.Event()
        await gate.wait()
        return len(flows)


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.console.master.addons.add(Example())
        yield shown


@pytest.fixture
def script(shown: Shown, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    spec = importlib.util.spec_from_file_location("script", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.name = str(path)  # type: ignore[attr-defined]
    shown.console.master.addons.add(module)


def run(shown: Shown, line: str) -> None:
    if shown.console.active_prompt is not None:
        shown.press("esc")  # a line that failed stays in the prompt
    shown.press(":", line, "enter")


def logged(shown: Shown) -> list[tuple[str, str]]:
    store = shown.console.master.addons.get("eventstore")
    assert isinstance(store, EventStore)
    return [(entry.msg, entry.exc_text) for entry in store.data if entry.level == "error"]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("show.text hello", "hello"),
        (r"show.text a\x1b[2Jb", "a␛[2Jb"),
        (r"show.text one\ntwo", "| two "),
        ("show.bytes", "\\xff"),
        ("show.bool", "true"),
        ("show.words", "| two␛[2J "),
        ("show.table", "| three"),
        ("show.long", "- show.long  the first 10,000 of 20,000 -"),
        ("show.flows", "show.flows: nothing"),
    ],
)
async def test_results_are_shown(shown, line, seen):
    run(shown, line)
    assert seen in shown.text


async def test_flows_are_chosen_from_a_table(shown):
    flows = [http_flow(f"http://example.com/{number}") for number in range(30)]
    for flow in flows:
        shown.view.add(flow)
    addon = shown.console.master.addons.get("example")
    addon.flows = list(reversed(flows))
    run(shown, "show.flows")
    assert "- show.flows  30 flows -" in shown.text
    assert "| " in shown.text and "example.com/29" in shown.text
    shown.press("j", "down", "enter")
    assert shown.view.focus_id == flows[27].id
    assert shown.console.overlay is None
    shown.view.remove([flows[29].id])
    shown.options.view_filter = "~u /2$"
    while len(shown.view.shown) > 9:  # a regular expression is searched for in slices
        await asyncio.sleep(0)
    run(shown, "show.flows")
    shown.press("enter")
    assert "this flow is not in the list" in shown.text
    shown.press("j", "enter")
    assert "flow 29 is hidden by the filter" in shown.text
    shown.press("end", "home", "page down", "g", "G")
    assert "example.com/0 " in shown.text
    shown.press("esc")
    assert shown.console.overlay is None
    run(shown, "show.flow")
    assert "- show.flow  1 flow -" in shown.text


async def test_specs_typed_as_commands_show_their_flows(shown):
    for number in range(3):
        shown.view.add(http_flow(f"http://example.com/{number}"))
    run(shown, "view.flows.resolve '~u /[12]$'")
    assert "- view.flows.resolve  2 flows -" in shown.text
    shown.view.clear()
    shown.press("enter")
    assert "this flow was removed" in shown.text


async def test_refusals_are_one_line_without_a_traceback(shown):
    run(shown, "refuse")
    assert "not today" in shown.text
    run(shown, "refuse.option")
    await shown.until_shown("no such value")
    assert logged(shown) == [("not today", ""), ("no such value", "")]


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("script.sync", "script.sync failed in script.py line 6: KeyError: 'sku'"),
        ("script.async", "script.async failed in script.py line 6: KeyError: 'sku'"),
        ("script.exit", "script.exit failed in script.py line 23: SystemExit: 3"),
        ("script.exit.later", "script.exit.later failed in script.py line 27: SystemExit: 3"),
        ("script.interrupt", "script.interrupt failed in script.py line 31: KeyboardInterrupt"),
        ("script.cancelled", "script.cancelled failed in script.py line 35: CancelledError"),
        ("script.odd", "script.odd failed in script.py line 41: ValueError: no text"),
    ],
)
async def test_failures_name_the_line_of_the_script_and_end_nothing(shown, line, message):
    run(shown, line)
    await shown.until_shown(message)
    ((text, trace),) = logged(shown)
    assert text == message
    assert "script.py" in trace
    assert "command_runner.py" not in trace
    assert not shown.console.master.should_exit.is_set()
    run(shown, "show.text 'still here'")
    assert "still here" in shown.text


@pytest.mark.usefixtures("script")
async def test_a_wrong_result_says_whose_mistake_it_is(shown):
    run(shown, "script.liar")
    assert "script.liar promised int and returned str: a mistake in that command (script.py:" in shown.text


async def test_async_commands_go_on_beside_each_other(shown):
    addon = shown.console.master.addons.get("example")
    run(shown, "later first")
    run(shown, "later second")
    run(shown, "show.text meanwhile")
    assert "meanwhile" in shown.text
    await shown.until(lambda: len(addon.gates) == 2)
    addon.gates["second"].set()
    await shown.until_shown("second is ready")
    addon.gates["first"].set()
    await shown.until_shown("first is ready")


async def test_choosing_replaces_the_choice_in_every_argument(shown):
    run(shown, "console.choose.cmd which show.words show.text '{choice} and {choice}'")
    assert "- which -" in shown.text
    shown.press("enter")
    assert "one and one" in shown.text
    run(shown, "console.choose which a,b show.text {choice}")
    shown.press("down", "enter")
    assert shown.prompt_line.strip() == "b" or " b" in shown.text
    run(shown, "console.choose.cmd which show.bool show.text {choice}")
    assert "'which': there is nothing to choose from, only bool" in shown.text


async def test_the_choices_may_come_later(shown):
    async def listed() -> Sequence[str]:
        return ["late"]

    shown.console.master.commands.add("show.later", listed)
    run(shown, "console.choose.cmd which show.later show.text {choice}")
    await shown.until_shown("- which -")
    shown.press("enter")
    assert "late" in shown.text


async def test_a_flow_that_is_hidden_is_not_mistaken_for_the_shown_one(shown):
    flows = [http_flow("http://example.com/1"), http_flow("http://example.com/2")]
    for flow in flows:
        shown.view.add(flow)
    shown.options.view_filter = "~u /1$"
    run(shown, f"console.view.flow @{flows[1].id}")
    assert "this flow is hidden by the filter" in shown.text
    run(shown, f"console.view.flow @{flows[0].id}")
    assert shown.console.pane.name == "detail"


async def test_a_held_flow_is_opened_where_it_is_held_and_says_since_when(shown):
    chat = websocket_flow((True, b"hello"), (True, b"wait"), live=True)
    shown.view.add(chat)
    chat.intercept()
    shown.view.update(chat)
    run(shown, f"console.view.flow @{chat.id}")
    shown.console.pane.clock = lambda: chat.websocket.messages[-1].timestamp + 2
    shown.console.request_frame(now=True)
    await shown.until_shown("[Messages 2*]")
    await shown.until_shown("held at message 2.0s")
    assert chat.websocket.messages[-1].timestamp != START, "or the first moment of the flow would do as well"


async def test_a_filter_over_many_flows_is_looked_for_in_slices(shown):
    flows = [http_flow(f"http://example.com/{number}") for number in range(3000)]
    for flow in flows:
        shown.view.add(flow)
    run(shown, "flow.mark '~u /1...$' :dog:")
    assert not any(flow.marked for flow in flows), "the key press did not wait for it"
    await shown.until(lambda: sum(flow.marked == ":dog:" for flow in flows) == 1000)
    run(shown, "flow.mark @unmarked :cat:")
    await shown.until(lambda: sum(flow.marked == ":cat:" for flow in flows) == 2000)
    run(shown, "flow.mark @all :cat:")
    await shown.until(lambda: all(flow.marked == ":cat:" for flow in flows))
    addon = shown.console.master.addons.get("example")
    run(shown, "later.flows '~u /2...$'")
    await shown.until(lambda: addon.gates)
    addon.gates["flows"].set()
    await shown.until_shown("1000")
    run(shown, "view.flows.resolve '~u /2...$'")
    assert "2000 flows" not in shown.text
    await shown.until_shown("- view.flows.resolve  1,000 flows -")
    shown.press("esc")
    run(shown, "flow.encode '~u /2...$' head gzip")
    await shown.until_shown("'head' is no part of a flow")
