"""What each built-in view shows, and which one is chosen for which data."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.messages import metadata_of
from midstream.contentviews.registries import Registry
from midstream.contentviews.stepped import Stepped
from midstream.flows.http import HTTPFlow
from tests.kit.captured import http_flow
from tests.kit.stopwatch import judge, longest_step

VIEWS = Registry()
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--B\r\nContent-Disposition: form-data; name="a"; filename="x.bin"\r\n\r\n\x00\xff\r\n'
    b'--B\r\nContent-Disposition: form-data; name="b"\r\n\r\ntwo words\r\n--B--\r\n'
)


def typed(content_type: str = "") -> Metadata:
    flow = response_of(content_type)
    assert flow.response is not None
    return metadata_of(flow.response, flow)


def response_of(content_type: str) -> HTTPFlow:
    headers = ((b"content-type", content_type.encode()),) if content_type else ()
    return http_flow("http://h/", response_headers=headers)


@pytest.mark.parametrize(
    ("content_type", "data", "view"),
    [
        (JSON, b"{}", "JSON"),
        ("application/vnd.api+json; charset=utf-8", b"{}", "JSON"),
        ("application/json-rpc", b"{}", "JSON"),
        ("text/json", b"{}", "JSON"),
        ("text/plain", b' {"a": 1}', "JSON"),
        ("text/plain", b"[12:00] a log", "Raw"),
        ("application/x-ndjson", b'{"a": 1}\n{"a": 2}', "NDJSON"),
        ("text/plain", b'{"a": 1}\n{"a": 2}\n', "NDJSON"),
        (JSON, b'{"a": 1}\n{"a": 2}\n', "NDJSON"),
        ("text/plain", b'{"a": 1}\n{"a": \n', "Raw"),
        ("text/css; charset=utf-8", b"a{}", "ViewCSS"),
        ("text/javascript", b"a()", "JavaScript"),
        ("application/x-javascript", b"a()", "JavaScript"),
        ("text/event-stream", b"data: 1\n\n", "SSE"),
        ("application/jwt", b"anything", "JWT"),
        ("text/plain", b"eyJhbGciOiJub25lIn0.e30.", "JWT"),
        ("text/plain", b"eyes are.not.tokens", "Raw"),
        (JSON, b'{"query": "query A { b }"}', "GraphQL"),
        (JSON, b'{"variables": {}, "query": "{\\n a\\n}"}', "GraphQL"),
        (JSON, b'[{"query": "mutation { b }"}, {"query": "{a}"}]', "GraphQL"),
        (JSON, b'{"query": "how to query"}', "JSON"),
        (JSON, b'{"query": 1}', "JSON"),
        ("application/graphql", b"{a}", "GraphQL"),
        (JSON, b"", "Raw"),
        (FORM, b"a=1", "URL-encoded"),
        ("multipart/form-data; boundary=B", MULTIPART, "Multipart Form"),
        ("text/html; charset=utf-8", b"hello", "XML/HTML"),
        ("text/xml", b"<a/>", "XML/HTML"),
        ("image/svg+xml", b" \n<svg/>", "XML/HTML"),
        ("text/plain", b"a < b", "Raw"),
        ("image/png", b"\x89PNG\r\n\x1a\n\x00\x00", "Image"),
        ("image/x-own", b"\x89own\x00\x00", "Hex Dump"),
        ("text/plain", "Grüße".encode("utf-16"), "Raw"),
        ("", b"hello", "Raw"),
        ("", b"", "Raw"),
    ],
)
def test_the_best_view(content_type: str, data: bytes, view: str) -> None:
    assert VIEWS.get_view(data, typed(content_type)).name == view


def test_a_token_of_a_request_is_shown_where_there_is_nothing_else() -> None:
    token = b"eyJhbGciOiJub25lIn0.eyJhIjoxfQ."
    flow = http_flow("http://h/", request_headers=((b"Authorization", b"Bearer " + token),))
    metadata = metadata_of(flow.request, flow)
    view = VIEWS.get_view(b"", metadata)
    assert view.name == "JWT"
    assert view.prettify(b"", metadata) == '# header\n{\n  "alg": "none"\n}\n# claims\n{\n  "a": 1\n}\n# not signed\n'
    assert VIEWS.get_view(b"body", metadata).name == "Raw"
    flow = http_flow("http://h/?a=b", request_headers=((b"Authorization", b"Bearer " + token),))
    assert VIEWS.get_view(b"", metadata_of(flow.request, flow)).name == "Query"


def test_a_request_without_a_body_shows_its_query() -> None:
    flow = http_flow("http://h/?a=1&b=x&a=3&%C3%A9=")
    metadata = metadata_of(flow.request, flow)
    view = VIEWS.get_view(b"", metadata)
    assert view.name == "Query"
    assert view.prettify(b"", metadata) == "a:\n- '1'\n- '3'\nb: x\né: ''\n"
    assert VIEWS.get_view(b"body", metadata).name == "Raw"
    assert flow.response is not None
    with pytest.raises(ValueError, match="only a request"):
        view.prettify(b"", metadata_of(flow.response, flow))


@pytest.mark.parametrize(
    ("name", "content_type", "data", "text"),
    [
        ("json", JSON, b'{"a":[1,{}]}', '{\n  "a": [\n    1,\n    {}\n  ]\n}'),
        ("json", "", '"é"'.encode("utf-16"), '"é"'),
        ("raw", "", b"a\xff\x1b", "a\\xff\x1b"),
        ("raw", "text/plain; charset=latin-1", b"\xe9", "é"),
        ("hex dump", "", b"ab\0", f"00000000  61 62 00{' ' * 41}ab.\n"),
        ("hex stream", "", b"ab\0", "616200"),
        (
            "url-encoded",
            FORM,
            b"a=1&b=x+y&a=2&c=%1b&d&e=%0a",
            "a:\n- '1'\n- '2'\nb: x y\nc: \"\\e\"\nd: ''\ne: \"\\n\"\n",
        ),
        ("url-encoded", FORM, b"", ""),
        (
            "multipart form",
            "multipart/form-data; boundary=B",
            MULTIPART,
            "a:\n- '1'\n- \"\\0\\\\xff\"\nb: two words\n",
        ),
    ],
)
def test_what_they_show(name: str, content_type: str, data: bytes, text: str) -> None:
    assert VIEWS[name].prettify(data, typed(content_type)) == text


@pytest.mark.parametrize(
    ("name", "content_type", "data", "reason"),
    [
        ("json", JSON, b'{"a":', "ends before"),
        ("json", JSON, b"[" * 100_000, "nested|ends before"),
        ("multipart form", "multipart/form-data", b"x", "no boundary"),
        ("multipart form", "multipart/form-data; boundary=B", b"x", "not in the data"),
        ("graphql", JSON, b"{}", "no query"),
        ("graphql", JSON, b"[" * 100_000, "nested"),
        ("graphql", JSON, b"x", "Expecting value"),
        ("graphql", JSON, b" " * 300_000, "no more than 262,144 bytes"),
        ("jwt", "", b"no token", "no token"),
        ("jwt", "", b"e" * 300_000, "no more than 262,144 bytes"),
    ],
)
def test_what_they_refuse(name: str, content_type: str, data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        VIEWS[name].prettify(data, typed(content_type))


@given(st.binary())
def test_hex_streams_come_back(data: bytes) -> None:
    view = VIEWS["hex stream"]
    assert isinstance(view, InteractiveContentview)
    assert view.reencode(view.prettify(data, Metadata()), Metadata()) == data


def test_what_is_no_hex_is_refused() -> None:
    view = VIEWS["hex stream"]
    assert isinstance(view, InteractiveContentview)
    with pytest.raises(ValueError, match="no run of hex digits"):
        view.reencode("zz", Metadata())


@given(
    st.sampled_from(list(VIEWS.values())),
    st.binary(),
    st.sampled_from([JSON, FORM, "multipart/form-data; boundary=B", ""]),
)
def test_anything_is_text_or_a_value_error(view: Stepped, data: bytes, content_type: str) -> None:
    metadata = typed(content_type)
    assert view.render_priority(data, metadata) <= 1
    try:
        assert isinstance(view.prettify(data, metadata), str)
    except ValueError as error:
        assert str(error)


HOSTILE = {
    "a list": ("json", JSON, b"[" + b"1," * 150_000 + b"1]"),
    "fields": ("url-encoded", FORM, b"a=%41&" * 40_000),
    "names": ("url-encoded", FORM, b"".join(b"n%d&" % number for number in range(60_000))),
    "no fields": ("url-encoded", FORM, b"&" * 1_000_000),
    "one field": ("url-encoded", FORM, b"a=" + b"%41" * 300_000),
    "parts": ("multipart form", "multipart/form-data; boundary=B", MULTIPART[:47] * 20_000),
    "nameless parts": ("multipart form", "multipart/form-data; boundary=B", b"--B\r\n\r\nx\r\n" * 40_000),
    "breaks": ("multipart form", "multipart/form-data; boundary=B", b"--B\r\n" + b"\r\n" * 500_000),
    "a file": ("multipart form", "multipart/form-data; boundary=B", MULTIPART[:-7] + b"\x00" * 1_000_000),
    "bytes": ("hex dump", "", bytes(1_000_000)),
    "more bytes": ("hex stream", "", bytes(1_000_000)),
    "tags": ("xml/html", "", b"<a>" * 100_000),
    "comments": ("xml/html", "", b"<!--" * 250_000),
    "brackets": ("xml/html", "", b"<" * 300_000),
    "quotes": ("xml/html", "", b"<a \"'" * 200_000),
    "quotes in a tag": ("xml/html", "", b"<a \"'" * 200_000 + b">"),
    "open quotes": ("xml/html", "", b'<a ">' * 200_000),
    "instructions": ("xml/html", "", b"<?<![CDATA[" * 90_000),
    "scripts": ("xml/html", "", b"<script>" * 120_000),
    "minified": ("javascript", "", b'function a(b){if(b){return c(d,"x")}else{e={f:1,g:2}}}' * 10_000),
    "comments of code": ("javascript", "", b"/*" * 250_000),
    "templates": ("javascript", "", b"`${" * 150_000),
    "blocks": ("javascript", "", b"{" * 150_000),
    "ends of blocks": ("javascript", "", b"}" * 150_000),
    "strings": ("javascript", "", b'"' + b'\\"' * 150_000),
    "expressions": ("javascript", "", b"=/[a" * 50_000),
    "addresses": ("viewcss", "", b"url(a" * 100_000),
    "rules": ("viewcss", "", b".a .b>c{color:red;margin:0 1px}" * 20_000),
    "objects in lines": ("ndjson", "", b'{"a":[1,2]}\n' * 50_000),
    "empty lines": ("ndjson", "", b"\n" * 300_000),
    "a long line": ("ndjson", "", b"[" + b"1," * 150_000 + b"1]"),
    "events": ("sse", "", b"event: a\ndata: {}\n\n" * 30_000),
    "an event": ("sse", "", b"data:\n" * 100_000),
    "data in JSON": ("sse", "", b"data: [" + b"1," * 150_000 + b"1]\n\n"),
    "returns": ("sse", "", b"\r" * 300_000),
    "a query": ("graphql", JSON, b'{"query": "' + b"{a" * 60_000 + b'"}'),
    "queries": ("graphql", JSON, b"[" + b'{"query":"{a}"},' * 15_000 + b'{"query":"{a}"}]'),
    "a token": ("jwt", "", b"eyJh" * 30_000 + b"." + b"W1tb" * 30_000 + b"."),
    "text": ("raw", "text/plain; charset=utf-16", b"\xff\xfe" + b"a\x00" * 500_000),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_no_step_is_long_and_the_text_is_bounded(case: str) -> None:
    name, content_type, data = HOSTILE[case]
    view, metadata = VIEWS[name], typed(content_type)
    assert isinstance(view, Stepped)
    size = 0

    def steps() -> Iterator[None]:
        nonlocal size
        with contextlib.suppress(ValueError):  # which says that it is nested too deeply
            for part in view.steps(data, metadata):
                size += len(part or b"")
                yield

    judge(longest_step(steps()), 0.05)
    assert size <= 16 * len(data) + 1024
