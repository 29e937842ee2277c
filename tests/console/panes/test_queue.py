from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from midstream.console.panes.queue import Queue
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, tcp_flow, websocket_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
async def shown(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        yield shown


async def hold(shown: Shown, *flows) -> list:
    for flow in flows:
        if flow.id not in shown.view:
            shown.view.add(flow)
        flow.intercept()
        await shown.console.master.events.update([flow])
    return list(flows)


def requests(count: int) -> list:
    return [
        http_flow(f"http://h.example/{number}", "POST", status=None, live=True, start=1_700_000_000 - number)
        for number in range(count)
    ]


async def test_an_empty_queue_says_how_to_hold_something(shown):
    shown.press("2")
    assert "Nothing is held." in shown.text
    assert "i ~m POST" in shown.text
    shown.press("a")
    assert "a: nothing is held" in shown.text


async def test_flows_stand_in_the_order_in_which_they_were_held_and_leave_when_let_go(shown):
    first, second, third = await hold(shown, *requests(3))
    shown.press("2")
    lines = shown.lines
    assert "queue  3 held" in lines[1]
    assert lines[2].startswith(">   1  request")
    assert "h.example/0" in lines[2]
    assert "h.example/2" in lines[4]
    shown.press("j", "a")
    assert not second.intercepted
    assert "queue  2 held" in shown.lines[1]
    assert "h.example/2" in shown.lines[3], "the one that took its place has the focus"
    assert shown.lines[3].startswith(">")
    shown.press("A")
    assert not first.intercepted
    assert not third.intercepted
    assert "Nothing is held." in shown.text


async def test_the_focus_belongs_to_a_flow(shown):
    first, second = await hold(shown, *requests(2))
    shown.press("2", "j")
    first.resume()
    await shown.console.master.events.update([first])
    (third,) = await hold(shown, http_flow("http://h.example/third", status=None, live=True))
    assert shown.lines[2].startswith(">   2")
    shown.press("X")
    assert second.error is not None
    assert third.intercepted


async def test_flows_that_the_filter_hides_are_held_and_let_go_here(shown):
    (flow,) = await hold(shown, *requests(1))
    shown.view.add(http_flow("http://other.example/"))
    shown.options.view_filter = "~d other"
    await shown.until(lambda: len(shown.view.shown) == 1)
    shown.press("2")
    assert "h.example/0" in shown.text
    shown.press("a")
    assert not flow.intercepted


async def test_stepping_holds_the_response_though_no_filter_matches(shown):
    (flow,) = await hold(shown, *requests(1))
    shown.press("2", "s")
    assert not flow.intercepted
    answered = http_flow("http://h.example/0", "POST", live=True)
    flow.response = answered.response
    answering = asyncio.create_task(shown.console.master.events.response(flow))
    await shown.until(lambda: flow.intercepted)
    await shown.console.master.events.update([flow])
    assert ">   1  response" in shown.lines[2]
    shown.press("s")
    assert "its response is held already" in shown.text
    shown.press("a")
    await answering
    other = http_flow("http://h.example/other", live=True)
    await shown.console.master.events.response(other)
    assert not other.intercepted


async def test_messages_of_conversations_are_held_as_well(shown):
    await hold(shown, tcp_flow((True, b"hello"), live=True), websocket_flow((True, b"hello"), live=True))
    shown.press("2")
    assert [line[7:14] for line in shown.lines[2:4]] == ["message", "message"]
    shown.press("G")
    assert shown.lines[3].startswith(">")


async def test_what_a_call_says_of_its_patience_is_a_bar(shown):
    flow = http_flow(
        "http://h.example/rpc", "POST", status=None, live=True, request_headers=((b"grpc-timeout", b"30S"),)
    )
    await hold(shown, flow, *requests(1))
    shown.press("2")
    shown.console.pane.clock = lambda: shown.console.tally.held_since[flow.id] + 15
    assert "client gives up at 30s" in shown.lines[2]
    assert shown.lines[2].count("█") == shown.lines[2].count("▒") == 10
    assert "client" not in shown.lines[3]


async def test_enter_opens_the_details_and_the_rule_is_named(shown):
    shown.options.intercept = "~m POST"
    await hold(shown, *requests(2))
    shown.press("2", "j")
    assert "rule: ~m POST" in shown.lines[1]
    shown.press("I")
    assert "(off)" in shown.lines[1]
    shown.press("enter")
    assert shown.console.shown_name == "detail"
    assert "h.example/1" in shown.lines[1]
    shown.press("q")
    assert shown.console.shown_name == "queue"


@pytest.mark.parametrize("columns", WIDTHS)
async def test_no_text_of_a_held_flow_reaches_the_terminal(tmp_path, columns):
    async with shown_console(tmp_path, columns, 20) as shown:
        for text in TEXTS:
            raw = text.encode("utf-8", "surrogateescape" if "\udc80" in text else "surrogatepass")
            flow = http_flow("http://h.example/", status=None, live=True)
            flow.request.raw_path, flow.request.raw_method, flow.request.host = b"/" + raw, raw[:30], text[:200]
            await hold(shown, flow)
        pane = shown.console.open_pane("queue")
        assert isinstance(pane, Queue)
        for rows in (1, 3, 12):
            assert_clean(pane.render((columns, rows), True), columns)
