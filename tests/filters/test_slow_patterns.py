"""Regular expressions that backtrack on hostile bodies: the filter is skipped for the flow, and named."""

import logging
from time import perf_counter

import pytest

from midstream import filters
from tests.kit.captured import http_flow, websocket_flow

BOMB = b"a" * 60 + b"!"


@pytest.mark.parametrize("text", ["~b '(a|aa)+$'", "!~b '(a|aa)+$'", "~m get & ~b '(a|aa)+$'", "~b '(a|aa)+$' | ~all"])
def test_a_flow_that_takes_too_long_does_not_match(text: str, caplog: pytest.LogCaptureFixture) -> None:
    harmless = http_flow("https://a.example/", response_body=b"aaa")
    assert filters.parse(text)(harmless) is not text.startswith("!")
    flow = http_flow("https://bad.example/trap", response_body=BOMB)
    with caplog.at_level(logging.WARNING):
        assert filters.parse(text)(flow) is False
    (record,) = caplog.records
    assert f"filter {text} is skipped for https://bad.example/trap" in record.getMessage()
    assert "'(a|aa)+$' takes too long" in record.getMessage()


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
    start = perf_counter()
    assert not filters.parse("~b '(a|aa)+$'")(flow)
    assert perf_counter() - start < 2  # 200 allowances would be 12 seconds
