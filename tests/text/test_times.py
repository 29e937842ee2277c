import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text.times import clock, human_duration, utc_time


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0ms"), (0, "0ms"), (math.nan, "0ms"), (0.0001, "<1ms"), (0.092, "92ms"), (0.9996, "1.0s"), (1.5, "1.5s"),
        (42, "42s"), (59.6, "1m00s"), (100, "1m40s"), (720, "12m"), (3900, "1h05m"), (12 * 3600, "12h"),
        (4.2 * 86400 + 9, "4d"), (math.inf, "inf"),
    ],
)  # fmt: skip
def test_human_duration(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


@given(st.floats(0, 1e8))
def test_five_cells_are_enough(seconds: float) -> None:
    assert len(human_duration(seconds)) <= 5


def test_clock_shows_a_time_of_day() -> None:
    assert [part.isdigit() for part in clock(1_700_000_000.5).split(":")] == [True, True, True]


@pytest.mark.parametrize("ts", [1e300, math.inf, math.nan])
def test_a_time_that_no_clock_shows(ts: float) -> None:
    assert clock(ts) == "--:--:--"


def test_utc_time() -> None:
    assert utc_time(1_700_000_000) == "2023-11-14T22:13:20Z"
    assert utc_time(0, 5_000_000) == "1970-01-01T00:00:00.005Z"
    assert utc_time(10**30) == ""
