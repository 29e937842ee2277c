import pytest
import urwid
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.finder import Finder
from midstream.console.widgets import cells
from midstream.console.widgets.body_pieces import HexPieces, TextPieces
from midstream.console.widgets.hits import Hits
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import FixedPieces, JoinedPieces, Piece
from midstream.console.widgets.text_viewer import TextViewer
from midstream.console.widgets.wrapping import wrapped
from midstream.work.slices import Budget


def viewer(text: bytes, *, numbers: bool = False) -> TextViewer:
    made = TextViewer()
    made.show(TextPieces(LineIndex(text), numbers=numbers))
    return made


def lines(shown: TextViewer, columns: int, rows: int) -> list[str]:
    painted = shown.paint(columns, rows)
    assert len(painted) == rows
    for row in painted:
        data = b"".join(part for _, _, part in row)
        assert urwid.calc_width(data, 0, len(data)) == columns
    return [b"".join(part for _, _, part in row).decode().rstrip() for row in painted]


def roles(shown: TextViewer, columns: int, rows: int) -> list[list[tuple[str, str]]]:
    return [[(role, part.decode()) for role, _, part in row] for row in shown.paint(columns, rows)]


def test_lines_wrap_behind_their_numbers() -> None:
    assert lines(viewer(b"abcdefghij\nx", numbers=True), 10, 4) == ["  1  abcde", "     fghij", "  2  x", ""]


def test_without_wrapping_lines_scroll_sideways() -> None:
    shown = viewer(b"abcdefghijklmnop\nx")
    assert not shown.toggle_wrap()
    assert lines(shown, 6, 2) == ["abcdef", "x"]
    shown.move("right")
    assert lines(shown, 6, 2) == ["ijklmn", ""]
    shown.move("left")
    assert lines(shown, 6, 2) == ["abcdef", "x"]


def test_moves() -> None:
    shown = viewer(b"".join(b"%d\n" % number for number in range(100)))
    assert lines(shown, 5, 3) == ["0", "1", "2"]
    shown.move("down")
    assert lines(shown, 5, 3) == ["1", "2", "3"]
    shown.move("page_down")
    assert lines(shown, 5, 3)[0] == "2"
    shown.move("end")
    assert lines(shown, 5, 3) == ["97", "98", "99"]
    assert shown.position == "end"
    shown.move("up")
    assert lines(shown, 5, 3) == ["96", "97", "98"]
    shown.move("start")
    assert shown.position == "top"
    assert not shown.move("select")


def test_scrolling_inside_one_long_line() -> None:
    shown = viewer(b"0123456789" * 10)
    assert lines(shown, 10, 3) == ["0123456789"] * 3
    shown.move("end")
    lines(shown, 10, 3)
    assert shown.position == "end" or shown.position == "all"
    for _ in range(20):
        shown.move("up")
    assert lines(shown, 10, 3) == ["0123456789"] * 3


def test_only_what_is_visible_is_laid_out() -> None:
    shown = viewer(b"line\n" * 50_000)
    lines(shown, 80, 40)
    shown.move("end")
    lines(shown, 80, 40)
    assert shown.painted_pieces < 300


def hits_of(shown: TextViewer, pattern: str) -> Hits:
    found = Hits(Finder(pattern), shown.pieces)
    shown.look_for(found.finder)
    for _ in found.collect(Budget()):
        if found.scan is not None:
            found.scan.run()
    return found


def test_hits_forwards_backwards_and_around() -> None:
    shown = viewer(b"a\nneedle\nb\nNEEDLE needle\nc")
    lines(shown, 20, 2)
    hits = hits_of(shown, "needle")
    assert (len(hits), hits.first(0, False), hits.place, hits.words) == (3, True, (1, 0), "1 of 3")
    hits.step(False)
    hits.step(False)
    assert hits.place == (3, 1)
    shown.show_hit(*hits.place)
    assert [role for row in roles(shown, 20, 2) for role, text in row if text.lower() == "needle"] == [
        "match",
        "match.on",
    ]
    hits.step(False)
    assert hits.place == (1, 0)
    hits.step(True)
    assert hits.place == (3, 1)
    assert hits.first(2, True)
    assert hits.place == (1, 0)


@pytest.mark.parametrize("wrap", [True, False])
def test_each_match_in_a_long_line_is_brought_into_the_picture(wrap: bool) -> None:
    shown = viewer(b"x" * 1000 + b"needle" + b"y" * 2000 + b"needle" + b"z" * 9000 + b"needle!\nend")
    shown.wrap = wrap
    lines(shown, 40, 8)
    hits = hits_of(shown, "needle")
    assert hits.first(0, False)

    def on() -> str:
        return "".join(
            text for row in roles(shown, 40, 8) for role, text in row if role in ("match.on", "text")
        ).strip()

    for step, around in (
        (None, "xneedley"),
        (False, "yneedlez"),
        (False, "zneedle!"),
        (False, "xneedley"),
        (True, "zneedle!"),
        (True, "yneedlez"),
        (True, "xneedley"),
    ):
        if step is not None:
            hits.step(step)
        shown.show_hit(*hits.place)
        assert sum(role == "match.on" for row in roles(shown, 40, 8) for role, _ in row) == 1
        assert around in on()


def test_a_capital_letter_makes_the_search_exact() -> None:
    shown = viewer(b"needle\nNEEDLE\n")
    lines(shown, 20, 2)
    assert len(hits_of(shown, "NEEDLE")) == 1
    assert len(hits_of(shown, "nowhere")) == 0
    assert not hits_of(shown, "nowhere").first(0, False)


def test_search_in_joined_texts() -> None:
    shown = TextViewer()
    shown.show(
        JoinedPieces(
            [
                FixedPieces([Piece([("header.name", "Host")], [("text", "needle.example")])]),
                TextPieces(LineIndex(b"x\nneedle")),
                FixedPieces([]),
                FixedPieces([Piece((), [("text", "a needle")])]),
            ]
        )
    )
    lines(shown, 30, 10)
    hits = hits_of(shown, "need[l]e")
    assert [hits.place_of(number) for number in range(len(hits))] == [0, 2, 3]


@pytest.mark.parametrize(
    ("body", "count"), [(b"some words, 17\n" * 200_000, 200_000), (b"x" * 3_000_000 + b"words, 17", 1)]
)
async def test_an_expression_in_a_large_body_is_asked_in_slices(body: bytes, count: int) -> None:
    index = LineIndex(body)
    await index.build()
    shown = TextViewer()
    shown.show(TextPieces(index))
    hits = hits_of(shown, r"words, \d+")
    assert len(hits) == count
    assert hits.place_of(count - 1) == len(index) - 1


def test_hex() -> None:
    shown = TextViewer()
    shown.show(HexPieces(bytes(range(40))))
    assert lines(shown, 78, 3) == [
        "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................",
        "00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  ................",
        "00000020  20 21 22 23 24 25 26 27                            !\"#$%&'",
    ]
    assert hits_of(shown, "%&").place_of(0) == 2


HOSTILE = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\u202e\u0301中👍🏽\t\n\r\x00\x9b")), max_size=200)


@given(
    st.one_of(HOSTILE.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=200)),
    st.integers(20, 300),
    st.booleans(),
    st.lists(st.sampled_from(["up", "down", "page_down", "page_up", "end", "start", "left", "right"]), max_size=8),
    st.text(max_size=3),
)
def test_hostile_bodies(body: bytes, columns: int, wrap: bool, moves: list[str], pattern: str) -> None:
    shown = viewer(body, numbers=True)
    shown.wrap = wrap
    shown.look_for(Finder(pattern))
    for move in [*moves, "start"]:
        shown.move(move)
        for line in lines(shown, columns, 7):
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u200b" for c in line)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text("ab中 é", max_size=20)), max_size=5), st.integers(2, 20))
def test_wrapping_loses_nothing(runs: list[tuple[str, str]], width: int) -> None:
    rows = wrapped(runs, width)
    assert "".join(text for row in rows for _, text in row) == "".join(text for _, text in runs)
    assert all(cells.width("".join(text for _, text in row)) <= width for row in rows)


def test_prose_wraps_between_words() -> None:
    text = "the quick brown fox jumps"
    assert [row[0][1] for row in wrapped([("a", text)], 10, words=True)] == ["the quick ", "brown fox ", "jumps"]
    assert [row[0][1] for row in wrapped([("a", "aa " + "b" * 12)], 10, words=True)] == ["aa ", "b" * 10, "bb"]


@given(st.lists(st.text("ab é", max_size=30), max_size=4), st.integers(4, 12))
def test_wrapping_between_words_loses_nothing(texts: list[str], width: int) -> None:
    rows = wrapped([("a", text) for text in texts], width, words=True)
    assert "".join(text for row in rows for _, text in row) == "".join(texts)
    assert all(sum(cells.width(text) for _, text in row) <= width for row in rows)
