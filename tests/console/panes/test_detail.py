"""The detail pane: tabs, headers, bodies, live updates, search, hostile text."""

import asyncio
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.console.finder import Finder
from midstream.console.panes.detail import Detail
from midstream.console.widgets import hits
from midstream.flows.dns import ResourceRecord, classes, types
from midstream.flows.flow import Error
from midstream.flows.http import Headers, HTTPFlow, Response
from tests.kit import fake_console
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole, roles
from tests.kit.stopwatch import within


def screen(pane: Detail, columns: int, rows: int) -> list[str]:
    """The rows without the column in which the sign of the cursor stands."""
    lines = fake_console.screen(pane, columns, rows)
    return [*lines[:2], *(line[1:] for line in lines[2:])]


@pytest.fixture
def pane(console: FakeConsole) -> Detail:
    made = Detail(console)  # type: ignore[arg-type]
    made.clock = lambda: START + 4.1
    return made


def held(console: FakeConsole) -> HTTPFlow:
    flow = http_flow(
        "https://api.example/v2/cart/items",
        "POST",
        status=None,
        live=True,
        request_body=b'{"sku": "A-1009", "qty": 2}',
        request_headers=((b"Host", b"api.example"), (b"Content-Type", b"application/json"), (b"accept", b"*/*")),
    )
    flow.intercepted = True
    console.add(flow)
    return flow


HELD = """\
 1  POST https://api.example/v2/cart/items               ‖ held at request 4.1s
 [Request*]| Response | Timing | Connection                  m view: auto   all
POST https://api.example/v2/cart/items HTTP/1.1

▾ Headers 3
  Host          api.example
  Content-Type  application/json
  accept        */*

▾ Body  json, 27b -> 33b pretty
  1  {
  2    "sku": "A-1009",
  3    "qty": 2
  4  }"""

HELD_RESPONSE = """\
 1  POST https://api.example/v2/cart/items               ‖ held at request 4.1s
  Request* |[Response]| Timing | Connection                                 all
  The request is held: the server has not seen it yet.
  a resume   e edit   X kill"""


def test_a_held_request(console: FakeConsole, pane: Detail) -> None:
    held(console)
    assert "\n".join(screen(pane, 80, 24)).rstrip() == HELD
    pane.navigate("next")
    assert "\n".join(screen(pane, 80, 24)).rstrip() == HELD_RESPONSE
    for size in ((120, 32), (60, 16)):
        assert any("held at request" in line for line in screen(pane, *size))


def test_json_is_coloured_and_header_names_are(console: FakeConsole, pane: Detail) -> None:
    held(console)
    painted = [run for row in roles(pane, 80, 24) for run in row]
    assert ("syntax.key", '"sku"') in painted
    assert ("syntax.number", "2") in painted
    assert any(role == "header.name" and "Host" in text for role, text in painted)
    assert any(role == "held" for role, _ in painted)
    assert any(role == "tab.on" and "Request" in text for role, text in painted)


def test_tabs_go_around_and_stay_with_the_next_flow(console: FakeConsole, pane: Detail) -> None:
    first, second = http_flow("http://h/1"), http_flow("http://h/2", status=404)
    console.add(first, second)
    assert pane.tabs() == ["Request", "Response", "Timing", "Connection"]
    pane.navigate("previous")
    assert "[Connection]" in screen(pane, 80, 10)[1]
    pane.navigate("left")
    assert "[Timing]" in screen(pane, 80, 10)[1]
    pane.navigate("left")
    assert "[Response]" in screen(pane, 80, 10)[1]
    assert "200 OK" in screen(pane, 80, 10)[2]
    console.view.set_focus(second.id)
    assert "404 Not Found" in screen(pane, 80, 10)[2]


def test_the_response_is_seen_as_soon_as_it_is_there(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/", status=None, live=True)
    console.add(flow)
    pane.show_tab("Response")
    text = "\n".join(screen(pane, 80, 10))
    assert "No response yet" in text
    assert "in flight 4.1s" in text
    flow.response = Response.make(200, b"hello", {"content-type": "text/plain"})
    pane._on_change(_update(console, flow))
    text = "\n".join(screen(pane, 80, 12))
    assert "hello" in text
    assert "receiving 4.1s" in text


def _update(console: FakeConsole, flow: HTTPFlow) -> object:
    seen: list[object] = []
    console.view.on_change.append(seen.append)
    console.view.update(flow)
    console.view.on_change.remove(seen.append)
    return seen[-1]


async def test_subscriptions(console: FakeConsole, pane: Detail) -> None:
    flow, other = http_flow("http://h/1"), http_flow("http://h/2")
    console.add(flow, other)
    pane.entered()
    screen(pane, 80, 10)
    console.frames.clear()
    console.view.update(other)
    assert console.frames == []
    console.view.update(flow)
    assert console.frames == [False]
    pane.left()
    console.view.update(flow)
    assert console.frames == [False]


async def test_reading_a_flow_ends_following(console: FakeConsole, pane: Detail) -> None:
    console.master.options.add_option("console_focus_follow", bool, False, "Follow.")
    console.master.options.update(console_focus_follow=True)
    console.view.follow = True
    console.add(http_flow("http://h/1"))
    pane.entered()
    assert console.master.options.console_focus_follow, "beside the list it shows each new flow"
    pane.got_focus()
    assert not console.master.options.console_focus_follow
    pane.left()


def test_an_edit_is_shown_and_the_place_is_kept(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/", request_body=b"".join(b"line %d\n" % number for number in range(100)))
    console.add(flow)
    screen(pane, 80, 10)
    for _ in range(28):
        pane.navigate("down")
    before = screen(pane, 80, 10)
    flow.request.headers["x-debug"] = "1"
    flow.request.raw_content = (flow.request.raw_content or b"").replace(b"line 20", b"LINE 20")
    pane._on_change(_update(console, flow))  # type: ignore[arg-type]
    after = screen(pane, 80, 10)
    assert any("LINE 20" in line for line in after)
    assert len(set(before) & set(after)) > 5


def test_long_header_values_are_folded(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/", request_headers=((b"Cookie", b"a" * 5000), (b"X", b"y")))
    console.add(flow)
    assert any("aaa…(5,000)" in line for line in screen(pane, 200, 24))
    assert any("f unfolds 1" in line for line in screen(pane, 80, 24))
    pane.content.toggle_folds()
    text = "\n".join(screen(pane, 80, 24))
    assert "…(" not in text
    assert text.count("a") > 1000


def test_each_of_two_headers_in_a_line_can_be_copied(console: FakeConsole, pane: Detail) -> None:
    fields = ((b"host", b"shop.example"), (b"access-control-allow-credentials-of-all", b"true"), (b"accept", b"*/*"))
    flow = http_flow("http://shop.example/", request_headers=fields)
    console.add(flow)
    screen(pane, 110, 24)
    copies = [pane.content.copies_at(piece) for piece in range(len(pane.content.viewer.pieces))]
    values = [found["value"]() for found in copies if "value" in found]
    assert {"host": "shop.example", "access-control-allow-credentials-of-all": "true"} in values


def test_errors_and_comments_stand_on_top(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/", status=None)
    flow.error = Error("certificate has expired\x1b[31m", START + 1)
    flow.comment = "look at this"
    console.add(flow)
    for tab in ("Request", "Response"):
        pane.show_tab(tab)
        lines = screen(pane, 80, 12)
        assert "! failed" in lines[0]
        assert lines[2] == "! certificate has expired␛[31m"
        assert lines[3] == "; look at this"


def test_body_views(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow(
        "http://h/",
        response_body=gzip.compress(b'{"a":1}', mtime=0),
        response_headers=((b"Content-Type", b"application/json"), (b"Content-Encoding", b"gzip")),
    )
    console.add(flow)
    pane.show_tab("Response")
    assert '  2    "a": 1' in screen(pane, 80, 14)
    pane.content.toggle_raw()
    assert '  1  {"a":1}' in screen(pane, 80, 14)
    pane.content.set_mode("hex dump")
    assert any(line.startswith("00000000  7b 22 61") for line in screen(pane, 80, 14))
    pane.content.toggle_wrap()
    assert console.messages
    with pytest.raises(ValueError, match="no way to show"):
        pane.content.set_mode("dance")


def test_trailers(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/")
    assert flow.response is not None
    flow.response.trailers = Headers(((b"Checksum", b"abc"),))
    console.add(flow)
    pane.show_tab("Response")
    text = "\n".join(screen(pane, 80, 16))
    assert "Trailers 1" in text
    assert "Checksum  abc" in text


def test_messages(console: FakeConsole, pane: Detail) -> None:
    console.add(websocket_flow((True, b"hello"), (False, b"\x00\x01\x02")))
    assert pane.tabs() == ["Request", "Response", "Messages", "Timing", "Connection"]
    pane.show_tab("Messages")
    lines = screen(pane, 80, 10)
    assert "[Messages 2]" in lines[1]
    assert lines[2] == " 22:13:21 → text      5b  hello"
    assert lines[3] == " 22:13:21 ← text      3b  00 01 02"


def test_how_a_websocket_was_closed(console: FakeConsole, pane: Detail) -> None:
    flow = websocket_flow((True, b"hello"))
    console.add(flow)
    pane.show_tab("Messages")
    assert "closed" not in "".join(screen(pane, 80, 10))
    assert flow.websocket is not None
    flow.websocket.closed_by_client, flow.websocket.close_code = False, 4001
    flow.websocket.close_reason, flow.websocket.timestamp_end = "so\x1b long", START + 2
    assert screen(pane, 80, 10)[3] == " 22:13:22 closed by the server  4001  so␛ long"


@pytest.mark.parametrize(("code", "words"), [(1000, ""), (1006, "  broke off"), (4001, "")])
def test_close_codes_in_words(console: FakeConsole, pane: Detail, code: int, words: str) -> None:
    flow = websocket_flow()
    assert flow.websocket is not None
    flow.websocket.closed_by_client, flow.websocket.close_code = True, code
    flow.websocket.timestamp_end = START + 2
    console.add(flow)
    pane.show_tab("Messages")
    assert f" 22:13:22 closed by the client  {code}{words}" in screen(pane, 80, 10)


def test_a_held_message(console: FakeConsole, pane: Detail) -> None:
    flow = websocket_flow((True, b"hello"), (False, b"wait"), live=True)
    flow.intercept()
    console.add(flow)
    pane.show_tab("Messages")
    lines = screen(pane, 80, 10)
    assert "‖ held at message" in lines[0]
    assert "[Messages 2*]" in lines[1]
    assert lines[2].endswith("5b  hello")
    assert lines[3].endswith("4b  ‖ held  wait")


def test_raw_and_dns_flows(console: FakeConsole, pane: Detail) -> None:
    tcp, dns = tcp_flow((True, b"EHLO")), dns_flow()
    console.add(tcp, dns)
    assert any("EHLO" in line for line in screen(pane, 80, 10))
    assert "[Messages 1]" in screen(pane, 80, 10)[1]
    console.view.set_focus(dns.id)
    text = "\n".join(screen(pane, 80, 10))
    assert "dns.example" in text
    assert "[Request]" in text


def test_what_dns_asks_and_answers(console: FakeConsole, pane: Detail) -> None:
    dns = dns_flow()
    assert dns.response is not None
    dns.response.answers.append(ResourceRecord.CNAME("evil\x1b.example", "dns.example"))
    dns.response.authorities.append(ResourceRecord("", types.SOA, classes.CH, 5, b"\x01"))
    console.add(dns)
    text = "\n".join(screen(pane, 80, 10))
    for words in ("QUERY", "recursion desired", "dns.example  A"):
        assert words in text
    pane.show_tab("Response")
    text = "\n".join(screen(pane, 80, 20))
    for words in ("NOERROR", "evil␛.example  CNAME  60 s  dns.example", "SOA CH  5 s  0x01"):
        assert words in text


def test_edns_in_words(console: FakeConsole, pane: Detail) -> None:
    dns = dns_flow()
    dns.request.additionals += [
        ResourceRecord("", types.OPT, 1232, 0x8000, b""),
        ResourceRecord("", 41, 512, 0, b"\x01"),
    ]
    console.add(dns)
    lines = screen(pane, 80, 14)
    assert lines[0].startswith(" 1  DNS dns.example  A")
    assert "  EDNS  answers of up to 1,232 bytes by UDP, with DNSSEC" in lines
    assert "  EDNS  answers of up to 512 bytes by UDP, options 0x01" in lines


def test_a_conversation_without_messages(console: FakeConsole, pane: Detail) -> None:
    flow = tcp_flow()
    flow.live = True
    console.add(flow)
    assert " No messages yet." in screen(pane, 80, 10)
    assert "… open 4.1s" in screen(pane, 80, 10)[0]
    flow.live = False
    flow.error = Error("the client does not trust our certificate for h.test; install midstream-ca-cert.pem there", 1)
    pane._on_change(_update(console, flow))
    lines = screen(pane, 80, 10)
    assert lines[2:4] == [
        " the client does not trust our certificate for h.test; install",
        " midstream-ca-cert.pem there",
    ]
    assert " No messages were sent." in lines


def test_connections(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("https://api.example/")
    flow.client_conn.tls, flow.client_conn.tls_version, flow.client_conn.sni = True, "TLSv1.3", "api.example"
    flow.client_conn.timestamp_tls_setup = START + 0.01
    flow.metadata["key"] = "value\x1b"
    console.add(flow)
    pane.show_tab("Connection")
    text = "\n".join(screen(pane, 100, 30))
    pane.show_tab("Timing")
    text += "\n".join(screen(pane, 100, 30))
    for words in ("127.0.0.1:51022", "TLSv1.3", "sni", "api.example:443", "request ends", "10ms later", "value\\x1b"):
        assert words in text


async def find(console: FakeConsole, pane: Detail, pattern: str, backwards: bool = False) -> bool:
    """Search, and let what takes longer come to its end; whether anything is shown as found."""
    console.messages.clear()
    console.search.finder = Finder(pattern)
    found = pane.search(pattern, backwards)
    await console.settle()
    return found and not any("not found" in message for message in console.messages)


async def test_search(console: FakeConsole, pane: Detail) -> None:
    body = b"".join(b"line %d\n" % number for number in range(500))
    flow = http_flow("http://h/", request_body=body, request_headers=((b"Cookie", b"a" * 600 + b"needle"),))
    console.add(flow)
    screen(pane, 80, 12)
    assert await find(console, pane, "line 333")
    assert any(role == "match.on" for row in roles(pane, 80, 12) for role, _ in row)
    assert any("line 333" in line for line in screen(pane, 80, 12))
    assert any("1 of 1" in line for line in screen(pane, 80, 12))
    assert not await find(console, pane, "nowhere")
    assert not await find(console, pane, "NEEDLE")
    assert await find(console, pane, "needle")  # unfolds what was folded
    assert "".join(text for row in roles(pane, 80, 24) for role, text in row if role == "match.on") == "needle"
    assert pane.search("")
    assert not any(role == "match.on" for row in roles(pane, 80, 12) for role, _ in row)


async def test_what_the_request_has_not_is_found_in_the_response(console: FakeConsole, pane: Detail) -> None:
    console.add(http_flow("http://h/", request_body=b"apple\npear", response_body=b"1\n" * 50 + b"appendix"))
    screen(pane, 80, 12)
    place = pane.search_place()
    assert await find(console, pane, "app")
    assert pane.shown_tab() == "Request"
    assert await find(console, pane, "appen")
    assert pane.shown_tab() == "Response"
    assert any("appendix" in line for line in screen(pane, 80, 12))
    pane.search_return(place)
    assert pane.shown_tab() == "Request"
    assert not await find(console, pane, "nowhere")
    assert pane.shown_tab() == "Request"
    pane.show_tab("Response")
    assert await find(console, pane, "pear")
    assert pane.shown_tab() == "Request"


async def test_a_hit_keeps_the_cursor_when_the_rows_above_are_laid_out_anew(console: FakeConsole, pane: Detail) -> None:
    headers = tuple((b"name-%d" % number, b"value of it") for number in range(8))
    console.add(http_flow("http://h/", request_headers=headers, request_body=b"1\nneedle\n2\nneedle\n3"))
    screen(pane, 50, 20)
    for columns, times in ((50, 2), (120, 0), (60, 0)):
        for _ in range(times):
            assert await find(console, pane, "needle")
        screen(pane, columns, 20)
        viewer = pane.content.viewer
        assert "".join(text for _, text in viewer.pieces.piece(viewer.cursor[0]).runs) == "needle"
        assert pane.search_hits() == (2, 2)


async def test_a_search_does_not_open_a_large_body_beside(console: FakeConsole, pane: Detail) -> None:
    console.add(http_flow("http://h/", response_body=b"needle " * 50_000))
    screen(pane, 80, 12)
    assert not await find(console, pane, "needle")
    assert pane.shown_tab() == "Request"


async def test_hits_are_counted_and_hopped_through(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/", request_body=b"a1 a2\nb\na3\n" * 40, request_headers=((b"x", b"a0"),))
    console.add(flow)
    screen(pane, 100, 12)
    seen = []
    for backwards in (False, False, False, True, True, True):
        assert await find(console, pane, r"a\d", backwards)
        painted = [run for row in roles(pane, 100, 12) for run in row]
        seen.append("".join(text for role, text in painted if role == "match.on"))
        assert pane.search_hits() is not None
    assert seen == ["a0", "a1", "a2", "a1", "a0", "a3"]
    assert pane.search_hits() == (121, 121)
    assert any("121 of 121" in line for line in screen(pane, 100, 12))


async def test_a_regex_that_backtracks_for_ever_is_stopped(
    console: FakeConsole, pane: Detail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "SECONDS", 0.3)
    console.add(http_flow("http://h/", request_body=b"a" * 4000 + b"b\n" * 100_000))
    screen(pane, 80, 12)
    await console.settle()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.005)

    task = asyncio.create_task(beat())
    await find(console, pane, "(a+)+$")
    task.cancel()
    assert [message for message in console.messages if "takes too long here: it was stopped after 0.3 s" in message]
    assert beats > 10, "the loop went on meanwhile"
    assert not pane.searching.runs


async def test_a_search_can_be_stopped(console: FakeConsole, pane: Detail) -> None:
    console.add(http_flow("http://h/", request_body=b"some words in a line\n" * 1_000_000))
    screen(pane, 80, 12)
    await console.settle()
    assert pane.search("nowhe[r]e")
    assert pane.searching.runs
    assert any("searching" in line for line in screen(pane, 100, 12))
    assert pane.cancel()
    await console.settle()
    assert console.messages == []
    assert not pane.searching.runs


async def test_search_in_a_large_body_goes_on_in_slices(console: FakeConsole, pane: Detail) -> None:
    body = b"x" * 40 + b"\n"
    flow = http_flow("http://h/", request_body=body * 800_000 + b"needle\n")
    console.add(flow)
    screen(pane, 80, 12)
    await console.settle()
    with within(0.5):
        console.search.finder = Finder("needle")
        assert pane.search("needle")
    await console.settle()
    assert any("needle" in line for line in screen(pane, 80, 12))
    assert pane.search("nowhere")
    await console.settle()
    assert console.messages == ["not found: nowhere"]
    assert pane.search_hits() is None


def test_mouse(console: FakeConsole, pane: Detail) -> None:
    console.add(http_flow("http://h/", request_body=b"\n" * 100))
    size = (80, 12)
    column = screen(pane, *size)[1].index("Connection")
    assert pane.clicked(size, 1, column, 1)
    assert "[Connection]" in screen(pane, *size)[1]
    assert pane.clicked(size, 5, 0, 5)
    assert pane.clicked(size, 1, 0, 5), "the cursor goes there"


def test_no_flow(console: FakeConsole, pane: Detail) -> None:
    assert screen(pane, 40, 3)[0] == "  no flow"
    pane.navigate("next")
    pane.navigate("down")


async def test_fifty_megabytes_open_at_once(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/", request_body=b"some words in a line\n" * 2_500_000)
    console.add(flow)
    with within(0.5):
        screen(pane, 120, 40)
    await console.settle()
    pane.navigate("end")
    screen(pane, 120, 40)
    assert pane.content.viewer.painted_pieces < 2000


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b[2J\u202e\u200b\u0301\u0300中한👍🏽\t\r\n\x00\x9b\udc80")),
    max_size=40,
)


@settings(max_examples=60)
@given(
    HOSTILE,
    HOSTILE,
    st.binary(max_size=80),
    st.integers(20, 300),
    st.sampled_from(["Request", "Response", "Timing", "Connection"]),
)
def test_hostile_flows(name: str, value: str, body: bytes, columns: int, tab: str) -> None:
    console = FakeConsole()
    pane = Detail(console)  # type: ignore[arg-type]
    raw_name, raw_value = name.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass")
    fields = ((raw_name, raw_value), (b"content-type", raw_value))
    flow = http_flow(
        "http://h/", request_headers=fields, response_headers=fields, request_body=body, response_body=body
    )
    flow.request.path = raw_value.decode("utf-8", "surrogateescape")
    flow.client_conn.sni = name
    flow.client_conn.tls = True
    flow.comment = value
    flow.error = Error(name)
    assert flow.response is not None
    flow.response.reason = "".join(c for c in value if ord(c) < 256)
    console.add(flow)
    pane.show_tab(tab)
    for line in screen(pane, columns, 12):
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u200b" for c in line)


def test_the_way_a_body_is_shown_stays_with_the_flow(console: FakeConsole, pane: Detail) -> None:
    first, second = http_flow("http://h/1"), http_flow("http://h/2")
    console.add(first, second)
    pane.show_tab("Response")
    pane.content.set_mode("hex dump")
    assert any("68 65 6c 6c 6f" in line for line in screen(pane, 80, 14))
    console.view.set_focus(second.id)
    assert "  1  hello" in screen(pane, 80, 14)
    assert pane.content.mode == "auto"
    console.view.set_focus(first.id)
    assert any("68 65 6c 6c 6f" in line for line in screen(pane, 80, 14))
    assert pane.content.mode == "hex dump"
    pane.show_tab("Request")
    screen(pane, 80, 14)
    assert pane.content.mode == "auto"


def test_the_option_names_the_view_of_bodies(console: FakeConsole, pane: Detail) -> None:
    console.master.options.add_option("console_default_contentview", str, "auto", "A view.")
    console.add(http_flow("http://h/"))
    pane.show_tab("Response")
    assert "  1  hello" in screen(pane, 80, 14)
    console.master.options.console_default_contentview = "Hex Stream"
    assert "  1  68656c6c6f" in screen(pane, 80, 14)
    pane.content.toggle_raw()
    assert pane.content.mode == "raw"
    pane.content.toggle_raw()
    assert pane.content.mode == "hex stream"
    del console.view.settings(console.view.focus_id or "")["flowview_mode_1"]
    console.master.options.console_default_contentview = "of a script that has gone"
    assert "  1  hello" in screen(pane, 80, 14)


async def test_a_request_without_a_body_shows_its_query(console: FakeConsole, pane: Detail) -> None:
    flow = http_flow("http://h/?a=1&b=two+words")
    console.add(flow)
    pane.entered()
    assert "▾ Body  empty; query shown" in screen(pane, 80, 14)
    assert [line for line in screen(pane, 80, 14) if line.startswith("  2  ")] == ["  2  b: two words"]
    flow.request.path = "/?c=x"
    console.view.update(flow)
    assert "  1  c: x" in screen(pane, 80, 14)
    pane.left()
