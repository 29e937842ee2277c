"""Copy mode: walking over characters, selecting, and what is copied then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets import copy_mode
from midstream.console.widgets.body_pieces import TextPieces
from midstream.console.widgets.canvas import RowsCanvas
from midstream.console.widgets.copy_mode import CopyMode
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import FixedPieces, Piece
from midstream.console.widgets.text_viewer import TextViewer
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


class Copying:
    """A viewer in copy mode; `press` gives what was copied, if anything was."""

    def __init__(self, text: bytes, columns: int = 40, rows: int = 6) -> None:
        self.viewer = TextViewer(has_cursor=True)
        self.viewer.show(TextPieces(LineIndex(text)))
        self.size = columns, rows
        self.viewer.paint(*self.size)
        self.copied: str | None = None
        self.mode = CopyMode(self.viewer, self._ended)
        self.mode.start()

    def _ended(self, copied: bool) -> None:
        if copied:
            self.copied = "".join(self.mode.text())
            self.mode.leave()

    def press(self, *keys: str) -> str | None:
        for key in keys:
            assert self.mode.press(key), key
            self.viewer.paint(*self.size)
        return self.copied

    @property
    def selected(self) -> str:
        """What is painted as selected."""
        rows = self.viewer.paint(*self.size)
        return "|".join("".join(data.decode() for role, _, data in row[1:] if role == "focus") for row in rows).strip(
            "|"
        )


TEXT = b"one two-three\nfour\n\nsix seven"


@pytest.mark.parametrize(
    ("keys", "copied"),
    [
        ("v e y", "one"),
        ("w v e y", "two"),
        ("w w w v $ y", "three"),
        ("$ v b y", "three"),
        ("l l v j y", "e two-three\nfou"),
        ("V y", "one two-three"),
        ("y", "one two-three"),
        ("j V j j y", "four\n\nsix seven"),
        ("v G $ y", "one two-three\nfour\n\nsix seven"),
        ("G v g y", "one two-three\nfour\n\ns"),
        ("v $ o l y", "ne two-three"),
        ("e v v V enter", "one two-three"),
        ("v h y", "o"),
        ("down down down v w y", "six s"),
        ("j $ h ^ v l y", "fo"),
    ],
)
def test_keys(keys: str, copied: str) -> None:
    assert Copying(TEXT).press(*keys.split()) == copied


def test_what_is_selected_is_seen_without_colour_too() -> None:
    copying = Copying(TEXT)
    copying.press("l", "v", "j")
    assert copying.selected == "ne two-three|fo"
    assert copying.mode.words == "2 lines selected"
    assert copying.viewer.cursor == (1, 0)
    assert copying.mode.column == 6
    copying.press("esc")
    assert copying.selected == ""
    assert copying.mode.on
    copying.press("esc")
    assert not copying.mode.on


def test_rows_that_are_wrapped_are_one_line() -> None:
    copying = Copying(b"0123456789" * 10 + b"\nend", columns=26)
    copying.press("j", "j", "V")
    assert copying.press("y") == "0123456789" * 10
    copying = Copying(b"x" * 10_000 + b"\nend")
    assert copying.press("v", "G", "$", "y") == "x" * 10_000 + "\nend", "pieces of a long line are joined"


def test_up_and_down_keep_their_column() -> None:
    copying = Copying(b"abcdef\nab\nabcdef")
    copying.press("$", "j", "j")
    assert copying.mode._at == (2, 5)
    copying.press("k")
    assert copying.mode._at == (1, 1)


def test_line_numbers_are_not_copied_and_names_are() -> None:
    copying = Copying(b"")
    copying.viewer.show(FixedPieces([Piece([("header.name", "  Host  ")], [("header.value", "h.test")])]))
    copying.mode.start()
    assert copying.press("V", "y") == "  Host  h.test"


def test_what_was_selected_is_copied_though_the_mode_is_left_meanwhile() -> None:
    copying = Copying(TEXT)
    copying.press("V")
    selected = copying.mode.text()
    copying.mode.leave()
    assert "".join(selected) == "one two-three"
    copying.mode.start()
    copying.press("V", "down", "down", "down")
    selected = copying.mode.text()
    copying.viewer.show(TextPieces(LineIndex(b"shorter")))
    assert "".join(selected) == "shorter"


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_mode, "MOST", 10)
    copying = Copying(TEXT)
    with pytest.raises(ValueError, match="save the body to a file instead"):
        copying.press("v", "G", "y")


def test_other_keys_are_not_taken() -> None:
    assert not Copying(TEXT).mode.press("x")


def test_an_empty_text() -> None:
    copying = Copying(b"")
    copying.press("j", "k", "w", "b", "$", "v", "G", "g")
    assert copying.mode.column == 0


KEYS = ["h", "j", "k", "l", "w", "b", "e", "0", "$", "g", "G", "v", "V", "o", "page_down", "page_up", "^"]


@given(
    st.one_of(
        st.sampled_from(TEXTS).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=60),
    ),
    st.sampled_from(WIDTHS),
    st.booleans(),
    st.lists(st.sampled_from(KEYS), max_size=12),
)
def test_hostile_texts(text: bytes, columns: int, wrap: bool, keys: list[str]) -> None:
    copying = Copying(text, columns)
    copying.viewer.wrap = wrap
    copying.viewer.changed()
    for key in keys:
        copying.mode.press(key)
        canvas = RowsCanvas(copying.viewer.paint(columns, 6), columns)
        assert_clean(canvas, columns)
        assert copying.mode.column >= 0
    copying.mode.press("y")
