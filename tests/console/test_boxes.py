"""Boxes over the panes: the stack, places and clicks; choosers, questions, forms, the export dialog, help, copying."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from midstream.console.completion import Candidates
from midstream.console.hints import hint_line
from midstream.console.overlays import (
    Answer,
    ChoiceField,
    Chooser,
    Confirm,
    Form,
    KeysBox,
    Overlay,
    Table,
    TextField,
    ToggleField,
)
from midstream.console.overlays.command_form import CommandForm
from midstream.console.overlays.export_form import ExportChoice, ExportForm
from midstream.console.widgets.canvas import paint
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.hub.clipboard import Clipboard
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, tcp_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
async def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shown]:
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    async with shown_console(tmp_path / "config") as shown:
        shown.console.master.clipboard = Clipboard(lambda: tmp_path / "config")
        yield shown


def click(shown: Shown, text: str) -> None:
    """The left button on a text of the screen."""
    row = next(row for row, line in enumerate(shown.lines) if text in line)
    shown.console.terminal.handle([("mouse press", 1, shown.lines[row].index(text), row)])


def add(shown: Shown, url: str = "https://api.example.com/v2/cart?n=1", **more: object) -> HTTPFlow:
    flow = http_flow(url, "POST", request_body=b'{"a": 1}', **more)  # type: ignore[arg-type]
    flow.request.headers["cookie"] = "id=1"
    flow.request.headers["authorization"] = "Bearer abc.def"
    shown.view.add(flow)
    shown.view.set_focus(flow.id)
    return flow


async def copied(shown: Shown, tmp_path: Path, *keys: str) -> str:
    file = tmp_path / "config" / "clipboard.txt"
    file.unlink(missing_ok=True)
    shown.press(*keys)
    await shown.until(lambda: file.exists() and "copied" in shown.text)
    return file.read_bytes().decode()


# --- the stack --------------------------------------------------------------------------------------------------------


async def test_a_box_upon_a_box_gives_the_keys_back(shown: Shown) -> None:
    picked: list[str] = []
    shown.console.show(Chooser("below", ["one", "two"], picked.append))
    shown.console.show(Chooser("above", ["three", "four"], picked.append))
    assert "above" in shown.text
    shown.press("enter")
    assert "above" not in shown.text and "below" in shown.text
    shown.press("2")
    assert picked == ["three", "two"]
    assert shown.console.overlay is None


async def test_what_a_box_opens_while_it_finishes_stays(shown: Shown) -> None:
    shown.console.show(
        Chooser("first", ["one"], lambda _: shown.console.show(Chooser("second", ["x"], lambda _: None)))
    )
    shown.press("enter")
    assert "second" in shown.text and "first" not in shown.text


async def test_the_cursor_stands_in_the_box(shown: Shown) -> None:
    shown.console.show(Form("form", [TextField("name", text="abc")], lambda _: None))
    row = next(row for row, line in enumerate(shown.lines) if "abc" in line)
    assert shown.screen.canvas is not None
    assert shown.screen.canvas.cursor == (shown.lines[row].index("abc") + 3, row)


async def test_a_paste_goes_into_the_field_or_is_refused(shown: Shown) -> None:
    form = Form("form", [TextField("name"), ToggleField("on", "on", ["x"])], lambda _: None)
    shown.console.show(form)
    shown.paste("q\nesc")
    assert form.values()["name"] == "q esc"
    shown.press("tab")
    shown.paste("more")
    assert "refused" in shown.text
    assert form.values()["name"] == "q esc"


# --- choosers ---------------------------------------------------------------------------------------------------------


async def test_a_long_chooser_narrows_while_one_types(shown: Shown) -> None:
    picked: list[str] = []
    names = [f"{word} {number}" for word in ("red", "green", "blue") for number in range(20)]
    shown.console.show(Chooser("colour", names, picked.append, "green 7"))
    assert "*green 7" in shown.text
    shown.press("/", "blue 1", "9")
    assert "blue 19" in shown.text and "red" not in shown.text
    shown.press("backspace", "backspace", "backspace", "zz")
    assert "none of 60 has that" in shown.text
    shown.press("enter", "esc")
    assert "red 0" in shown.text and not picked
    shown.press("/", "ue 12", "enter")
    assert picked == ["blue 12"]


async def test_a_click_picks(shown: Shown) -> None:
    picked: list[str] = []
    shown.console.show(Chooser("colour", ["red", "green"], picked.append))
    click(shown, "green")
    assert picked == ["green"] and shown.console.overlay is None


# --- questions --------------------------------------------------------------------------------------------------------


async def test_only_a_letter_answers(shown: Shown) -> None:
    done: list[str] = []
    answers = [Answer("k", "kill all", lambda: done.append("k")), Answer("h", "keep held", lambda: done.append("h"))]
    shown.console.show(Confirm("clear?", answers, ["2 are held."]))
    assert "[k]ill all" in shown.text and "keep [h]eld" in shown.text and "2 are held." in shown.text
    shown.press("enter", "y", "space")
    assert done == [] and "one of these keys answers" in shown.text
    shown.press("h")
    assert done == ["h"] and shown.console.overlay is None
    shown.console.show(Confirm("clear?", answers))
    click(shown, "[esc]")
    assert done == ["h"] and shown.console.overlay is None
    shown.console.show(Confirm("clear?", answers))
    click(shown, "[k]ill")
    assert done == ["h", "k"]


async def test_a_command_is_confirmed(shown: Shown) -> None:
    add(shown)
    shown.press(":", "console.command.confirm 'drop it?' view.flows.remove @all", "enter")
    assert "drop it?" in shown.text
    shown.press("n")
    assert len(shown.view) == 1
    shown.press(":", "console.command.confirm 'drop it?' view.flows.remove @all", "enter", "y")
    assert len(shown.view) == 0


# --- forms ------------------------------------------------------------------------------------------------------------


def a_form(done: Callable[[dict[str, object]], object]) -> Form:
    def complete(text: str, cursor: int) -> Candidates:
        words = [word for word in ("apple", "apricot", "banana") if word.startswith(text[:cursor])]
        return Candidates(0, cursor, words, typed=text[:cursor])

    is_file = ChoiceField("to", "to", ["clipboard", "file"])
    return Form(
        "form",
        [
            is_file,
            TextField("path", when=lambda: is_file.value == "file", complete=complete, problem=_no_banana),
            ToggleField("with", "with", ["cookies", "secrets"], ["cookies"]),
        ],
        done,
    )


def _no_banana(text: str) -> str:
    return "no bananas" if text == "banana" else ""


async def test_fields_come_and_go_and_complete(shown: Shown) -> None:
    done: list[dict[str, object]] = []
    shown.console.show(a_form(done.append))
    assert "path" not in shown.text
    shown.press("f")
    assert "> file" in shown.text and "path" in shown.text
    shown.press("tab", "a", "tab")
    assert "2: apple  apricot" in shown.text
    shown.press("r", "tab")
    assert "apricot" in shown.text
    shown.press("tab", "right", " ", "enter")
    assert done == [{"to": "file", "path": "apricot", "with": frozenset({"cookies", "secrets"})}]


async def test_what_is_wrong_is_said_and_nothing_is_lost(shown: Shown) -> None:
    def refuse(values: dict[str, object]) -> None:
        raise CommandError("the disk is full")

    shown.console.show(a_form(refuse))
    shown.press("right", "tab", "banana", "enter")
    assert "path: no bananas" in shown.text
    shown.press("backspace", "enter")
    assert "the disk is full" in shown.text and "banan" in shown.text
    shown.press("esc")
    assert shown.console.overlay is None


async def test_a_chooser_that_sets_an_option_stands_on_what_is_set(shown: Shown) -> None:
    shown.options.view_order = "url"
    shown.press("o")
    assert "*url" in shown.text
    shown.press("enter")
    assert shown.options.view_order == "url"


async def test_the_way_out_of_a_box_is_named_where_there_is_little_room(tmp_path: Path) -> None:
    for columns in (120, 60, 40):
        async with shown_console(tmp_path, columns, 16) as shown:
            shown.options.console_quickhelp_visible = True
            shown.press("K", "a")
            assert shown.console.overlay is not None
            hints = "".join(text for _, text in hint_line(shown.console, columns)[0])
            assert "enter bind" in hints and "esc cancel" in hints and len(hints.rstrip()) <= columns


async def test_clicks_choose_and_switch(shown: Shown) -> None:
    form = a_form(lambda _: None)
    shown.console.show(form)
    click(shown, "file")
    assert form.values()["to"] == "file"
    click(shown, "[ ] secrets")
    assert form.values()["with"] == frozenset({"cookies", "secrets"})


async def test_the_form_of_a_command_runs_it(shown: Shown) -> None:
    flow = add(shown)
    shown.press(":", "console.command.form flow.comment", "enter")
    assert isinstance(shown.console.overlay, CommandForm)
    assert "@focus" in shown.text
    shown.press("tab", "two words")
    assert ': flow.comment @focus "two words"' in shown.text
    shown.press("enter")
    assert flow.comment == "two words"


async def test_a_wrong_argument_points_at_its_field(shown: Shown) -> None:
    shown.press(":", "console.command.form console.view.flow", "enter", "enter")
    assert "flow: no flow is under the cursor" in shown.text
    shown.press("ctrl o")
    assert shown.console.active_prompt is not None
    assert shown.console.active_prompt.edit.text == "console.view.flow @focus"


# --- export -----------------------------------------------------------------------------------------------------------


async def test_export_to_the_clipboard_leaves_out_what_is_off(shown: Shown, tmp_path: Path) -> None:
    add(shown)
    shown.press("x")
    assert "export 1 flow (1)" in shown.text
    await shown.until_shown("Bearer abc.def")
    shown.press("tab", "tab", "right", " ")
    await shown.until(lambda: "Bearer" not in shown.text)
    text = await copied(shown, tmp_path, "enter")
    assert text.startswith("curl") and "Bearer" not in text and "id=1" in text
    shown.press("x")
    assert "[ ] authorization" in shown.text, "the last choice is offered"


async def test_export_to_a_file(shown: Shown, tmp_path: Path) -> None:
    add(shown)
    shown.press("x", "p", "tab", "f", "tab")
    assert "~/example-1.py" in shown.text
    shown.press("enter")
    await shown.until(lambda: (tmp_path / "example-1.py").exists())
    assert "api.example.com" in (tmp_path / "example-1.py").read_text()
    await shown.until(lambda: "wrote" in shown.text)
    shown.press("x")
    assert "exists, and is replaced" in shown.text
    shown.press("tab", "tab", "ctrl u", "/none/x", "enter")
    assert "there is no folder /none" in shown.text


async def test_y_copies_at_once_and_pane_shows(shown: Shown, tmp_path: Path) -> None:
    add(shown)
    assert (await copied(shown, tmp_path, "x", "y")).startswith("curl")
    shown.press("x", "tab", "p", "enter")
    await shown.until(lambda: isinstance(shown.console.overlay, Table))
    assert "export curl" in shown.text


async def test_several_flows_and_those_that_cannot_be_exported(shown: Shown, tmp_path: Path) -> None:
    for number in range(3):
        add(shown, f"https://example.com/{number}").marked = ":default:"
    shown.view.add(tcp_flow((True, b"hello")))
    shown.press(":", "console.export @all", "enter")
    assert "export 4 flows" in shown.text
    await shown.until_shown("curl")
    text = await copied(shown, tmp_path, "y")
    assert text.count("curl ") == 3
    assert "1 left out" in shown.text
    shown.press("end", "x")
    assert "only HTTP can be exported" in shown.text


# --- copying ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("yu", "https://api.example.com/v2/cart?n=1"),
        ("yo", "api.example.com"),
        ("yp", "/v2/cart?n=1"),
        ("yb", '{"a": 1}'),
        ("yk", "id=1"),
        ("ys", "HTTP/1.1 200 OK"),
        ("yy", "POST https://api.example.com/v2/cart?n=1 200"),
    ],
)
async def test_parts_are_copied_by_two_keys(shown: Shown, tmp_path: Path, keys: str, expected: str) -> None:
    add(shown)
    assert await copied(shown, tmp_path, *keys) == expected
    assert f"copied {len(expected)} bytes, the " in shown.text


async def test_heads_are_copied_as_lines(shown: Shown, tmp_path: Path) -> None:
    add(shown)
    text = await copied(shown, tmp_path, "y", "h")
    assert "cookie: id=1\nauthorization: Bearer abc.def\n" in text


async def test_what_is_not_there_says_so(shown: Shown) -> None:
    add(shown, status=None)
    shown.press("y", "B")
    assert "there is no response body" in shown.text
    shown.press("y", "K")
    assert "the response sets no cookies" in shown.text


async def test_names_values_and_lines_of_other_panes(shown: Shown, tmp_path: Path) -> None:
    shown.press("O", "/", "console_escape_wait", "enter")
    await shown.until(lambda: shown.console.pane.copies().get("name", str)() == "console_escape_wait")
    assert await copied(shown, tmp_path, "y", "n") == "console_escape_wait"
    assert await copied(shown, tmp_path, "y", "v") == "25"
    assert await copied(shown, tmp_path, "y", "y") == "set console_escape_wait 25"
    shown.press("C")
    name = shown.console.pane.copies()["name"]()
    assert await copied(shown, tmp_path, "y", "n") == name


async def test_letting_go_of_the_mouse_says_what_is_possible_now(shown: Shown) -> None:
    shown.press(",", "M")
    assert "drag to select text" in shown.text
    shown.press(",", "M")
    assert "the console has the mouse again" in shown.text


# --- help -------------------------------------------------------------------------------------------------------------


async def test_question_mark_tells_the_keys_of_a_box(shown: Shown) -> None:
    shown.console.show(Chooser("colour", ["red"], lambda _: None))
    shown.press("?")
    assert isinstance(shown.console.overlay, KeysBox)
    assert "keys: colour" in shown.text
    shown.press("x")
    assert isinstance(shown.console.overlay, Chooser)


async def test_f1_tells_the_keys_of_a_prompt_and_the_text_stays(shown: Shown) -> None:
    shown.press(":", "flow.")
    shown.console.terminal.handle(["f1"])
    assert "keys of the prompt" in shown.text and "ctrl w  alt d" in shown.text
    shown.press("esc")
    assert shown.console.active_prompt is not None
    assert shown.console.active_prompt.edit.text == "flow."


async def test_question_mark_is_text_in_a_field(shown: Shown) -> None:
    form = Form("form", [TextField("name")], lambda _: None)
    shown.console.show(form)
    shown.press("?")
    assert form.values()["name"] == "?"
    shown.console.terminal.handle(["f1"])
    assert isinstance(shown.console.overlay, KeysBox)


# --- hostile texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("rows", [6, 16])
async def test_hostile_texts(shown: Shown, columns: int, rows: int) -> None:
    flow = add(shown)
    for text in TEXTS:
        flow.request.headers["x-hostile"] = (
            text.encode("utf-8", "surrogateescape")[:200].replace(b"\r", b"").replace(b"\0", b"").replace(b"\n", b"")
        )
        form = Form(
            text,
            [TextField(text, text, text), ChoiceField("c", text, [text, text]), ToggleField("t", text, [text])],
            print,
        )
        form.problem = text
        export = ExportForm(shown.console, [flow], ExportChoice(), lambda *_: None)
        export._preview = [text] * 9
        finding = Chooser(text, [text] * 12, print, text)
        finding.press("/")
        finding.paste(text)
        boxes: list[Overlay] = [
            form,
            export,
            finding,
            Chooser(text, [text] * 12, print, text),
            Confirm(text, [Answer("x", text)], [text]),
            KeysBox(text, [(text, text)], has_text=True),
            Table(text, [[text, text]]),
        ]
        for box in boxes:
            lines = box.lines(columns, rows)
            assert len(lines) <= max(rows, 4)
            assert_clean(paint(lines, columns, len(lines)), columns)
            box.closed()
