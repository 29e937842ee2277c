"""The messages tab: following, filtering, searching, one message alone; any number of messages at the same cost."""

import asyncio

import pytest

from midstream.console.finder import Finder
from midstream.console.panes.detail import Detail
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketMessage
from tests.kit.captured import START, http_flow, tcp_flow, udp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole, screen
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import within


@pytest.fixture
def pane(console: FakeConsole) -> Detail:
    made = Detail(console)  # type: ignore[arg-type]
    made.clock = lambda: START + 4.1
    console.focused_pane = made
    return made


def socket(console: FakeConsole, count: int, live: bool = True) -> HTTPFlow:
    flow = websocket_flow(*[(bool(number % 2), b"message %d" % number) for number in range(count)], live=live)
    console.add(flow)
    return flow


def say(console: FakeConsole, flow: HTTPFlow, text: bytes) -> None:
    assert flow.websocket is not None
    flow.websocket.messages.append(WebSocketMessage(1, True, text, START + 2))
    console.view.update(flow)


async def test_the_newest_is_followed_at_the_end_and_only_there(console: FakeConsole, pane: Detail) -> None:
    flow = socket(console, 50)
    pane.entered()
    pane.show_tab("Messages")
    lines = screen(pane, 80, 24)
    assert "following   50 of 50" in lines[1]
    assert any(line.startswith("> ") and line.endswith("message 49") for line in lines)
    assert any(line.startswith("  1  message 49") for line in lines), "pretty, below the list"
    say(console, flow, b'{"a":1}')
    lines = screen(pane, 80, 24)
    assert any(line.startswith("> ") and "json" in line for line in lines)
    assert '  2    "a": 1' in lines
    pane.navigate("up")
    before = screen(pane, 80, 24)
    say(console, flow, b"another")
    after = screen(pane, 80, 24)
    assert before[2:] == after[2:], "what is read stays where it is"
    assert "following" not in after[1]
    pane.navigate("end")
    assert any("another" in line for line in screen(pane, 80, 24))
    pane.left()


async def test_the_selection_stays_with_its_message_when_old_ones_are_dropped(
    console: FakeConsole, pane: Detail
) -> None:
    flow = socket(console, 100)
    pane.entered()
    pane.show_tab("Messages")
    screen(pane, 80, 24)
    for _ in range(30):
        pane.navigate("up")
    assert any(line.startswith("> ") and line.endswith("message 69") for line in screen(pane, 80, 24))
    assert flow.websocket is not None
    del flow.websocket.messages[:20]
    say(console, flow, b"new")
    assert any(line.startswith("> ") and line.endswith("message 69") for line in screen(pane, 80, 24))
    del flow.websocket.messages[:75]
    say(console, flow, b"newer")
    assert any(line.startswith("> ") for line in screen(pane, 80, 24))
    pane.left()


def test_one_message_alone_and_back(console: FakeConsole, pane: Detail) -> None:
    socket(console, 3)
    pane.show_tab("Messages")
    screen(pane, 80, 20)
    pane.navigate("select")
    lines = screen(pane, 80, 20)
    assert any("from  the server" in line for line in lines)
    assert any("▾ Message  text, 9b" in line for line in lines)
    assert pane.back()
    assert "3 of 3" in screen(pane, 80, 20)[1]
    assert not pane.back()


async def test_a_filter_shows_some_of_the_messages_also_of_those_to_come(console: FakeConsole, pane: Detail) -> None:
    flow = socket(console, 1000)
    pane.entered()
    pane.show_tab("Messages")
    pane.content.conversation.set_filter("message 99.")
    pane.content.stale = True
    lines = screen(pane, 100, 24)
    assert "10 of 10   only /message 99./" in lines[1]
    say(console, flow, b"message 99x")
    assert "11 of 11" in screen(pane, 100, 24)[1]
    say(console, flow, b"other")
    assert "11 of 11" in screen(pane, 100, 24)[1]
    assert pane.cancel(), "esc shows all again"
    assert "1,002 of 1,002" in screen(pane, 100, 24)[1]
    pane.left()


async def test_searching_selects_the_message(console: FakeConsole, pane: Detail) -> None:
    socket(console, 300)
    pane.show_tab("Messages")
    screen(pane, 80, 24)
    console.search.finder = Finder("message 17$")
    assert pane.search("message 17$")
    await console.settle()
    lines = screen(pane, 80, 24)
    assert any(line.startswith("> ") and line.endswith("message 17") for line in lines)
    assert any("1 of 1" in line for line in lines)


def test_a_hundred_thousand_messages_cost_as_much_as_ten(console: FakeConsole, pane: Detail) -> None:
    socket(console, 100_000)
    pane.show_tab("Messages")
    screen(pane, 120, 32)
    painted = pane.content.conversation.painted
    with within(2):
        for move in ("up", "page_up", "start", "end", "down") * 4:
            pane.navigate(move)
            screen(pane, 120, 32)
        assert pane.content.conversation.painted - painted <= 20 * 32


async def test_filtering_a_hundred_thousand_goes_on_in_slices(console: FakeConsole, pane: Detail) -> None:
    flow = socket(console, 100_000)
    pane.show_tab("Messages")
    conversation = pane.content.conversation
    conversation.set_filter("message 9999[0-9]$")
    frames = 0
    while conversation._checked < 100_000:
        conversation.show(flow, conversation.messages)
        frames += 1
        assert frames < 10_000
    assert len(conversation) == 10
    assert frames > 3


def test_tcp_and_udp(console: FakeConsole, pane: Detail) -> None:
    console.add(udp_flow((True, b"\x00\x01"), (False, b"pong")), tcp_flow((True, b"EHLO\r\n")))
    lines = screen(pane, 80, 16)
    assert any("→ binary    2b  00 01" in line for line in lines)
    assert any("← text      4b  pong" in line for line in lines)
    console.view.set_focus(list(console.view.all_ids)[1])
    assert any("EHLO␍␊" in line for line in screen(pane, 80, 16))


async def test_events_appear_as_they_come(console: FakeConsole, pane: Detail) -> None:
    fields = ((b"Content-Type", b"text/event-stream"),)
    flow = http_flow(response_body=b'event: price\ndata: {"eur":1}\n\n', response_headers=fields, live=True)
    console.add(flow)
    pane.entered()
    assert pane.tabs() == ["Request", "Response", "Messages", "Timing", "Connection"]
    pane.show_tab("Messages")
    lines = screen(pane, 80, 20)
    assert "[Events 1]" in lines[1]
    assert any("← price" in line and '{"eur":1}' in line for line in lines)
    assert flow.response is not None
    flow.response.raw_content = (flow.response.raw_content or b"") + b"data: second\n\n"
    console.view.update(flow)
    lines = screen(pane, 80, 20)
    assert "[Events 2]" in lines[1]
    assert any(line.startswith("> ") and line.endswith("second") for line in lines)
    assert pane.why_not("console.messages.inject") == "nothing can be sent into an event stream"
    pane.left()


def test_why_keys_do_nothing(console: FakeConsole, pane: Detail) -> None:
    flow = socket(console, 2)
    assert pane.why_not("console.messages.inject") == "the flow is not live: nothing can be sent into it"
    flow.injector = lambda message: None
    assert pane.why_not("console.messages.inject") == ""
    console.view.set_focus(flow.id)
    plain = http_flow("http://h/", status=None)
    console.add(plain)
    console.view.set_focus(plain.id)
    assert pane.why_not("console.messages.inject") == "this flow has no messages"
    pane.show_tab("Response")
    assert pane.why_not("console.flowview.viewer") == "there is no response yet"
    assert pane.why_not("console.flowview.raw") == "this tab shows no body"
    pane.show_tab("Connection")
    assert pane.why_not("console.flowview.fold") == "this tab has no headers"


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_messages(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    event = http_flow(
        response_body=b"event: " + raw + b"\nid: " + raw + b"\ndata: " + raw + b"\n\n" + raw + b"\n\n",
        response_headers=((b"Content-Type", b"text/event-stream"),),
    )
    closed = websocket_flow((True, raw), (False, raw))
    assert closed.websocket is not None
    closed.websocket.close_code, closed.websocket.close_reason, closed.websocket.timestamp_end = 4000, text, START
    for flow in (closed, event, tcp_flow((True, raw))):
        console = FakeConsole()
        pane = Detail(console)  # type: ignore[arg-type]
        console.focused_pane = pane
        console.add(flow)
        pane.show_tab("Messages")
        for opened in (False, True):
            for columns in WIDTHS:
                assert_clean(pane.render((columns, 14), True), columns)
            if not opened:
                pane.navigate("select")


async def test_copying_a_message_shows_it_alone_first(console: FakeConsole, pane: Detail) -> None:
    socket(console, 2)
    pane.show_tab("Messages")
    screen(pane, 80, 20)
    pane.start_copying()
    assert pane.editing
    assert pane.opened is not None
    await asyncio.sleep(0)
