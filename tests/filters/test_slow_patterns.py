"""Regular expressions that backtrack on hostile bodies: the filter is skipped for the flow, and named."""

import logging

import pytest

from midstream import filters
from midstream.store.view import View
from tests.kit.captured import http_flow, websocket_flow
from tests.kit.stopwatch import never_held, within

BOMB = b"a" * 60 + b"!"
PROMISED = 0.1  # seconds for which the loop may be held


@pytest.mark.parametrize("text", ["~b '(a|aa)+$'", "!~b '(a|aa)+$'", "~m get & ~b '(a|aa)+$'", "~b '(a|aa)+$' | ~all"])
def test_a_flow_that_takes_too_long_does_not_match(text: str, caplog: pytest.LogCaptureFixture) -> None:
    harmless = http_flow("https://a.example/", response_body=b"aaa")
    assert filters.parse(text)(harmless) is not text.startswith("!")
    flow = http_flow("https://bad.example/trap", response_body=BOMB)
    with caplog.at_level(logging.WARNING):
        assert filters.parse(text)(flow) is False
    # On a busy machine the harmless one may have taken too long as well.
    (said,) = [record.getMessage() for record in caplog.records if "/trap" in record.getMessage()]
    assert f"filter {text} is skipped for https://bad.example/trap" in said
    assert "'(a|aa)+$' takes too long" in said


def test_it_is_said_once_and_other_flows_are_judged(caplog: pytest.LogCaptureFixture) -> None:
    filter_ = filters.parse("~b '(a|aa)+$'")
    bad = http_flow("https://bad.example/trap", response_body=BOMB)
    good = http_flow("https://a.example/", response_body=b"aaa")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert not filter_(bad)
            assert filter_(good)
    assert len(caplog.records) == 1


def test_a_flow_with_many_messages_has_one_allowance(caplog: pytest.LogCaptureFixture) -> None:
    flow = websocket_flow(*[(False, BOMB)] * 200)
    with within(2):  # 200 allowances would be 12 seconds
        assert not filters.parse("~b '(a|aa)+$'")(flow)


async def test_looking_for_flows_never_holds_the_loop() -> None:
    view = View()
    for _ in range(100):
        view.add(http_flow("https://bad.example/trap", response_body=BOMB))
    async with never_held(PROMISED):
        for work in (view.refilter(filters.parse("~b '(a|aa)+$'")), view.resolve("~b '(?:a|aa)+$'").look()):
            await work


async def test_all_the_filters_that_look_at_one_flow_hold_it_once() -> None:
    view = View()
    asked = [filters.parse(f"~b '(a|aa)+{end}'") for end in "$xyz"]
    view.set_filter(asked.pop())
    with within(PROMISED):
        flow = http_flow("https://bad.example/trap", response_body=BOMB)
        assert [each(flow) for each in asked] == [False] * 3
        view.add(flow)
        view.update(flow)


@pytest.mark.parametrize("text", ["~u '/users/{id}'", "~u /users/{d}", "~b '[[:alpha:]]'", "~b {e}", "~b 'a{e}'"])
def test_braces_and_brackets_mean_what_they_mean_to_re(text: str) -> None:
    matches = filters.parse(text)
    assert not matches(http_flow("https://a.example/users/ab", response_body=b"abc"))
    assert matches(http_flow("https://a.example/users/{id}", response_body=b"a{e}:]")) is ("{d}" not in text)


def test_what_cannot_be_compiled_is_no_filter() -> None:
    with pytest.raises(filters.FilterError, match="too large"):
        filters.parse(f"~b '{'(?:' * 300}a{'){2}' * 300}'")
