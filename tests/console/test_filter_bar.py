"""The filter bar and its box: completion with values that were seen, carets, names, filters that are off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console import filter_names
from midstream.console.completion_filter import SeenValues, complete_filter
from midstream.filters import FilterError, parse
from midstream.flows.errors import CommandError, OptionsError
from midstream.store.view import View
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.hostile import TEXTS, assert_clean


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Shown]:
    async with shown_console(tmp_path) as shown:
        for url, method in (
            ("http://api.example/1", "GET"),
            ("http://api.example/2", "POST"),
            ("http://cdn.example/app.js", "GET"),
        ):
            shown.view.add(http_flow(url, method))
        yield shown


def text(shown: Shown) -> str:
    assert shown.console.active_prompt is not None
    return shown.console.active_prompt.edit.text


# --- completion ---


async def test_operators_are_offered_with_their_meaning(shown: Shown) -> None:
    shown.press("f", "~ma")
    assert "| ~marker   the mark matches, like :dog:" in shown.text
    shown.press("tab")
    assert text(shown) == "~marke"
    shown.press("tab", "tab")
    assert text(shown) == "~marker "


async def test_values_that_were_seen_are_offered_with_their_number(shown: Shown) -> None:
    shown.press("f", "~d ex")
    assert "| api.example  2 flows" in shown.text
    assert "| cdn.example  1 flow " in shown.text
    shown.press("tab")
    assert text(shown) == "~d api.example"
    shown.press("tab")
    assert text(shown) == "~d cdn.example"


async def test_an_offer_is_in_nobodys_way(shown: Shown) -> None:
    shown.press("f", "~d ex")
    shown.press("esc")
    assert shown.console.active_prompt is None, "one esc leaves the bar"
    shown.press("f", "~d api.example", "enter")
    assert shown.options.view_filter == "~d api.example"


@pytest.mark.parametrize(
    ("before", "choices"),
    [
        ("~m ", ["GET", "POST"]),
        ("~m p", ["POST"]),
        ("~c ", ["200"]),
        ("!~t ", ["text/plain"]),
        ('~d "cdn', ["cdn.example"]),
        ("(~m GET | ~d api", ["api.example"]),
        ("~u ap", []),
        ("~mark", ["~marked", "~marker "]),
        ("@a", ["@api"]),
        ("x", []),
    ],
)
async def test_what_may_follow(shown: Shown, before: str, choices: list[str]) -> None:
    found = complete_filter(before, {"api": "~d api", "other": "~s"}, SeenValues(shown.view))
    assert found.choices == choices


async def test_values_are_completed_in_commands_and_options_too(shown: Shown) -> None:
    shown.press(":", "flow.mark '~d api.", "tab")
    assert text(shown) == 'flow.mark "~d api.example" '
    shown.press("esc", "esc", "i", "~d cd", "tab")
    assert text(shown).startswith("~d cdn.example")


def test_an_empty_bar_offers_everything() -> None:
    found = complete_filter("~s & ", {"api": "~d api"}, SeenValues(View()))
    assert {"~all", "~d ", "@api"} <= set(found.choices)


@given(st.text("~dmc @\"'()&|! x\\", max_size=15))
def test_any_text_may_be_completed(before: str) -> None:
    view = View()
    view.add(http_flow("http://shop.example/"))
    found = complete_filter(before, {"x": "~s"}, SeenValues(view))
    assert 0 <= found.start <= found.end == len(before)


async def test_values_can_be_used_as_they_are_written() -> None:
    view = View()
    flow = http_flow("http://shop.example/", response_headers=((b"Content-Type", b"image/svg+xml"),))
    view.add(flow)
    (choice,) = complete_filter("~ts svg", {}, SeenValues(view)).choices
    assert parse(f"~ts {choice}")(flow)


# --- what is wrong ---


async def test_a_caret_stands_below_what_is_wrong(shown: Shown) -> None:
    shown.press("f", "~d api & (~m POST")
    await shown.until_shown("is not closed")
    assert 'column 10: "(" is not closed' in shown.prompt_line
    assert shown.lines[-2].index("^") == shown.prompt_line.index("(")
    shown.press("esc")
    assert "^" not in shown.lines[-2]


async def test_a_caret_is_right_with_wide_and_hostile_text(shown: Shown) -> None:
    shown.press("f")
    shown.paste("日本\u202e\x1b (")
    await shown.until_shown("is not closed")
    assert shown.lines[-2].rstrip().endswith("^")


async def test_a_command_that_fails_stays_with_the_reason(shown: Shown) -> None:
    shown.press(":", "flow.mark @all nothing", "enter")
    assert shown.console.active_prompt is not None
    assert text(shown) == "flow.mark @all nothing"
    assert "nothing" in shown.prompt_line
    shown.press("esc", ":", "up")
    assert text(shown) == "flow.mark @all nothing", "it can be put right later"


@pytest.mark.parametrize(
    ("line", "reason", "column"),
    [
        ("flow.mrk @all", "there is no command 'flow.mrk'; did you mean 'flow.mark'?", 1),
        ("flow.resume @nobody ", "there is no @nobody", 13),
        ("flow.resume ~x ", "~x is no operator", 13),
        ("view.focus.next x ", "nothing more is expected here", 17),
    ],
)
async def test_what_is_wrong_with_a_command_is_said_while_it_is_typed(
    shown: Shown, line: str, reason: str, column: int
) -> None:
    shown.press(":", line)
    assert reason in shown.prompt_line
    label = len(" : ")
    assert shown.lines[-2].index("^") == label + column - 1


async def test_a_command_that_is_right_says_what_it_does_and_to_how_many(shown: Shown) -> None:
    shown.press(":", "flow.mark @all ")
    await shown.until_shown("-> 3 flows")


# --- names ---


async def test_a_filter_is_named_and_used_by_its_name(shown: Shown) -> None:
    shown.press("f", "~d api", "enter", ":", "console.filter.save api", "enter")
    assert shown.options.console_filters == ["api: ~d api"]
    shown.press("backspace", "f", "@api & ~m POST")
    await shown.until(lambda: len(shown.view.shown) == 1)
    shown.press("enter")
    assert shown.options.view_filter == "~d api & ~m POST", "in full: everyone understands it"
    assert "> @api & ~m POST" in shown.prompt_line, "as it was typed"


async def test_what_is_typed_is_kept_with_a_name_by_one_key(shown: Shown) -> None:
    shown.press("f", "~m POST", "enter", "f", "~d api")
    assert "alt s keep with a name" in shown.text
    shown.press("meta s")
    assert "a name for ~d api:" in shown.prompt_line
    shown.press("a b", "enter")
    assert "'a b' is no name for a filter" in shown.text
    shown.press("ctrl u", "api", "enter")
    assert shown.options.console_filters == ["api: ~d api"]
    assert "@api is ~d api; `, f` lists it" in shown.prompt_line
    shown.press("esc")
    assert "> ~m POST" in shown.prompt_line
    assert "> @api" in shown.prompt_line
    assert shown.options.view_filter == "(~m POST) & (~d api)"


async def test_the_only_name_is_offered_while_it_is_typed(shown: Shown) -> None:
    shown.options.console_filters = ["some: ~d api"]
    shown.press("f", "@")
    assert "@some  ~d api" in shown.text
    shown.press("tab", "enter")
    assert shown.console.breadcrumbs.texts == ["@some"]


async def test_a_filter_that_is_none_gets_no_name(shown: Shown) -> None:
    shown.press("f", "(~m", "meta s")
    assert "is not closed" in shown.prompt_line or "needs" in shown.prompt_line
    shown.press("ctrl u", "meta s")
    assert "filter:" in shown.prompt_line, "nothing was typed: nothing happens"


async def test_backspace_drops_the_filters_and_then_that_only_marked_flows_are_shown(shown: Shown) -> None:
    for path in ("cart", "login"):
        shown.view.add(http_flow(f"http://shop.example/{path}"))
    shown.press("home", "m", "M", "f", "~u login", "enter")
    assert "none of them passes the filter" in shown.text
    shown.press("backspace")
    assert len(shown.view.shown) == 1
    shown.press("backspace")
    assert not shown.view.marked_only
    shown.press("backspace")
    assert "backspace: no filter is set" in shown.text


async def test_the_menu_names_what_holds(shown: Shown) -> None:
    shown.press(",")
    assert "Name the filter - no filter is set" in shown.text
    shown.press("n")
    assert "no filter is set" in shown.text
    shown.press("f", "~d api", "enter", ",", "n", "loop", "enter")
    assert shown.console.breadcrumbs.texts == ["@loop"]
    shown.press("f", "@loop & ~q", "meta s", "loop", "enter")
    assert "the filter named loop: " in shown.prompt_line
    assert shown.options.console_filters == ["loop: ~d api"]


async def test_a_named_filter_that_changes_changes_the_list(shown: Shown) -> None:
    shown.options.console_filters = ["some: ~d api"]
    shown.press("f", "@some", "enter")
    assert len(shown.view.shown) == 2
    shown.options.console_filters = ["some: ~d cdn"]
    assert len(shown.view.shown) == 1
    shown.options.console_filters = []
    assert shown.console.breadcrumbs.texts == ["~d cdn"], "what it was when it was forgotten"
    assert len(shown.view.shown) == 1


@pytest.mark.parametrize(
    ("filter_", "reason"),
    [
        ("@apj", "column 1: there is no filter named apj; did you mean 'api'? (to search for it, put it in quotes)"),
        ("~s & @loop", "column 6: the filter named loop: the filter named loop is made of itself"),
        ("@bad", "column 1: the filter named bad: ~d needs a regex after it"),
    ],
)
def test_names_that_do_not_work(filter_: str, reason: str) -> None:
    with pytest.raises(FilterError, match=re.escape(reason)) as caught:
        parse(filter_, {"api": "~d api", "loop": "@loop | ~s", "bad": "~d"})
    assert str(caught.value) == reason


def test_what_looks_like_a_name_and_is_none() -> None:
    assert str(parse("img@2x", {"2x": "~s"}).node) == "~u img@2x"
    assert str(parse("@2x", {}).node) == "~u @2x"
    assert str(parse('"@api"', {"api": "~s"}).node) == "~u @api"
    assert str(parse("@api").node) == "~u @api", "without names, as before"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["~d api"], "'~d api' is no named filter; write `name: filter`"),
        (["a b: ~s"], "is no named filter"),
        (["a: ~s", "a: ~q"], "there are two filters named a"),
        (["a: ~x"], "the filter named a: column 1: ~x is no operator"),
        (["a: @b", "b: @a"], "is made of itself"),
    ],
)
async def test_a_wrong_option_is_refused(shown: Shown, lines: list[str], reason: str) -> None:
    with pytest.raises(OptionsError, match=re.escape(reason)):
        shown.options.console_filters = lines
    assert shown.options.console_filters == []


async def test_a_name_that_another_filter_needs_is_not_forgotten(shown: Shown) -> None:
    shown.options.console_filters = ["a: ~s", "b: @a & ~m GET"]
    with pytest.raises(OptionsError):
        filter_names.forget(shown.options, "a")
    filter_names.forget(shown.options, "b")
    with pytest.raises(CommandError, match="there is no filter named 'b'"):
        filter_names.forget(shown.options, "b")


# --- on and off ---


async def test_all_filters_are_switched_off_and_on(shown: Shown) -> None:
    shown.press("f", "~d api", "enter", "f", "~m POST", "enter")
    assert len(shown.view.shown) == 1
    shown.press("meta f")
    assert len(shown.view.shown) == 3
    assert "the filters are off" in shown.text
    assert shown.options.view_filter is None
    shown.press("j")
    assert "> off(~d api) > off(~m POST)" in shown.prompt_line
    shown.press("meta f")
    assert len(shown.view.shown) == 1


async def test_the_box_switches_edits_drops_and_names(shown: Shown) -> None:
    shown.options.console_filters = ["cdn: ~d cdn"]
    shown.press("f", "~d api", "enter", ",", "f")
    assert "- filters" in shown.text
    assert "1 on   ~d api" in shown.text
    assert "2 off  @cdn  ~d cdn" in shown.text
    shown.press("1")
    assert "1 off  ~d api" in shown.text
    assert len(shown.view.shown) == 3
    shown.press("down", " ")
    assert shown.console.breadcrumbs.texts == ["~d api", "@cdn"]
    assert len(shown.view.shown) == 1
    shown.press("home", "e", " & ~m POST", "enter")
    assert shown.console.breadcrumbs.texts == ["~d api & ~m POST", "@cdn"]
    shown.press(",", "f", "home", "d", "s", "web", "enter")
    assert shown.console.breadcrumbs.texts == ["@cdn"]
    assert shown.options.console_filters == ["cdn: ~d cdn", "web: @cdn"]


async def test_a_filter_without_a_name_stays_in_the_prompt(shown: Shown) -> None:
    shown.press("f", "~d api", "enter", ",", "f", "s", "no name", "enter")
    assert shown.console.active_prompt is not None
    assert "is no name for a filter" in shown.prompt_line


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("size", [16, 32])
async def test_hostile_filters_are_painted_clean(tmp_path: Path, columns: int, size: int) -> None:
    async with shown_console(tmp_path, columns, size) as shown:
        for hostile in TEXTS:
            shown.press("f")
            shown.paste(f"~u '{hostile}")
            await shown.until(lambda: shown.console.active_prompt)
            shown.console.terminal.paint()
            assert shown.screen.canvas is not None
            assert_clean(shown.screen.canvas, columns)
            shown.press("ctrl r", "x", "esc", "esc")
            shown.press("/")
            shown.paste(hostile)
            shown.console.terminal.paint()
            assert_clean(shown.screen.canvas, columns)
            shown.press("esc")


# --- history and editing ---


async def test_what_was_used_before_is_found_by_a_few_letters(shown: Shown) -> None:
    for line in ("~d api", "~m POST", "~d cdn & ~m GET"):
        shown.press("f", line, "enter")
    shown.press("f", "ctrl r", "dapi")
    assert "~d api" in shown.prompt_line
    shown.press("ctrl u", "~")
    assert "1 of 3" in shown.prompt_line
    shown.press("down", "enter")
    assert text(shown) == "~m POST"
    shown.press("ctrl r", "nowhere")
    assert "none has that" in shown.prompt_line
    shown.press("esc")
    assert text(shown) == "~m POST", "as it was"


async def test_alt_enter_begins_another_line_and_a_paste_does_not(shown: Shown) -> None:
    shown.press(":", "flow.comment", "meta enter")
    assert text(shown) == "flow.comment\n"
    shown.paste("a\r\nb\n")
    assert text(shown) == "flow.comment\na b "
