"""`/` in every pane: hits while one types, counts, hops, and back; through bodies of all flows, with the worker."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.console import search, search_body, search_flows
from midstream.console.finder import finder
from midstream.console.panes.keys import KeysPane
from midstream.console.panes.list_pane import ListPane
from midstream.console.panes.options import OptionsPane
from midstream.console.prompt_search import as_filter
from midstream.console.widgets.canvas import line_width, mark
from midstream.filters import parse
from midstream.flows.flow import Flow
from midstream.work.slices import Budget
from tests.console.masters import Shown, shown_console
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.stopwatch import within


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Shown]:
    async with shown_console(tmp_path) as shown:
        yield shown


def add(shown: Shown, *paths: str) -> list[Flow]:
    flows = [http_flow(f"http://shop.example/{path}") for path in paths]
    for flow in flows:
        shown.view.add(flow)
    return flows


def at(shown: Shown) -> str:
    assert shown.view.focus_id is not None
    return shown.view.row(shown.view.focus_id).path


# --- rows ---


async def test_the_list_goes_to_the_first_hit_as_one_types_and_esc_goes_back(shown: Shown) -> None:
    add(shown, "first", "cart", "care", "cart/2")
    shown.press("/", "ca")
    assert at(shown) == "/cart"
    await shown.until_shown("1 of 3")
    shown.press("re")
    assert at(shown) == "/care"
    await shown.until_shown("1 of 1")
    shown.press("x")
    assert at(shown) == "/first", "where the search began"
    assert "not found" in shown.prompt_line
    shown.press("backspace")
    assert at(shown) == "/care"
    shown.press("esc")
    assert at(shown) == "/first"
    assert not shown.console.search.pattern


async def test_n_and_N_hop_and_say_where_they_are(shown: Shown) -> None:
    add(shown, "first", "cart/1", "other", "cart/2", "cart/3")
    shown.press("/", "cart", "enter")
    await shown.until_shown("/cart   1 of 3")
    shown.press("n")
    await shown.until_shown("/cart   2 of 3")
    assert at(shown) == "/cart/2"
    for key, said in (("n", "/cart   3 of 3"), ("n", "/cart   1 of 3   from the start again")):
        shown.press(key)
        await shown.until_shown(said)
    assert at(shown) == "/cart/1"
    shown.press("N")
    await shown.until_shown("/cart   3 of 3   from the end again")


async def test_what_was_found_stays_found_though_the_time_ran_out_at_the_end(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SpentAfter(Budget):
        """Lets one piece of work be done at once, and no more."""

        left = 1

        def spent(self) -> bool:
            self.left -= 1
            return self.left < 0

    add(shown, "cart", "other")
    monkeypatch.setattr(search, "Budget", SpentAfter)
    before = asyncio.all_tasks()
    shown.press("/", "cart", "enter")
    await shown.until(lambda: asyncio.all_tasks() <= before)
    await shown.until_shown("/cart   1 of 1")


async def test_the_only_hit_is_no_new_round(shown: Shown) -> None:
    add(shown, "cart", "other")
    shown.press("/", "cart", "enter", "n")
    assert "again" not in shown.text
    await shown.until_shown("/cart   1 of 1")


async def test_an_empty_search_ends_it(shown: Shown) -> None:
    add(shown, "cart")
    shown.press("/", "cart", "enter", "/", "enter")
    assert not shown.console.search.pattern
    shown.press("n")
    assert "nothing was searched for" in shown.text


async def test_esc_in_the_list_unmarks_what_was_found(shown: Shown) -> None:
    add(shown, "cart", "other")
    shown.press("/", "cart", "enter", "esc")
    assert not shown.console.search.pattern
    shown.press("/", "up")
    assert "/ cart" in shown.prompt_line


async def test_a_search_that_begins_in_another_is_not_given_up_with_it(shown: Shown) -> None:
    add(shown, "first", "cart", "other")
    shown.press("/", "ca")
    shown.console.prompt("/", kind="search")
    shown.press("other")
    assert at(shown) == "/other"
    shown.press("esc")
    assert at(shown) == "/cart", "where the second one began"


async def test_expressions_and_smart_case(shown: Shown) -> None:
    add(shown, "x", "Cart/17", "cart/1")
    shown.press("/", r"cart/\d\d", "enter")
    assert at(shown) == "/Cart/17"
    shown.press("/", "Cart", "enter")
    await shown.until_shown("1 of 1")
    shown.press("/", "cart/(", "esc")
    shown.press("/", "(")
    assert "no regular expression: found as it stands" in shown.prompt_line or "not found" in shown.prompt_line


async def test_other_panes_count_and_go_back_too(shown: Shown) -> None:
    shown.press("?")
    pane = shown.console.focused_pane
    before = pane.search_place()
    shown.press("/", "traceback")
    await shown.until_shown("1 of ")
    assert pane.search_place() != before
    shown.press("esc")
    assert pane.search_place() == before
    shown.press("/", "traceback", "enter", "n")
    await shown.until_shown("/traceback   2 of ")


async def test_a_list_of_options_shows_only_what_was_found_until_esc(shown: Shown) -> None:
    shown.press("O", "j", "j")
    pane = shown.console.focused_pane
    assert isinstance(pane, OptionsPane)
    before, every = pane.focused_option, pane.row_count()
    shown.press("/", "intercept_a")
    assert pane.focused_option == "intercept_active"
    assert f"1 of {every}" in shown.prompt_line
    assert "anticache" not in shown.text
    shown.press("esc")
    assert (pane.focused_option, pane.row_count()) == (before, every), "as if nothing had been typed"
    shown.press("/", "intercept", "enter")
    assert pane.focused_option == "intercept", "names that begin with it come first"
    assert f"find: intercept  {pane.row_count()} of {every}" in shown.text
    shown.press("n")
    assert pane.focused_option == "intercept_active"
    shown.press("esc")
    assert (pane.focused_option, pane.row_count()) == ("intercept_active", every), "the focus is where it was"
    shown.press("/", "no such thing", "enter")
    assert pane.row_count() == every, "nothing is no list to look at"
    assert "not found: no such thing" in shown.text


@pytest.mark.parametrize("key", ["C", "K"])
async def test_commands_and_keys_are_narrowed_too_and_whole_when_they_are_opened(shown: Shown, key: str) -> None:
    shown.press(key)
    pane = shown.console.focused_pane
    assert isinstance(pane, ListPane)
    every = pane.row_count()
    shown.press("/", "export", "enter")
    left = pane.row_count()
    assert 0 < left < every
    assert all("export" in pane.row_text(at).lower() for at in range(left))
    shown.press("/", "curl")
    assert 0 < pane.row_count() < every, "another search looks at all of them"
    shown.press("esc")
    assert pane.row_count() == left, "what was there before"
    shown.press("q", key)
    assert pane.row_count() == every


async def test_finding_a_key_shows_all_of_them_again(shown: Shown) -> None:
    shown.press("K")
    pane = shown.console.focused_pane
    assert isinstance(pane, KeysPane)
    shown.press("/", "export", "enter", "\\", "u")
    assert pane.focused_binding is not None
    assert pane.focused_binding.keys == ("u",)


async def test_an_expression_that_backtracks_says_so(shown: Shown) -> None:
    add(shown, "a" * 1900 + "b", "x")
    with within(2):
        shown.press("/", "(a|aa)+$", "enter")
    assert "takes too long here" in shown.text


async def test_a_search_in_very_many_rows_goes_on_beside(shown: Shown) -> None:
    add(shown, *(f"item/{number}" for number in range(5000)))
    shown.press("/", "item/4999$|item/7$", "enter")
    await shown.until_shown("1 of 2")
    shown.press("n")
    await shown.until_shown("2 of 2")
    assert at(shown) == "/item/4999"


def test_hits_are_marked_over_the_borders_of_runs() -> None:
    runs = [("a", "one ca"), ("b", "rt two cart"), ("c", "")]
    marked = mark(runs, finder("cart"), "match")
    assert marked == [("a", "one "), ("match", "ca"), ("match", "rt"), ("b", " two "), ("match", "cart")]
    assert line_width(marked) == line_width(runs)
    assert mark(runs, finder("nothing"), "match") == runs


# --- bodies ---


def holding(shown: Shown) -> list[Flow]:
    """A flow of each kind that has `needle` somewhere, and one that has it nowhere."""
    zipped = http_flow(
        "http://shop.example/zipped",
        response_body=gzip.compress(b"hay " * 20_000 + b"a needle"),
        response_headers=((b"content-encoding", b"gzip"),),
    )
    large = http_flow("http://shop.example/large", "POST", request_body=b"x" * 300_000 + b"Needle")
    head = http_flow("http://shop.example/head", response_headers=((b"x-needle", b"1"),))
    flows = [
        http_flow("http://shop.example/none"),
        http_flow("http://shop.example/plain", response_body=b"the needle"),
        zipped,
        large,
        head,
        websocket_flow((True, b"hay"), (False, b"needle")),
        tcp_flow((True, b"needle")),
        dns_flow("needle.example"),
    ]
    for flow in flows:
        shown.view.add(flow)
    return flows


async def test_bodies_of_all_flows_are_searched_and_hopped_through(shown: Shown) -> None:
    flows = holding(shown)
    shown.press("/", "tab", "needle")
    assert "also in heads and bodies" in shown.prompt_line
    search = shown.console.search.flows
    await shown.until(lambda: len(search.found) == 7, 30)
    await shown.until(lambda: not search.is_running)
    assert search.found[flows[3].id] == "Request"
    assert search.found[flows[2].id] == search.found[flows[4].id] == "Response"
    assert search.found[flows[5].id] == search.found[flows[6].id] == "Messages"
    assert "bodies: 7 flows" in shown.prompt_line
    shown.press("enter")
    stops = set()
    for _ in range(7):
        shown.press("n")
        stops.add(shown.view.focus_id)
    assert stops == {flow.id for flow in flows[1:]}


async def test_a_search_in_bodies_goes_to_the_first_hit_behind_the_place_and_may_be_taken_back(shown: Shown) -> None:
    bodies = (b"hay", b"a needle", b"needles", b"hay", b"the needle")
    flows = [http_flow(f"http://shop.example/{body[0]}", response_body=body) for body in bodies]
    for flow in flows:
        shown.view.add(flow)
    search = shown.console.search.flows
    shown.view.set_focus(flows[0].id)
    shown.press("/", *"needle")
    before = shown.prompt_line
    for _ in range(2):
        shown.press("tab")
        await shown.until(lambda: not search.is_running and len(search.found) == 3, 30)
        await shown.until_shown("1 of 3")
        assert shown.view.focus_id == flows[1].id, "who said it first is the question, not who said it last"
        shown.press("tab")
        await shown.until(lambda: shown.prompt_line == before)
        assert shown.view.focus_id == flows[0].id
        assert not search.found


async def test_a_hop_goes_on_with_flows_that_have_come_since(shown: Shown) -> None:
    holding(shown)
    growing = http_flow("http://shop.example/growing", response_body=b"hay", live=True)
    shown.view.add(growing)
    search = shown.console.search.flows
    shown.press("/", "tab", "needle", "enter")
    await shown.until(lambda: not search.is_running and len(search.found) == 7, 30)
    assert growing.response is not None
    growing.response.content = b"hay, and a needle"
    growing.live = False
    shown.view.update(growing)
    late, other = (http_flow("http://shop.example/late", response_body=body.encode()) for body in ("needle", "hay"))
    shown.view.add(late)
    shown.view.add(other)
    shown.press("n")
    await shown.until(lambda: not search.is_running and len(search.found) == 9, 30)
    assert {growing.id, late.id} <= set(search.found)
    shown.press("n")
    assert not search.is_running, "nothing has come since"


async def test_opening_what_was_found_shows_where(shown: Shown) -> None:
    flows = holding(shown)
    shown.press("/", "tab", "needle", "enter")
    await shown.until(lambda: not shown.console.search.flows.is_running and shown.console.search.flows.found, 30)
    shown.view.set_focus(flows[3].id)
    shown.press("enter")
    assert shown.console.shown_name == "detail"
    assert getattr(shown.console.pane, "tab") == "Request"  # noqa: B009 - a Detail


async def test_a_search_in_bodies_is_a_job_and_esc_stops_it(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shown, *map(str, range(2000)))
    shown.press("/", "tab", "needle", "enter")
    search = shown.console.search.flows
    assert search.is_running
    await shown.until(lambda: shown.console.master.jobs.running)
    shown.press("esc")
    assert not search.is_running
    assert "the search in bodies was stopped" in shown.text
    await shown.until(lambda: not shown.console.master.jobs.running)


async def test_esc_in_the_prompt_forgets_what_was_found(shown: Shown) -> None:
    holding(shown)
    shown.press("/", "tab", "needle")
    await shown.until(lambda: shown.console.search.flows.found)
    shown.press("esc")
    shown.press("/", "other", "enter")
    assert not shown.console.search.flows.found


async def test_an_expression_that_backtracks_in_bodies_is_given_up_and_named(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_body, "SECONDS", 0.05)
    monkeypatch.setattr(search_flows, "_GRACE", 30.0)
    for number in range(6):
        shown.view.add(http_flow(f"http://shop.example/{number}", response_body=b"a" * 5000 + b"b"))
    shown.press("/", "tab", "(a|aa)+$")
    await shown.until(lambda: shown.console.search.flows.problem, 60)
    await shown.until_shown("the regular expression '(a|aa)+$' takes too long")
    assert not shown.console.search.flows.is_running


def test_a_body_in_the_worker() -> None:
    assert search_body.holds(gzip.compress(b"a needle"), "gzip", "needle") is True
    assert search_body.holds(b"no gzip, a needle", "gzip", "needle") is True, "as it came"
    assert search_body.holds(b"hay", "", "needle") is False


async def test_the_command_searches_flows_and_what_is_found_becomes_a_filter(shown: Shown) -> None:
    holding(shown)
    shown.console.run_command("console.search.flows needle")
    await shown.until(lambda: len(shown.console.search.flows.found) == 7, 30)
    shown.console.run_command("console.search.filter")
    assert shown.prompt_line.startswith(" filter: ~u needle | ~h needle | ~b needle")
    await shown.until(lambda: len(shown.view.shown) == 7)


async def test_what_is_typed_becomes_a_filter(shown: Shown) -> None:
    add(shown, "cart", "other")
    shown.press("/", "cart", "meta enter")
    assert shown.prompt_line.startswith(" filter: ~u cart")
    await shown.until(lambda: len(shown.view.shown) == 1)


def test_any_pattern_makes_a_filter() -> None:
    for pattern in ("cart", 'a "b" c', "(a|b)", "\\d+ x", "a~b"):
        parse(as_filter(pattern, True))
