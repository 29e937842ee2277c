"""The peek of the flow list: follows the focus, stands below or beside, is resized, costs little, leaks nothing."""

import json
import time

import pytest

from midstream.console.panes.flow_list import FlowList
from midstream.contentviews.registries import registry_of
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole, screen
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import judge, no_collection

JSON = ((b"Content-Type", b"application/json"),)


@pytest.fixture
def pane(console: FakeConsole) -> FlowList:
    made = FlowList(console)  # type: ignore[arg-type]
    made.painter.clock = lambda: START + 6
    assert registry_of(console.master)
    return made


def test_it_shows_the_body_of_the_focused_flow_below_the_rows(console: FakeConsole, pane: FlowList) -> None:
    console.add(
        http_flow("http://h/1", response_body=b'{"sku": "A-1009", "qty": 2}', response_headers=JSON),
        http_flow("http://h/2", response_body=b"plain words"),
    )
    assert not any("peek" in line for line in screen(pane, 80, 24))
    pane.peek.toggle()
    lines = screen(pane, 80, 24)
    at = next(index for index, line in enumerate(lines) if line.startswith("-- peek: 1 response body json"))
    assert at == 24 * 60 // 100
    assert [line.split()[-1] for line in lines[at + 1 : at + 5]] == ["{", '"A-1009",', "2", "}"]
    pane.navigate("down")
    assert "plain words" in "\n".join(screen(pane, 80, 24))
    pane.peek.toggle()
    assert "plain words" not in "\n".join(screen(pane, 80, 24))


def test_it_stands_beside_on_wide_screens(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://h/1", response_body=b"plain words"))
    pane.peek.toggle()
    lines = screen(pane, 200, 10)
    assert "|-- peek: 1 response body" in lines[0]
    assert lines[0].index("|-- peek") == 120
    assert lines[1].endswith("plain words")
    assert pane.get_cursor_coords((200, 10)) == (0, 1)


def test_small_panes_show_the_rows_alone(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://h/1"))
    pane.peek.toggle()
    assert not any("peek" in line for line in screen(pane, 80, 7))


def test_it_is_resized_by_keys_and_by_the_mouse(console: FakeConsole, pane: FlowList) -> None:
    console.add(*(http_flow(f"http://h/{number}") for number in range(30)))
    size = (80, 20)

    def divider() -> int:
        return next(index for index, line in enumerate(screen(pane, *size)) if line.startswith("-- peek"))

    assert not pane.resize(5)
    pane.peek.toggle()
    assert divider() == 12
    assert pane.resize(-10)
    assert divider() == 10
    assert pane.clicked(size, 1, 5, 10)
    pane.dragged(size, 5, 15)
    assert divider() == 15
    focus = console.view.focus_id
    assert pane.clicked(size, 1, 5, 17)  # in the text: nothing is focused by it
    pane.dragged(size, 5, 3)
    assert (divider(), console.view.focus_id) == (15, focus)


def test_the_wheel_scrolls_the_text_over_it(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://h/1", response_body=b"\n".join(b"line %d" % n for n in range(100))))
    pane.peek.toggle()
    size = (80, 20)
    assert "line 0" in "\n".join(screen(pane, *size))
    assert pane.clicked(size, 5, 5, 15)
    text = "\n".join(screen(pane, *size))
    assert "line 0" not in text
    assert "line 3" in text


@pytest.mark.parametrize("flow", [websocket_flow((True, b"hello")), tcp_flow((True, b"hello")), dns_flow()], ids=str)
def test_other_kinds_of_flows(console: FakeConsole, pane: FlowList, flow: object) -> None:
    console.add(flow)  # type: ignore[arg-type]
    pane.peek.toggle()
    text = "\n".join(screen(pane, 100, 20))
    assert "peek: 1" in text
    assert "hello" in text or "dns.example" in text


def test_a_large_body_costs_no_more_than_a_small_one(console: FakeConsole, pane: FlowList) -> None:
    body = json.dumps([{"name": "x" * 50, "n": n} for n in range(200_000)]).encode()
    assert len(body) > 10_000_000
    console.add(http_flow("http://h/1", response_body=body, response_headers=JSON), http_flow("http://h/2"))
    pane.peek.toggle()
    took = []
    for move in ("start", "end", "start", "end", "start"):
        pane.navigate(move)
        with no_collection():
            start = time.thread_time()
            screen(pane, 120, 30)
            took.append(time.thread_time() - start)
    judge(min(took[0::2]), 0.05, "a frame")
    assert "its first 16k" in "\n".join(screen(pane, 120, 30))


def test_hostile_bodies_and_types(console: FakeConsole, pane: FlowList) -> None:
    for text in TEXTS:
        data = text.encode("utf-8", "surrogatepass")
        console.add(http_flow(response_body=data, response_headers=((b"Content-Type", data),)))
    pane.peek.toggle()
    for _ in TEXTS:
        for width in WIDTHS:
            assert_clean(pane.render((width, 20), True), width)
        pane.navigate("down")
