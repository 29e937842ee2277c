"""The status bar: what it says, in which order, what gives way, what a click does, and that a frame costs little."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream.console import status, status_items
from midstream.console.status_items import ITEMS, check
from midstream.console.widgets.canvas import line_width, paint
from midstream.hub.jobs import Job
from tests.console.masters import shown_console
from tests.kit.captured import http_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import judge, no_collection


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path / ".midstream") as opened:
        yield opened


def bar(shown, columns: int = 200) -> str:
    runs, _ = status.status_bar(shown.console, columns)
    assert line_width(runs) == columns
    return "".join(text for _, text in runs).strip()


async def test_position_marks_and_holds(shown):
    assert bar(shown) == "0/0"
    flows = [http_flow(f"http://h/{number}") for number in range(1200)]
    flows[3].marked = ":default:"
    for flow in flows:
        shown.view.add(flow)
    shown.view.set_focus(flows[1100].id)
    flows[1].live = True
    flows[1].intercept()
    shown.view.update(flows[1])
    assert bar(shown).startswith("1,101/1,200   *1   ‖1")
    shown.options.update(intercept="~m POST")
    assert "i:~m POST" in bar(shown)
    shown.options.update(intercept_active=False)
    assert "I off:~m POST" in bar(shown)
    shown.view.show_marked(True)
    assert "*1 only" in bar(shown)


async def test_what_does_not_fit_gives_way_from_the_right(shown):
    shown.options.update(intercept="~m POST", view_order="size")
    whole = bar(shown)
    for columns in range(200, 5, -1):
        assert whole.startswith(bar(shown, columns))
    assert bar(shown, 10) == "0/0"


async def test_items_and_their_order_are_an_option(shown):
    shown.options.update(intercept="~q", view_order="url", console_status=["order", "position"])
    assert bar(shown) == "↓ url   0/0"
    assert "there are position, marks" in refusal("nonsense")
    assert refusal("mark").endswith("did you mean 'marks'?")
    assert list(shown.options.option("console_status").default) == list(ITEMS)


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match="the status bar has no item") as info:
        check(text)
    return str(info.value)


async def test_jobs_undo_and_rates(shown):
    with shown.console.master.jobs.begun("loading shop.flows") as job:
        job.report(0.41)
        assert "loading shop.flows 41%" in bar(shown)
    tally = shown.console.tally
    tally.per_second.extend([1, 2, 3, 212, 212])
    tally.bytes_per_second.extend([1_900_000] * 5)
    assert "86/s 1.8m/s" in bar(shown)
    shown.view.add(http_flow())
    shown.press("m")
    assert "undo 1" in bar(shown) or "undo" not in shown.console.master.commands.commands


async def test_bytes_are_those_that_came_since(shown):
    flow = http_flow(status=None, live=True)
    shown.view.add(flow)
    flow.response = http_flow(response_body=b"x" * 5000).response
    shown.view.update(flow)
    shown.view.update(flow)
    tally = shown.console.tally
    tally._second -= 1
    tally.roll()
    assert sum(tally.bytes_per_second) == 5000  # of whichever second: another may have begun meanwhile
    assert not tally.in_flight


async def test_a_click_runs_what_the_item_stands_for(shown):
    shown.options.update(intercept="~m POST")
    row = shown.lines.index(next(line for line in shown.lines if "i:~m POST" in line))
    column = shown.lines[row].index("i:~m")
    shown.console.layout.click((120, 32), 1, column, row)
    assert shown.options.intercept_active is False


async def test_every_command_of_a_click_is_one(shown):
    text = Path(status_items.__file__).read_text()
    commands = shown.console.master.commands.commands
    for name in ("console.nav.end", "console.view.flows", "view.properties.marked.toggle", "console.view.eventlog"):
        assert name in text
        assert name in commands


async def test_hostile_values(shown):
    for text in TEXTS:
        shown.console.master.jobs.running[:] = [Job(shown.console.master.jobs, text)]
        for columns in WIDTHS:
            runs, _ = status.status_bar(shown.console, columns)
            assert_clean(paint([runs], columns, 1), columns)
    shown.console.master.jobs.running.clear()


async def test_a_frame_costs_the_same_with_many_flows(shown):
    def cost() -> float:
        best = 1.0
        with no_collection():
            for _ in range(20):
                start = time.thread_time()
                status.status_bar(shown.console, 120)
                best = min(best, time.thread_time() - start)
        return best

    shown.view.add(http_flow())
    before = cost()
    for number in range(20_000):
        shown.view.add(http_flow(f"http://h/{number}"))
    judge(cost(), before * 5 + 0.001, "a status bar")


async def test_tabs_that_do_not_fit_are_numbers(shown):
    def tabs(columns: int) -> str:
        runs, places = status.tab_bar(shown.console, columns)
        text = "".join(text for _, text in runs)
        assert [text[first : last + 1].split()[0] for first, last, _ in places] == [n for n, _ in status.TABS]
        return text

    assert "6 log" in tabs(120)
    narrow = tabs(50)
    assert "1 flows" in narrow
    assert "6 log" not in narrow
    assert len(narrow) <= 50


async def test_the_tab_bar_says_where_clients_can_connect(shown):
    master = shown.console.master
    addresses: list[tuple[str, int]] = []

    class ProxyServer:
        name = "proxyserver"

        def load(self, loader):
            loader.add_option("mode", Sequence[str], ["regular"], "Modes.")
            loader.add_option("server", bool, True, "Listen.")

        def listen_addrs(self):
            return addresses

    master.addons.add(ProxyServer())
    assert status.where(shown.console) == ("regular", "not listening")
    addresses += [("0.0.0.0", 8080), ("::", 8080)]
    assert status.where(shown.console) == ("regular", ":8080")
    assert shown.lines[0].endswith("midstream  regular :8080")
    for columns, said in ((100, "midstream  regular :8080"), (80, "regular :8080"), (70, ":8080"), (66, "")):
        row = "".join(text for _, text in status.tab_bar(shown.console, columns)[0])
        assert len(row) <= columns
        assert row.partition("6 log")[2].strip() == said
    shown.options.update(mode=["regular@8081"])
    addresses[:] = [("127.0.0.1", 8081), ("::1", 8081)]
    assert status.where(shown.console) == ("regular", "127.0.0.1:8081 [::1]:8081")
    shown.options.update(mode=["regular", "reverse:http://example.com@81"])
    assert status.where(shown.console)[0] == "2 modes"
    addresses[:] = [("", port) for port in range(8081, 8085)]
    assert "".join(text for _, text in status.tab_bar(shown.console, 78)[0]).endswith(" 2 modes ")
    shown.options.update(mode=["reverse:http://example.com@81"])
    assert status.where(shown.console)[0] == "reverse:http://example.com"
    shown.options.update(server=False)
    assert status.where(shown.console) == ("", "not listening")


async def test_answers_from_saved_flows_that_are_not_refreshed(shown):
    shown.options.update(server_replay_refresh=False)
    assert "no server_replay_refresh" in bar(shown)
