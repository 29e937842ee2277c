"""When a request meets rules, and what is said of a rule that cannot be applied."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from midstream.addons.modifybody import BodyRule
from midstream.addons.rules import Aside, Telling, passes_at_once
from midstream.flows.http import Request
from midstream.proxy.settings import Settings
from midstream.text.patterns import TooSlow
from tests.kit.captured import http_flow

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("headers", "settings", "passes"),
    [
        ({}, Settings(), False),
        ({"content-length": "10"}, Settings(), False),
        ({"content-length": "11"}, Settings(stream_large_bodies=10), True),
        ({"content-length": "10"}, Settings(stream_large_bodies=10), False),
        ({"content-length": "11"}, Settings(body_buffer_limit=10), True),
        ({"content-length": "11"}, Settings(body_buffer_limit=10, stream_large_bodies=100), True),
        ({"content-length": "9" * 30}, Settings(), False),  # no server takes it
        ({"content-length": "²"}, Settings(), False),
        ({"transfer-encoding": "chunked"}, Settings(stream_large_bodies=1), False),
        ({"content-type": "application/grpc"}, Settings(), True),
        ({"content-type": "application/grpc"}, Settings(stream_endless_bodies=False), False),
        ({"content-type": "application/grpc", "content-length": "5"}, Settings(), False),
    ],
)
def test_whose_body_is_not_waited_for(headers: dict[str, str], settings: Settings, passes: bool) -> None:
    request = Request.make("POST", "http://a.example/")
    request.headers = headers  # type: ignore[assignment]
    assert passes_at_once(request, settings) is passes
    request.stream = True
    assert passes_at_once(request, settings)
    if "content-type" in headers and "content-length" not in headers:
        request.stream = None
        assert not passes_at_once(request, settings)


def test_what_the_documentation_shows_is_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    shown = (DOCS / "rewriting.md").read_text("utf-8").rpartition("```text\n")[2].partition("\n```")[0]
    rule = BodyRule("/(a|aa)+$/x")
    with caplog.at_level(logging.WARNING), pytest.raises(TooSlow) as caught:
        rule.applied_to(b"a" * 60 + b"!", "", in_thread=False)
    telling = Telling("modify_body")
    for _ in range(9):
        telling.skipped(rule.text, http_flow("https://example.com/"), caught.value)
    assert caplog.messages == [shown]
    telling.skipped(rule.text, http_flow("https://example.com/"), caught.value)
    assert caplog.messages[1:] == [f"10 times by now: {shown}"]


async def test_work_in_threads() -> None:
    aside = Aside()
    assert await aside.run(lambda: 5) == 5
    with pytest.raises(KeyError):
        await aside.run(lambda: {}["x"])
    aside.close()
