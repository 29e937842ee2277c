"""The bars of the timeline, whatever times a file gives."""

import math

from hypothesis import given
from hypothesis import strategies as st

from midstream.console.panes.timeline import Axis, axis_of, bar, heading
from midstream.store.rows import Row
from tests.kit.captured import START, http_flow, websocket_flow

times = st.one_of(
    st.floats(), st.sampled_from([0.0, 1e9, 1e9 + 0.01, 1e18, 1e308, -1e308, math.inf, -math.inf, math.nan])
)


@given(st.lists(st.tuples(times, times, times, st.booleans()), min_size=1, max_size=4), times, st.integers(0, 40))
def test_any_times_give_a_bar_of_that_width(
    flows: list[tuple[float, float, float, bool]], now: float, cells: int
) -> None:
    shown = []
    for start, first, end, is_live in flows:
        flow = http_flow()
        assert flow.response is not None
        flow.request.timestamp_start = start
        flow.response.timestamp_start, flow.response.timestamp_end = first, end
        flow.live = is_live
        shown.append(Row(flow))
    for is_shared in (True, False):
        axis = axis_of(shown, now if math.isfinite(now) else 0.0, is_shared)
        assert heading(axis, cells)
        for row in shown:
            assert len(bar(row, axis, cells, now)) == cells


def test_the_heading_tells_the_axis() -> None:
    def span(start: float, end: float, cells: int = 24) -> str:
        return heading(Axis(START + start, START + end), cells)

    assert span(0, 5) == "timeline 22:13:20 .. :25"
    assert span(0, 100) == "22:13:20 .. :15:00"
    assert span(0, 86400) == "22:13:20 .. +24h"
    assert span(0, 0.5) == "22:13:20 .. +500ms"
    assert heading(Axis(0, 1.5, is_shared=False), 24) == "timeline 0 .. 1.5s"


def test_bars_that_begin_at_the_left_compare_lengths() -> None:
    short, long = Row(http_flow()), Row(http_flow(start=START + 100))
    long.duration = 0.92
    axis = axis_of([short, long], START + 200, is_shared=False)
    assert bar(short, axis, 21, START + 200) == "|=#" + " " * 18
    assert bar(long, axis, 21, START + 200) == "|=" + "#" * 19


def test_a_pause_does_not_shrink_the_bars() -> None:
    rows = [Row(http_flow(start=START + moment)) for moment in (0.0, 0.1, 3600.0, 3600.1)]
    axis = axis_of(rows, START + 4000)
    assert heading(axis, 24) == "22:13:20 .. +1h00m"
    shown = [bar(row, axis, 24, START + 4000) for row in rows]
    assert min(each.count("=") + each.count("#") for each in shown) >= 3
    assert [each.count(":") for each in shown] == [1, 1, 1, 1]
    assert [each.lstrip("|: ")[:1] for each in shown] == ["=", "=", "=", "="]
    begins = [min(each.find(sign) for sign in "=#" if sign in each) for each in shown]
    assert begins == sorted(begins)
    assert len(set(begins)) == 4


def test_a_connection_that_stays_open_does_not_shrink_the_others() -> None:
    open_, first, second = websocket_flow((True, b"a"), live=True), http_flow(), http_flow(start=START + 600)
    rows = [Row(flow) for flow in (open_, first, second)]
    axis = axis_of(rows, START + 600.2)
    shown = [bar(row, axis, 24, START + 600.2) for row in rows]
    assert min(each.count("=") + each.count("#") for each in shown[1:]) > 3
    assert shown[0].endswith("…")


def test_many_pauses_share_what_is_left() -> None:
    rows = [Row(http_flow(start=START + 10 * number)) for number in range(30)]
    axis = axis_of(rows, START + 1000)
    shown = [bar(row, axis, 61, START + 1000) for row in rows]
    assert all(len(each) == 61 for each in shown)
    assert min(each.count("=") + each.count("#") for each in shown) >= 1
    assert shown[-1].endswith(("=", "#"))
    assert axis.at(axis.end) < 30 * 0.092 * 1.6
