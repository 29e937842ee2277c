"""The bars of the timeline, whatever times a file gives."""

import math

from hypothesis import given
from hypothesis import strategies as st

from midstream.console.panes.timeline import Axis, axis_of, bar, heading
from midstream.store.rows import Row
from tests.kit.captured import START, http_flow

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
