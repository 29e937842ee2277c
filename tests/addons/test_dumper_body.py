"""Printed bodies: by which view, how many lines, and at what cost."""

import json
import logging
import time
from collections.abc import AsyncIterator

import pytest

from midstream import contentviews
from midstream.addons.dumper_body import body_lines
from midstream.contentviews import Contentview, Metadata
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from tests.kit.captured import http_flow, tcp_flow, websocket_flow


class Shout(Contentview):
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return data.decode().upper()

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 3 if data.startswith(b"!") else 0


@pytest.fixture(autouse=True)
async def master() -> AsyncIterator[Master]:
    made = Master(Options())
    with ctx.use(made):
        contentviews.add(Shout)
        yield made
        await made.done()


def printed(body: bytes, content_type: str = "", view: str = "auto", cutoff: int | None = 512) -> list[str]:
    flow = http_flow(response_body=body, response_headers=((b"content-type", content_type.encode()),))
    assert flow.response is not None
    return list(body_lines(flow.response, flow, view, cutoff))


async def test_the_best_view_or_the_one_of_the_option() -> None:
    assert printed(b'{"a":1}', "application/json") == ["{", '  "a": 1', "}"]
    assert printed(b'{"a":1}', "application/json", "raw") == ['{"a":1}']
    assert printed(b"a=1&b=2", "application/x-www-form-urlencoded") == ["a: '1'", "b: '2'"]
    assert printed(b"!hi\n\x1b") == ["!HI", "␛"]
    assert printed(b"hi", view="SHOUT") == ["HI"]
    assert printed(b"a\nb\r\nc\n") == ["a", "b", "c"]
    assert printed(b"") == []


async def test_messages_are_shown_by_views_as_well() -> None:
    socket, tcp = websocket_flow((True, b'{"a":1}')), tcp_flow((True, b"!hi"))
    assert socket.websocket is not None
    assert list(body_lines(socket.websocket.messages[0], socket, "auto", 9)) == ["{", '  "a": 1', "}"]
    assert list(body_lines(tcp.messages[0], tcp, "auto", 9)) == ["!HI"]


async def test_a_query_stands_for_a_body_that_is_not_there() -> None:
    flow = http_flow("http://h/?a=b")
    assert list(body_lines(flow.request, flow, "auto", 9)) == ["a: b"]
    flow.request.raw_content = None
    assert list(body_lines(flow.request, flow, "auto", 9)) == []


async def test_a_view_that_fails_is_named_and_the_body_is_shown_raw() -> None:
    assert printed(b'{"a":1', "application/json") == ["(JSON failed: the text ends before the JSON does)", '{"a":1']
    assert printed(b"!\xff")[0].startswith("(Shout failed: UnicodeDecodeError: ")
    assert printed(b"!\xff")[1:] == ["!\\xff"]
    assert printed(b"x", view="query") == ["(Query failed: only a request has a query)", "x"]


async def test_what_cannot_be_decoded_says_so() -> None:
    flow = http_flow(response_headers=((b"content-encoding", b"gzip"),))
    assert flow.response is not None
    lines = list(body_lines(flow.response, flow, "auto", 9))
    assert lines[0].startswith("[cannot decode: ")
    assert lines[1:] == ["hello"]


async def test_lines_are_cut_off() -> None:
    assert printed(b'{"a":1}', "application/json", cutoff=2) == [
        "{",
        '  "a": 1',
        "(cut off after 2 lines; flow_detail=4 shows everything)",
    ]
    assert printed(b'{"a":1}', "application/json", cutoff=None) == ["{", '  "a": 1', "}"]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (json.dumps([{"number": number, "text": "x" * 40} for number in range(100_000)]).encode(), "application/json"),
        (b"a=%41&" * 1_000_000, "application/x-www-form-urlencoded"),
        (bytes(6_000_000), ""),
        (b"x" * 6_000_000, "text/plain"),
    ],
    ids=["json", "form", "bytes", "a line"],
)
async def test_no_more_work_is_done_than_the_lines_need(data: bytes, content_type: str) -> None:
    before = time.thread_time()
    lines = printed(data, content_type)
    assert time.thread_time() - before < 0.2
    assert 1 <= len(lines) <= 513
    if content_type == "application/json":
        assert lines[:3] == ["[", "  {", '    "number": 0,']


async def test_large_bodies_are_not_given_to_views_of_others() -> None:
    assert printed(b"!a" * 100_000, cutoff=None) == ["!a" * 100_000]
    assert printed(b"!a" * 100_000, view="shout", cutoff=None)[0] == "(195k are too much for the view shout)"


async def test_a_view_that_holds_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    class Slow(Shout):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            end = time.perf_counter() + 0.11
            while time.perf_counter() < end:
                pass
            return "done"

    contentviews.add(Slow)
    caplog.set_level(logging.WARNING)
    assert printed(b"x", view="slow") == ["done"]
    assert "content view Slow held everything up for " in caplog.text
