from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midstream.console.text_bytes import TextForm, to_bytes, to_text
from midstream.console.widgets.canvas import paint
from midstream.console.widgets.line_edit import KillRing
from midstream.console.widgets.text_edit import MOST, TextEdit
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import judge, no_collection

# fmt: off
KEYS = [
    "a", "é", "日", "space", "tab", "enter", "up", "down", "left", "right", "home", "end", "page_up", "page_down",
    "backspace", "delete", "ctrl_k", "ctrl_u", "ctrl_w", "ctrl_y", "alt_y",
    "alt_d", "alt_b", "alt_f", "ctrl_z", "ctrl_r", "alt_<", "alt_>", "ctrl_t",
]
# fmt: on


def shown(edit: TextEdit, columns: int = 40, rows: int = 10) -> list[str]:
    lines, _ = edit.paint(columns, rows)
    return ["".join(text for _, text in line)[2:].rstrip() for line in lines]


def press(edit: TextEdit, *keys: str) -> None:
    for key in keys:
        assert edit.press(key.replace("_", " ") if key not in ("page_up", "page_down") else key), key


def test_typing_lines_and_moving_between_them() -> None:
    edit = TextEdit()
    press(edit, *"one", "enter", *"two", "enter", "tab", *"three")
    assert edit.text == "one\ntwo\n\tthree"
    assert shown(edit) == ["one", "two", "␉   three"]
    assert edit.place == (3, 7)
    press(edit, "up", "up", "home", "X")
    assert edit.text.startswith("Xone")
    press(edit, "alt_>", "Y", "alt_<", "Z")
    assert edit.text == "ZXone\ntwo\n\tthreeY"


def test_up_and_down_keep_the_cell() -> None:
    edit = TextEdit("abcdef\nab\n日本語x")
    edit.paint(40, 10)
    press(edit, "right", "right", "right", "right", "down")
    assert edit.place == (2, 3)
    press(edit, "down")
    assert edit.place == (3, 3)  # two wide characters are four cells
    press(edit, "up", "up")
    assert edit.place == (1, 5)


def test_long_lines_are_wrapped_and_the_cursor_stays_visible() -> None:
    edit = TextEdit("x" * 100)
    lines, place = edit.paint(23, 3)
    assert [len(line[1][1]) for line in lines] == [20, 20, 20]
    press(edit, "end")
    lines, place = edit.paint(23, 3)
    assert place == (2, 2)  # a full row is followed by one for the cursor
    press(edit, "up")
    assert edit.cursor == 80


def test_lines_are_cut_and_come_back() -> None:
    ring = KillRing()
    edit = TextEdit("one\ntwo\nthree", kill_ring=ring)
    press(edit, "ctrl_k", "ctrl_k")
    assert edit.text == "two\nthree"
    press(edit, "alt_>", "ctrl_y")
    assert edit.text == "two\nthreeone\n"


def test_undo_and_redo_by_words() -> None:
    edit = TextEdit("x")
    press(edit, *"ab", "space", *"cd")
    assert edit.text == "ab cdx"
    press(edit, "ctrl_z")
    assert edit.text == "ab x"
    press(edit, "ctrl_z", "ctrl_z")
    assert edit.text == "x"
    press(edit, "ctrl_r", "ctrl_r", "ctrl_r")
    assert edit.text == "ab cdx"
    press(edit, "backspace", "ctrl_r")
    assert edit.problem == "nothing to redo"


def test_a_text_that_grows_too_long_is_refused_and_nothing_is_lost() -> None:
    edit = TextEdit("é" * (MOST // 2 - 1))
    press(edit, "x", "y")
    edit.paste("zz")
    assert edit.problem == "more than 64 kB are not edited in place"
    assert len(edit.text.encode()) == MOST
    press(edit, "backspace")
    assert not edit.problem


def test_pastes_are_text() -> None:
    edit = TextEdit()
    edit.paste("a\r\nb\rc\ud800\x1b[2J")
    assert edit.text == "a\nb\nc?\x1b[2J"
    assert shown(edit)[2] == "c?␛[2J"


def test_the_bad_line_is_marked() -> None:
    edit = TextEdit("one\ntwo")
    edit.bad_line = 2
    lines, _ = edit.paint(40, 5)
    assert [line[0][1] for line in lines] == ["  ", "! "]


def test_a_click_on_what_was_taken_away_since_it_was_painted() -> None:
    edit = TextEdit("one\ntwo")
    shown(edit)
    press(edit, "ctrl_k", "delete", "ctrl_k")
    edit.click(4, 1)
    assert (edit.text, edit.cursor) == ("", 0)


def test_a_click_moves_the_cursor() -> None:
    edit = TextEdit("one\n日本語\nthree")
    edit.paint(40, 10)
    edit.click(5, 1)
    assert edit.place == (2, 2)
    edit.click(99, 99)
    assert edit.place == (3, 6)


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_texts_are_painted_clean(width: int) -> None:
    for text in (*TEXTS, "\n".join(TEXTS), "a\r\n\tb"):
        edit = TextEdit(text)
        for key in ("down", "end", "page_down", "x", "backspace", "alt_>", "up"):
            press(edit, key)
            lines, cursor = edit.paint(width, 6)
            assert_clean(paint(lines, width, 6, cursor=cursor), width)
            assert 0 <= cursor[0] < width
            assert 0 <= cursor[1] < 6


@example(text="日a", keys=["end", "a", "ctrl_t"], width=5)
@given(
    st.text(st.sampled_from("ab \n\t日é\u0301\udc80"), max_size=60),
    st.lists(st.sampled_from(KEYS), max_size=40),
    st.integers(4, 30),
)
def test_rows_are_the_text_whatever_is_pressed(text: str, keys: list[str], width: int) -> None:
    edit = TextEdit(text)
    for key in keys:
        press(edit, key)
        edit.paint(width, 5)
        assert 0 <= edit.cursor <= len(edit.text)
        fresh = TextEdit(edit.text)
        fresh.paint(width, 5)
        # What was kept of the layout is what a new one says.
        assert list(edit._walk(0)) == list(fresh._walk(0))
        assert "".join(edit.text[a:b] for a, b in edit._walk(0)) == edit.text.replace("\n", "")


@pytest.mark.parametrize("text", ["x" * (MOST - 8), "日" * (MOST // 3 - 8), "key: value\n" * 5900, "\n" * (MOST - 8)])
def test_a_key_in_a_long_text_is_quick(text: str) -> None:
    edit = TextEdit(text)
    edit.paint(120, 30)
    press(edit, "alt_>")
    edit.paint(120, 30)
    for moves in ((), ("up",) * 40, ("alt_<",)):
        press(edit, *moves)
        edit.paint(120, 30)
        best = 1.0
        for key in ("a", "left", "backspace", "b"):
            with no_collection():
                start = time.thread_time()
                press(edit, key)
                edit.paint(120, 30)
                best = min(best, time.thread_time() - start)
        judge(best, 0.005, "a key")


@given(st.binary(max_size=80), st.sampled_from(["utf-8", "latin-1", "utf-16", "shift_jis", "no-such"]))
def test_bytes_come_back(data: bytes, encoding: str) -> None:
    text, form = to_text(data, encoding)
    assert to_bytes(text, form) == data


@given(st.lists(st.sampled_from([b"a", b"\r\n", b"\n", b"\r", b"\xff"]), max_size=12))
def test_line_ends_come_back(parts: list[bytes]) -> None:
    data = b"".join(parts)
    text, form = to_text(data)
    assert to_bytes(text, form) == data


def test_line_ends_of_windows_are_hidden_and_typed() -> None:
    text, form = to_text(b"a\r\nb\r\n")
    assert text == "a\nb\n"
    assert form.is_crlf
    assert to_bytes("a\nx\nb\n", form) == b"a\r\nx\r\nb\r\n"


def test_a_character_that_an_encoding_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: '日' cannot be written in latin-1"):
        to_bytes("a\n日", TextForm("latin-1"))


@pytest.mark.parametrize("columns", (20, 61, 300))
@pytest.mark.parametrize("text", TEXTS)
def test_places_that_were_found_are_painted_and_nothing_moves(text, columns):
    edit = TextEdit(text)
    plain, cursor = edit.paint(columns, 50)
    edit.hits = [(at, at + 2) for at in range(0, len(text) - 2, 3)]
    lines, place = edit.paint(columns, 50)
    assert place == cursor
    assert ["".join(each for _, each in line) for line in lines] == [
        "".join(each for _, each in line) for line in plain
    ]


def test_the_place_at_the_cursor_looks_another_way():
    edit = TextEdit("one two\none")
    edit.hits = [(0, 3), (8, 11)]
    edit.go_to(8)
    lines, _ = edit.paint(40, 5)
    assert lines[0][1:] == [("match", "one"), ("text", " two")]
    assert lines[1][1:] == [("match.on", "one")]
    edit.hits = [(4, 9)]
    lines, _ = edit.paint(40, 5)
    assert [line[1:] for line in lines] == [[("text", "one "), ("match", "two")], [("match", "o"), ("text", "ne")]]
