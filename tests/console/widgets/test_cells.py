import urwid
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets import cells
from midstream.text.escape import visible

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\u202e\u200b\u0301\u0903中한🏻👍🇩🇪\u200d\ufe0f\t\x9b\udc80क्षक़"),
    ),
    max_size=60,
)


def test_ordinary_text_is_untouched() -> None:
    for text in ("abc", "é", "中文", "e\u0301", "नमस्ते", "…‖"):
        assert cells.prepare(text) == text


def test_ambiguous_clusters_are_taken_apart() -> None:
    assert cells.prepare("👍🏽") == "👍<1F3FD>"
    assert cells.prepare("🇩🇪") == "🇩<1F1EA>"
    assert cells.prepare("\u0301a") == "◌\u0301a"


def test_piles_of_marks_are_counted() -> None:
    shown = cells.prepare("a" + "\u0301" * 5000)
    assert len(shown) < 60
    assert "4994 more marks" in shown


def test_clip_cuts_between_cells() -> None:
    assert cells.clip("abcdef", 4) == ("abcd", 4)
    assert cells.clip("abcdef", 4, "…") == ("abc…", 4)
    assert cells.clip("中文字", 5) == ("中文", 4)
    assert cells.clip("中文字", 6, "…") == ("中文字", 6)
    assert cells.clip("x", 0) == ("", 0)


def test_skip_leaves_a_space_for_half_a_character() -> None:
    assert cells.skip("中文", 1) == " 文"
    assert cells.skip("abc", 2) == "c"
    assert cells.skip("abc", 9) == ""


def test_fit_pads_to_the_cell() -> None:
    assert cells.fit("中", 4) == "中  "
    assert cells.fit("12", 4, "right") == "  12"
    assert cells.fit("中文字", 4) == "中… "


def test_ascii_terminal() -> None:
    urwid.set_encoding("ascii")
    try:
        assert cells.prepare("‖req …") == "=req ~"
        assert cells.prepare("中x") == "??x"
        assert cells.prepare("␛") == "^"
        assert cells.encode(cells.prepare("é中")) == b"???"
        assert cells.fit("abcdef", 4) == "abc~"
    finally:
        urwid.set_encoding("utf8")


@given(HOSTILE, st.integers(0, 300))
def test_hostile_text_fits_exactly(text: str, room: int) -> None:
    fitted = cells.fit(visible(text, expand_tabs=True), room)
    data = cells.encode(fitted)
    assert urwid.calc_width(data, 0, len(data)) == room
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u200b" for c in fitted)


@given(HOSTILE, st.integers(0, 80), st.integers(0, 80))
def test_skip_and_clip_agree_with_the_width(text: str, left: int, room: int) -> None:
    prepared = cells.prepare(visible(text, expand_tabs=True))
    rest = cells.skip(prepared, left)
    assert cells.width(rest) == max(cells.width(prepared) - left, 0)
    kept, used = cells.clip(rest, room)
    assert cells.width(kept) == used <= room
