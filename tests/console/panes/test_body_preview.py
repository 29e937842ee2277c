"""The peek's view of a body: quick whatever the size, safe whatever it holds."""

import gzip

import pytest

from midstream.console.panes.body_preview import BodyPreview
from midstream.console.widgets.canvas import RowsCanvas
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import within

JSON = ((b"Content-Type", b"application/json"),)


def lines(preview: BodyPreview, flow, side="", columns=60, rows=6) -> list[str]:
    canvas = RowsCanvas(preview.rows(flow, side, columns, rows), columns)
    assert canvas.rows() == rows
    return [line.rstrip() for line in canvas.decoded_text]


def test_the_response_pretty(console: FakeConsole) -> None:
    preview = BodyPreview(console)  # type: ignore[arg-type]
    flow = http_flow(response_body=b'{"a":1}', response_headers=JSON)
    assert preview.title(flow) == "response body json, 7b -> 12b pretty"
    assert lines(preview, flow)[:3] == ["  1  {", '  2    "a": 1', "  3  }"]


def test_the_request_of_a_flow_without_an_answer(console: FakeConsole) -> None:
    preview = BodyPreview(console)  # type: ignore[arg-type]
    flow = http_flow("http://h/?q=x", status=None, live=True)
    assert preview.title(flow).startswith("request body empty")
    assert lines(preview, flow)[0] == "  1  q: x"
    assert lines(preview, flow, "response")[0] == "  No response yet."


def test_conversations_show_their_newest_messages(console: FakeConsole) -> None:
    preview = BodyPreview(console)  # type: ignore[arg-type]
    flow = websocket_flow(*[(True, b"message %d" % number) for number in range(30)])
    assert preview.title(flow) == "messages 30"
    assert lines(preview, flow)[-1].endswith("message 29")
    assert "No messages were sent." in lines(preview, tcp_flow())[0]
    assert any("dns.example" in line for line in lines(preview, dns_flow(), "request"))


def test_large_and_encoded_bodies_cost_no_time(console: FakeConsole) -> None:
    preview = BodyPreview(console)  # type: ignore[arg-type]
    packed = http_flow(
        response_body=gzip.compress(b'[{"a": 1},\n' * 2_000_000, 1),
        response_headers=(*JSON, (b"Content-Encoding", b"gzip")),
    )
    plain = http_flow(response_body=b'[{"a": 1},\n' * 2_000_000, response_headers=JSON)
    for flow in (packed, plain):
        with within(0.2):
            assert lines(preview, flow)[0].split() == ["1", '[{"a":', "1},"]
    assert preview.title(plain) == "response body 21m, its first 16k"


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_bodies(console: FakeConsole, text: str) -> None:
    preview = BodyPreview(console)  # type: ignore[arg-type]
    raw = text.encode("utf-8", "surrogatepass")
    fields = ((b"content-type", raw), (b"content-encoding", raw))
    for flow in (http_flow(response_body=raw, response_headers=fields), tcp_flow((True, raw))):
        for columns in WIDTHS:
            assert_clean(RowsCanvas(preview.rows(flow, "", columns, 5), columns), columns)
