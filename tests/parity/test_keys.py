"""The keys and the screen of the reference: where each is here, or why it changed, is true and complete.

`keys.tsv` and `console.tsv` beside this file are facts of mitmproxy 12.2.3, with two columns of ours. What the page
that is made of them says about keys is read from the default set; keys that no file binds are pressed here.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from midstream import app
from midstream.console.key_names import BadKey, parse_chord
from midstream.console.keymap import LEADER, Keymap
from midstream.console.overlays import Chooser, Confirm
from midstream.console.palettes import NAMES
from midstream.console.panes.flow_columns import COLUMNS
from midstream.console.panes.grid import Grid
from midstream.console.status_items import ITEMS
from midstream.hub import lexer
from midstream.hub.master import Master
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.parity import report

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import make_reference  # noqa: E402 # found by the line above
import parity_keys  # noqa: E402

KEYS = report.rows("keys.tsv")
SCREEN = report.rows("console.tsv")
BOUND = [row for row in KEYS if row["command"] not in parity_keys.BUILT_IN]
BUILT_IN = [row for row in KEYS if row["command"] in parity_keys.BUILT_IN]


def named(row: dict[str, str]) -> str:
    return f"{row['key']} in {row['contexts']}"


@pytest.fixture(scope="module")
def keymap() -> Keymap:
    return make_reference.default_keys()


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    made = app.make_master("midstream", app.make_options())
    yield made
    made.let_go()


def test_no_row_is_missing() -> None:
    assert (len(BOUND), len(BUILT_IN)) == (80, 23)
    assert sum(len(row["contexts"].split(",")) for row in BOUND) == 100
    assert len({(row["key"], row["contexts"], row["purpose"]) for row in KEYS}) == len(KEYS)
    assert list(Counter(row["section"] for row in SCREEN).items()) == [
        ("Screen", 10),
        ("Flow list", 16),
        ("Flow details", 19),
        ("Other windows", 15),
        ("Editors", 17),
        ("Prompts and messages", 8),
        ("Status bar", 18),
        ("Key hints", 5),
        ("Colours and terminal", 8),
    ]


@pytest.mark.parametrize("row", BOUND, ids=named)
async def test_a_key_is_there_or_there_is_a_reason(row: dict[str, str], keymap: Keymap, master: Master) -> None:
    places = parity_keys.places(row, keymap)
    assert places
    for place in places:
        assert place.binding is not None, f"{place.keys} does nothing in {place.context}"
        assert lexer.split(place.binding.command)[0] in master.commands.commands
    if row["here"] or not all(place.is_same for place in places):
        assert row["why"], "it changed, and nothing says why"
    if "`" in row["why"]:
        assert_names(row["why"], keymap, master)


async def test_what_stands_in_the_tables_is_named_right(keymap: Keymap, master: Master) -> None:
    for row in [*SCREEN, *BUILT_IN]:
        assert row["why"] or row["here"] or row in BUILT_IN
        for cell in (row["here"] if row in SCREEN else "", row["why"]):
            assert_names(cell, keymap, master)
    for row in BUILT_IN:
        for place in parity_keys.places(row, keymap) if row["here"] else ():
            assert place.binding is not None, f"{place.keys} does nothing in {place.context}"


def assert_names(words: str, keymap: Keymap, master: Master) -> None:
    """Each name and key in backticks is one."""
    declared = {*master.commands.commands, *dict(master.options.items())}
    known = declared | {*ITEMS, *COLUMNS, *NAMES, "list", "meta", "alt", "ctrl y", "MIDSTREAM_EDITOR"}
    for name in re.findall(r"`([^`]+)`", words):
        word = name.removeprefix(":").split(" ")[0]
        assert {name, word} & known or is_bound(name, keymap), f"{name!r} is no key, command, option, item or palette"


def is_bound(name: str, keymap: Keymap) -> bool:
    """Whether a key does something, alone or as the first of a chord, somewhere."""
    try:
        chord = parse_chord(name, LEADER)
    except BadKey:
        return False
    return any(each.keys[: len(chord)] == chord for each in keymap.all())


def test_every_key_of_the_page_says_something(keymap: Keymap) -> None:
    page = "\n".join(parity_keys.lines(keymap))
    assert page.count("\n| ") == len(KEYS) + len(SCREEN) + 1 + 9
    assert "nothing (" not in page


# -- keys that no file binds --


@asynccontextmanager
async def console(tmp_path: Path) -> AsyncIterator[Shown]:
    async with shown_console(tmp_path) as shown:
        for number in range(40):
            shown.view.add(http_flow(f"http://h/{number}?a=needle", "GET"))
        shown.view.set_focus(shown.view.shown[0])
        yield shown


def text_of(shown: Shown) -> str:
    assert shown.console.active_prompt is not None
    return shown.console.active_prompt.edit.text


def cursor_of(shown: Shown) -> int:
    assert shown.console.active_prompt is not None
    return shown.console.active_prompt.edit.cursor


def focused(shown: Shown) -> int:
    assert shown.view.focus_id is not None
    place = shown.view.index(shown.view.focus_id)
    assert place is not None
    return place


async def find_in_details(shown: Shown) -> None:
    shown.press("enter", "/", "h", "enter")
    await shown.until_shown("1 of")
    shown.press("n")
    await shown.until_shown("2 of")
    shown.press("N")
    await shown.until_shown("1 of")
    shown.press("/", "enter")
    await shown.until(lambda: "1 of" not in shown.text)


def move_in_a_list(shown: Shown) -> None:
    shown.press("down", "down", "up")
    assert focused(shown) == 1
    shown.press("page down")
    assert focused(shown) > 10
    shown.press("page up", "end")
    assert focused(shown) == 39
    shown.press("home")
    assert focused(shown) == 0


def move_aside(shown: Shown) -> None:
    shown.press("enter", "right")
    assert "[Response]" in shown.text
    shown.press("left")
    assert "[Request]" in shown.text
    grid = open_grid(shown)
    shown.press("right")
    assert grid.column == 1
    shown.press("left")
    assert grid.column == 0


def chosen_by(*keys: str, picked: str = "") -> Callable[[Shown], None]:
    def choose(shown: Shown) -> None:
        found: list[str] = []
        shown.console.show(Chooser("which", [str(number) for number in range(1, 31)], found.append))
        shown.press(*keys)
        assert "".join(found) == picked
        assert shown.console.overlay is None

    return choose


def every(*steps: Callable[[Shown], None]) -> Callable[[Shown], None]:
    def run(shown: Shown) -> None:
        for step in steps:
            step(shown)

    return run


def answer_a_question(shown: Shown) -> None:
    for keys, is_done in ((["y"], True), (["n"], False), (["esc"], False), (["enter", "esc"], False)):
        done: list[bool] = []
        shown.console.show(Confirm.yes_or_no("really?", lambda done=done: done.append(True)))
        shown.press(*keys)
        assert bool(done) is is_done
        assert shown.console.overlay is None


def leave_a_prompt(shown: Shown) -> None:
    shown.press(":", "set anything", "esc")
    assert shown.console.active_prompt is None


def take_a_prompt(shown: Shown) -> None:
    shown.press(":", "set view_order_reversed true", "enter")
    assert shown.console.active_prompt is None
    assert shown.options.view_order_reversed


def complete(shown: Shown) -> None:
    shown.press(":", "view.focus.", "tab", "tab", "tab")
    assert text_of(shown) == "view.focus.next"
    shown.press("shift tab")
    assert text_of(shown) == "view.focus.go"


def go_through_history(shown: Shown) -> None:
    for line in ("view.focus.next", "set view_order url", "view.focus.prev"):
        shown.press(":", line, "enter")
    for older, newer in (("up", "down"), ("ctrl p", "ctrl n")):
        shown.press(":", "view", older)
        assert text_of(shown) == "view.focus.prev"
        shown.press(older)
        assert text_of(shown) == "view.focus.next"
        shown.press(newer)
        assert text_of(shown) == "view.focus.prev"
        shown.press("esc")


def edit_a_line(*steps: tuple[str, int]) -> Callable[[Shown], None]:
    def edit(shown: Shown) -> None:
        shown.press(":", "one two")
        for key, at in steps:
            shown.press(key)
            assert cursor_of(shown) == at, key

    return edit


def delete_in_a_line(*keys_and_rest: str) -> Callable[[Shown], None]:
    *keys, rest = keys_and_rest

    def delete(shown: Shown) -> None:
        shown.press(":", "one two", *keys)
        assert text_of(shown) == rest

    return delete


async def edit_an_option(shown: Shown) -> None:
    shown.press("O", "/", "Hold the flows", "enter")
    await shown.until_shown("+- intercept ")
    await asyncio.sleep(0)
    shown.press("enter", "~q", "enter")
    assert shown.options.intercept == "~q"


def open_grid(shown: Shown) -> Grid:
    shown.console.run_command("console.edit.focus query")
    pane = shown.console.focused_pane
    assert isinstance(pane, Grid)
    return pane


def leave_a_cell(shown: Shown) -> None:
    grid = open_grid(shown)
    shown.press("enter", "x", "esc")
    assert not grid.editing
    assert shown.console.focused_pane is grid


def go_on_in_a_grid(shown: Shown) -> None:
    grid = open_grid(shown)
    shown.press("left", "enter", "x", "tab")
    assert grid.editing
    assert grid.column == 1


def ask_a_grid_for_help(shown: Shown) -> None:
    open_grid(shown)
    shown.press("?")
    assert shown.console.focused_pane.name == "help"


def interrupt(shown: Shown) -> None:
    shown.press("ctrl c")
    assert "quit?" in shown.text


PRESSED: dict[str, Callable[[Shown], Awaitable[None] | None]] = {
    "/ in (search) flow detail panes": find_in_details,
    "n in (search) flow detail panes": find_in_details,
    "N in (search) flow detail panes": find_in_details,
    "up/down/page up/page down/home/end in all lists": move_in_a_list,
    "left/right in tabs and grid": move_aside,
    "1-9 a-p r-z (no q) in chooser": every(
        chosen_by("9", picked="9"), chosen_by("a", picked="10"), chosen_by("r", picked="24")
    ),
    "enter in chooser": chosen_by("down", "enter", picked="2"),
    "q/esc in chooser": every(chosen_by("q"), chosen_by("esc")),
    "y/n in yes-no prompt": answer_a_question,
    "esc in prompt": leave_a_prompt,
    "enter in prompt": take_a_prompt,
    "tab/shift tab in command prompt": complete,
    "up/ctrl p, down/ctrl n in command prompt": go_through_history,
    "ctrl a/home, ctrl e/end in command prompt": edit_a_line(("ctrl a", 0), ("ctrl e", 7), ("home", 0), ("end", 7)),
    "ctrl b/left, ctrl f/right in command prompt": edit_a_line(("ctrl b", 6), ("left", 5), ("ctrl f", 6), ("right", 7)),
    "meta b, meta f in command prompt": edit_a_line(("meta b", 4), ("meta f", 7)),
    "ctrl w in command prompt": delete_in_a_line("ctrl w", "one "),
    "backspace, delete in command prompt": delete_in_a_line("backspace", "home", "delete", "ne tw"),
    "enter in options (string/int)": edit_an_option,
    "esc in grid cell edit": leave_a_cell,
    "tab in grid cell edit": go_on_in_a_grid,
    "? in grid editor": ask_a_grid_for_help,
    "ctrl c in anywhere": interrupt,
}


def test_every_key_that_no_file_binds_is_pressed() -> None:
    assert sorted(PRESSED) == sorted(map(named, BUILT_IN))


@pytest.mark.parametrize("name", PRESSED)
async def test_a_key_that_no_file_binds(name: str, tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        pressed = PRESSED[name](shown)
        if pressed is not None:
            await pressed
