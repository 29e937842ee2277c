"""What repeats itself is said ever more rarely."""

import logging

import pytest

from midstream.hub.repeats import MOST, QUIET, Repeats

logger = logging.getLogger("midstream.test")


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


def test_it_is_said_at_1_10_and_100_times(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(Clock())
    for number in range(150):
        repeats.warn(logger, "a.test is broken", f"GET /{number}")
    assert caplog.messages == [
        "GET /0: a.test is broken",
        "10 times by now: GET /9: a.test is broken",
        "100 times by now: GET /99: a.test is broken",
    ]


def test_something_else_is_said_as_well(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(Clock())
    for text in ("a", "b", "a"):
        repeats.warn(logger, text)
    assert caplog.messages == ["a", "b"]


def test_after_a_pause_it_is_news_again() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    assert [repeats.count("x"), repeats.count("x")] == [1, 2]
    clock.time += QUIET
    assert repeats.count("x") == 3
    clock.time += QUIET + 1
    assert repeats.count("x") == 1


def test_not_everything_is_remembered() -> None:
    repeats = Repeats(Clock())
    for number in range(MOST + 1):
        repeats.count(number)
    assert repeats.count(MOST) == 2
    assert repeats.count(0) == 1
