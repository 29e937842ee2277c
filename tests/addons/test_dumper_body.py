"""Printed bodies: by which view, how many lines, and at what cost."""

import gzip
import json
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from midstream import contentviews
from midstream.addons.dumper_body import LongBody, body_lines
from midstream.addons.dumper_long import LongPrint
from midstream.contentviews import Contentview, ContentviewMessage, Metadata, beside
from midstream.contentviews.registries import registry_of
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from tests.kit.captured import http_flow, tcp_flow, websocket_flow
from tests.kit.stopwatch import never_held, within


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


async def lines_of(message: ContentviewMessage, flow: Flow, view: str = "auto", cutoff: int | None = 512) -> list[str]:
    """The lines, made at once or in their time."""
    lines = body_lines(message, flow, view, cutoff)
    if not isinstance(lines, LongBody):
        return list(lines)
    written: list[str] = []

    async def write(texts: list[str]) -> None:
        written.extend(texts)
        texts.clear()

    master: Master = ctx.master
    await LongPrint(write, "", registry_of(master), master.worker).print(lines)
    return "".join(written).splitlines()


async def printed(body: bytes, content_type: str = "", view: str = "auto", cutoff: int | None = 512) -> list[str]:
    flow = http_flow(response_body=body, response_headers=((b"content-type", content_type.encode()),))
    assert flow.response is not None
    return await lines_of(flow.response, flow, view, cutoff)


async def test_the_best_view_or_the_one_of_the_option() -> None:
    assert await printed(b'{"a":1}', "application/json") == ["{", '  "a": 1', "}"]
    assert await printed(b'{"a":1}', "application/json", "raw") == ['{"a":1}']
    assert await printed(b"a=1&b=2", "application/x-www-form-urlencoded") == ["a: '1'", "b: '2'"]
    assert await printed(b"!hi\n\x1b") == ["!HI", "␛"]
    assert await printed(b"hi", view="SHOUT") == ["HI"]
    assert await printed(b"a\nb\r\nc\n") == ["a", "b", "c"]
    assert await printed(b"") == []


async def test_messages_are_shown_by_views_as_well() -> None:
    socket, tcp = websocket_flow((True, b'{"a":1}')), tcp_flow((True, b"!hi"))
    assert socket.websocket is not None
    assert await lines_of(socket.websocket.messages[0], socket, "auto", 9) == ["{", '  "a": 1', "}"]
    assert await lines_of(tcp.messages[0], tcp, "auto", 9) == ["!HI"]


async def test_a_query_stands_for_a_body_that_is_not_there() -> None:
    flow = http_flow("http://h/?a=b")
    assert await lines_of(flow.request, flow, "auto", 9) == ["a: b"]
    flow.request.raw_content = None
    assert await lines_of(flow.request, flow, "auto", 9) == []


async def test_a_view_that_fails_is_named_and_the_body_is_shown_raw() -> None:
    assert await printed(b'{"a":1', "application/json") == [
        "(JSON failed: the text ends before the JSON does)",
        '{"a":1',
    ]
    assert (await printed(b"!\xff"))[0].startswith("(Shout failed: UnicodeDecodeError: ")
    assert (await printed(b"!\xff"))[1:] == ["!\\xff"]
    assert await printed(b"x", view="query") == ["(Query failed: only a request has a query)", "x"]


async def test_what_cannot_be_decoded_says_so() -> None:
    flow = http_flow(response_headers=((b"content-encoding", b"gzip"),))
    assert flow.response is not None
    lines = await lines_of(flow.response, flow, "auto", 9)
    assert lines[0].startswith("[cannot decode: ")
    assert lines[1:] == ["hello"]


async def test_what_cannot_be_decoded_says_so_also_where_the_view_fails() -> None:
    fields = ((b"content-encoding", b"gzip"), (b"content-type", b"application/json"))
    flow = http_flow(response_headers=fields)
    assert flow.response is not None
    lines = await lines_of(flow.response, flow, "auto", 9)
    assert lines[0].startswith("[cannot decode: ")
    assert lines[1].startswith("(JSON failed: ")
    assert lines[2:] == ["hello"]


async def test_a_view_that_is_left_out_for_the_size_is_named() -> None:
    form, both = b"a=%41&" * 300_000, ("a=%41&" * 300_000)[:20]
    lines = await printed(form, "application/x-www-form-urlencoded")
    assert lines[0] == "(1.7m are too much for the view URL-encoded; flow_detail=4 shows it)"
    assert lines[1].startswith(both)
    lines = await printed(b"[" + b"1," * 5_000_000 + b"1]", "application/json")
    assert lines[0] == "(9.5m are too much for the view JSON)"
    assert lines[1].startswith("[1,1,")
    assert (await printed(b"x" * 9_000_000, "text/plain"))[0].startswith("xxx")


async def test_lines_are_cut_off() -> None:
    assert await printed(b'{"a":1}', "application/json", cutoff=2) == [
        "{",
        '  "a": 1',
        "(cut off after 2 lines; flow_detail=4 shows everything)",
    ]
    assert await printed(b'{"a":1}', "application/json", cutoff=None) == ["{", '  "a": 1', "}"]


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
    with within(0.2):
        lines = await printed(data, content_type)
    assert 1 <= len(lines) <= 513
    if content_type == "application/json":
        assert lines[:3] == ["[", "  {", '    "number": 0,']


async def test_large_bodies_are_made_pretty_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await printed(b"!a" * 100_000, cutoff=None) == ["!A" * 100_000]
    monkeypatch.setattr(beside, "LARGEST_UNASKED", 100_000)
    assert await printed(b"!a" * 100_000, cutoff=None) == ["(195k are too much for the view Shout)", "!a" * 100_000]
    assert (await printed(b"!a" * 100_000, view="shout", cutoff=None))[0] == (
        "(Shout failed: views of scripts are given no more than 98k)"
    )
    monkeypatch.setattr(beside, "LARGEST", 100_000)
    assert (await printed(b"!a" * 100_000, view="shout", cutoff=None))[0] == "(195k are too much for the view Shout)"


async def test_a_view_that_takes_its_time_holds_nothing_and_is_named(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    class Slow(Shout):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            release.wait()
            return "done"

    contentviews.add(Slow)
    monkeypatch.setattr(beside, "PATIENCE", 0.01)
    caplog.set_level(logging.WARNING)
    assert await printed(b"x", view="slow") == ["(Slow failed: it takes longer than 0.01 s)", "x"]
    assert "content view Slow takes longer than 0.01 s for 1b" in caplog.text
    release.set()


async def test_of_a_bomb_the_beginning_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "LARGEST_UNASKED", 100_000)
    flow = http_flow(
        response_body=gzip.compress(b"bomb\n" * 1_000_000), response_headers=((b"content-encoding", b"gzip"),)
    )
    assert flow.response is not None
    lines = await lines_of(flow.response, flow, "auto", None)
    assert lines[0] == "[decoded gzip: the first 98k, there is more]"
    assert lines[1:] == ["bomb"] * 20_000


@pytest.mark.parametrize("unit", ["ä", "字", "🦊", "a\n", "\r\n"])
async def test_long_lines_stay_whole(unit: str) -> None:
    text = "x" + unit * 100_000
    assert "\n".join(await printed(text.encode(), "text/plain", "raw", None)) == "\n".join(text.splitlines())


async def test_the_loop_goes_on_while_much_is_printed() -> None:
    data = json.dumps([{"number": number, "text": "x" * 40} for number in range(60_000)]).encode()
    async with never_held(0.2):  # 10 ms on a quiet machine
        assert len(await printed(data, "application/json", cutoff=None)) > 200_000
