"""Who is told that an event stream is held; over real traffic: tests/end2end/test_rules_bodies.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from midstream.addons.intercept import Intercept
from midstream.addons.server_side_events import ServerSideEvents
from midstream.flows.http import HTTPFlow
from midstream.testing import context
from tests.kit.captured import http_flow


@pytest.fixture
async def tests() -> AsyncIterator[context]:
    async with context(Intercept(), addon := ServerSideEvents()) as tests:
        assert addon.addons == []  # nothing may hold one
        yield tests


def event_stream(kind: bytes = b"text/event-stream; charset=utf-8") -> HTTPFlow:
    flow = http_flow("https://a.example/events", response_headers=((b"Content-Type", kind),))
    assert flow.response is not None
    flow.response.raw_content, flow.response.stream = None, False
    return flow


async def told(tests: context, flow: HTTPFlow) -> list[str]:
    tests.log.clear()
    await tests.master.events.responseheaders(flow)
    return tests.log.messages


async def test_an_intercept_filter_holds_it(tests: context) -> None:
    assert await told(tests, event_stream()) == []
    tests.options.update(intercept="~u events")
    (said,) = await told(tests, event_stream())
    assert "https://a.example/events: this event stream is held until it ends, because of intercept" in said
    assert await told(tests, event_stream()) == []  # said once
    assert await told(tests, event_stream(b"application/x-ndjson")) == []
    tests.options.update(intercept=None)
    assert len(tests.master.events.responseheaders.handlers) == 1  # that of the interceptor


async def test_a_script_holds_it(tests: context) -> None:
    tests.options.update(intercept="~u other")
    assert await told(tests, event_stream()) == []
    flow = event_stream()
    assert flow.response is not None
    flow.response.stream = None
    assert "because of intercept" in (await told(tests, flow))[0]
