from __future__ import annotations

from pathlib import Path

import pytest

from midstream.console.panes.compare import Compare
from tests.console.masters import Shown, shown_console
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
async def shown(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        yield shown


def two_carts(shown: Shown) -> list:
    flows = [
        http_flow(
            f"http://api.example/cart?page={page}",
            "POST",
            request_headers=((b"Accept", b"*/*"), (b"x-only-here" if page == 1 else b"X-Debug", b"1")),
            request_body=b'{"sku": "A-%d", "qty": 2}' % page,
            response_body=b"one\nline %d\nthree\n" % page,
        )
        for page in (1, 2)
    ]
    for flow in flows:
        shown.view.add(flow)
    return flows


async def settled(shown: Shown) -> list[str]:
    await shown.until(lambda: "comparing bodies" not in shown.text)
    return shown.lines


async def test_the_marked_flow_is_compared_with_the_one_in_focus(shown):
    two_carts(shown)
    shown.press("m", "down", "c")
    assert shown.console.shown_name == "compare"
    lines = await settled(shown)
    text = "\n".join(lines)
    assert "4 differences, only these shown" in text
    (url,) = [line for line in lines if line.startswith("~ url")]
    assert "page=1 " in url
    assert url.rstrip().endswith("page=2")
    assert "- x-only-here" in text
    assert "+ x-debug" in text
    assert '"A-1"' in next(line for line in lines if line.startswith("~ /sku"))
    assert "accept" not in text, "the same on both sides"
    shown.press("d")
    assert "= accept" in shown.text
    assert "= /qty" in shown.text


async def test_tabs_differences_and_sides(shown):
    two_carts(shown)
    shown.press("m", "down", "c", "tab")
    lines = await settled(shown)
    assert "[Response]" in lines[1]
    assert any(line.startswith("~ 2") and "line 1" in line and "line 2" in line for line in lines)
    shown.press("tab")
    await settled(shown)
    pane = shown.console.pane
    assert isinstance(pane, Compare)
    places = []
    for _ in range(5):
        shown.press("n")
        places.append(pane.scroll.focus)
    assert len(set(places)) == 4
    assert places[4] == places[0]
    shown.press("N")
    assert pane.scroll.focus == places[3]
    before = shown.lines[2]
    shown.press("s")
    await settled(shown)
    assert shown.lines[2] != before
    assert shown.lines[2].index("2  POST") < shown.lines[2].index("1  POST")
    shown.press("q")
    assert shown.console.shown_name == "flows"


async def test_narrow_screens_have_one_below_the_other(tmp_path):
    async with shown_console(tmp_path, 80, 24) as shown:
        two_carts(shown)
        shown.press("m", "down", "c")
        lines = await settled(shown)
        at = next(number for number, line in enumerate(lines) if line.startswith("- url"))
        assert lines[at + 1].startswith("+ url")
        shown.press("w")
        assert any(line.startswith("~ url") for line in shown.lines)


async def test_without_a_mark_one_is_chosen_and_two_marks_are_compared(shown):
    first, second = two_carts(shown)
    shown.view.add(http_flow("http://other.example/"))
    shown.press("c")
    assert "compare 1 with" in shown.text
    assert "1 2 POST" in shown.text.replace("*", "").replace("  ", " "), "the most alike comes first"
    shown.press("enter")
    assert shown.console.pane.title() == "compare 2 with 1"
    shown.press("q")
    for flow in (first, second):
        flow.marked = ":default:"
        shown.view.update(flow)
    shown.press("end", "c")
    assert shown.console.pane.title() == "compare 1 with 2"
    shown.press("q")
    shown.run = shown.console.run_command
    shown.run("view.flows.remove @all")
    shown.view.add(http_flow("http://h/"))
    shown.press("c")
    assert "there is no other flow to compare with" in shown.text


async def test_large_bodies_are_compared_elsewhere_and_said_when_they_are_not(shown):
    lines = b"".join(b"line %d\n" % number for number in range(20_000))
    for body in (lines, lines.replace(b"line 777\n", b"other\n")):
        shown.view.add(http_flow("http://h/large", response_body=body))
    shown.press("m", "down", "c", "tab")
    assert "comparing bodies" in shown.text
    await shown.until(lambda: "comparing bodies" not in shown.text, deadline=20)
    assert "1 difference" in shown.text
    assert any(line.startswith("~ 778") and "other" in line for line in shown.lines)


async def test_other_kinds_of_flows_and_a_deleted_one(shown):
    flows = [
        tcp_flow((True, b"hello"), (False, b"you")),
        websocket_flow((True, b"hello")),
        dns_flow("a.example"),
        dns_flow("b.example", answered=False),
        http_flow("http://h/", status=None),
    ]
    for flow in flows:
        shown.view.add(flow)
    pane = shown.console.open_pane("compare")
    assert "compares a flow" in shown.text
    assert isinstance(pane, Compare)
    for left in flows:
        for right in flows:
            pane.compare(left, right)
            for _ in pane.sides():
                await settled(shown)
                shown.press("tab", "n", "d")
    shown.view.remove([flows[-1].id])
    assert "is not there any more" in shown.text


async def test_secrets_are_not_shown(shown):
    two_carts(shown)
    shown.console.master.showing.texts.append(lambda data: data.replace(b"page=", b"hidden="))
    shown.press("m", "down", "c")
    await settled(shown)
    assert "page=" not in shown.lines[2]


@pytest.mark.parametrize("columns", WIDTHS)
async def test_no_text_of_a_flow_reaches_the_terminal(tmp_path, columns):
    async with shown_console(tmp_path, columns, 20) as shown:
        pane = shown.console.open_pane("compare")
        assert isinstance(pane, Compare)
        plain = http_flow("http://h.example/", request_body=b"plain", request_headers=((b"a", b"b"),))
        shown.view.add(plain)
        for text in TEXTS:
            raw = text.encode("utf-8", "surrogateescape" if "\udc80" in text else "surrogatepass")
            flow = http_flow("http://h.example/", request_body=raw, request_headers=((raw, raw), (b"a", raw)))
            flow.request.raw_path, flow.request.raw_method = b"/" + raw, raw[:30]
            shown.view.add(flow)
            pane.compare(plain, flow)
            pane.render((columns, 12), True)
            await shown.until(lambda: not pane._is_waiting)
            for beside in (False, True):
                pane._beside = beside
                pane._arrange()
                for rows in (1, 3, 40):
                    assert_clean(pane.render((columns, rows), True), columns)


async def test_scripts_get_the_differences_as_text(shown):
    first, second = two_carts(shown)
    done = shown.console.master.commands.call("flow.compare", first, second)
    text = await done
    assert "request - url: http://api.example/cart?page=1\nrequest + url: http://api.example/cart?page=2" in text
    assert 'request - /sku: "A-1"' in text
    assert "response + 2: line 2" in text
    assert await shown.console.master.commands.call("flow.compare", first, first) == ""


async def test_what_was_received_against_what_it_is_now(shown):
    (flow, _) = two_carts(shown)
    shown.press("enter", "s")
    assert "s: this flow was not edited" in shown.text
    shown.press(":", "flow.set @focus method PUT", "enter", "s")
    await settled(shown)
    assert shown.console.shown_name == "compare"
    (method,) = [line for line in shown.lines if line.startswith("~ method")]
    assert method.index("POST") < method.index("PUT")
    assert "as received" in shown.text
    assert "1 difference, only these shown" in shown.text
    assert shown.console.focused_flow() is flow
    shown.press("s")
    await settled(shown)
    (method,) = [line for line in shown.lines if line.startswith("~ method")]
    assert method.index("PUT") < method.index("POST"), "swapped"
    assert shown.console.focused_flow() is flow, "@focus is the flow itself, not its past"
    shown.press("q")
    assert shown.console.shown_name == "detail"


async def test_a_flow_that_went_while_it_was_chosen_is_told_and_no_failure(shown, caplog):
    for number in range(3):
        shown.view.add(http_flow(f"http://example.com/{number}"))
    shown.press("g", "c")
    assert shown.console.overlay is not None
    shown.view.clear()
    shown.press("enter")
    assert "one of the two flows is not there any more" in shown.text
    assert not [record for record in caplog.records if record.exc_info]
