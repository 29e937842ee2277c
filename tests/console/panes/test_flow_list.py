"""The flow list: golden screens, the place that belongs to flows, dirty tracking, hostile text, cost."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream import filters
from midstream.console.panes import detail_tabs
from midstream.console.panes.failure_words import failure_word
from midstream.console.panes.flow_list import FlowList
from midstream.flows.flow import Error
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole, roles, screen
from tests.kit.stopwatch import within


def headers(content_type: str) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"Content-Type", content_type.encode()),)


@pytest.fixture
def pane(console: FakeConsole) -> FlowList:
    made = FlowList(console)  # type: ignore[arg-type]
    made.painter.clock = lambda: START + 6
    console.master.options.add_option("console_focus_follow", bool, False, "Follow.")
    return made


def shop(console: FakeConsole) -> list[HTTPFlow]:
    flows = [
        http_flow("http://shop.example/", response_body=b"x" * 18_000, response_headers=headers("text/html")),
        http_flow(
            "https://cdn.example/app.3f9c.js",
            response_body=b"x" * 311_000,
            response_headers=headers("application/javascript"),
            start=START + 0.1,
        ),
        http_flow(
            "https://api.example/v2/login", "POST", response_headers=headers("application/json"), start=START + 1
        ),
        http_flow("https://api.example/v2/cart?currency=EUR", status=404, start=START + 1.2),
        http_flow("https://img.example/banner@2x.webp", status=None, start=START + 1.4),
        http_flow(
            "https://api.example/v2/cart/items", "POST", status=None, live=True, request_body=b"{}", start=START + 2
        ),
        http_flow("https://api.example/v2/recommend?n=20", status=None, live=True, start=START + 3),
        http_flow("https://例え.example/パス/ü", "DELETE", status=500, start=START + 4),
    ]
    flows[1].marked = ":default:"
    flows[2].is_replay = "request"
    flows[4].error = Error("connection reset by peer", START + 2.9)
    flows[5].intercepted = True
    console.add(*flows)
    console.view.set_focus(flows[5].id)
    return flows


def numbered(console: FakeConsole, count: int, first: int = 0) -> list[HTTPFlow]:
    flows = [http_flow(f"http://h/{number}", start=START + number) for number in range(first, first + count)]
    console.add(*flows)
    return flows


def paths(pane: FlowList, rows: int = 11, columns: int = 80) -> list[str]:
    return [line.split(" h/")[1].split()[0] for line in screen(pane, columns, rows)[1:] if " h/" in line]


# -- golden screens ---------------------------------------------------------------------------------------------------

AT_120 = """\
    #  time      method  host and path                                 code type    size    ms  timeline 22:13:20 .. :26
    1  22:13:20  GET     shop.example/                                 200  html     18k    92  |#
*   2  22:13:20  GET     cdn.example/app.3f9c.js                       200  js      304k    92  |#
R   3  22:13:21  POST    api.example/v2/login                          200  json      5b    92  |   =
    4  22:13:21  GET     api.example/v2/cart?currency=EUR              404  text      5b    92  |    #
!   5  22:13:21  GET     img.example/banner@2x.webp  connection rese…  ERR  reset      -  1.5s  |     =xxxxx
>‖  6  22:13:22  POST    api.example/v2/cart/items                     ‖req           2b  4.0s  |       =‖‖‖‖‖‖‖‖‖‖‖‖‖‖‖
    7  22:13:23  GET     api.example/v2/recommend?n=20                 …               -  3.0s  |           ===========…
    8  22:13:24  DELETE  xn--r8jz45g.example/パス/ü                    500  text      5b    92  |               #"""

AT_80 = """\
    #  time      method  host and path                   code type    size    ms
    1  22:13:20  GET     shop.example/                   200  html     18k    92
*   2  22:13:20  GET     cdn.example/app.3f9c.js         200  js      304k    92
R   3  22:13:21  POST    api.example/v2/login            200  json      5b    92
    4  22:13:21  GET     api.example/v2/cart?currency=…  404  text      5b    92
!   5  22:13:21  GET     img.example/banner@2x.webp      ERR  reset      -  1.5s
>‖  6  22:13:22  POST    api.example/v2/cart/items       ‖req           2b  4.0s
    7  22:13:23  GET     api.example/v2/recommend?n=20   …               -  3.0s
    8  22:13:24  DELETE  xn--r8jz45g.example/パス/ü      500  text      5b    92"""

AT_60 = """\
    #  method  host and path                code  size    ms
    1  GET     shop.example/                200    18k    92
*   2  GET     cdn.example/app.3f9c.js      200   304k    92
R   3  POST    api.example/v2/login         200     5b    92
    4  GET     api.example/v2/cart?curren…  404     5b    92
!   5  GET     img.example/banner@2x.webp   ERR      -  1.5s
>‖  6  POST    api.example/v2/cart/items    ‖req    2b  4.0s
    7  GET     api.example/v2/recommend?n…  …        -  3.0s
    8  DELETE  xn--r8jz45g.example/パス/ü   500     5b    92"""


@pytest.mark.parametrize(("size", "golden"), [((120, 32), AT_120), ((80, 24), AT_80), ((60, 16), AT_60)], ids=str)
def test_golden(console: FakeConsole, pane: FlowList, size: tuple[int, int], golden: str) -> None:
    shop(console)
    shown = screen(pane, *size)
    assert "\n".join(shown).rstrip() == golden
    assert len(shown) == size[1]


def test_wide_screens_have_room_for_urls(console: FakeConsole, pane: FlowList) -> None:
    shop(console)
    assert "connection reset by peer" in "\n".join(screen(pane, 200, 20))


def test_other_kinds_of_flows(console: FakeConsole, pane: FlowList) -> None:
    console.add(
        websocket_flow((True, b"a"), (False, b"b")), tcp_flow((True, b"abc")), udp_flow((True, b"ab")), dns_flow()
    )
    text = "\n".join(screen(pane, 100, 8))
    for words in ("101  ws      2msg", "TCP     example.com:9000", "UDP     example.com:9001", "DNS     dns.example"):
        assert words in text
    assert "ok   A  " in text


def test_a_grpc_call_that_did_not_succeed(console: FakeConsole, pane: FlowList) -> None:
    grpc, failed = headers("application/grpc"), (b"Grpc-Status", b"5")
    fine, body, head = (http_flow(f"http://h/{name}", response_headers=grpc) for name in ("fine", "body", "head"))
    assert fine.response and body.response and head.response
    fine.response.trailers = Headers(((b"grpc-status", b"0"),))
    body.response.trailers = Headers((failed,))
    head.response.headers = Headers((*grpc, failed))
    console.add(fine, body, head)
    lines = screen(pane, 100, 8)
    assert ["grpc 5" in line for line in lines[1:4]] == [False, True, True]
    assert any(role == "failed" and "grpc 5" in text for role, text in roles(pane, 100, 8)[3])


def test_a_held_message_is_no_request(console: FakeConsole, pane: FlowList) -> None:
    flow = websocket_flow((False, b"b"), live=True)
    flow.intercept()
    console.add(flow)
    assert "‖msg ws" in "\n".join(screen(pane, 100, 8))


def test_a_port_is_shown_where_it_is_not_the_usual_one(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://h:8443/a"), http_flow("https://h:443/b"), http_flow("http://h/c"))
    text = "\n".join(screen(pane, 80, 6))
    assert " h:8443/a " in text
    assert " h/b " in text
    assert " h/c " in text
    assert pane.search("h:8443")


def test_roles(console: FakeConsole, pane: FlowList) -> None:
    shop(console)
    rows = roles(pane, 80, 12)
    assert rows[0][0][0] == "title"
    assert {role for role, _ in rows[6]} == {"focus"}
    assert {role for role, _ in roles(pane, 80, 12, focus=False)[6]} == {"focus.idle"}
    assert ("marked", "* ") in rows[2]
    assert ("status.4xx", "404 ") in rows[4]
    assert any(role == "failed" and "ERR" in text for role, text in rows[5])
    assert any(role == "method.write" for role, _ in rows[3])


def test_a_newcomer_is_told_the_next_steps(console: FakeConsole, pane: FlowList) -> None:
    options = console.master.options
    options.add_option("listen_port", int | None, None, "Port.")
    options.add_option("listen_host", str, "", "Host.")
    options.add_option("confdir", str, "~/.midstream", "Folder.")
    options.update(listen_port=9999, confdir="/home/me/.midstream")
    for size in ((120, 32), (80, 24), (60, 16)):
        text = "\n".join(screen(pane, *size))
        assert "No flows yet" in text
        assert "curl --proxy http://127.0.0.1:9999" in text
        assert "--cacert /home/me/.midstream/midstream-ca-cert.pem" in text


@pytest.mark.parametrize(
    ("modes", "words"),
    [
        (["regular@9000"], ["to http://127.0.0.1:9000", "curl --proxy http://127.0.0.1:9000 \\"]),
        (["socks5"], ["SOCKS proxy of a", "to 127.0.0.1:1080", "curl --socks5-hostname 127.0.0.1:1080 \\"]),
        (
            ["reverse:https://shop.example@8443"],
            ["to 127.0.0.1:8443, which stands in for https://shop.example", "https://localhost:8443/"],
        ),
        (["reverse:https://shop.example@[::1]:8443"], ["to [::1]:8443, which stands", "https://[::1]:8443/"]),
        (["reverse:http://shop.example"], ["stands in for http://shop.example", "curl http://127.0.0.1:8080/"]),
        (["reverse:tcp://shop.example:25@2525"], ["to 127.0.0.1:2525, which stands in for tcp://shop.example:25."]),
        (["dns@5353", "regular"], ["dig -p 5353 @127.0.0.1 example.com", "The log names where the other modes"]),
        (["reverse:dns://[::1]:53@5300"], ["dig -p 5300 @127.0.0.1 example.com"]),
        (["transparent@8080"], ["redirect connections to port 8080"]),
    ],
)
def test_the_next_steps_are_those_of_the_mode(
    console: FakeConsole, pane: FlowList, modes: list[str], words: list[str]
) -> None:
    console.master.options.add_option("mode", Sequence[str], ["regular"], "Modes.")
    console.master.options.update(mode=modes)
    text = "\n".join(screen(pane, 80, 24))
    for each in ("No flows yet", *words):
        assert each in text


def test_a_newcomer_is_told_where_traffic_is_kept_if_there_is_room(console: FakeConsole, pane: FlowList) -> None:
    words = [
        "What passes through is kept in ~/.midstream/sessions, bodies and passwords included.",
        "Turn that off by x.",
    ]
    console.master.addons["session"] = SimpleNamespace(note=lambda: words)
    assert "Turn that off by x." in "\n".join(screen(pane, 80, 24))
    small = screen(pane, 60, 12)
    assert "https://example.com/" in "\n".join(small)
    assert "What passes through is kept in" in "\n".join(small)
    for rows in range(1, 30):
        for columns in (20, 40, 59, 60, 80, 120, 300):
            assert len(screen(pane, columns, rows)) == rows


def test_the_path_of_the_certificate_can_be_copied_into_a_shell(
    console: FakeConsole, pane: FlowList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    console.master.options.add_option("confdir", str, "/home/me/my conf", "Folder.")
    assert "--cacert ~/'my conf/midstream-ca-cert.pem' \\" in "\n".join(screen(pane, 80, 24))


def test_an_empty_result_names_the_filter(console: FakeConsole, pane: FlowList) -> None:
    numbered(console, 3)
    console.view.set_filter(filters.parse("~d nowhere"))
    text = "\n".join(screen(pane, 80, 12))
    assert "3 flows are hidden" in text
    assert "~d nowhere" in text


# -- the place --------------------------------------------------------------------------------------------------------


async def test_moving(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50)
    pane.entered()
    screen(pane, 80, 11)
    for move, focus, top in (
        ("down", 1, 0),
        ("page_down", 10, 9),
        ("page_up", 1, 0),
        ("end", 49, 40),
        ("up", 48, 40),
        ("start", 0, 0),
        ("up", 0, 0),
    ):
        pane.navigate(move)
        assert console.view.focus_id == flows[focus].id, move
        assert paths(pane)[0] == str(top), move
    assert pane.get_cursor_coords((80, 11)) == (0, 1)
    pane.left()


async def test_rows_that_come_and_go_above_do_not_move_the_picture(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50, first=100)
    pane.entered()
    screen(pane, 80, 11)
    console.view.set_focus(flows[30].id)
    before = paths(pane)
    numbered(console, 20, first=10)  # earlier start: sorted above
    assert paths(pane) == before
    console.view.remove([flows[0].id, flows[1].id])
    assert paths(pane) == before
    assert console.view.focus_id == flows[30].id
    pane.left()


async def test_new_rows_below_are_counted_until_the_end_is_seen(console: FakeConsole, pane: FlowList) -> None:
    numbered(console, 20)
    pane.entered()
    screen(pane, 80, 11)
    assert pane.new_below == 0 or console.view.index(console.view.focus_id or "") == 0
    pane.new_below = 0
    numbered(console, 7, first=20)
    screen(pane, 80, 11)
    assert pane.new_below == 7
    pane.navigate("end")
    screen(pane, 80, 11)
    assert pane.new_below == 0
    pane.left()


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("h:8443 refused the connection: nothing listens there", "h:8443/x  refused the connection"),
        ("h:8443: the server closed the connection", "h:8443/x  the server closed"),
        ("h has no address", "h:8443/x  has no address"),
        ("hello", "h:8443/x  hello"),
        ("h.example is another one", "h:8443/x  h.example is"),
        ("the name h cannot be resolved", "h:8443/x  the name h cannot"),
        ("h", "h:8443/x  h "),
    ],
)
def test_a_reason_does_not_repeat_the_host(console: FakeConsole, pane: FlowList, reason: str, shown: str) -> None:
    flow = http_flow("http://h:8443/x", status=None)
    flow.error = Error(reason)
    console.add(flow)
    assert shown in screen(pane, 100, 5)[1] + " "


async def test_following_begins_before_the_first_flow(console: FakeConsole, pane: FlowList) -> None:
    pane.entered()
    pane.navigate("down")
    assert not console.view.follow
    pane.navigate("end")
    flows = numbered(console, 3)
    assert console.view.focus_id == flows[2].id
    pane.left()


async def test_following(console: FakeConsole, pane: FlowList) -> None:
    numbered(console, 20)
    pane.entered()
    screen(pane, 80, 11)
    pane.navigate("end")
    assert console.view.follow
    assert console.master.options.console_focus_follow is True
    numbered(console, 5, first=20)
    assert paths(pane)[-1] == "24"
    pane.navigate("up")
    assert not console.view.follow
    assert console.master.options.console_focus_follow is False
    before = paths(pane)
    numbered(console, 5, first=30)
    assert paths(pane) == before
    pane.left()


async def test_the_focus_survives_a_filter_and_a_smaller_screen(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50)
    pane.entered()
    screen(pane, 80, 31)
    console.view.set_focus(flows[25].id)
    screen(pane, 80, 31)
    assert "25" in paths(pane, rows=6)
    console.view.set_filter(filters.parse("5$"))
    assert "25" in paths(pane, rows=6)
    console.view.set_filter(None)
    assert "25" in paths(pane, rows=6)
    pane.left()


async def test_mouse(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50)
    pane.entered()
    size = (80, 11)
    screen(pane, *size)
    assert pane.clicked(size, 1, 5, 4)
    assert console.view.focus_id == flows[3].id
    assert pane.clicked(size, 5, 5, 4)
    assert paths(pane)[0] == "3"
    assert pane.clicked(size, 5, 5, 4)
    assert console.view.focus_id == flows[6].id  # taken along at the edge
    assert not pane.clicked(size, 1, 5, 0)
    assert pane.clicked(size, 1, 5, 3)
    assert pane.clicked(size, 1, 5, 3)
    assert console.opened == ["detail"]
    pane.left()


async def test_search(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50)
    pane.entered()
    screen(pane, 80, 11)
    assert pane.search("h/4")
    assert console.view.focus_id == flows[4].id
    assert pane.search("h/4")
    assert console.view.focus_id == flows[40].id
    assert pane.search("h/4", backwards=True)
    assert console.view.focus_id == flows[4].id
    assert not pane.search("nowhere")
    pane.left()


async def test_search_in_a_long_list_goes_on_in_slices(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 20_000)
    pane.entered()
    screen(pane, 80, 11)
    with within(0.1):
        assert pane.search("h/19999")
    console.view.remove([flow.id for flow in flows[10:100]])
    await console.settle()
    assert console.view.focus_id == flows[19999].id
    assert pane.search("nowhere")
    await console.settle()
    assert console.messages[-1] == "not found: nowhere"
    pane.left()


def test_enter_opens_the_details(console: FakeConsole, pane: FlowList) -> None:
    pane.navigate("select")
    pane.navigate("down")
    assert console.opened == []
    numbered(console, 1)
    pane.navigate("select")
    assert console.opened == ["detail"]
    assert pane.focused_flow() is not None


# -- when to paint ----------------------------------------------------------------------------------------------------


async def test_only_what_is_visible_asks_for_a_frame(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50)
    pane.entered()
    screen(pane, 80, 11)
    console.frames.clear()
    console.view.update(flows[40])
    assert console.frames == []
    console.view.update(flows[5])
    assert console.frames == [False]
    pane.left()
    console.view.update(flows[5])
    assert console.frames == [False]


async def test_unchanged_rows_are_painted_once(console: FakeConsole, pane: FlowList) -> None:
    flows = numbered(console, 50)
    pane.entered()
    screen(pane, 80, 11)
    painted = pane.painter.painted_rows
    screen(pane, 80, 11)
    assert pane.painter.painted_rows == painted
    console.view.update(flows[5])
    screen(pane, 80, 11)
    assert pane.painter.painted_rows == painted + 1
    pane.navigate("down")
    screen(pane, 80, 11)
    assert pane.painter.painted_rows == painted + 3
    pane.left()


async def test_flows_in_flight_tick(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://h/1", status=None, live=True))
    pane.entered()
    screen(pane, 80, 11)
    console.frames.clear()
    while not console.frames:
        await asyncio.sleep(0.02)
    pane.left()


def test_the_cost_is_that_of_the_visible_rows(console: FakeConsole, pane: FlowList) -> None:
    numbered(console, 20_000)
    console.view.set_focus(console.view.shown[10_000])
    screen(pane, 120, 40)
    assert pane.painter.painted_rows == 39
    pane.navigate("page_down")
    screen(pane, 120, 40)
    assert pane.painter.painted_rows <= 39 * 2 + 2


# -- hostile text -----------------------------------------------------------------------------------------------------

HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b[2J\u202e\u200b\u0301\u0300中한👍🏽\t\r\n\x00\x9b\udc80")),
    max_size=40,
)


@settings(max_examples=60)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.integers(20, 300), st.booleans())
def test_hostile_text_neither_breaks_the_canvas_nor_leaks(
    host: str, path: str, kind: str, failure: str, columns: int, failed: bool
) -> None:
    console = FakeConsole()
    pane = FlowList(console)  # type: ignore[arg-type]
    flow = http_flow("http://h/", response_headers=((b"Content-Type", kind.encode("utf-8", "surrogatepass")),))
    console.add(flow)
    row = console.view.row(flow.id)
    row.host, row.path, row.content_type, row.method = host, path, kind, host[:9]
    row.failed = failure if failed else ""
    for line in screen(pane, columns, 6):
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u200b" for c in line)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("localhost:1 refused the connection: nothing listens there", "down"),
        ("the name nonexistent.invalid cannot be resolved (Name or service not known)", "dns"),
        ("the name server 127.0.0.1 did not answer within 5 s", "dns"),
        ("h:443 did not answer within 10 s", "late"),
        ("h:443 reset the connection", "reset"),
        ("connection reset by peer", "reset"),
        ("h:80: the server closed the connection without an answer", "closed"),
        ("TLS with h:443 failed: the certificate has expired", "tls"),
        ("h:80 sent a malformed response: no status line", "bad"),
        ("client disconnected", "left"),
        ("Connection killed.", "killed"),
        ("hello", ""),
        ("", ""),
    ],
)
def test_a_failure_in_a_word(reason: str, word: str) -> None:
    assert failure_word(reason) == word


def test_a_narrow_list_shows_which_request_failed_and_why_in_a_word(console: FakeConsole, pane: FlowList) -> None:
    flow = http_flow("http://img.example/a/banner@2x.webp", status=None)
    flow.error = Error("img.example refused the connection: nothing listens there")
    console.add(flow)
    line = screen(pane, 80, 5)[1]
    assert "img.example/a/banner@2x.webp" in line
    assert "ERR  down" in line


def test_only_what_may_grow_has_a_plus(console: FakeConsole, pane: FlowList) -> None:
    held, asked, answering = (
        http_flow(f"http://h/{name}", "POST", status=None, live=True, request_body=b"abc")
        for name in ("held", "asked", "answering")
    )
    held.intercepted = True
    answered = http_flow("http://h/").response
    assert answered is not None
    answered.timestamp_end = None
    answering.response = answered
    console.add(held, asked, answering)
    assert ["+" in line.split("h/")[1] for line in screen(pane, 100, 8)[1:4]] == [False, False, True]
    pane.left()


def test_a_stream_of_events_that_the_page_closed_has_not_failed(console: FakeConsole, pane: FlowList) -> None:
    closed, broken, page = (
        http_flow(f"http://h/{name}", response_headers=headers(kind))
        for name, kind in (("1", "text/event-stream"), ("2", "text/event-stream"), ("3", "text/html"))
    )
    closed.error, broken.error = Error("client disconnected", START + 9), Error("h:80 reset the connection", START + 9)
    page.error = Error("client disconnected", START + 9)
    console.add(closed, broken, page)
    lines = screen(pane, 120, 8)[1:4]
    assert ["!" in line for line in lines] == [False, True, True]
    assert ["x" in line.rpartition("|")[2] for line in lines] == [False, True, True]
    assert detail_tabs.state_runs(closed, START + 10) == [("dim", "closed by the client ")]
    assert not any(
        "disconnected" in text
        for piece in detail_tabs.response_pieces(closed, detail_tabs.Shape(80))
        for _, text in piece.runs
    )
