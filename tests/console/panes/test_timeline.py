"""The bars of the timeline, whatever times a file gives."""

import math

from hypothesis import given
from hypothesis import strategies as st

from midstream.console.panes.timeline import axis_of, bar
from midstream.store.rows import Row
from tests.kit.captured import http_flow

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
        shown.append((Row(flow), flow))
    axis = axis_of([row for row, _ in shown], now if math.isfinite(now) else 0.0)
    for row, flow in shown:
        assert len(bar(row, flow, axis, cells, now)) == cells
