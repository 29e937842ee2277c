"""Who is named for a change when several are at work on one flow: handlers that wait, threads, commands, the proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import pytest

from midstream.addons.changes import Changes
from midstream.addons.comment import Comment
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.hub.concurrent import concurrent
from midstream.hub.master import Master
from midstream.testing import context, tflow, ttcpflow


class Slow:
    """Waits in its handlers, and calls commands before, meanwhile and after."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def request(self, flow: HTTPFlow) -> None:
        flow.request.headers["x-one"] = "1"
        await self.go_on.wait()
        ctx.master.commands.call("flow.comment", [flow], "slow")
        flow.request.headers["x-two"] = "2"
        await asyncio.wait_for(self._in_a_task(flow), 60)

    async def _in_a_task(self, flow: HTTPFlow) -> None:
        flow.request.path = "/task"

    @concurrent
    def response(self, flow: HTTPFlow) -> None:
        flow.request.headers["x-thread"] = "1"
        ctx.master.commands.call("flow.comment", [flow], "thread")
        flow.request.path = "/thread"

    async def tcp_message(self, flow: TCPFlow) -> None:
        message = flow.messages[-1]
        await self.go_on.wait()
        message.content = b"changed"

    @command("slow.save")
    async def save(self, flows: Sequence[Flow]) -> None:
        """Waits."""
        await self.go_on.wait()
        for flow in flows:
            flow.marked = ":default:"


@pytest.fixture
async def slow() -> Slow:
    return Slow()


@pytest.fixture
async def master(slow: Slow) -> AsyncIterator[Master]:
    with context(Changes(recorded=True), Comment(), slow, strict=False) as made:
        yield made.master


def told(flow: Flow) -> list[str]:
    return [f"{change.who} {change.during}: {' '.join(part.name for part in change.parts)}" for change in flow.changes]


async def begun(work: Awaitable[Any]) -> asyncio.Future[Any]:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    return task


SLOWLY = [
    "slow request: request.headers",
    "slow flow.comment: comment",
    "slow request: request.headers",
]


async def test_each_of_many_flows_has_what_was_done_to_it(master: Master, slow: Slow) -> None:
    flows = [tflow() for _ in range(20)]
    tasks = [await begun(master.events.request(flow)) for flow in flows]
    slow.go_on.set()
    await asyncio.gather(*tasks)
    for flow in flows:
        assert " ".join(told(flow)) == " ".join(SLOWLY).removesuffix("request.headers") + "request.path request.headers"
        assert dict(flow.changes[0].parts[0].after)[b"x-one"] == b"1"


async def test_what_a_handler_did_before_a_person_came_stays_its_own(master: Master, slow: Slow) -> None:
    flow = tflow()
    task = await begun(master.events.request(flow))
    with master.events.recorder.of([flow], "you", "edit"):
        flow.request.headers["x-one"] = "mine"
    slow.go_on.set()
    await task
    assert told(flow)[:2] == ["slow request: request.headers", "you edit: request.headers"]
    assert dict(flow.changes[1].parts[0].before)[b"x-one"] == b"1"


async def test_a_thread_and_the_commands_that_it_calls(master: Master) -> None:
    flow = tflow(resp=True)
    await master.events.response(flow)
    assert told(flow) == [
        "slow response: request.headers",
        "slow flow.comment: comment",
        "slow response: request.path",
    ]


async def test_what_comes_in_while_a_command_waits_is_nobodys_doing(master: Master, slow: Slow) -> None:
    flow, raw = tflow(), ttcpflow()
    saving = await begun(master.commands.call("slow.save", [flow, raw]))
    flow.response = Response.make(200)  # as the proxy does
    await master.events.responseheaders(flow)
    flow.error = Error("the server has gone")
    await master.events.error(flow)
    raw.messages.append(TCPMessage(True, b"more"))
    slow.go_on.set()
    await saving
    assert told(flow) == told(raw) == ["you slow.save: marked"]


async def test_a_kill_is_the_doing_of_who_waits(master: Master, slow: Slow) -> None:
    flow = tflow()
    flow.live = True
    task = await begun(master.events.request(flow))
    flow.kill()  # as if the handler had
    await master.events.error(flow)
    slow.go_on.set()
    await task
    assert told(flow)[0] == "slow request: error request.headers"


async def test_a_message_is_told_from_those_that_came_behind_it(master: Master, slow: Slow) -> None:
    flow = ttcpflow()
    said = flow.messages[-1].content
    number = len(flow.messages) - 1
    task = await begun(master.events.tcp_message(flow))
    flow.messages.append(TCPMessage(False, b"changed"))
    slow.go_on.set()
    await task
    assert told(flow) == [f"slow tcp_message: messages[{number}].content"]
    master.commands.call("flow.undo", flow)
    assert [message.content for message in flow.messages[number:]] == [said, b"changed"]


async def test_a_command_that_is_cancelled_is_over(master: Master) -> None:
    flow = tflow()
    task = await begun(master.commands.call("slow.save", [flow]))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    flow.request.path = "/changed by nobody"
    master.commands.call("flow.mark", [flow], ":x:")
    assert told(flow) == ["you flow.mark: marked"]


async def test_off_costs_no_snapshot(master: Master) -> None:
    recorder = master.events.recorder
    master.options.record_changes = False
    assert recorder.of([], "a", "b") is recorder.of([], "c", "d")
