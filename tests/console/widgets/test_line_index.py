from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets.body_pieces import TextPieces
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import LONGEST_PIECE
from tests.kit.stopwatch import within


def pieces(index: LineIndex) -> list[bytes]:
    return [index.data[slice(*index.span(number))] for number in range(len(index))]


def test_lines_of_every_ending() -> None:
    index = LineIndex(b"one\ntwo\r\n\nlast")
    assert pieces(index) == [b"one", b"two", b"", b"last"]
    assert [index.number(number) for number in range(4)] == [1, 2, 3, 4]
    assert pieces(LineIndex(b"a\n")) == [b"a"]
    assert pieces(LineIndex(b"")) == []


def test_long_lines_are_cut_between_characters() -> None:
    index = LineIndex("中".encode() * 3000 + b"\nend")
    assert len(index) == 4
    assert index.number(2) == 1
    assert index.is_continuation(1)
    assert not index.is_continuation(3)
    for piece in pieces(index):
        assert len(piece) <= LONGEST_PIECE
        piece.decode()


def test_the_rest_of_a_long_line_does_not_look_like_a_line() -> None:
    index = LineIndex(b"x" * 10_000 + b"\nshort")
    text = TextPieces(index)
    assert [index.offset(number) for number in range(4)] == [0, 4096, 8192, 0]
    assert ["".join(part for _, part in text.piece(number).prefix) for number in range(4)] == [
        "    1  ",
        "+4.0k  ",
        "+8.0k  ",
        "    2  ",
    ]


def test_offsets_find_their_piece() -> None:
    index = LineIndex(b"one\ntwo\nthree")
    assert [index.piece_at(offset) for offset in (0, 3, 4, 8, 12)] == [0, 0, 1, 2, 2]


def test_nothing_but_line_feeds_is_bounded() -> None:
    index = LineIndex(b"\n" * 200_000, limit=1000)
    assert len(index) == 1000
    assert index.complete
    assert index.is_cut


async def test_large_bodies_are_indexed_in_slices() -> None:
    data = b"some line of text\n" * 300_000
    index = LineIndex(data)
    assert not index.complete
    with within(5):
        await index.build()
    assert index.complete
    assert len(index) == 300_000
    assert index.data[slice(*index.span(299_999))] == b"some line of text"


@given(st.binary(max_size=300).map(lambda data: data.replace(b"\x00", b"\n")), st.integers(0, 3))
def test_pieces_make_up_the_body(data: bytes, long_lines: int) -> None:
    data = data + b"x" * (LONGEST_PIECE * long_lines) + data
    index = LineIndex(data)
    spans = [index.span(number) for number in range(len(index))]
    assert all(start <= end for start, end in spans)
    position = 0
    for start, end in spans:
        assert data[position:start] in (b"", b"\n", b"\r\n")
        position = end
    assert data[position:] in (b"", b"\n", b"\r\n")
    assert index.complete
