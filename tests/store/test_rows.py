import math
import sys
from collections.abc import Callable

import pytest

from midstream.flows.change import Change, Part
from midstream.flows.flow import Error
from midstream.flows.http import Headers
from midstream.flows.tcp import TCPMessage
from midstream.flows.websocket import WebSocketMessage
from midstream.store.rows import LONGEST_TEXT, Row, media_type, row_of
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


def test_a_finished_exchange() -> None:
    row = row_of(http_flow("https://example.com:444/a?b=c", "POST", status=201, response_body=b"x" * 2000))
    assert (row.kind, row.method, row.scheme, row.host, row.path) == ("http", "POST", "https", "example.com", "/a?b=c")
    assert (row.status, row.content_type, row.size) == (201, "text/plain", 2000)
    assert row.duration == pytest.approx(0.092)
    assert (row.created, row.number, row.revision) == (START, 0, 0)
    assert (row.held, row.failed, row.marked, row.modified, row.replay, row.live) == ("", "", "", False, "", False)


def test_a_request_that_waits_for_its_response() -> None:
    flow = http_flow(status=None, request_body=b"12345", live=True)
    row = Row(flow, 7)
    assert (row.status, row.size, row.duration, row.live, row.number) == (None, 5, None, True, 7)
    flow.intercept()
    row.rewrite(flow)
    assert (row.held, row.revision) == ("request", 1)
    flow.resume()
    flow.response = http_flow().response
    flow.intercept()
    row.rewrite(flow)
    assert (row.held, row.status, row.size) == ("response", 200, 5)


def test_marks_errors_replays_and_edits() -> None:
    flow = http_flow(status=None)
    row = row_of(flow)
    flow.backup()
    flow.request.path = "/other"
    flow.error = Error("reset", START + 1.5)
    flow.marked = ":dog:"
    flow.is_replay = "request"
    row.rewrite(flow)
    assert (row.failed, row.marked, row.replay, row.modified) == ("reset", ":dog:", "request", True)
    assert row.duration == 1.5
    assert row.path == "/other"


def test_a_streamed_body_has_its_announced_size() -> None:
    flow = http_flow()
    assert flow.response is not None
    flow.response.raw_content = None
    for announced, size in ((b"4096", 4096), (b"-1", 0), ("²".encode(), 0), (b"9" * 40, 0)):
        flow.response.headers = Headers(((b"Content-Length", announced),))
        assert row_of(flow).size == size


def test_what_many_rows_have_in_common_is_one_object() -> None:
    first, second = (row_of(http_flow(f"http://h/{number}")) for number in range(2))
    assert first.shared is second.shared
    assert (first.shared.version, first.shared.client, first.shared.answered) == ("HTTP/1.1", "127.0.0.1", "")


def test_how_long_the_answer_was_waited_for() -> None:
    assert row_of(http_flow()).waited == pytest.approx(0.05)
    assert row_of(http_flow(status=None)).waited is None


def test_a_body_that_was_not_kept() -> None:
    flow = http_flow()
    assert flow.response is not None
    assert not row_of(flow).shared.unkept
    flow.response.raw_content = None
    assert row_of(flow).shared.unkept
    flow.live, flow.response.timestamp_end = True, None
    assert not row_of(flow).shared.unkept  # it may still come


def test_who_answered_in_place_of_the_server() -> None:
    mocked, blocked, written, edited = (http_flow() for _ in range(4))
    mocked.metadata["mock"] = "login"
    blocked.metadata["blocklisted"] = True
    written.note_change(Change("maplocal", "request", (Part("response.status_code", None, 200),)))
    edited.note_change(Change("you", "edit", (Part("response.status_code", 200, 500),)))
    answered = [row_of(flow).shared.answered for flow in (mocked, blocked, written, edited)]
    assert answered == ["mock", "block_list", "maplocal", ""]


def test_messages_are_added_up_once() -> None:
    flow = tcp_flow((True, b"123"), live=True)
    row = row_of(flow)
    assert (row.kind, row.host, row.size, row.messages, row.duration) == ("tcp", "example.com:9000", 3, 1, None)
    flow.messages.append(TCPMessage(False, b"4567", START + 2))
    row.rewrite(flow)
    row.rewrite(flow)
    assert (row.size, row.messages) == (7, 2)
    flow.intercept()
    row.rewrite(flow)
    assert row.held == "message"
    flow.messages = flow.messages[:1]
    flow.live = False
    row.rewrite(flow)
    assert (row.size, row.messages, row.duration) == (3, 1, 1.0)
    assert row_of(udp_flow((True, b"1"))).kind == "udp"
    assert row_of(udp_flow()).duration is None


def test_a_websocket() -> None:
    flow = websocket_flow((True, b"123"), live=True)
    row = row_of(flow)
    assert (row.kind, row.status, row.size, row.messages, row.duration, row.held) == ("ws", 101, 3, 1, None, "")
    assert flow.websocket is not None
    flow.websocket.messages.append(WebSocketMessage(1, True, b"45"))
    flow.websocket.timestamp_end = START + 12
    flow.intercept()
    row.rewrite(flow)
    assert (row.size, row.messages, row.duration, row.held) == (5, 2, 12.0, "message")


def test_an_upgrade_after_a_body_was_counted() -> None:
    flow = http_flow(status=None, request_body=b"12345")
    row = row_of(flow)
    upgraded = websocket_flow((False, b"1"))
    flow.response, flow.websocket = upgraded.response, upgraded.websocket
    row.rewrite(flow)
    assert (row.kind, row.size, row.messages) == ("ws", 1, 1)


def test_dns() -> None:
    row = row_of(dns_flow("dns.example"))
    assert (row.kind, row.host, row.content_type, row.status) == ("dns", "dns.example", "A", 0)
    assert row.duration == pytest.approx(0.02)
    assert row_of(dns_flow(answered=False)).status is None


def test_hostile_values_are_bounded() -> None:
    flow = http_flow("http://example.com/" + "a" * 100_000)
    flow.request.timestamp_start = math.nan
    row = row_of(flow)
    assert len(row.path) == LONGEST_TEXT
    assert row.created == 0.0


@pytest.mark.parametrize(("end", "seconds"), [(math.nan, 0.0), (-math.inf, 0.0), (math.inf, math.inf)])
def test_times_that_no_clock_shows(end: float, seconds: float) -> None:
    flow = http_flow()
    assert flow.response is not None
    flow.response.timestamp_end = end
    assert row_of(flow).duration == seconds


def test_a_draft_takes_as_long_as_its_sending() -> None:
    flow = http_flow()
    assert flow.response is not None
    row = row_of(flow)
    created = row.created
    flow.request.timestamp_start, flow.response.timestamp_end = created + 60, created + 60.5
    row.rewrite(flow)
    assert row.created == created
    assert row.duration == 0.5


def test_media_type() -> None:
    assert media_type("Text/HTML ; charset=x") == "text/html"
    assert media_type("") == ""


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions are called."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_a_request_is_read_once_while_its_flow_is_in_flight() -> None:
    flow = http_flow("https://example.com:444/a?b=c", status=None, live=True)
    assert calls_of(lambda: Row(flow)) > 40
    row = Row(flow)
    assert calls_of(lambda: row.rewrite(flow)) < 25
    flow.response = http_flow(response_headers=((b"Content-Type", b"text/css"),)).response
    row.rewrite(flow)
    assert row.facts is not None
    assert (row.status, row.facts.received, row.port) == (200, b"text/css", 444)


def test_an_edit_of_a_request_in_flight_is_read() -> None:
    flow = http_flow(status=None, live=True)
    row = Row(flow)
    flow.request.url = "http://other.test:81/x"
    flow.request.headers["content-type"] = "text/html"
    row.rewrite(flow)
    assert row.facts is not None
    assert (row.host, row.port, row.path, row.facts.sent) == ("other.test", 81, "/x", b"text/html")


def test_a_row_keeps_nothing_of_a_flow_that_is_over() -> None:
    flow = http_flow("http://example.com/a", live=True)
    row = Row(flow)
    assert row._asked == ()
    flow.request.path = "/edited"
    row.rewrite(flow)
    assert row.path == "/edited"
