"""`edit.repeat`: the last edit on the focused flow, or on the next one that is held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from midstream.addons.changes import Changes
from midstream.addons.core import Core
from midstream.addons.undo import Undo
from midstream.addons.view import ViewAddon
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketMessage
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.store.view import View
from midstream.testing import context
from tests.kit.captured import START, http_flow, websocket_flow


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        tests.master.addons.add(Core(), Changes(recorded=True), Undo(), ViewAddon(tests.master.view))
        await tests.master.running()
        yield tests.master


@pytest.fixture
async def view(master: Master) -> View:
    kept: View = master.view
    return kept


def run(line: str) -> Any:
    return ctx.master.commands.execute(line)


def held(view: View, count: int) -> list[HTTPFlow]:
    made = [http_flow(f"http://example.com/{n}", start=START + n, status=None, live=True) for n in range(count)]
    for flow in made:
        flow.intercept()
        view.add(flow)
    return made


def add_header(flow: HTTPFlow) -> None:
    flow.backup()
    with ctx.master.events.recorder.of([flow], "you", "edit"):
        flow.request.headers["x-debug"] = "1"


async def test_the_next_held_flow_gets_the_same_edit_and_the_focus(
    master: Master, view: View, caplog: pytest.LogCaptureFixture
) -> None:
    flows = held(view, 4)
    view.set_focus(flows[1].id)
    add_header(flows[1])
    flows[2].resume()
    await master.events.update([flows[2]])
    run("edit.repeat")
    assert view.focus_id == flows[3].id
    assert "x-debug" in flows[3].request.headers
    assert "x-debug" not in flows[2].request.headers
    assert flows[3].modified()
    assert "repeated on flow 4: x-debug: 1 added" in caplog.text
    run("edit.repeat")  # goes on at the top
    assert view.focus_id == flows[0].id
    assert master.undo.steps() == [f"edit of request headers of flow {number}" for number in (1, 4, 2)]
    run("edit.undo")
    assert "x-debug" not in flows[0].request.headers


async def test_the_focused_flow_gets_it_if_it_is_another_one(master: Master, view: View) -> None:
    flows = held(view, 3)
    add_header(flows[0])
    view.set_focus(flows[2].id)
    run("edit.repeat")
    assert ["x-debug" in flow.request.headers for flow in flows] == [True, False, True]


async def test_the_next_held_message_of_a_conversation_is_another_one(master: Master, view: View) -> None:
    flow = websocket_flow((True, b'{"qty": 1}'), live=True)
    flow.intercept()
    view.add(flow)
    view.set_focus(flow.id)
    assert flow.websocket is not None
    messages = flow.websocket.messages
    with ctx.master.events.recorder.of([flow], "you", "edit", messages[0]):
        messages[0].content = b'{"qty": 2}'
    with pytest.raises(CommandError, match="no other flow is held"):
        run("edit.repeat")
    messages.append(WebSocketMessage(1, True, b'{"qty": 1, "id": 8}'))
    run("edit.repeat")
    assert [each.content for each in messages] == [b'{"qty": 2}', b'{"qty": 2, "id": 8}']
    with pytest.raises(CommandError, match="no other flow is held"):
        run("edit.repeat")
    flow.resume()
    messages.append(WebSocketMessage(1, True, b'{"qty": 1, "id": 9}'))
    with pytest.raises(CommandError, match="no other flow is held"):
        run("edit.repeat")


async def test_a_flow_that_has_it_is_not_edited_again_at_its_response(master: Master, view: View) -> None:
    (flow,) = held(view, 1)
    view.set_focus(flow.id)
    add_header(flow)
    flow.response = http_flow("http://example.com/").response
    with pytest.raises(CommandError, match="no other flow is held"):
        run("edit.repeat")


async def test_flows_of_a_spec(master: Master, view: View) -> None:
    flows = held(view, 3)
    add_header(flows[0])
    run("edit.repeat /1 | /2")
    assert all("x-debug" in flow.request.headers for flow in flows)


async def test_what_cannot_be_repeated_says_why(master: Master, view: View) -> None:
    flows = held(view, 2)
    with pytest.raises(CommandError, match="nothing was edited that could be repeated"):
        run("edit.repeat")
    flows[1].request.headers["x-debug"] = "1"
    add_header(flows[0])
    with pytest.raises(CommandError, match="not repeated on flow 2: it is so already"):
        run("edit.repeat")
    assert not flows[1].modified()
    flows[1].resume()
    await master.events.update([flows[1]])
    with pytest.raises(CommandError, match="no other flow is held"):
        run("edit.repeat")
    run("flow.mark @focus :dog:")  # a mark is the last edit now
    run("edit.repeat /1")
    assert flows[1].marked == ":dog:"
