from __future__ import annotations

import logging
from pathlib import Path

import pytest

from midstream.hub.log import ALERT
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, tcp_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
async def shown(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        for number in range(3):
            shown.view.add(http_flow(f"http://h.example/{number}", "POST", request_body=b"body %d" % number))
        yield shown


def names(shown: Shown) -> list[str]:
    return [pane.name for pane in shown.console.panes_shown]


def cursor(shown: Shown) -> tuple[int, int] | None:
    assert shown.text
    assert shown.screen.canvas is not None
    return shown.screen.canvas.cursor


async def test_the_layouts_are_one_pane_two_stacked_and_two_side_by_side(shown):
    assert names(shown) == ["flows"]
    shown.press("-")
    assert shown.options.console_layout == "vertical"
    assert names(shown) == ["flows", "detail"]
    lines = shown.lines
    assert lines[1].startswith("== flows ====")
    assert lines[15].startswith("-- detail ---")
    assert "POST http://h.example/0" in lines[16]
    shown.press("-")
    assert shown.options.console_layout == "horizontal"
    assert shown.lines[1][59:].startswith("|-- detail")
    assert shown.lines[2][59:].startswith("|")
    assert "POST http://h.example/0" in shown.lines[2]
    shown.press("-")
    assert names(shown) == ["flows"]
    assert "console_layout" in shown.options
    assert shown.console.master.commands.call("console.layout.options") == ["single", "vertical", "horizontal"]


async def test_details_beside_the_list_follow_its_focus_and_take_the_keys_when_opened(shown):
    shown.options.console_layout = "horizontal"
    shown.press("j")
    assert "POST http://h.example/1" in shown.lines[2]
    assert shown.console.focused_pane.name == "flows"
    shown.press("enter")
    assert shown.console.focused_pane.name == "detail"
    assert shown.lines[1][60:].startswith("== detail")
    assert shown.lines[1].startswith("-- flows")
    shown.press("q")
    assert shown.console.focused_pane.name == "flows"
    assert names(shown) == ["flows", "detail"]
    assert shown.console.is_at_root


async def test_each_half_has_its_stack(shown):
    shown.options.console_layout = "horizontal"
    shown.press("O")
    assert names(shown) == ["options", "detail"]
    shown.press("shift tab", "C")
    assert names(shown) == ["options", "commands"]
    shown.press("ctrl left")
    assert shown.console.focused_pane.name == "options"
    shown.press("C")
    assert names(shown) == ["options", "commands"], "no pane is open twice"
    assert shown.console.focused_pane.name == "commands"
    shown.press("q", "q")
    assert names(shown) == ["options", "detail"]
    assert shown.console.focused_pane.name == "options"
    shown.press("shift tab", "1")
    assert names(shown) == ["flows", "detail"]
    assert shown.console.focused_pane.name == "flows"


async def test_what_has_the_focus_stays_in_sight_when_the_layout_changes(shown):
    shown.press("enter")
    shown.press("-")
    assert names(shown) == ["flows", "detail"]
    assert shown.console.focused_pane.name == "detail"
    shown.press("O")
    shown.options.console_layout = "single"
    assert names(shown) == ["options"]
    shown.press("q")
    assert names(shown) == ["detail"]
    shown.press("q")
    assert names(shown) == ["flows"]
    assert shown.console.is_at_root


async def test_a_layout_that_was_set_before_the_start_is_there(tmp_path):
    from tests.console.masters import RecordingScreen, make_console

    console = make_console(tmp_path)
    console.master.options.set("console_layout=vertical", defer=True)
    await console.master.running()
    screen = RecordingScreen((100, 30))
    screen.start()
    console.open(screen)
    assert [pane.name for pane in console.panes_shown] == ["flows", "detail"]
    assert console.focused_pane.name == "flows"
    console.terminal.close()
    console.close()
    await console.master.done()


async def test_side_by_side_is_one_pane_below_100_columns_and_nothing_is_lost(tmp_path):
    async with shown_console(tmp_path, 99, 24) as shown:
        shown.view.add(http_flow("http://h.example/"))
        shown.press("-", "-")
        assert "side by side from 100 columns on; here are 99" in shown.prompt_line
        assert names(shown) == ["flows"]
        shown.press("enter")
        assert names(shown) == ["detail"]
        shown.screen.size = (100, 24)
        shown.console.terminal.handle(["window resize"])
        assert shown.text
        assert names(shown) == ["flows", "detail"]


async def test_the_divider_is_moved_by_keys_and_by_the_mouse(shown):
    shown.options.console_layout = "horizontal"
    handle = shown.console.terminal.handle
    shown.press(">", ">")
    assert shown.options.console_layout_ratio == 60
    assert shown.lines[5][71] == "|"
    shown.press("<")
    assert shown.lines[5][65] == "|"
    handle([("mouse press", 1, 65, 10)])
    handle([("mouse drag", 1, 40, 11)])
    assert shown.lines[5][39] == "|" or shown.lines[5][40] == "|"
    handle([("mouse release", 0, 40, 11)])
    assert shown.options.console_layout_ratio == 33
    handle([("mouse drag", 1, 80, 11)])
    assert shown.options.console_layout_ratio == 33
    for column in (0, 119, 500):
        handle([("mouse press", 1, shown.lines[5].index("|"), 10), ("mouse drag", 1, column, 3)])
        handle([("mouse release", 0, column, 3)])
        assert len(names(shown)) == 2
        assert shown.text
    shown.options.console_layout = "vertical"
    row = next(at for at, line in enumerate(shown.lines) if "detail --" in line)
    handle([("mouse press", 1, 30, row), ("mouse drag", 1, 30, 10), ("mouse release", 0, 30, 10)])
    assert "-- detail --" in shown.lines[10] or "-- detail --" in shown.lines[9]
    shown.options.console_layout = "single"
    shown.press(">")
    assert "there is no divider" in shown.prompt_line


async def test_the_drawer_has_a_divider_too(shown):
    shown.press("E")
    handle = shown.console.terminal.handle
    row = next(at for at, line in enumerate(shown.lines) if line.startswith("-- log"))
    handle([("mouse press", 1, 30, row), ("mouse drag", 1, 30, row - 6), ("mouse release", 0, 30, row - 6)])
    moved = next(at for at, line in enumerate(shown.lines) if line.startswith("-- log"))
    assert abs(moved - (row - 6)) <= 1
    shown.press(">")
    assert next(at for at, line in enumerate(shown.lines) if line.startswith("-- log")) > moved
    shown.press("E", "E")
    assert shown.console.drawer is None


async def test_a_click_gives_the_focus_and_the_wheel_does_not(shown):
    shown.options.console_layout = "horizontal"
    assert shown.text
    shown.console.terminal.handle([("mouse press", 5, 90, 10)])
    assert shown.console.focused_pane.name == "flows"
    shown.console.terminal.handle([("mouse press", 1, 90, 10)])
    assert shown.console.focused_pane.name == "detail"
    shown.console.terminal.handle([("mouse press", 1, 10, 4)])
    assert shown.console.focused_pane.name == "flows"
    assert "h.example/1" in shown.lines[2]
    tab = shown.lines[0].index("3 options")
    shown.console.terminal.handle([("mouse press", 1, tab, 0)])
    assert names(shown) == ["options", "detail"]


async def test_without_titles_there_are_more_rows(shown):
    before = shown.lines
    shown.options.console_layout_headers = False
    assert shown.lines[0] == before[1]
    shown.options.console_layout = "vertical"
    assert sum(line.startswith("-----") for line in shown.lines) == 1
    shown.options.console_layout = "horizontal"
    assert all("|" in line for line in shown.lines[1:29])


async def test_the_cursor_is_on_the_focused_row_of_the_focused_pane(shown):
    shown.press("down")
    assert cursor(shown) == (0, 3)
    logging.getLogger("midstream.addon").error("a toast")
    assert cursor(shown) == (0, 3)
    shown.options.console_layout = "horizontal"
    assert cursor(shown) == (0, 4)
    shown.press("enter")
    assert cursor(shown) == (60, 4)
    shown.press("q", ":")
    assert cursor(shown) == (3, 29)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 12, 16, 24])
async def test_any_size_shows_something(tmp_path, rows):
    async with shown_console(tmp_path, 120, rows) as shown:
        shown.view.add(http_flow("http://h.example/", "POST", live=True))
        shown.view.add(tcp_flow((True, b"hello")))
        for columns in (1, 5, 20, 59, 60, 99, 100, 300):
            shown.screen.size = (columns, rows)
            shown.console.terminal.handle(["window resize"])
            for layout in ("single", "vertical", "horizontal"):
                shown.options.console_layout = layout
                for keys in (
                    (),
                    ("E", "E"),
                    ("E",),
                    ("2",),
                    ("enter",),
                    ("q",),
                    (":",),
                    ("esc",),
                    (",",),
                    ("esc", "1"),
                ):
                    shown.press(*keys)
                    assert shown.text is not None


@pytest.mark.parametrize("columns", WIDTHS)
async def test_toasts_and_titles_hold_no_byte_of_the_traffic(tmp_path, columns):
    async with shown_console(tmp_path, columns, 24) as shown:
        shown.options.console_layout = "vertical"
        for text in TEXTS:
            shown.console.messages.news(text)
            shown.console.messages.news(text * 3, "error", topic=text[:5])
            assert shown.text
            assert_clean(shown.screen.canvas, columns)


# --- toasts -----------------------------------------------------------------------------------------------------------


async def test_toasts_stack_go_by_time_and_leave_the_focus_alone(shown):
    focus = shown.view.focus_id
    messages = shown.console.messages
    for number in range(5):
        messages.news(f"news {number}")
    assert shown.text.count("news") == 3
    assert shown.lines[-4].endswith(" news 4")
    assert shown.view.focus_id == focus
    messages.toasts = [toast._replace(since=toast.since - 6) for toast in messages.toasts]
    messages.expire()
    assert "news" not in shown.text


async def test_the_row_in_focus_is_not_covered_by_a_toast(shown):
    for number in range(60):
        shown.view.add(http_flow(f"http://shop.example/{number}"))
    shown.press("G")
    row = shown.lines[cursor(shown)[1]]
    shown.console.messages.news("news")
    assert shown.lines[cursor(shown)[1]] == row
    assert shown.lines[2].endswith(" news")
    shown.press("g")
    assert shown.lines[-4].endswith(" news")


async def test_no_toast_covers_the_log_that_says_the_same(shown):
    shown.press("E")
    logging.getLogger("midstream.addon").error("it broke")
    assert shown.text.count("it broke") == 1
    assert not shown.console.messages.toasts
    shown.options.console_eventlog_verbosity = "error"
    logging.getLogger("midstream.addon").log(ALERT, "it is done")
    assert "it is done" in shown.text, "the log does not show it"


async def test_opening_the_log_takes_the_toasts_away_that_say_the_same(shown):
    for _ in range(3):
        logging.getLogger("midstream.addon").error("it broke")
    assert shown.text.count("it broke") == 1, "a toast that comes again stands there once"
    shown.press("E")
    assert shown.text.count("it broke") == 1, "the line in the log"
    assert not shown.console.messages.toasts


async def test_flows_that_fail_one_after_the_other_are_one_toast(shown):
    proxy, other = logging.getLogger("midstream.proxy.http"), logging.getLogger("midstream.addon")
    for number in range(4):
        proxy.warning("request %d failed", number, extra={"flow": f"id-{number}"})
    other.warning("this is about no flow")
    assert [toast.text.split(": ")[-1] for toast in shown.console.messages.toasts] == [
        "request 3 failed",
        "this is about no flow",
    ]
    shown.press("6")
    assert shown.console.messages.toasts == [], "the log has them"


async def test_errors_stay_until_a_key_that_was_pressed_after_they_could_be_read(shown):
    messages = shown.console.messages
    logging.getLogger("midstream.addon").error("it broke " * 30)
    for number in range(5):
        messages.news(f"news {number}")
    assert "error: " in shown.text
    assert 10 < shown.text.count("it broke") < 30, "the log has all of it"
    shown.press("j")
    assert "it broke" in shown.text, "the key was on its way"
    messages.toasts = [toast._replace(since=toast.since - 100) for toast in messages.toasts]
    messages.expire()
    assert "it broke" in shown.text
    shown.press("j")
    assert "it broke" not in shown.text


async def test_many_held_flows_are_one_toast(shown):
    for number in range(4):
        flow = http_flow(f"http://held.example/{number}", status=None, live=True)
        shown.view.add(flow)
        flow.intercept()
        await shown.console.master.events.update([flow])
    assert shown.text.count("held at request") == 1
    assert "held.example/3 (and 3 more)" in shown.lines[-4]
    shown.press("A")
    assert "held at" not in shown.text, "it is no news any more"
    shown.press("2")
    flow = http_flow("http://held.example/", status=None, live=True)
    shown.view.add(flow)
    flow.intercept()
    await shown.console.master.events.update([flow])
    assert shown.console.messages.toasts == [], "the queue shows it"


async def test_where_there_is_no_room_a_toast_is_a_line(tmp_path):
    async with shown_console(tmp_path, 50, 12) as shown:
        assert shown.text
        shown.console.messages.news("it happened")
        assert shown.console.messages.toasts == []
        assert "it happened" in shown.text


# --- plain ------------------------------------------------------------------------------------------------------------


async def test_a_plain_screen_is_calm(shown):
    shown.press("E")
    shown.options.console_plain = True
    assert shown.console.drawer is None
    shown.console.tally.per_second.extend([1, 5, 3])
    assert "▁" not in shown.text
    assert "|=" not in shown.text
    shown.press("E")
    assert names(shown) == ["log"]
    shown.press("1")
    flow = http_flow("http://held.example/", status=None, live=True)
    shown.view.add(flow)
    flow.intercept()
    await shown.console.master.events.update([flow])
    assert "held at request: 4 GET held.example/" in shown.prompt_line
    assert shown.console.terminal._clock.interval == 1.0
    shown.options.console_plain = False
    assert shown.console.terminal._clock.interval < 0.1


async def test_a_plain_screen_always_has_a_cursor(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.options.console_plain = True
        assert cursor(shown) == (0, 1)
        shown.press("2")
        assert cursor(shown) is not None


async def test_the_keys_of_the_global_row_are_bound(shown):
    keymap = shown.console.keys.keymap
    wanted = [
        ":",
        ",",
        "?",
        "esc",
        "q",
        "Q",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "O",
        "C",
        "K",
        "E",
        "-",
        "<",
        ">",
        "u",
        ".",
        "i",
        "I",
        "A",
        "W",
        "B",
        "H",
    ]
    chords = [(key,) for key in wanted] + [(f"ctrl {key}",) for key in ("p", "l", "r", "left", "right")]
    for chord in [*chords, ("shift tab",)]:
        assert any(binding.keys[0] == chord[0] for binding in keymap.in_context("global")), chord
