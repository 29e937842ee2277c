"""Which columns the flow list has at a width, what they say, and the list form."""

import pytest

from midstream.console.panes import flow_columns
from midstream.console.panes.flow_columns import DEFAULT, check, columns_of, complete
from midstream.console.panes.flow_list import FlowList
from midstream.console.widgets.table import fit_runs, lay_out
from midstream.flows.flow import Error
from midstream.store.rows import Shared
from tests.kit.captured import START, http_flow, tcp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole, screen
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
def pane(console: FakeConsole) -> FlowList:
    made = FlowList(console)  # type: ignore[arg-type]
    made.painter.clock = lambda: START + 6
    options = console.master.options
    options.add_option("console_columns", list[str], list(DEFAULT), "Columns.")
    options.add_option("console_flowlist_layout", str, "default", "Form.")
    options.add_option("console_timeline", str, "axis", "Bars.")
    return made


def names_at(width: int, *texts: str) -> list[str]:
    return [placed.name for placed in lay_out(columns_of(texts), width)][1:]


def test_columns_drop_in_a_fixed_order() -> None:
    dropped = []
    before = names_at(300)
    assert before == list(DEFAULT)
    for width in range(299, 19, -1):
        shown = names_at(width)
        dropped += [name for name in before if name not in shown]
        assert not set(shown) - set(before), "a column came back"
        before = shown
    assert dropped == ["timeline", "time", "type", "method", "number", "ms", "size"]
    assert before == ["url", "code"]


def test_added_columns_go_after_the_timeline_and_before_the_time() -> None:
    texts = ("client", *DEFAULT, "comment", "waited")
    dropped = []
    before = names_at(400, *texts)
    for width in range(399, 19, -1):
        shown = names_at(width, *texts)
        dropped += [name for name in before if name not in shown]
        before = shown
    assert dropped == ["timeline", "waited", "comment", "client", "time", "type", "method", "number", "ms", "size"]


def test_a_width_of_ones_own() -> None:
    (column,) = [column for column in columns_of(("url", "type:12")) if column.name == "type"]
    assert column.width == 12
    assert [column.width for column in columns_of(("path", "url"))] == [2, 24, 0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("siz", r"there is no column 'siz'; did you mean 'size'\?"),
        ("nonsense", "there are number, time, method"),
        ("size:", "the width of a column is a number from 1 to 200, as in size:12"),
        ("size:0", "from 1 to 200"),
        ("size:²", "from 1 to 200"),
        ("size:9999", "from 1 to 200"),
    ],
)
def test_what_is_no_column_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check(text)


def test_names_are_completed() -> None:
    assert complete("s") == ["size", "started", "scheme", "server"]
    for name in flow_columns.COLUMNS:
        check(name)


def test_every_column_says_something(console: FakeConsole, pane: FlowList) -> None:
    flow = http_flow("https://api.example:8443/v2/cart?x=1", "POST", status=201)
    flow.marked, flow.comment, flow.is_replay = ":dog:", "look here", "request"
    flow.metadata["mock"] = "cart"
    flow.server_conn.peername = ("203.0.113.9", 8443)
    console.add(flow, websocket_flow((True, b"abc")))
    console.master.options.update(console_columns=[name for name in flow_columns.COLUMNS if name != "url"])
    heading, first, second = screen(pane, 300, 4)[:3]
    for words in ("host", "path", "wait", "msgs", "mark", "by", "22:13:20 .. +92ms"):
        assert words in heading
    for words in (
        "2023-11-14",
        "22:13:20.000",
        "https",
        "api.example:8443",
        "/v2/cart?x=1",
        "HTTP/1.1",
        "127.0.0.1",
        "203.0.113.9",
        "   50 ",
        "🐶 dog",
        "look here",
        "mock",
        "request",
    ):
        assert words in first, words
    assert " ws " in second


def test_signs_of_rows(console: FakeConsole, pane: FlowList) -> None:
    flows = [http_flow(f"http://h/{number}") for number in range(7)]
    console.add(*flows)
    flows[1].marked = "a"
    flows[2].marked = ":dog:"
    flows[3].marked = ":dog:"
    flows[3].error = Error("x")
    flows[4].metadata["mock"] = "m"
    flows[5].marked = ":default:"
    for flow in flows:
        console.view.update(flow)
    signs = [line.rstrip()[:2] for line in screen(pane, 80, 8)[1:]]
    assert signs == ["> ", "a ", "🐶 "[:2], "*!", "A ", "* ", "  "]


def test_a_body_that_was_not_kept_has_a_tilde(console: FakeConsole, pane: FlowList) -> None:
    known, unknown = http_flow("http://h/1"), http_flow("http://h/2")
    assert known.response and unknown.response
    known.response.raw_content = unknown.response.raw_content = None
    known.response.headers["content-length"] = "311000"
    console.add(known, unknown)
    lines = screen(pane, 80, 4)
    assert " ~304k " in lines[1]
    assert " ~ " in lines[2]


def test_the_timeline_is_switched(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://h/1"), http_flow("http://h/2", start=START + 2))
    options = console.master.options
    assert "timeline 22:13:20 .. :22" in screen(pane, 120, 4)[0]
    options.update(console_timeline="row")
    lines = screen(pane, 120, 4)
    assert "timeline 0 .. 92ms" in lines[0]
    assert lines[1].split("|")[1] == lines[2].split("|")[1]
    options.update(console_timeline="off")
    assert not any("|" in line for line in screen(pane, 120, 4))
    assert not pane.painter.has_bars


def test_columns_may_stand_behind_the_timeline(console: FakeConsole, pane: FlowList) -> None:
    console.master.options.update(console_columns=["number", "url", "timeline", "size", "method"])
    console.add(http_flow("http://h/1"))
    assert screen(pane, 120, 4)[1].endswith("    5b  GET")


def test_the_heading_shows_and_chooses_the_order(console: FakeConsole, pane: FlowList) -> None:
    options = console.master.options
    options.add_option("view_order", str, "time", "Order.")
    options.add_option("view_order_reversed", bool, False, "Order.")
    options.changed.connect(lambda _: console.view.set_order(options.view_order, options.view_order_reversed))
    console.add(*(http_flow(f"http://h/{size}", response_body=b"x" * size) for size in (5, 9, 1)))
    at = screen(pane, 80, 8)[0].index("size")
    assert pane.clicked((80, 8), 1, at, 0)
    lines = screen(pane, 80, 8)
    assert "siz↓" in lines[0] or "size↓" in lines[0]
    assert [line.split(" h/")[1][0] for line in lines[1:4]] == ["1", "5", "9"]
    assert pane.clicked((80, 8), 1, at, 0)
    lines = screen(pane, 80, 8)
    assert "↑" in lines[0]
    assert [line.split(" h/")[1][0] for line in lines[1:4]] == ["9", "5", "1"]
    assert not pane.clicked((80, 8), 1, 0, 0)  # the signs are no order


def test_the_list_form(console: FakeConsole, pane: FlowList) -> None:
    console.master.options.update(console_flowlist_layout="list")
    failed = http_flow("https://h/2", status=None)
    failed.error = Error("connection reset")
    console.add(http_flow("https://shop.example/a/long/path?q=1", "POST"), failed, tcp_flow((True, b"abc")))
    lines = screen(pane, 60, 8)
    assert lines[0] == ">   1 POST https://shop.example/a/long/path?q=1"
    assert lines[1] == "      22:13:20  200 text 5b 92ms"
    assert lines[3].endswith("connection reset")
    assert pane.clicked((60, 8), 1, 3, 3)
    assert console.view.focus_id == failed.id
    assert pane.get_cursor_coords((60, 8)) == (0, 2)


def test_hostile_texts_in_every_column(console: FakeConsole, pane: FlowList) -> None:
    flow = http_flow()
    console.add(flow)
    row = console.view.row(flow.id)
    for text in TEXTS:
        row.host = row.path = row.content_type = row.method = row.failed = row.scheme = row.replay = text
        row.shared = Shared(text, text, text, text, text)
        row.marked = text[:40]
        row.revision += 1
        for width in WIDTHS:
            for form in ("table", "list"):
                console.master.options.update(console_flowlist_layout=form, console_columns=list(flow_columns.COLUMNS))
                assert_clean(pane.render((width, 6), True), width)


def test_the_address_has_room_on_the_smallest_screen(console: FakeConsole, pane: FlowList) -> None:
    console.add(http_flow("http://shop.example/"))
    for columns, names in ((40, "code size ms"), (30, "code size"), (20, "code")):
        heading, row = screen(pane, columns, 5)[:2]
        assert heading.split()[-len(names.split()) :] == names.split()
        assert "shop" in row


def test_an_address_that_is_cut_behind_the_host_says_so() -> None:
    runs = [("host", "localhost:18000"), ("path", "/app.js"), ("query", "")]
    for room, shown in ((15, "localhost:1800…"), (16, "localhost:18000…"), (17, "localhost:18000/…")):
        assert "".join(text for _, text in fit_runs(runs, room)) == shown
    assert fit_runs([("host", "h"), ("path", "/")], 2) == [("host", "h"), ("path", "/")]
