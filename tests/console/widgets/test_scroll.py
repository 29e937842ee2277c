from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets.scroll import Scroll


def scroll(count: int = 100, height: int = 10) -> Scroll:
    made = Scroll()
    made.resize(count, height)
    return made


def test_the_picture_moves_only_when_the_focus_leaves_it() -> None:
    place = scroll()
    for _ in range(9):
        place.move("down")
    assert (place.focus, place.top) == (9, 0)
    place.move("down")
    assert (place.focus, place.top) == (10, 1)
    place.move("up")
    assert (place.focus, place.top) == (9, 1)


def test_pages_start_and_end() -> None:
    place = scroll()
    place.move("page_down")
    assert (place.focus, place.top) == (9, 9)
    place.move("end")
    assert (place.focus, place.top) == (99, 90)
    place.move("page_up")
    assert (place.focus, place.top) == (90, 81)
    place.move("start")
    assert (place.focus, place.top) == (0, 0)
    assert not place.move("select")


def test_follow_keeps_the_last_row() -> None:
    place = scroll()
    place.follow = True
    place.resize(120, 10)
    assert (place.focus, place.top) == (119, 110)
    place.move("up")
    place.resize(130, 10)
    assert (place.focus, place.top) == (118, 110)


def test_the_wheel_takes_the_focus_along_at_the_edge() -> None:
    place = scroll()
    place.wheel(5)
    assert (place.focus, place.top) == (5, 5)
    place.wheel(-5)
    assert (place.focus, place.top) == (5, 0)


@given(
    st.integers(0, 60),
    st.integers(0, 20),
    st.lists(
        st.one_of(
            st.sampled_from(["up", "down", "page_up", "page_down", "start", "end"]),
            st.tuples(st.integers(0, 60), st.integers(0, 20)),
            st.integers(-9, 9),
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_the_place_is_always_inside(count: int, height: int, moves: list[object], lines: bool) -> None:
    place = Scroll(line_moves=lines)
    place.resize(count, height)
    for move in moves:
        if isinstance(move, str):
            place.move(move)
        elif isinstance(move, int):
            place.wheel(move)
        else:
            place.resize(*move)  # type: ignore[misc]
        assert 0 <= place.top <= max(place.count - place.height, 0)
        assert place.count == 0 or 0 <= place.focus < place.count
        assert lines or place.count == 0 or place.top <= place.focus < place.top + place.height
