"""`record_changes`: handlers, commands and rules are named on the flow, and `flow.undo` takes back what they did."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from midstream.addons.changes import Changes
from midstream.addons.comment import Comment
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tcp import TCPFlow
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.hub.master import Master
from midstream.testing import context, tflow, ttcpflow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.running_master import running_master


class Marks:
    """A handler of each kind."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.headers["x-by"] = "marks"

    async def request(self, flow: HTTPFlow) -> None:
        await self.go_on.wait()
        flow.request.path = "/later"

    def responseheaders(self, flow: HTTPFlow) -> None:
        raise ValueError("before it did anything")

    def response(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(204)
        raise ValueError("after it did")

    def tcp_message(self, flow: TCPFlow) -> None:
        ctx.master.commands.call("flow.mark", [flow], ":x:")

    def error(self, flow: HTTPFlow) -> None:
        """Changes nothing."""


class ByRule:
    """Says itself what did it."""

    def request(self, flow: HTTPFlow) -> None:
        with ctx.master.events.recorder.of([flow], "rules", "rule 3"):
            flow.request.path = "/ruled"

    @command("twice")
    async def twice(self, flows: Sequence[Flow]) -> None:
        """Changes after a wait."""
        await asyncio.sleep(0)
        for flow in flows:
            flow.comment = "twice"


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    with context(Changes(recorded=True), Comment(), Marks(), strict=False) as made:
        yield made.master


def told(flow: Flow) -> list[str]:
    return [f"{change.who} {change.during}: {' '.join(part.name for part in change.parts)}" for change in flow.changes]


async def test_each_handler_is_named_with_what_it_changed(master: Master) -> None:
    flow = tflow(resp=True)
    await master.events.requestheaders(flow)
    waiting = asyncio.ensure_future(master.events.request(flow))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    master.addons.get("marks").go_on.set()
    await waiting
    await master.events.responseheaders(flow)
    await master.events.response(flow)
    await master.events.error(flow)
    assert told(flow) == [
        "marks requestheaders: request.headers",
        "marks request: request.path",
        "marks response: response.status_code response.reason response.headers response.content",
    ]


async def test_a_command_is_the_persons_unless_a_handler_calls_it(master: Master) -> None:
    flow, raw = tflow(), ttcpflow()
    master.commands.call("flow.comment", [flow], "seen")
    await master.events.tcp_message(raw)
    assert told(flow) == ["you flow.comment: comment"]
    assert told(raw) == ["marks flow.mark: marked"]  # told once, by the one who knows more


async def test_a_rule_may_say_that_it_was_the_one(master: Master) -> None:
    master.addons.add(ByRule())
    flow = tflow()
    flow.response = None
    master.addons.remove(master.addons.get("marks"))
    await master.events.request(flow)
    await master.commands.call("twice", [flow])
    assert told(flow) == ["rules rule 3: request.path", "you twice: comment"]


async def test_off_and_on_again(master: Master) -> None:
    flow = tflow()
    handlers = master.events.requestheaders.handlers
    master.options.record_changes = False
    assert master.events.requestheaders.handlers == handlers
    assert all(not hasattr(handler, "__wrapped__") for handler in master.events.requestheaders.handlers)
    await master.events.requestheaders(flow)
    master.commands.call("flow.comment", [flow], "seen")
    assert not flow.changes
    master.options.record_changes = True
    flow.request.headers.pop("x-by")
    await master.events.requestheaders(flow)
    assert told(flow) == ["marks requestheaders: request.headers"]


async def test_undo_takes_back_one_after_the_other(master: Master) -> None:
    flow = tflow()
    path = flow.request.path
    master.commands.call("flow.set", [flow], "path", "/one")
    master.commands.call("flow.comment", [flow], "seen")
    undo = "flow.undo"
    master.commands.call(undo, flow)
    assert flow.comment == ""
    master.commands.call(undo, flow)
    assert flow.request.path == path
    with pytest.raises(CommandError, match="nothing was changed"):
        master.commands.call(undo, flow)
    assert master.commands.call("flow.changes", flow) == [
        "1 you (flow.set, undone): request.path",
        "2 you (flow.comment, undone): comment",
        "3 you (flow.undo): comment",
        "4 you (flow.undo): request.path",
    ]


async def test_undo_of_one_change_by_its_number(master: Master, caplog: pytest.LogCaptureFixture) -> None:
    flow = tflow()
    for path in ("/one", "/two"):
        master.commands.call("flow.set", [flow], "path", path)
    with pytest.raises(CommandError, match="changed again since; undo that first"):
        master.commands.call("flow.undo", flow, 1)
    with pytest.raises(CommandError, match=r"no change 7; flow\.changes lists 2"):
        master.commands.call("flow.undo", flow, 7)
    with caplog.at_level(logging.INFO):
        master.commands.call("flow.undo", flow, 2)
    assert flow.request.path == "/one"
    assert caplog.messages == ["taken back: what you changed by flow.set: request.path"]


@needs_curl
@pytest.mark.end2end
async def test_over_real_traffic(tmp_path: Path) -> None:
    class Script:
        """What a user's script would do."""

        def response(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.text = "changed"

    async with (
        origin(answering(lambda heard: ok(b"as it was"))) as web,
        running_master(tmp_path, Script(), record_changes=True) as running,
    ):
        got = await curl("--proxy", running.address, web.url("/"))
        assert got.body == b"changed"
        flow = running.recorder.last("response")
        assert told(flow)[-1] == "script response: response.headers response.content"
        assert flow.changes[-1].parts[-1].before == b"as it was"
