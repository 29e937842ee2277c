import pytest
import urwid
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import RowsCanvas, cut_line, line_width, overlay, paint_blank, paint_row
from midstream.text.escape import visible

TEXT = st.text(st.one_of(st.characters(), st.sampled_from("中👍\u0301\x1b\u202eab ")), max_size=30)
RUNS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), TEXT.map(lambda text: visible(text, expand_tabs=True))), max_size=6
)


def width_of(row: list[tuple[str, None, bytes]]) -> int:
    return sum(urwid.calc_width(data, 0, len(data)) for _, _, data in row)


def test_a_row_is_cut_and_filled() -> None:
    assert paint_row([("x", "abc"), ("y", "def")], 4, "fill") == [("x", None, b"abc"), ("y", None, b"d")]
    assert paint_row([("x", "a")], 3, "fill") == [("x", None, b"a"), ("fill", None, b"  ")]
    assert paint_row([("x", "中文")], 3, "fill") == [("x", None, "中".encode()), ("fill", None, b" ")]
    assert paint_row([], 0) == []


def test_overlay_keeps_the_text() -> None:
    assert overlay([("a", "x"), ("b", "y")], "focus") == [("focus", "x"), ("focus", "y")]


def test_a_canvas_gives_its_rows_and_cursor() -> None:
    canvas = RowsCanvas([paint_row([("a", "xy")], 4), paint_blank(4)], 4, (1, 0))
    assert canvas.text == [b"xy  ", b"    "]
    assert canvas.cursor == (1, 0)
    assert RowsCanvas([paint_blank(4)], 4, (9, 9)).cursor is None


def test_roles_are_mapped() -> None:
    canvas = RowsCanvas([paint_row([("a", "xy")], 2)], 2)
    assert list(canvas.content(attr={"a": "b"})) == [[("b", None, b"xy")]]


@given(RUNS, st.integers(1, 40))
def test_every_row_has_its_width(runs: list[tuple[str, str]], columns: int) -> None:
    assert width_of(paint_row(runs, columns)) == columns


@given(RUNS, st.integers(1, 40), st.integers(0, 39), st.integers(1, 40))
def test_every_part_of_a_row_has_its_width(runs: list[tuple[str, str]], columns: int, left: int, size: int) -> None:
    left = min(left, columns - 1)
    size = min(size, columns - left)
    canvas = RowsCanvas([paint_row(runs, columns)], columns)
    for row in canvas.content(trim_left=left, cols=size):
        assert width_of(row) == size


def test_something_may_lie_over_it() -> None:
    below = RowsCanvas([paint_row([("a", "中文中文")], 8)] * 3, 8)
    above = urwid.CompositeCanvas(RowsCanvas([paint_row([("b", "XX")], 2)], 2))
    canvas = urwid.CanvasOverlay(above, below, 3, 1)
    assert [cells.width(line) for line in canvas.decoded_text] == [8, 8, 8]
    assert canvas.decoded_text[1] == "中 XX 文"


@pytest.mark.parametrize(
    ("columns", "shown"), [(20, "title find it"), (13, "title find it"), (12, "title find…"), (6, "title…")]
)
def test_a_line_that_is_too_wide_says_so(columns, shown):
    line = cut_line([("title", "title "), ("hint.key", "find"), ("hint", " it")], columns)
    assert "".join(text for _, text in line).replace(" …", "…") == shown
    assert line_width(line) <= columns
