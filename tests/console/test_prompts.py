from __future__ import annotations

import pytest

from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path) as shown:
        yield shown


def add(shown: Shown, *urls: str, method: str = "GET") -> None:
    for url in urls:
        shown.view.add(http_flow(url, method))


def prompt_text(shown: Shown) -> str:
    assert shown.console.active_prompt is not None
    return shown.console.active_prompt.edit.text


async def test_line_editing_keys(shown):
    shown.press(":", "flow.mark @focus", "ctrl a", "ctrl k", "ctrl y", "meta b", "ctrl w")
    assert prompt_text(shown) == "flow.mark focus"
    shown.press("ctrl u", "ctrl k", "ab", "ctrl t")
    assert prompt_text(shown) == "ba"


async def test_the_command_prompt_names_what_is_still_to_come(shown):
    shown.press(":", "flow.mark")
    assert "flows marker" in shown.prompt_line
    shown.press(" @all ")
    assert "marker" in shown.prompt_line
    assert "flows marker" not in shown.prompt_line


async def test_tab_completes_commands_options_and_values(shown):
    shown.press(":", "view.order.rev", "tab")
    assert prompt_text(shown) == "view.order.reverse "
    shown.press("ctrl u", "set intercept_a", "tab")
    assert prompt_text(shown) == "set intercept_active "
    shown.press("t", "tab")
    assert prompt_text(shown).startswith("set intercept_active t")
    shown.press("ctrl u", "set console_palette mo", "tab")
    assert prompt_text(shown) == "set console_palette mono "


async def test_several_candidates_are_listed_and_cycled(shown):
    shown.press(":", "view.focus.", "tab")
    assert "| view.focus.go" in shown.text
    shown.press("tab")
    assert prompt_text(shown) == "view.focus.go"
    shown.press("tab")
    assert prompt_text(shown) == "view.focus.next"
    shown.press("shift tab", "shift tab")
    assert prompt_text(shown) == "view.focus.prev"
    shown.press("esc")
    assert "| view.focus.go" not in shown.text
    assert shown.console.active_prompt is not None
    shown.press("esc")
    assert shown.console.active_prompt is None


async def test_a_few_letters_find_a_command_or_an_option(shown):
    shown.press(":", "flmark")
    assert "there is no command" in shown.prompt_line
    shown.press("tab", "tab")
    assert prompt_text(shown).startswith("flow.mark")
    shown.press("esc", "ctrl u", "set intact", "tab", "tab")
    assert prompt_text(shown).startswith("set intercept_active")


async def test_candidates_are_explained(shown):
    shown.press(":", "view.focus.", "tab")
    assert "| view.focus.next  Focus the next row. " in shown.text
    shown.press("esc", "ctrl u", "set intercept", "tab")
    assert "| intercept         Hold the flows that match this filter. " in shown.text
    shown.press("esc", "ctrl u", "flow.mark ~d", "tab")
    assert "| ~d     the host matches" in shown.text
    shown.press("esc", "ctrl u", "flow.mark @all :dog", "tab")
    assert "| :dog:       🐶" in shown.text
    shown.press("esc", "ctrl u", "flow.mark @", "tab")
    assert "| @all       every flow, in order of arrival" in shown.text
    shown.press("esc", "esc", "i", "(~d example & ~hs", "tab")
    assert shown.prompt_line.startswith(" intercept = (~d example & ~hs")
    shown.press("backspace", "backspace", "tab")
    assert "| ~hq    a header line" in shown.text
    shown.press("tab", "tab", "tab")
    assert shown.prompt_line.startswith(" intercept = (~d example & ~hs")
    shown.press("esc", "esc", "f", "~u x & ~co", "tab")
    assert shown.prompt_line.startswith(" filter: ~u x & ~comment")


async def test_history_steps_through_lines_with_the_same_start(shown):
    for line in ("view.order", "flow.mark @all true", "view.focus.next"):
        shown.press(":", line, "enter")
    shown.press(":", "view", "up")
    assert prompt_text(shown) == "view.focus.next"
    shown.press("up")
    assert prompt_text(shown) == "view.order"
    shown.press("up", "down", "down")
    assert prompt_text(shown) == "view"


async def test_reverse_search(shown):
    for line in ("flow.mark @all true", "view.focus.next", "view.focus.prev"):
        shown.press(":", line, "enter")
    shown.press(":", "ctrl r", "focus")
    assert "used before: focus" in shown.prompt_line
    assert "view.focus.prev" in shown.prompt_line
    shown.press("ctrl r")
    assert "view.focus.next" in shown.prompt_line
    shown.press("enter")
    assert prompt_text(shown) == "view.focus.next"


async def test_a_paste_of_lines_is_one_line_of_text(shown):
    shown.press(":")
    shown.paste("view.order\nQ\n")
    assert prompt_text(shown) == "view.order Q "
    assert not shown.console.master.should_exit.is_set()


async def test_hostile_text_in_the_prompt_is_shown_as_placeholders(shown):
    shown.press(":")
    shown.paste("\x1b[2J\u202eevil")
    assert "\x1b" not in shown.text
    assert "␛[2J" in shown.prompt_line
    assert "<202E>" in shown.prompt_line


async def test_an_option_is_set_from_its_prompt(shown):
    shown.press("i")
    assert shown.prompt_line.startswith(" intercept =")
    shown.press("~m POST", "enter")
    assert shown.options.intercept == "~m POST"
    shown.press("i")
    assert prompt_text(shown) == "~m POST"
    shown.press("ctrl u", "enter")
    assert shown.options.intercept is None


async def test_a_bad_value_is_refused_in_place_and_the_old_one_stays(shown):
    shown.press("i", "~m POST", "enter", "i", "ctrl u", "~m POST & (")
    assert 'column 11: "(" is not closed' in shown.prompt_line
    shown.press("enter")
    assert shown.console.active_prompt is not None
    assert shown.options.intercept == "~m POST"
    shown.press("backspace", "backspace", "backspace", "enter")
    assert shown.console.active_prompt is None
    assert shown.options.intercept == "~m POST "


async def test_the_filter_narrows_while_it_is_typed(shown):
    add(shown, *(f"http://a.example/{number}" for number in range(5)), "http://b.example/")
    shown.press("f", "~d b.ex")
    await shown.until(lambda: len(shown.view.shown) == 1)
    assert shown.options.view_filter is None, "nothing is kept before enter"
    shown.press("enter")
    assert shown.options.view_filter == "~d b.ex"
    assert "all 6 > ~d b.ex 1" in shown.prompt_line


async def test_esc_gives_the_old_list_back(shown):
    add(shown, "http://a.example/", "http://b.example/")
    shown.press("f", "~d b.ex")
    await shown.until(lambda: len(shown.view.shown) == 1)
    shown.press("esc")
    await shown.until(lambda: len(shown.view.shown) == 2)
    assert shown.options.view_filter is None


async def test_an_incomplete_filter_keeps_the_last_good_result_and_marks_the_column(shown):
    add(shown, "http://a.example/", "http://b.example/")
    shown.press("f", "~d b.ex")
    await shown.until(lambda: len(shown.view.shown) == 1)
    shown.press(" & (~m POST")
    await shown.until_shown("is not closed")
    assert "last good: 1 flow" in shown.prompt_line
    assert len(shown.view.shown) == 1
    shown.press("enter")
    assert shown.console.active_prompt is not None, "the prompt stays"


async def test_breadcrumbs_are_pushed_and_popped(shown):
    add(shown, "http://a.example/1", "http://a.example/2", "http://b.example/1")
    shown.press("f", "~d a.ex", "enter", "f", "~u 2$", "enter")
    assert shown.options.view_filter == "(~d a.ex) & (~u 2$)"
    assert len(shown.view.shown) == 1
    assert "all 3 > ~d a.ex > ~u 2$ 1" in shown.prompt_line
    shown.press("backspace")
    assert shown.options.view_filter == "~d a.ex"
    assert len(shown.view.shown) == 2
    shown.press("backspace", "backspace")
    assert shown.options.view_filter is None
    assert "no filter is set" in shown.text


async def test_a_filter_set_elsewhere_is_the_only_crumb(shown):
    add(shown, "http://a.example/1")
    shown.press("f", "~d a.ex", "enter")
    shown.options.view_filter = "~m POST"
    assert shown.console.breadcrumbs.texts == ["~m POST"]
    assert len(shown.view.shown) == 0


async def test_new_flows_pass_the_filter_that_is_being_typed(shown):
    add(shown, "http://a.example/1")
    shown.press("f", "~d a.ex")
    await shown.until(lambda: shown.view.filter_text)
    add(shown, "http://b.example/1", "http://a.example/2")
    assert len(shown.view.shown) == 2


async def test_search_and_next(shown):
    add(shown, "http://a.example/one", "http://a.example/two", "http://a.example/one/more")
    shown.press("/", "one/more", "enter")
    assert shown.view.focus_id == shown.view.shown[2]
    shown.press("/", "nowhere", "enter")
    assert "not found" in shown.text


@pytest.mark.parametrize("columns", [60, 80])
async def test_what_is_wrong_with_a_long_text_is_shown_beside_it(tmp_path, columns):
    async with shown_console(tmp_path, columns, 24) as shown:
        shown.press("f", f"~u {'long' * 30} & (")
        await shown.until(lambda: "  column 1" in shown.prompt_line)
        assert "& (" in shown.prompt_line
        shown.press("esc", ":", f"set view_filter {'long' * 30}")
        assert shown.prompt_line.endswith("longlonglong"), "a hint gives way"


async def test_esc_closes_a_prompt_at_once_where_nothing_was_completed(shown):
    shown.press(":", "nothing.of.the.kind", "tab", "esc")
    assert shown.console.active_prompt is None
