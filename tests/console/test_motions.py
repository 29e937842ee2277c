"""What the key sets of vim and emacs do in the console: counts, half pages, places, registers, tabs, held flows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow


@asynccontextmanager
async def with_keys(folder: Path, name: str, count: int = 40):
    (folder / "keys.yaml").write_text(f"version: 1\nextends: {name}\n")
    async with shown_console(folder, 120, 32) as shown:
        for number in range(1, count + 1):
            shown.view.add(http_flow(f"http://a.test/{number}"))
        yield shown


def focus(shown: Shown) -> str:
    (line,) = [line for line in shown.lines if line.startswith(">")]
    return line.split("a.test/")[1].split()[0]


async def test_counts_and_rows(tmp_path):
    async with with_keys(tmp_path, "vim") as shown:
        shown.press("5", "j")
        assert focus(shown) == "6"
        shown.press("2", "k", "1", "2", "G")
        assert focus(shown) == "12"
        shown.press("G")
        assert focus(shown) == "40"
        shown.press("g", "g")
        assert focus(shown) == "1"
        shown.press("9", "9", "9", "G")
        assert focus(shown) == "40"
        shown.press("K", "7", "G")
        assert shown.console.focused_pane.scroll.focus == 6


async def test_half_pages_and_places(tmp_path):
    async with with_keys(tmp_path, "vim") as shown:
        assert shown.text
        shown.press("ctrl d")
        assert focus(shown) == "14"
        shown.press("ctrl u")
        assert focus(shown) == "1"
        shown.press("1", "0", "G", "z", "t")
        assert shown.lines[2].startswith(">"), "below tabs and headings"
        shown.press("3", "0", "G", "z", "b")
        assert shown.lines[-4].startswith(">")
        shown.press("2", "0", "G", "z", "z")
        assert any(line.startswith(">") for line in shown.lines[12:18])


async def test_delete_yank_and_put(tmp_path):
    async with with_keys(tmp_path, "vim", 5) as shown:
        shown.press("p")
        assert "no flow was yanked or cut" in shown.text
        shown.press("2", "d", "d")
        assert len(shown.view) == 3
        assert focus(shown) == "3"
        shown.press("p")
        assert len(shown.view) == 4
        assert focus(shown) == "2", "the copy has the focus"
        shown.press("y", "y", "p", "p")
        assert len(shown.view) == 6


async def test_a_range_of_marks_and_held_flows(tmp_path):
    async with with_keys(tmp_path, "vim", 10) as shown:
        shown.press("3", "G", "V", "2", "j", "V")
        assert "3 flows marked" in shown.text
        assert len(shown.console.tally.marked) == 3
        shown.press("]", "h")
        assert "no flow is held" in shown.text
        for number in (2, 8):
            flow = shown.view.get(shown.view.shown[number - 1])
            flow.live = True
            flow.intercept()
            shown.view.update(flow)
        shown.press("]", "h")
        assert focus(shown) == "8"
        shown.press("]", "h")
        assert focus(shown) == "2", "around the end"
        shown.press("[", "h")
        assert focus(shown) == "8"


async def test_tabs_and_panes(tmp_path):
    async with with_keys(tmp_path, "vim", 1) as shown:
        shown.press("g", "T")
        assert shown.console.pane.name == "log"
        shown.press("g", "t", "enter")
        assert shown.console.pane.name == "detail"
        shown.press("meta 3")
        assert shown.console.pane.name == "options"
        shown.press("Z", "Z")
        assert "quit" in shown.text


async def test_emacs(tmp_path):
    async with with_keys(tmp_path, "emacs", 10) as shown:
        shown.press("ctrl n", "ctrl n", "ctrl p")
        assert focus(shown) == "2"
        shown.press("meta >")
        assert focus(shown) == "10"
        shown.press("ctrl x", "3")
        assert shown.options.console_layout == "horizontal"
        shown.press("ctrl x", "1")
        shown.console.input.press("f1")
        shown.press("k", "ctrl x", "u")
        assert "ctrl x u runs edit.undo: Undo  (emacs)" in shown.text
        shown.press("meta x")
        assert shown.console.active_prompt is not None
        shown.press("esc", "ctrl s", "a.test/7", "enter")
        assert focus(shown) == "7"


@pytest.mark.parametrize("name", ["vim", "emacs"])
async def test_every_key_of_a_set_has_a_command(tmp_path, name):
    async with with_keys(tmp_path, name, 1) as shown:
        assert [
            f"{each.keys}: {each.command}" for each in shown.console.bindings.unavailable() if each.source == name
        ] == []
