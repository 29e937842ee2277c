from __future__ import annotations

import sys
from pathlib import Path

import pytest

from midstream.console.panes.grid import Grid
from midstream.console.panes.options import OptionsPane
from midstream.flows.headers import Headers
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import within

FIELDS = ((b"Host", b"shop.example"), (b"X-A", b"1"), (b"x-a", b"\xff\\"), (b"Cookie", b"a=1;  b=2"))


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path, 100, 26) as shown:
        yield shown


def a_flow(shown: Shown, **more):
    flow = http_flow("http://shop.example/a?x=%20&y", "POST", request_body=b"q=1", request_headers=FIELDS, **more)
    shown.view.add(flow)
    return flow


def grid(shown: Shown) -> Grid:
    pane = shown.console.pane
    assert isinstance(pane, Grid)
    return pane


async def test_a_header_value_is_edited_in_five_keys_and_the_text(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "down", "enter", "ctrl u", "two", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields == (FIELDS[0], (b"X-A", b"two"), *FIELDS[2:])
    assert flow.modified()
    assert not isinstance(shown.console.pane, Grid)


async def test_nothing_is_changed_before_it_is_applied_and_nothing_is_lost_without_a_question(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "down", "d")
    assert len(flow.request.headers.fields) == 4
    shown.press("esc")
    assert "request headers: 1 deleted" in shown.text
    shown.press("esc")
    assert isinstance(shown.console.pane, Grid)
    shown.press("q", "d")
    assert len(flow.request.headers.fields) == 4
    assert not flow.modified()
    shown.press("e", "h", "d", "q", "a")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields == FIELDS[1:]


async def test_leaving_an_untouched_table_asks_nothing(shown):
    flow = a_flow(shown)
    for keys in (("esc",), ("q",), ("ctrl s",), ("enter", "esc", "esc"), ("a", "esc", "esc"), ("d", "u", "esc")):
        shown.press("e", "h", *keys)
        assert shown.console.pane.name == "flows", keys
    assert not flow.modified()


async def test_rows_are_added_above_and_below_and_typed_cell_by_cell(shown):
    flow = a_flow(shown)
    shown.press("e", "q", "a", "new", "tab", "a b", "enter", "g", "A", "first", "enter", "ctrl s")
    await shown.until_shown("query edited")
    assert flow.request.path == "/a?first=&x=%20&new=a+b&y"


async def test_tab_goes_to_the_next_cell_and_the_row_below(shown):
    a_flow(shown)
    shown.press("e", "h", "enter", "tab")
    pane = grid(shown)
    assert (pane.scroll.focus, pane.column, pane.editing) == (1, 0, True)
    shown.press("shift tab")
    assert (pane.scroll.focus, pane.column) == (0, 1)
    shown.press("down")
    assert (pane.scroll.focus, pane.editing) == (1, False)


async def test_tab_in_the_last_cell_goes_on_in_a_new_row_and_never_falls_out_of_typing(shown):
    flow = a_flow(shown)
    shown.press("e", "q", "G", "enter", "tab")
    pane = grid(shown)
    while not pane.rows[pane.scroll.focus].is_empty:
        assert pane.editing
        shown.press("tab")
    assert pane.scroll.focus == len(pane.rows) - 1
    shown.press("new", "tab", "1", "tab", "tab", "tab")
    assert (pane.editing, len(pane.rows)) == (True, 4), "an empty row is followed by no other"
    shown.press("enter", "g", "enter", "shift tab")
    assert (pane.editing, pane.scroll.focus, pane.column) == (True, 0, 0)
    shown.press("esc", "ctrl s")
    await shown.until_shown("query edited")
    assert flow.request.path.endswith("&new=1")


async def test_a_bad_cell_is_named_and_its_row_is_not_lost(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "a", "bad name", "tab", "v", "enter", "g", "ctrl s")
    assert "row 2: ' ' cannot stand in the name of a header" in shown.text
    pane = grid(shown)
    assert (pane.scroll.focus, pane.column) == (1, 0)
    shown.press("enter", "ctrl u", "good", "enter", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers["good"] == "v"


async def test_an_escape_that_means_nothing_keeps_the_field_open(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "down", "enter", "\\", "x", "q", "enter")
    assert "\\x needs two hexadecimal digits" in shown.text
    assert grid(shown).editing
    shown.press("backspace", "4", "1", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields[1] == (b"X-A", b"1A")


async def test_what_came_so_may_stay_so(shown):
    flow = a_flow(shown)
    flow.request.headers = Headers(((b"bad name", b"1"), (b"a", b"2")))
    shown.press("e", "h", "down", "enter", "3", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields == ((b"bad name", b"1"), (b"a", b"23"))


async def test_empty_rows_are_left_out_and_that_is_said(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "down", "enter", "x", "enter", "a", "enter", "a", "enter", "ctrl s")
    await shown.until_shown("2 empty rows were left out")
    assert len(flow.request.headers.fields) == 4


async def test_steps_are_taken_back(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "d", "d", "z", "u", "u", "ctrl r", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields == FIELDS[2:]


async def test_an_apply_is_one_step_of_undo(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "z", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields == ()
    assert flow.modified()
    shown.press("V")
    await shown.until(lambda: flow.request.headers.fields == FIELDS)


async def test_a_change_by_somebody_else_is_seen_and_asked_about(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "down", "enter", "9", "enter")
    flow.request.headers["via"] = "addon"
    assert "changed by somebody else meanwhile" in shown.text
    shown.press("ctrl s", "esc")
    assert flow.request.headers["via"] == "addon"
    shown.press("ctrl s", "r")
    assert "via" in shown.text
    shown.press("u", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields == (FIELDS[0], (b"X-A", b"19"), *FIELDS[2:])


async def test_a_response_that_arrives_meanwhile_is_seen(shown):
    flow = a_flow(shown, status=None)
    shown.press("e", "H")
    assert "there is no response yet: this makes one" in shown.text
    shown.press("a", "X-Own", "tab", "1", "enter")
    flow.response = http_flow("http://x.example/", status=201).response
    shown.press("ctrl s")
    assert "changed by somebody else meanwhile" in shown.text
    shown.press("a")
    await shown.until_shown("response headers edited")
    assert flow.response.status_code == 201
    assert flow.response.headers["X-Own"] == "1"


async def test_parts_of_a_response_that_is_not_there_make_one(shown):
    flow = a_flow(shown, status=None)
    shown.press("e", "C", "esc")
    assert flow.response is None
    shown.press("e", "C", "a", "sid", "tab", "1", "enter", "ctrl s")
    await shown.until_shown("set cookies edited")
    assert flow.response.status_code == 200
    assert flow.response.headers.get_all("set-cookie") == ["sid=1"]


async def test_attributes_open_as_a_table_inside_the_table(shown):
    flow = a_flow(shown)
    flow.response.headers = Headers(((b"Set-Cookie", b"a=1;path=/"),))
    shown.press("e", "C", "right", "enter")
    assert "attributes of a" in shown.text
    shown.press("a", "Secure", "enter", "ctrl s")
    assert "path=/; Secure" in shown.text
    shown.press("ctrl s")
    await shown.until_shown("set cookies edited")
    assert flow.response.headers["set-cookie"] == "a=1; path=/; Secure"


async def test_changes_survive_a_click_on_another_tab(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "d")
    shown.console.run_command("console.view.flows")
    assert "not applied; the changes are there when you open it again" in shown.text
    shown.press("e", "h")
    assert "the changes that you left here are back" in shown.text
    assert "1 deleted" in shown.text
    shown.press("q", "d", "e", "h")
    assert "deleted" not in shown.text
    assert flow.request.headers.fields == FIELDS


async def test_files_are_loaded_and_rows_saved(shown, tmp_path):
    flow = a_flow(shown)
    (tmp_path / "raw").write_bytes(b"a\xff")
    (tmp_path / "escaped").write_bytes(b"b\\xfe\n")
    shown.press("e", "h", "down")
    await shown.console.master.commands.execute(f"console.grideditor.load {tmp_path}/raw")
    shown.press("down")
    await shown.console.master.commands.execute(f"console.grideditor.load_escaped {tmp_path}/escaped")
    await shown.console.master.commands.execute(f"console.grideditor.save {tmp_path}/out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[1:3] == ["X-A,a\\xff", "x-a,b\\xfe"]
    shown.press("r")
    assert "console.grideditor.load" in shown.prompt_line
    shown.press("esc", "ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields[1:3] == ((b"X-A", b"a\xff"), (b"x-a", b"b\xfe"))


async def test_a_cell_is_edited_in_an_editor(shown, tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'ab').write(b'2\\n')\n")
    editor.chmod(0o755)
    monkeypatch.setenv("MIDSTREAM_EDITOR", str(editor))
    flow = a_flow(shown)
    shown.press("e", "h", "down", "e")
    await shown.until(lambda: grid(shown).rows[1].is_touched)
    shown.press("ctrl s")
    await shown.until_shown("request headers edited")
    assert flow.request.headers.fields[1] == (b"X-A", b"12")


async def test_a_paste_is_text_and_its_line_ends_are_escapes(shown):
    flow = a_flow(shown)
    shown.press("e", "f")
    assert "replaces the body, which is no such form" in shown.text
    shown.press("a", "n", "tab")
    shown.paste("a\r\nb\n")
    assert "a\\nb" in shown.text
    shown.press("ctrl s")
    await shown.until_shown("urlencoded form edited")
    assert flow.request.raw_content == b"n=a%0Ab"


async def test_a_table_is_searched_and_clicked(shown):
    a_flow(shown)
    shown.press("e", "h", "/", "b=2", "enter")
    assert grid(shown).scroll.focus == 3
    assert shown.text
    shown.console.layout.click((100, 26), 1, 5, 4)
    assert (grid(shown).scroll.focus, grid(shown).column) == (1, 0)


def open_option(shown: Shown, name: str) -> None:
    shown.press("O")
    pane = shown.console.pane
    assert isinstance(pane, OptionsPane)
    pane.scroll.count = pane.row_count()
    pane.scroll.go(sorted(shown.options.keys()).index(name))
    assert pane.focused_option == name
    shown.press("enter")


async def test_a_list_of_the_options_is_a_table_whose_paths_are_completed(shown, tmp_path):
    for name in ("flows_a", "flows_b"):
        (tmp_path / name).touch()
    open_option(shown, "client_replay")
    assert grid(shown).kind.title == "option client_replay"
    shown.press("a", f"{tmp_path}/flo", "tab")
    assert grid(shown).field.text == f"{tmp_path}/flows_"
    assert grid(shown).field.offered == [f"{tmp_path}/flows_a", f"{tmp_path}/flows_b"]
    shown.press("c", "ctrl s")
    assert "flows_c: " in shown.text
    assert shown.options.client_replay == []
    pane = grid(shown)
    assert len(pane.rows) == 1
    shown.press("esc", "d")
    open_option(shown, "server_replay_ignore_params")
    shown.press("a", "one\\d", "enter", "A", "zero", "ctrl s")
    assert shown.options.server_replay_ignore_params == ["zero", "one\\d"]
    assert shown.console.pane.name == "options"


@pytest.mark.parametrize("width", WIDTHS)
async def test_hostile_cells_are_painted_clean(tmp_path, width):
    async with shown_console(tmp_path, max(width, 20), 16) as shown:
        flow = a_flow(shown)
        fields = [(text.encode("utf-8", "surrogateescape"),) * 2 for text in TEXTS]
        flow.request.headers = Headers(tuple(fields))
        shown.console.run_command("console.edit.focus request-headers")
        pane = grid(shown)
        for at in range(len(TEXTS)):
            pane.scroll.focus = at
            for column in (0, 1):
                pane.column = column
                assert_clean(pane.render((width, 12), True), width)
                pane.open_cell()
                pane.typed("x")
                assert_clean(pane.render((width, 12), True), width)
                pane.typed("esc")


async def test_ten_thousand_headers_stay_quick(shown):
    flow = a_flow(shown)
    flow.request.headers = Headers(tuple((b"x-%d" % number, b"value") for number in range(10_000)))
    shown.press("e", "h")
    assert "10,000 rows" in shown.text
    for keys in (("down",), ("enter",), ("x",), ("enter",), ("page down",), ("d",), ("a",), ("esc",), ("u",)):
        with within(0.1, str(keys)):
            shown.press(*keys)
            assert shown.text
    shown.press("ctrl s")
    await shown.until_shown("request headers edited")


@pytest.mark.parametrize(
    "part",
    [
        "cookies",
        "urlencoded-form",
        "multipart-form",
        "path",
        "query",
        "request-headers",
        "response-headers",
        "set-cookies",
    ],
)
async def test_every_part_of_the_reference_opens(shown, part):
    a_flow(shown)
    assert part in shown.console.master.commands.execute("console.edit.focus.options")
    shown.console.run_command(f"console.edit.focus {part}")
    assert grid(shown).kind.part == part


async def test_commands_without_a_table_say_what_opens_one(shown):
    shown.console.run_command("console.grideditor.add")
    assert "no table is open: e h opens" in shown.text
    assert Path(__file__).exists()


async def test_enter_in_an_empty_table_adds_the_first_row(shown):
    flow = http_flow("http://shop.example/a", "GET", request_headers=FIELDS)
    shown.view.add(flow)
    shown.press("e", "q", "enter", "a", "tab", "1", "ctrl s")
    await shown.until_shown("query edited")
    assert flow.request.path == "/a?a=1"


async def test_a_short_name_is_typed_in_a_field_that_has_room(shown):
    a_flow(shown)
    shown.press("e", "q", "g", "left", "enter", *"-a-longer-name")
    assert "[x-a-longer-name " in shown.text
    shown.press("enter")
    assert "x-a-longer-name" in shown.text


async def test_a_row_that_was_deleted_by_mistake_comes_back_and_the_key_is_told(shown):
    flow = a_flow(shown)
    shown.press("e", "h", "down", "d")
    assert "the row is out, and gone when you apply; u takes that back" in shown.text
    shown.press("z")
    assert "3 rows are out" in shown.text
    shown.press("u", "u")
    assert not grid(shown).is_changed
    shown.press("ctrl s")
    assert flow.request.headers.fields == FIELDS


async def test_finding_while_a_cell_is_typed_takes_the_cell_first(shown):
    a_flow(shown)
    shown.press("e", "h", "/", "cookie", "enter", "g", "enter", "ctrl u", "other", "meta n")
    assert grid(shown).rows[0].cells == (b"Host", b"other")
    assert grid(shown).scroll.focus == 3
    assert grid(shown).field is None
    shown.press("g", "enter", "\\x", "meta n")
    assert grid(shown).field is not None
    assert grid(shown).scroll.focus == 0


async def test_the_box_says_what_is_wrong_with_what_is_typed(shown):
    a_flow(shown)
    shown.press("e", "h", "h", "enter", " ", "x")
    assert "' ' cannot stand in the name of a header" in shown.text
    shown.press("backspace", "backspace")
    assert "cannot stand" not in shown.text
