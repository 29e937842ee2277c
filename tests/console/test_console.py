from __future__ import annotations

import asyncio
import inspect
import logging
from pathlib import Path

import pytest

from midstream.console.overlays import Confirm
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, tcp_flow


@pytest.fixture
async def shown(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        yield shown


def add(shown: Shown, *urls: str, **more) -> list:
    flows = [http_flow(url, **more) for url in urls]
    for flow in flows:
        shown.view.add(flow)
    return flows


async def test_the_first_screen_names_its_parts(shown):
    lines = shown.lines
    assert lines[0].startswith("  1 flows")
    assert "midstream" in lines[0]
    assert lines[-3].startswith(" all 0")
    assert lines[-2].startswith(" 0/0")
    assert "? help" in lines[-1]


async def test_no_key_of_the_default_set_is_wrong(shown):
    assert shown.console.bindings.errors == []
    for binding in shown.console.keys.keymap.all():
        assert binding.help


async def test_hints_offer_only_what_works_here_now(shown):
    assert "a resume" not in shown.lines[-1]
    assert "enter open" not in shown.lines[-1]
    (flow,) = add(shown, "http://example.com/", live=True)
    for words in ("enter open", "e edit", "x export", "y copy", ", more  ? help  q quit"):
        assert words in shown.lines[-1]
    assert "a resume" not in shown.lines[-1]
    flow.intercept()
    await shown.console.master.events.update([flow])
    assert "a resume" in shown.lines[-1]


async def test_hints_are_those_of_what_has_the_keys(shown):
    assert "q quit" in shown.lines[-1]
    for words in ("f filter", "z clear", "M only marked", "* all marked", "n next match", "/ find"):
        assert words not in shown.lines[-1], "there is nothing in the list"
    add(shown, "http://example.com/", "http://example.org/")
    shown.press("z")
    assert shown.lines[-1] == " y yes  n no (or esc)"
    shown.press("n", "o")
    assert "enter choose" in shown.lines[-1]
    shown.press("esc", "e")
    assert shown.lines[-1] == " esc cancel"
    shown.press("esc", ":")
    assert shown.lines[-1].startswith(" enter run  tab complete")
    shown.press("esc", "O")
    assert "q back" in shown.lines[-1]
    shown.press("/", "hold the flows", "enter")
    assert "d reset" not in shown.lines[-1]
    shown.press("enter")
    assert shown.lines[-1] == " enter set  tab complete  esc cancel"
    hint = shown.lines[-1].index("esc")
    shown.console.terminal.handle([("mouse press", 1, hint, 31)])
    assert shown.lines[-1].startswith(" n next match")
    shown.press("1")
    assert not shown.lines[-1].startswith(" n next match"), "it is of another pane"
    shown.press("3")
    assert shown.lines[-1].startswith(" n next match")
    shown.press("?")
    assert "? help" not in shown.lines[-1]
    shown.press("?")
    assert shown.console.shown_name == "options"


async def test_a_tcp_flow_is_not_offered_the_parts_of_http(shown):
    flow = tcp_flow((True, b"hello"))
    shown.view.add(flow)
    shown.press("e")
    shown.console.keys._open()
    assert "; Comment" in shown.text
    assert "Request body" not in shown.text
    shown.press("b")
    assert not isinstance(shown.console.overlay, Confirm)
    shown.press("esc", "esc")
    add(shown, "http://example.com/")
    shown.press("end", "e")
    shown.console.keys._open()
    assert "b Request body" in shown.text


async def test_following_leaves_the_flow_that_somebody_works_on(shown):
    (first,) = add(shown, "http://example.com/0", live=True)
    shown.options.console_focus_follow = True
    number = 0

    def focus_moves() -> bool:
        nonlocal number
        number += 1
        before = shown.view.focus_id
        add(shown, f"http://example.com/{number}")
        return shown.view.focus_id != before

    assert focus_moves()
    for begin, end in (("e", "esc"), (":", "esc"), ("o", "esc"), ("f", "esc"), ("z", "n")):
        shown.press(begin)
        assert not focus_moves(), begin
        shown.press(end)
        assert focus_moves(), begin
    shown.view.set_focus(first.id)
    first.intercept()
    await shown.console.master.events.update([first])
    assert not focus_moves(), "a held flow is to be answered"
    shown.press("a")
    assert focus_moves()


async def test_what_comes_in_below_the_picture_is_counted(shown):
    add(shown, *[f"http://example.com/{number}" for number in range(20)])
    assert "new below" not in shown.lines[-2]
    add(shown, *[f"http://example.com/{number}" for number in range(1500)])
    assert "1/1,520   1,493 new below" in shown.lines[-2]
    shown.press("end")
    assert "1,520/1,520   follow" in shown.lines[-2]
    assert "new below" not in shown.lines[-2]


async def test_a_key_without_a_binding_says_so(shown):
    shown.press("r")
    assert "r: there is no flow in focus" in shown.text


async def test_the_which_key_menu_opens_at_once_on_the_leader_and_esc_closes_it(shown):
    shown.press(",")
    assert "More" in shown.text
    shown.press("esc")
    assert "More" not in shown.text


async def test_panes_open_and_close(shown):
    shown.press("O")
    assert shown.console.shown_name == "options"
    shown.press("C", "?")
    assert shown.console.shown_name == "help"
    shown.press("q")
    assert shown.console.shown_name == "commands"
    shown.press("q", "q")
    assert shown.console.shown_name == "flows"
    shown.press("6")
    assert shown.console.shown_name == "log"
    shown.press("1")
    assert shown.console.shown_name == "flows"
    assert shown.console.is_at_root


async def test_the_drawer_opens_gets_the_focus_and_closes(shown):
    shown.press("E")
    assert "-- log" in shown.text
    assert shown.console.focused_pane.name == "flows"
    shown.press("E")
    assert shown.console.focused_pane.name == "log"
    shown.press("shift tab")
    assert shown.console.focused_pane.name == "flows"
    shown.press("shift tab", "E")
    assert "-- log" not in shown.text


async def test_q_asks_and_esc_never_quits(shown):
    shown.press("esc", "esc")
    assert not shown.console.master.should_exit.is_set()
    shown.press("q")
    assert "quit?" in shown.text and "[y]es" in shown.text
    shown.press("enter")
    assert "one of these keys answers" in shown.text
    shown.press("n")
    assert shown.console.overlay is None
    assert not shown.console.master.should_exit.is_set()
    shown.press("q", "y")
    assert shown.console.master.should_exit.is_set()


async def test_ctrl_c_asks_and_twice_quits(shown):
    shown.press("ctrl c")
    assert isinstance(shown.console.overlay, Confirm)
    shown.press("ctrl c")
    assert shown.console.master.should_exit.is_set()


async def test_capital_q_quits_at_once(shown):
    shown.press("Q")
    assert shown.console.master.should_exit.is_set()


async def test_a_pasted_q_quits_nothing(shown):
    shown.paste("q\nQ\n")
    assert shown.console.active_prompt is None
    assert not shown.console.master.should_exit.is_set()
    assert "refused" in shown.text
    shown.console.terminal.handle(["begin paste", "Q", "enter", "end paste"])
    assert not shown.console.master.should_exit.is_set()


async def test_a_command_line_runs_and_its_errors_are_shown_until_a_key(shown):
    add(shown, "http://example.com/")
    shown.press(":", "flow.mark @focus true", "enter")
    assert shown.view.row(shown.view.focus_id).marked
    shown.press(":", "flow.mrak @focus", "enter")
    assert "did you mean 'flow.mark'?" in shown.prompt_line
    await asyncio.sleep(0)
    shown.press("esc")
    assert "did you mean" not in shown.text


async def test_results_are_shown(shown):
    shown.press(":", "view.order", "enter")
    assert "time" in shown.prompt_line
    shown.press(":", "view.order.options", "enter")
    assert "| time" in shown.text
    shown.press("q")
    assert "| time" not in shown.text


async def test_an_async_command_goes_on_as_a_task(shown):
    going, done = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        going.set()
        await done.wait()
        return "the result"

    shown.console.master.commands.add("test.slow", slow)
    shown.console.run_command("test.slow")
    await going.wait()
    assert "the result" not in shown.text
    done.set()
    await shown.until_shown("the result")


async def test_a_command_that_fails_in_an_unforeseen_way_is_logged_and_shown(shown, caplog):
    def broken() -> None:
        raise ZeroDivisionError("oh no")

    shown.console.master.commands.add("test.broken", broken)
    shown.console.run_command("test.broken")
    assert "oh no" in shown.text
    assert any(record.exc_info for record in caplog.records)


async def test_a_key_press_that_raises_does_not_reach_the_loop(shown, caplog):
    def broken(move: str) -> None:
        raise RuntimeError("pane is broken")

    shown.console.pane.navigate = broken  # type: ignore[method-assign]
    shown.press("j")
    assert "pane is broken" in shown.text
    shown.press("E")
    assert "-- log" in shown.text


async def test_a_pane_that_cannot_be_painted_does_not_end_the_program(shown, caplog):
    def broken(size, focus=False):
        raise RuntimeError("cannot paint")

    assert "1 flows" in shown.text
    shown.console.pane.render = broken  # type: ignore[method-assign]
    assert "cannot paint" in shown.text
    assert "1 flows" in shown.text


async def test_log_lines_from_warn_up_are_shown_and_errors_are_counted_on_the_tab(shown):
    logging.getLogger("midstream.addon").error("it broke")
    assert shown.lines[-4].endswith(" error: addon: it broke")
    assert shown.prompt_line == " all 0"
    assert "6 log 1!" in shown.lines[0]
    shown.press("6")
    assert "1!" not in shown.lines[0]


async def test_a_held_flow_is_announced_without_moving_the_focus(shown):
    first, held = add(shown, "http://example.com/one", "http://example.com/two", live=True)
    held.intercept()
    await shown.console.master.events.update([held])
    assert shown.lines[-4].endswith(" held at response: 2 GET example.com/two")
    assert shown.view.focus_id == first.id
    assert "2 queue 1" in shown.lines[0]
    assert "‖1" in shown.lines[-2]
    shown.press(":", f"flow.resume @{held.id}", "enter")
    await shown.until(lambda: not held.intercepted)
    await shown.until(lambda: "‖1" not in shown.lines[-2])


async def test_stopping_the_process_is_asked_while_flows_are_in_flight(shown):
    add(shown, "http://example.com/", status=None, live=True)
    shown.press("ctrl z")
    assert "stop the proxy too? 1 flow is in flight" in shown.text
    shown.press("n")


async def test_confirm(shown):
    (held,) = add(shown, "http://example.com/", live=True)
    shown.press("z")
    assert "clear the flow?" in shown.text
    shown.press("n")
    assert len(shown.view) == 1
    add(shown, "http://example.com/2")
    held.intercept()
    await shown.console.master.events.update([held])
    shown.press("z")
    assert "clear 2 flows?" in shown.text and "1 is held and will be killed." in shown.text
    shown.press("enter", "y", "esc")
    assert len(shown.view) == 2
    shown.press("z", "h")
    assert list(shown.view.all_ids) == [held.id] and held.intercepted
    add(shown, "http://example.com/3")
    shown.press("z", "k")
    assert len(shown.view) == 0


async def test_a_chooser_sets_the_order(shown):
    shown.press("o")
    assert "sort by" in shown.text
    shown.press("j", "enter")
    assert shown.options.view_order != "time"
    assert shown.console.overlay is None


async def test_set_and_the_options_pane_show_the_same_value(shown):
    shown.press(":", "set intercept ~d", " ", "x", "enter")
    assert shown.options.intercept is None, "two words are two values"
    shown.press("ctrl u", "set intercept '~d x'", "enter")
    assert shown.options.intercept == "~d x"
    shown.press("O")
    shown.press("/", "intercept", "enter")
    await shown.until_shown("~d x")
    assert "i:~d x" in shown.lines[-2]


@pytest.mark.parametrize(("columns", "rows"), [(120, 32), (80, 24), (60, 16), (40, 10), (20, 5), (8, 3)])
async def test_it_paints_at_any_size(tmp_path, columns, rows):
    async with shown_console(tmp_path, columns, rows) as shown:
        for number in range(50):
            add(shown, f"http://example.com/a/very/long/path/{number}")
        assert len(shown.lines) == rows
        shown.press(":")
        assert len(shown.lines) == rows
        shown.press("tab", "esc", "esc", "E", ",")
        assert all(len(line) <= columns for line in shown.lines)


async def test_a_resize_is_painted_at_the_new_size(shown):
    assert len(shown.lines) == 32
    shown.screen.size = (80, 24)
    shown.console.terminal.handle(["window resize"])
    assert len(shown.lines) == 24


async def test_palettes_can_be_changed(shown):
    for name in ("light", "mono", "solarized_dark", "dark"):
        shown.options.console_palette = name
        assert "1 flows" in shown.text
        shown.options.console_palette_transparent = not shown.options.console_palette_transparent
        assert "1 flows" in shown.text


async def test_clicks_on_tabs_hints_and_rows(shown):
    add(shown, "http://example.com/one", "http://example.com/two")
    tab = shown.lines[0].index("options")
    shown.console.terminal.handle([("mouse press", 1, tab, 0)])
    assert shown.console.shown_name == "options"
    shown.press("1")
    hint = shown.lines[-1].index("m mark")
    shown.console.terminal.handle([("mouse press", 1, hint, 31)])
    assert shown.view.row(shown.view.focus_id).marked
    shown.console.terminal.handle([("mouse press", 1, 40, 3)])
    assert shown.view.focus_id == shown.view.shown[1]


async def test_what_is_cancelled_before_its_first_step_is_not_reported_as_forgotten(tmp_path):
    async def never_begun() -> None:
        raise AssertionError("it has begun")

    async with shown_console(tmp_path) as shown:
        coro = never_begun()
        before = asyncio.all_tasks()
        shown.console.spawn(coro, "what comes too late")
        (task,) = asyncio.all_tasks() - before
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert inspect.getcoroutinestate(coro) == inspect.CORO_CLOSED


async def test_what_is_begun_when_the_console_has_just_ended_is_let_go(shown):
    async def work():
        raise AssertionError("it has begun")

    async with asyncio.TaskGroup() as ended:
        pass
    shown.console._tasks = ended
    coro = work()
    shown.console.spawn(coro, "work")
    assert coro.cr_frame is None
    shown.console._tasks = None
