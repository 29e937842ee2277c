"""Marks with a name: set by a key, gone to by a key, kept apart from marks that commands set."""

import pytest

from midstream.console.list_commands import ListCommands
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path / ".midstream") as opened:
        for number in range(20):
            opened.view.add(http_flow(f"http://h/{number}", start=1_700_000_000.0 + number))
        yield opened


def focus(shown: Shown, number: int) -> None:
    shown.view.set_focus(shown.view.shown[number])


def focused(shown: Shown) -> int:
    return shown.view.index(shown.view.focus_id)


async def test_a_mark_is_set_and_gone_to(shown):
    focus(shown, 7)
    shown.press('"')
    assert "no flow has a named mark yet" in shown.text
    shown.press("a")
    assert shown.view.row(shown.view.shown[7]).marked == "a"
    assert any(line.startswith(">a") for line in shown.lines)
    focus(shown, 0)
    shown.press("'")
    assert "a  8 GET h/7" in shown.text
    shown.press("a")
    assert focused(shown) == 7
    shown.press("'", "'")
    assert focused(shown) == 0
    shown.press("'", "'")
    assert focused(shown) == 7


async def test_the_same_key_on_another_flow_moves_the_mark(shown):
    for number in (3, 9):
        focus(shown, number)
        shown.press('"', "a")
    assert [shown.view.row(id_).marked for id_ in shown.view.shown[3:10]] == ["", "", "", "", "", "", "a"]
    focus(shown, 0)
    shown.press("'", "a")
    assert focused(shown) == 9


async def test_marks_that_a_command_set_are_gone_through(shown):
    shown.console.run_command("flow.mark '~u h/[246]$' x")
    await shown.until(lambda: len(shown.console.tally.marked) == 3)
    found = []
    for _ in range(4):
        shown.press("'", "x")
        found.append(focused(shown))
    assert found == [2, 4, 6, 2]


async def test_refusals_say_why(shown):
    shown.press("'", "z")
    await shown.until_shown("no flow has the mark z")
    shown.press("'", "'")
    await shown.until_shown("there was no jump from here")
    focus(shown, 3)
    shown.press('"', "b")
    shown.console.run_command("view.filter.set '~u h/1'")
    shown.press("'", "b")
    await shown.until_shown("flow 4 is hidden by the filter")
    shown.console.run_command("console.mark.put bb")
    await shown.until_shown("'bb' is no name for a mark: one letter or digit")


async def test_esc_and_other_keys_mark_nothing(shown):
    shown.press('"', "enter")
    assert shown.console.overlay is not None
    shown.press("esc")
    assert shown.console.overlay is None
    assert not shown.console.tally.marked


async def test_undo_takes_a_mark_back(shown):
    focus(shown, 2)
    shown.press('"', "q")
    marks = next(addon for addon in shown.console.addon.addons if isinstance(addon, ListCommands)).marks
    assert [name for name, _ in marks.named()] == ["q"]


async def test_the_box_shows_hostile_texts_safely(shown):
    for number, text in enumerate(TEXTS):
        row = shown.view.row(shown.view.shown[number])
        row.host, row.path, row.method = text, text, text[:30]
        focus(shown, number)
        shown.press('"', "abcdefghijklmnopq"[number])
    shown.press("'")
    for width in WIDTHS:
        assert_clean(shown.console.layout.render((width, 24), True), width)
