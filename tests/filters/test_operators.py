import gzip
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream import filters, flowfilter
from midstream.filters.subjects import shown_url
from midstream.flows.dns import ResourceRecord
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow, Request
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


def matches(text: str, flow: Flow) -> bool:
    return filters.parse(text)(flow)


def posted() -> HTTPFlow:
    return http_flow(
        "https://api.example:8443/v2/cart?currency=EUR",
        "POST",
        status=404,
        request_body=b'{"sku": "A-1009"}\nnext line',
        response_body=gzip.compress(b"not\nfound"),
        request_headers=((b"Host", b"shop.example"), (b"Content-Type", b"application/json"), (b"X-Dbg", b"one")),
        response_headers=((b"content-encoding", b"gzip"), (b"Content-Type", b"Text/HTML; charset=utf-8")),
    )


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("~all", "!~all"),
        ("~http", "~tcp | ~udp | ~dns | ~websocket"),
        ("~b found", "~b absent"),
        ("~b a-1009", "~b 1009b"),
        ('~b "not.found"', '~b "^found"'),
        ("~bq sku", "~bs sku"),
        ("~bs found", "~bq found"),
        ("~c 404", "~c 40"),
        ("~d shop.example", "~d shop.examplex"),
        ("~d ^api", "~d v2"),
        ("~dst api.example:8443$", "~dst shop"),
        ("~src 127.0.0.1:51022", "~src 127.0.0.2"),
        ("~h x-dbg", "~h nothing"),
        ('~h "^X-Dbg: one"', '~h "one$"'),
        ("~hq x-dbg", "~hs x-dbg"),
        ("~hs charset", "~hq charset"),
        ("~m post", "~m get"),
        ("~m ^p", "~m ^o"),
        ("~m get|post", "~m get|put"),
        ("~s", "~q"),
        ("~t json", "~t png"),
        ("~tq json", "~ts json"),
        ("~ts text/html", "~tq html"),
        ("~u https://shop.example", "~u api.example"),
        ("~u CURRENCY=eur$", "~u ^cart"),
        ("currency", "absent"),
        ("v2 cart", "v2 absent"),
        ("~c 404 & ~m post", "~c 200 & ~m post"),
        ("~c 200 | ~m post", "~c 200 | ~m get"),
        ("~c 200 | ~m post | ~q", "~c 200 | ~m get | ~q"),
        ("v2 & cart & ~s", "v2 & cart & ~q"),
        ("!~q", "!~s"),
        ("!(~c 200 ~s)", "!(~c 404 ~s)"),
    ],
)
def test_http(yes: str, no: str) -> None:
    assert matches(yes, posted())
    assert not matches(no, posted())


def test_marks_comments_metadata_errors_and_replays() -> None:
    flow = http_flow(status=None)
    for text in ("~e", "~marked", "~marker .", "~comment .", "~meta .", "~replay", "~replayq", "~replays", "~s"):
        assert not matches(text, flow), text
    assert matches("~q", flow)
    flow.error = Error("gone")
    flow.marked = ":dog:"
    flow.comment = "first line\nsecond line"
    flow.metadata["tag"] = "blue"
    flow.metadata["n"] = 7
    assert matches("~e", flow)
    assert matches("~marked ~marker :dog:", flow)
    assert matches('~comment "^second"', flow)
    assert matches('~meta "^n: 7"', flow)
    flow.is_replay = "request"
    assert matches("~replay ~replayq !~replays", flow)
    flow.is_replay = "response"
    assert matches("~replay !~replayq ~replays", flow)


@pytest.mark.parametrize(
    ("content_type", "asset"),
    [
        (b"text/css", True),
        (b"Application/JavaScript; charset=utf-8", True),
        (b"image/webp", True),
        (b"font/woff2", True),
        (b"application/font-woff", True),
        (b"text/html", False),
        (b"application/json", False),
        (b"x-image/png", False),
    ],
)
def test_assets(content_type: bytes, asset: bool) -> None:
    assert matches("~a", http_flow(response_headers=((b"content-type", content_type),))) is asset
    assert not matches("~a", http_flow(status=None))


@pytest.mark.parametrize("make", [tcp_flow, udp_flow])
def test_tcp_and_udp(make: Callable[..., Flow]) -> None:
    flow = make((True, b"ping one"), (False, b"pong\x00two"))
    assert matches("~b ping.*one ~b pong.two", flow)
    assert matches("~bq ping !~bs ping ~bs pong !~bq pong", flow)
    assert matches(f"~{flow.type} !~http ~dst example.com:900 ~src 127.0.0.1", flow)
    for text in ("~u example", "example", "~m get", "~q", "~s", "~a", "~h x", "~t x", "~c 200", "~d example", "~dns"):
        assert not matches(text, flow), text


def test_dns() -> None:
    flow = dns_flow("dns.example")
    assert flow.response is not None
    flow.response.answers.append(ResourceRecord("dns.example", 16, 1, 60, b"\x05hello"))
    assert matches("~dns ~s !~q ~u dns.example dns.ex", flow)
    assert matches("~b hello ~bs hello !~bq hello ~bq ^dns.example", flow)
    assert matches("~q", dns_flow(answered=False))
    for text in ("~http", "~d dns", "~m query", "~c 0", "~h x"):
        assert not matches(text, flow), text


def test_websocket() -> None:
    flow = websocket_flow((True, b"from client"), (False, b"from server"))
    assert matches("~websocket ~http ~c 101", flow)
    assert matches('~bq "from client" !~bs "from client" ~bs "from server" ~b "from"', flow)


def test_a_body_that_cannot_be_decoded_is_searched_as_it_came() -> None:
    broken = http_flow(response_body=b"no gzip at all", response_headers=((b"content-encoding", b"gzip"),))
    assert matches("~bs gzip.at", broken)
    bomb = http_flow(response_body=gzip.compress(bytes(40 << 20)), response_headers=((b"content-encoding", b"gzip"),))
    assert matches(r'~bs "^\\x1f\\x8b"', bomb)
    assert not matches(r'~bs "^\\x00"', bomb)


def test_a_missing_body_never_matches() -> None:
    flow = http_flow()
    flow.request.raw_content = None
    assert flow.response is not None
    flow.response.raw_content = None
    assert not matches('~b ""', flow)
    flow.response.raw_content = b""
    assert matches('~b ""', flow)


def test_text_beyond_ascii_is_found_whatever_its_case() -> None:
    flow = http_flow()
    flow.comment = "GRÜSSE ΣΊΣΥΦΟΣ"
    assert matches("~comment grüsse", flow)
    assert matches("~comment σίσυφος", flow)
    assert matches("~comment GR", flow)


@pytest.mark.parametrize("variable", ["MIDSTREAM_CASE_SENSITIVE_FILTERS", "MITMPROXY_CASE_SENSITIVE_FILTERS"])
def test_case_counts_when_the_environment_says_so(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    flow = http_flow("http://example.com/Path")
    assert matches("Path P.th ~m GET ~m G.T", flow)
    for text in ("path", "p.th", "~m get", "~m g.t"):
        assert not matches(text, flow), text


def test_match_and_match_all() -> None:
    flow = http_flow()
    assert filters.match(None, flow)
    assert filters.match("~s", flow)
    assert filters.match(filters.parse("~s"), flow)
    assert not filters.match("~q", flow)
    assert filters.match_all(flow)
    with pytest.raises(ValueError, match="column 1"):
        filters.match("", flow)


def test_a_filter_knows_its_text() -> None:
    assert filters.parse(" ~q ").pattern == " ~q "
    assert repr(filters.parse("~q")) == "<filter ~q>"


def test_the_table_is_complete_and_helps() -> None:
    assert len(filters.OPERATORS) == 32
    assert len({op.name for op in filters.OPERATORS}) == 32
    assert all(op.help and op.flow_types for op in filters.OPERATORS)
    assert {op.name for op in filters.OPERATORS} == set(PARITY.split())
    assert ("~c number", "the response has this status code") in filters.help


def test_the_door_opens_onto_the_same_things() -> None:
    assert flowfilter.parse is filters.parse
    assert all(hasattr(flowfilter, name) for name in flowfilter.__all__)


# The names of the reference, as a list of its own: the table itself is no part of this repository.
PARITY = """
~a ~all ~b ~bq ~bs ~c ~comment ~d ~dns ~dst ~e ~h ~hq ~hs ~http ~m ~marked ~marker ~meta ~q ~replay ~replayq ~replays
~s ~src ~t ~tcp ~tq ~ts ~u ~udp ~websocket
"""


HOSTS = st.sampled_from(
    [b"example.com", b"Example.COM", b"example.com:80", b"example.com:8080", b"[::1]", b"[::1]:1", b"", b" ", b"a b",
     b"xn--bcher-kva.example", b"XN--bcher-kva.example", b"b\xc3\xbccher.example", b"\xff", b"user@host",
     b"h:x", b"1.2.3.4"]
)  # fmt: skip


@given(
    st.sampled_from([b"GET", b"connect", b"CONNECT"]),
    st.sampled_from([b"http", b"https", b"", b"ftp"]),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/3"]),
    st.lists(st.tuples(st.sampled_from([b"Host", b"host", b"hosts", b"x"]), HOSTS), max_size=3),
    HOSTS,
    st.one_of(st.binary(), st.sampled_from([b"/", b"*", b"/a?b=c"])),
)
def test_the_quick_way_to_a_url_gives_what_the_model_gives(
    method: bytes,
    scheme: bytes,
    version: bytes,
    fields: list[tuple[bytes, bytes]],
    authority: bytes,
    path: bytes,
) -> None:
    request = Request(
        "origin.example", 8443, method, scheme, authority, path, version, tuple(fields), b"", None, 0.0, 0.0
    )
    assert shown_url(request) == request.pretty_url
