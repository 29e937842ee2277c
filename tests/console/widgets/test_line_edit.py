from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets import cells
from midstream.console.widgets.line_edit import KillRing, LineEdit

KEYS = [
    "ctrl a",
    "home",
    "ctrl e",
    "end",
    "ctrl b",
    "left",
    "ctrl f",
    "right",
    "meta b",
    "alt f",
    "ctrl left",
    "ctrl right",
    "backspace",
    "delete",
    "ctrl d",
    "ctrl w",
    "meta backspace",
    "meta d",
    "ctrl k",
    "ctrl u",
    "ctrl y",
    "meta y",
    "ctrl t",
    "meta .",
    "meta enter",
    "space",
    "x",
    "é",
    "中",
    "́",
    "\t",
    "up",
    "f5",
    "ctrl x",
]


def press(edit: LineEdit, *keys: str) -> LineEdit:
    for key in keys:
        assert edit.press(key), key
    return edit


def test_typing_and_moving() -> None:
    edit = press(LineEdit("ac"), "left", "b")
    assert (edit.text, edit.cursor) == ("abc", 2)
    press(edit, "ctrl a", "0", "ctrl e", "space", "d")
    assert edit.text == "0abc d"


def test_words_are_letters_and_digits_but_ctrl_w_takes_what_has_no_space() -> None:
    edit = press(LineEdit("set view_filter '~d a.b'"), "alt b")
    assert edit.text[edit.cursor :] == "b'"
    press(edit, "meta b", "ctrl left", "ctrl left")
    assert edit.text[edit.cursor :].startswith("view_filter")
    press(edit, "alt f")
    assert edit.text[edit.cursor :].startswith(" '~d")
    press(edit, "end", "ctrl w")
    assert edit.text == "set view_filter '~d "
    press(edit, "alt backspace")
    assert edit.text == "set view_filter '~"


def test_consecutive_kills_are_one_text_in_reading_order() -> None:
    edit = press(LineEdit("one two three"), "alt backspace", "alt backspace", "ctrl u")
    assert edit.text == ""
    assert press(edit, "ctrl y").text == "one two three"
    press(edit, "home", "alt d", "alt d")
    assert edit.text == " three"
    assert press(edit, "ctrl e", "ctrl y").text == " threeone two"


def test_older_kills_come_back_with_alt_y() -> None:
    edit = press(LineEdit("a b"), "ctrl w", "left", "ctrl u", "ctrl y")
    assert edit.text == "a "
    press(edit, "alt y")
    assert edit.text == "b "
    press(edit, "alt y")
    assert edit.text == "a "


def test_alt_y_alone_yanks() -> None:
    ring = KillRing()
    ring.add("x", before=False, join=False)
    assert press(LineEdit("", kill_ring=ring), "alt y").text == "x"


def test_kill_ring_is_shared_when_given() -> None:
    ring = KillRing()
    press(LineEdit("secret", kill_ring=ring), "ctrl u")
    assert press(LineEdit("", kill_ring=ring), "ctrl y").text == "secret"


def test_transpose() -> None:
    assert press(LineEdit("ab"), "ctrl t").text == "ba"
    edit = LineEdit("abc")
    edit.cursor = 1
    assert press(edit, "ctrl t").text == "bac"
    assert edit.cursor == 2
    assert press(LineEdit("a"), "ctrl t").text == "a"


def test_last_words_are_stepped_through() -> None:
    edit = LineEdit("set ", last_words=lambda: ["new", "older"])
    assert press(edit, "alt .").text == "set new"
    assert press(edit, "alt .").text == "set older"
    assert press(edit, "alt .").text == "set new"
    assert press(edit, "x", "meta .").text == "set newxnew"
    assert press(LineEdit("a", last_words=list), "alt .", "alt .").text == "a"


def test_lines_only_where_they_are_allowed() -> None:
    one = LineEdit("a")
    assert not one.press("alt enter")
    one.insert("b\r\nc\rd")
    assert one.text == "ab c d"
    several = press(LineEdit("a", multiline=True), "alt enter", "b", "home")
    assert (several.text, several.cursor) == ("a\nb", 2)
    press(several, "ctrl k", "left", "ctrl k")
    assert several.text == "a"


def test_a_letter_and_its_marks_are_one_step() -> None:
    edit = press(LineEdit("xe\u0301y"), "left", "left")
    assert edit.cursor == 1
    assert press(edit, "right").cursor == 3
    assert press(edit, "backspace").text == "xey"


def test_keys_without_meaning_are_left_to_others() -> None:
    edit = LineEdit("a")
    for key in ("enter", "esc", "tab", "up", "down", "page up", "f1", "ctrl c", "ctrl p", "shift tab", "meta x"):
        assert not edit.press(key)
    assert edit.text == "a"


def test_secret_text_is_not_shown() -> None:
    assert LineEdit("pä\n", secret=True).window(20).text == "•••"


def test_window_scrolls_with_the_cursor() -> None:
    edit = LineEdit("0123456789")
    window = edit.window(5)
    assert (window.text, window.cursor) == ("6789", 4)
    press(edit, "left")
    assert edit.window(5).text == "6789"
    press(edit, "home")
    assert edit.window(5) == ("01234", 0, 5, 0)
    press(edit, "end")
    edit.window(5)
    press(edit, "backspace", "backspace", "backspace")
    assert edit.window(5).text == "3456"


def test_window_shows_controls_and_cuts_wide_text() -> None:
    assert LineEdit("\x1b[2J").window(20).text == "␛[2J"
    assert LineEdit("中文字").window(5).text == "文字"


@given(st.text(max_size=40), st.lists(st.sampled_from(KEYS), max_size=40), st.integers(1, 30), st.booleans())
def test_no_keys_break_it(text: str, keys: list[str], width: int, multiline: bool) -> None:
    edit = LineEdit("", multiline=multiline, last_words=lambda: ["word", text])
    edit.insert(text)
    for key in keys:
        edit.press(key)
        assert 0 <= edit.cursor <= len(edit.text)
        window = edit.window(width)
        assert window.start <= edit.cursor <= window.end or width < 10  # a placeholder may be wider than the field
        assert 0 <= window.cursor <= max(width - 1, 0)
        assert cells.width(window.text) <= width
        assert "\x1b" not in window.text
    assert multiline or "\n" not in edit.text


@given(st.text(st.characters(exclude_characters="\r"), max_size=60))
def test_cutting_all_and_yanking_gives_it_back(text: str) -> None:
    edit = LineEdit(text, multiline=True)
    for _ in range(2 * len(text) + 1):
        edit.press("ctrl w")
    assert edit.text == ""
    edit.press("ctrl y")
    assert edit.text == text


def test_painting_a_huge_line_looks_at_a_few_characters() -> None:
    edit = LineEdit("a" * 1_000_000)
    looked = 0
    shown = edit._shown

    def counting(character: str) -> str:
        nonlocal looked
        looked += 1
        return shown(character)

    edit._shown = counting  # type: ignore[method-assign]
    edit.window(80)
    edit.press("home")
    edit.window(80)
    assert looked < 1000
