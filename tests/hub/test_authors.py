"""The addon that left a message in a state in which it cannot be sent is named."""

import asyncio
from collections.abc import Callable
from typing import Any

from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPMessage
from midstream.hub.authors import Watched
from midstream.hub.events import Events
from tests.kit.captured import http_flow


def flaw(message: Request | Response) -> str:
    """What the proxy would find: here a bad header, or a bad status."""
    if isinstance(message, Response) and message.status_code < 100:
        return "bad status"
    return "bad header" if "Bad" in message.headers else ""


class Addon:
    """Does something at `request` and `response`."""

    def __init__(self, name: str, act: Callable[[HTTPFlow], Any] = lambda flow: None) -> None:
        self.name, self.act = name, act

    def request(self, flow: HTTPFlow) -> Any:
        return self.act(flow)

    def response(self, flow: HTTPFlow) -> Any:
        return self.act(flow)


class Async(Addon):
    async def request(self, flow: HTTPFlow) -> None:
        await asyncio.sleep(0)
        self.act(flow)


class BuiltIn(Addon):
    __module__ = "midstream.addons.something"


def bound(*addons: object) -> Events:
    events = Events()
    events.bind(addons)
    return events


def test_the_only_one_is_named_at_once_and_nothing_is_watched() -> None:
    events = bound(BuiltIn("built_in"), Addon("mine.py"))
    assert events.authors.named(http_flow().request) == " (by mine.py)"
    assert not any(isinstance(handler, Watched) for handler in events.request.handlers)


def test_nobody_is_named_where_only_built_in_addons_are() -> None:
    assert bound(BuiltIn("built_in")).authors.named(http_flow().request) == ""
    assert bound(Addon("mine.py")).authors.named(TCPMessage(True, b"")) == ""
    assert bound(Addon("mine.py")).authors.named(None) == ""


async def test_of_several_the_one_is_known_the_next_time() -> None:
    def edit(flow: HTTPFlow) -> None:
        flow.request.headers["Bad"] = "y"

    def other_edit(flow: HTTPFlow) -> None:
        flow.request.headers["Good"] = "z"

    events = bound(BuiltIn("built_in"), Addon("first", other_edit), Addon("second", edit), Addon("third", other_edit))
    first = events.authors.named(http_flow().request, flaw)
    assert first == " (by one of first, second, third; the next time midstream can tell which)"
    flow = http_flow()
    await events.request(flow)
    assert events.authors.named(flow.request, flaw) == " (by second)"
    assert flow.response is not None
    assert events.authors.named(flow.response, flaw).startswith(" (by one of ")
    events.bind([Addon("first"), Addon("second", edit)])
    assert not any(isinstance(handler, Watched) for handler in events.request.handlers)


async def test_the_last_who_changed_it_counts_and_async_handlers_too() -> None:
    def answer(flow: HTTPFlow) -> None:
        flow.response = Response.make(200)

    def spoil(flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.status_code = 99

    events = bound(Async("answers", answer), Async("spoils", spoil), Addon("looks on"))
    events.authors.named(http_flow().request, flaw)
    flow = http_flow(status=None)
    await events.request(flow)
    assert flow.response is not None
    assert events.authors.named(flow.response, flaw) == " (by spoils)"
    assert events.authors.named(flow.request, flaw).startswith(" (by one of ")


async def test_a_watched_handler_that_raises_is_still_named_and_placed(caplog: Any) -> None:
    def fail(flow: HTTPFlow) -> None:
        raise ValueError("by design")

    events = bound(Addon("first"), Addon("second", fail))
    events.authors.named(http_flow().request, flaw)
    await events.request(http_flow())
    [record] = caplog.records
    assert record.getMessage() == "second failed in request: ValueError: by design"
    assert record.exc_info[2].tb_frame.f_code.co_filename == __file__


async def test_a_watched_handler_is_the_handler_when_addons_come_and_go() -> None:
    calls: list[str] = []
    events = Events()
    third = Addon("third", lambda flow: calls.append("third"))
    first = Addon("first", lambda flow: calls.append("first"))
    events.bind([first, Addon("second", lambda flow: events.bind([first, third])), third])
    events.authors.named(http_flow().request, flaw)
    await events.request(http_flow())
    assert calls == ["first", "third"]
