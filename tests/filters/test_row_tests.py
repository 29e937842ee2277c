"""A filter asked about a row says what it says about the flow, or that it does not know."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.filters import OPERATORS, parse
from midstream.flows.flow import Error, Flow
from midstream.flows.http import Headers, HTTPFlow
from midstream.store.rows import LONGEST_TEXT, Row
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow

_TYPES = (b"", b"text/html", b"Text/HTML; charset=utf-8", b"application/json", b"image/png", b";", b"x" * 300, b"a, b")
_NAMES = (b"", b"shop.example", b"SHOP.example:8443", b"[::1]:9", b"a:b:c", b"xn--bcher-kva.example", b"\xff", b"h:080")
_ERRORS = (None, "", "server reset by peer")
_PATTERNS = (
    "shop",
    "EXAMPLE:",
    "json",
    "html",
    ".",
    "^$",
    "^http",
    "charset",
    "GET|POST",
    "x{3}",
    "/v2",
    "\\[",
    "80/",
    "(a|b)+$",
)
_PLAIN = [operator.name for operator in OPERATORS if not operator.argument]
_SEARCHING = [operator.name for operator in OPERATORS if operator.argument == "regex"]


@st.composite
def _http_flows(draw: st.DrawFn) -> Flow:
    port = draw(st.sampled_from(("", ":80", ":8080", ":443")))
    host = draw(st.sampled_from(("api.example", "[::1]", "10.0.0.1")))
    url = f"{draw(st.sampled_from(('http', 'https')))}://{host}{port}/v2"
    flow = http_flow(
        url,
        draw(st.sampled_from(("GET", "POST", "post", "OPTIONS", "CONNECT", "X" * 3000))),
        status=draw(st.sampled_from((None, 200, 404))),
        request_headers=_fields(draw(st.lists(st.sampled_from(_NAMES), max_size=2)), draw(st.sampled_from(_TYPES))),
        response_headers=_fields((), *draw(st.lists(st.sampled_from(_TYPES), max_size=2))),
    )
    flow.request.path = draw(
        st.sampled_from(("/", "/v2/a?b=1", "*", "", "http://other/", "/" + "p" * LONGEST_TEXT, "/é\x00"))
    )
    flow.request.http_version = draw(st.sampled_from(("HTTP/1.1", "HTTP/2.0")))
    flow.request.raw_authority = draw(st.sampled_from((b"", b"named.example", b"named.example:99")))
    flow.request.raw_scheme = draw(st.sampled_from((flow.request.raw_scheme, b"", b"odd")))
    return flow


def _fields(hosts: Sequence[bytes], *types: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (*((b"Host", host) for host in hosts), *((b"Content-Type", value) for value in types if value))


@st.composite
def _flows(draw: st.DrawFn) -> Flow:
    others = st.sampled_from(("tcp", "udp", "dns", "asked", "ws", "nameless")).map(_other)
    flow = draw(st.one_of(_http_flows(), _http_flows(), others))
    flow.marked = draw(st.sampled_from(("", ":dog:", "x")))
    flow.is_replay = draw(st.sampled_from((None, "request", "response")))
    flow.comment = draw(st.sampled_from(("", "json")))
    message = draw(st.sampled_from(_ERRORS))
    flow.error = Error(message) if message is not None else None
    return flow


def _other(kind: str) -> Flow:
    flow = dns_flow("shop.example", answered=kind != "asked")
    if kind == "nameless":
        flow.request.questions = []
    made: dict[str, Flow] = {"tcp": tcp_flow((True, b"json")), "udp": udp_flow(), "ws": websocket_flow((True, b"shop"))}
    return made.get(kind, flow)


@st.composite
def _filters(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        sign = draw(st.sampled_from(("&", "|", " ")))
        return f"({draw(_filters(depth - 1))}) {sign} !({draw(_filters(depth - 1))})"
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return draw(st.sampled_from(_PLAIN))
    if kind == 1:
        return f"~c {draw(st.sampled_from((0, 200, 404)))}"
    argument = draw(st.sampled_from(_PATTERNS)).replace("\\", "\\\\")
    return f'{draw(st.sampled_from(_SEARCHING))} "{argument}"'


@given(_flows(), _filters())
def test_a_row_says_what_its_flow_says_or_nothing(flow: Flow, text: str) -> None:
    filter_ = parse(text)
    assert filter_.on_row(Row(flow)) in (None, filter_(flow))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("~all", True),
        ("~m post & ~d api.example & ~c 404 & ~s & ~http & !~e & !~q & !~replay & !~marked", True),
        ("~d shop.example", True),  # as the client named it
        ("~d other", False),
        ("~u ^https://shop.example/v2/cart$ ", True),
        ("~t html & ~ts charset & ~tq json", True),
        ("~a", False),
        ("~b x", None),
        ("~m get & ~b x", False),  # one answer is enough
        ("~m post | ~b x", True),
        ("!~h x", None),
        ("~comment x", False),
        ("~src 127", None),
    ],
)
def test_what_rows_know_is_not_asked_of_flows(text: str, answer: bool | None) -> None:
    flow = http_flow(
        "https://api.example:8443/v2/cart",
        "POST",
        status=404,
        request_headers=((b"Host", b"shop.example"), (b"Content-Type", b"application/json")),
        response_headers=((b"Content-Type", b"Text/HTML; charset=utf-8"),),
    )
    assert parse(text).on_row(Row(flow)) is answer


def test_the_port_of_a_row_is_that_of_the_url() -> None:
    behind = http_flow("http://backend:8000/", request_headers=((b"Host", b"localhost:8080"),))
    row = Row(behind)
    assert (row.host, row.port) == ("localhost", 8080)
    assert parse("~u ^http://localhost:8080/$").on_row(row) is True
    assert parse("~d backend").on_row(row) is True


def test_rows_share_their_facts() -> None:
    first, second = (Row(http_flow(f"http://shop.example/{number}")) for number in (1, 2))
    assert first.facts is second.facts


def test_what_was_cut_is_not_known() -> None:
    long = http_flow("http://shop.example/" + "p" * LONGEST_TEXT)
    assert parse("~u p").on_row(Row(long)) is None
    long = http_flow("http://shop.example/", response_headers=((b"Content-Type", b"a/b" + b"x" * 300),))
    assert parse("~t nothing").on_row(Row(long)) is None


def test_an_expression_that_takes_too_long_is_left_to_the_flow() -> None:
    trap = http_flow("http://shop.example/" + "a" * 1900 + "b")
    assert parse('~u "(a|aa)+$"').on_row(Row(trap)) is None


def test_headers_are_not_in_rows() -> None:
    flow = http_flow(status=None)
    assert isinstance(flow, HTTPFlow)
    flow.request.headers = Headers(((b"X-A", b"b"),))
    assert parse("~hs x-a").on_row(Row(flow)) is False  # there is no response
    assert parse("~hq x-a").on_row(Row(flow)) is None
