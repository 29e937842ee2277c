"""The command palette: what it finds, in what order, what enter does, and what a key costs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.console import fuzzy
from midstream.console.overlays.palette import Palette
from midstream.console.palette_entries import Entry, Recent
from midstream.console.widgets.canvas import paint
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.hostile import TEXTS, assert_clean
from tests.kit.stopwatch import judge, no_collection, within


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Shown]:
    async with shown_console(tmp_path) as shown:
        yield shown


def names(shown: Shown) -> list[str]:
    box = shown.console.overlay
    assert isinstance(box, Palette)
    return [entry.name for entry in box._found]


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [
        ("flow", "flow.resume", "view.flow"),
        ("res", "flow.resume", "options.presets"),
        ("fr", "flow.resume", "afraid"),
        ("res bod", "console.edit.focus response-body", "resume about order"),
        ("mark", "flow.mark", "flow.remark"),
        ("fm", "flow.mark", "perform"),
        ("strl", "stream_large_bodies", "the scratched leaf"),
        ("strl", "stream_large_bodies = -  Stream what is larger", "server = true  Run the listeners at all"),
    ],
)
def test_starts_of_words_count_more(typed: str, better: str, worse: str) -> None:
    score = fuzzy.scorer(typed)
    assert score(fuzzy.Searched(better)) > score(fuzzy.Searched(worse))


@pytest.mark.parametrize("typed", ["xyz", "emusre", "flow zebra"])
def test_what_is_not_there_in_order_does_not_fit(typed: str) -> None:
    assert fuzzy.scorer(typed)(fuzzy.Searched("flow.resume")) == 0


def test_many_words_that_begin_alike_cost_little() -> None:
    text = fuzzy.Searched("a " * 100 + "b")
    with within(1.0):
        for size in range(2, 14):
            fuzzy.scorer("a" * size + "ba")(text)


async def test_four_letters_find_an_option_and_a_command(shown: Shown) -> None:
    shown.press("ctrl p", "coew")
    assert names(shown)[0] == "console_escape_wait"
    shown.press("ctrl u", "repm")
    assert names(shown)[0] == "replay.client @marked"


def test_the_characters_that_were_typed_are_known() -> None:
    assert fuzzy.places("res", "flow.resume") == [5, 6, 7]
    assert fuzzy.places("fr", "flow.resume") == [0, 5]
    assert fuzzy.places("zz", "flow.resume") == []


async def test_a_command_without_arguments_runs(shown: Shown) -> None:
    shown.press("ctrl p", "view options", "enter")
    assert shown.console.overlay is None
    assert shown.console.pane.name == "options"


async def test_a_command_with_arguments_goes_to_the_prompt(shown: Shown) -> None:
    shown.press("ctrl p", "flow.comment", "enter")
    assert shown.console.active_prompt is not None
    assert shown.console.active_prompt.edit.text == "flow.comment "


async def test_what_keys_do_is_found_by_its_words_with_its_key(shown: Shown) -> None:
    shown.view.add(http_flow())
    shown.press("ctrl p", "edit request bod")
    assert names(shown)[0] == "console.edit.focus request-body"
    assert "e b" in shown.text


async def test_an_option_is_asked_for(shown: Shown) -> None:
    shown.press("ctrl p", "console_escape_wait", "enter")
    assert shown.console.active_prompt is not None
    assert "console_escape_wait" in shown.text


async def test_a_flow_that_the_filter_hides_is_shown(shown: Shown) -> None:
    flow = http_flow("https://api.example/v2/login", "POST")
    shown.view.add(http_flow())
    shown.view.add(flow)
    shown.options.update(view_filter="~m GET")
    await shown.until(lambda: shown.view.index(flow.id) is None)
    shown.press("ctrl p", "v2/login", "enter")
    await shown.until(lambda: shown.view.focus_id == flow.id and shown.view.index(flow.id) is not None)
    assert not shown.options.view_filter


async def test_marks_are_found(shown: Shown) -> None:
    flow = http_flow("https://api.example/marked")
    flow.marked = ":red_circle:"
    shown.view.add(flow)
    shown.view.add(http_flow())
    shown.press("ctrl p", "mark red", "enter")
    assert shown.view.focus_id == flow.id


async def test_what_was_used_comes_first(shown: Shown) -> None:
    shown.press("ctrl p", "view.keybindings", "enter", "ctrl p")
    assert names(shown)[0] == "console.view.keybindings"
    shown.press("view")
    assert names(shown)[0] == "console.view.keybindings"


async def test_tab_and_clicks_show_one_kind(shown: Shown) -> None:
    shown.press("ctrl p", "tab")
    assert "[commands]" in shown.text
    shown.press("tab", "o")
    assert all(name in shown.options for name in names(shown))
    row = next(at for at, line in enumerate(shown.lines) if "[options]" in line)
    column = shown.lines[row].index("panes")
    shown.console.terminal.handle([("mouse press", 1, column, row)])
    assert names(shown) and all(name.startswith("pane ") for name in names(shown))
    shown.press("ctrl u")
    row = next(at for at, line in enumerate(shown.lines) if "pane options" in line)
    shown.console.terminal.handle([("mouse press", 1, shown.lines[row].index("pane options"), row)])
    assert shown.console.pane.name == "options"


async def test_nothing_that_fits_says_so_and_enter_is_harmless(shown: Shown) -> None:
    shown.press("ctrl p", "zzqqxx", "enter")
    assert "nothing is called like that" in shown.text
    shown.press("esc")
    assert shown.console.overlay is None


async def test_a_key_costs_little_among_five_thousand(shown: Shown) -> None:
    entries = [
        Entry("flows", f"flow {number}", f"GET shop{number % 37}.example/path/of/{number}/item", lambda console: None)
        for number in range(5000)
    ]
    box = Palette(shown.console, entries, Recent())
    box.press("e")  # the texts are made by the first key
    box.press("backspace")
    spent = []
    for key in ("s", "h", "o", "p", "space", "i", "t", "e", "backspace", "x"):
        with no_collection():
            start = time.thread_time()
            box.press(key)
            spent.append(time.thread_time() - start)
    judge(sorted(spent)[len(spent) // 2], 0.05, "a key")  # 5 ms here (console.md §3.10)


@pytest.mark.parametrize("columns", [20, 60, 80, 300])
async def test_hostile_texts(shown: Shown, columns: int) -> None:
    entries = [Entry("commands", text, text, lambda console: None, text[:9]) for text in TEXTS]
    box = Palette(shown.console, entries, Recent())
    for text in ("", *TEXTS):
        box.press("ctrl u")
        box.paste(text)
        lines = box.lines(columns, 20)
        assert_clean(paint(lines, columns, len(lines)), columns)
