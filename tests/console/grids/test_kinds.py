"""Rows that nobody touches are written back as the bytes that came (P1)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.grids import PARTS, Attributes, FlowKind, Row
from midstream.console.grids.cells_text import escaped, unescaped
from midstream.flows.errors import CommandError
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow
from tests.kit.captured import http_flow, tcp_flow
from tests.kit.stopwatch import within

BYTES = st.binary(max_size=8)
QUERIES = st.lists(
    st.sampled_from([b"a", b"=", b"&", b"%20", b"+", b"%zz", b"\xff", b";", b"b=1", b"%C3%A9"]), max_size=10
)
COOKIES = st.lists(st.sampled_from([b"a=1", b";", b" ", b"\t", b"; ", b'"x;y"', b"=", b"\xff", b"flag"]), max_size=10)


def kind(part: str, flow: HTTPFlow) -> FlowKind:
    return PARTS[part](None, flow)  # type: ignore[arg-type]


def edited(rows: Sequence[Row], index: int, column: int, data: bytes) -> list[Row]:
    return [row.with_cell(column, data) if at == index else row for at, row in enumerate(rows)]


def new(*cells: bytes, slot: int = 0) -> Row:
    return Row(cells, None, slot)


@given(BYTES)
def test_a_cell_is_typed_as_it_is_shown(data: bytes) -> None:
    assert unescaped(escaped(data)) == data
    assert escaped(data).isprintable() or any(ord(each) > 0x7F for each in escaped(data))


def test_escapes_that_stand_for_nothing_are_named() -> None:
    with pytest.raises(ValueError, match=r"column 2: \\x needs two"):
        unescaped("a\\xq")


# -- queries and paths -------------------------------------------------------------------------------------------------


@given(QUERIES)
def test_a_query_comes_back(parts: list[bytes]) -> None:
    path = b"/p?" + b"".join(parts)
    flow = http_flow("http://x.example/")
    flow.request.raw_path = path
    query = kind("query", flow)
    rows = query.read()
    if rows:
        query.write(rows)
        assert flow.request.raw_path == path


@given(QUERIES, st.integers(0, 9))
def test_a_pair_is_edited_and_the_others_keep_their_spelling(parts: list[bytes], at: int) -> None:
    flow = http_flow("http://x.example/")
    flow.request.raw_path = b"/p?" + b"".join(parts) + b"#end?x"
    query = kind("query", flow)
    rows = query.read()
    if at >= len(rows):
        return
    query.write(edited(rows, at, 1, b"new value"))
    after = query.read()
    assert [row.origin for row in after[:at]] == [row.origin for row in rows[:at]]
    assert [row.origin for row in after[at + 1 :]] == [row.origin for row in rows[at + 1 :]]
    assert after[at].cells == (rows[at].cells[0], b"new value")
    assert flow.request.raw_path.endswith(b"#end?x") or b"#" in b"".join(parts)


def test_a_name_keeps_its_spelling_when_the_value_is_edited() -> None:
    flow = http_flow("http://x.example/?a%20b=%7e&flag&empty=")
    query = kind("query", flow)
    rows = edited(query.read(), 0, 1, b"a b")
    rows = edited(rows, 1, 0, b"flags")
    query.write([*rows, new(b"x&y", b"\xff=")])
    assert flow.request.raw_path == b"/?a%20b=a+b&flags&empty=&x%26y=%FF%3D"
    query.write([])
    assert flow.request.raw_path == b"/"


@given(st.lists(st.sampled_from([b"/", b"a", b"%2F", b"\xff", b"b;v=1", b".."]), max_size=9))
def test_a_path_comes_back(parts: list[bytes]) -> None:
    path = b"/" + b"".join(parts) + b"?a=/b"
    flow = http_flow("http://x.example/")
    flow.request.raw_path = path
    segments = kind("path", flow)
    rows = segments.read()
    segments.write(rows)
    assert flow.request.raw_path == (path if rows else b"/?a=/b")


def test_segments_are_edited_and_added() -> None:
    flow = http_flow("http://x.example/a%2fb//c/?q=1")
    segments = kind("path", flow)
    rows = segments.read()
    assert [row.cells for row in rows] == [(b"a/b",), (b"c",)]
    segments.write([rows[0], new(b"x y/z"), *edited(rows[1:], 0, 0, b"d")])
    assert flow.request.raw_path == b"/a%2fb/x%20y%2Fz//d/?q=1"


def test_what_has_no_path_says_so() -> None:
    flow = http_flow("http://x.example/")
    flow.request.method = "CONNECT"
    with pytest.raises(CommandError, match="no path"):
        kind("query", flow).read()
    with pytest.raises(CommandError, match="a tcp flow has no cookies"):
        PARTS["cookies"](None, tcp_flow())  # type: ignore[arg-type]


# -- headers and cookies -----------------------------------------------------------------------------------------------


def with_headers(*fields: tuple[bytes, bytes]) -> HTTPFlow:
    flow = http_flow("http://x.example/")
    flow.request.headers = Headers(fields)
    assert flow.response is not None
    flow.response.headers = Headers(fields)
    return flow


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=3), BYTES), max_size=6))
def test_headers_come_back_in_order_and_with_their_case(fields: list[tuple[bytes, bytes]]) -> None:
    flow = with_headers(*fields)
    headers = kind("request-headers", flow)
    headers.write(headers.read())
    assert flow.request.headers.fields == tuple(fields)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ((b"", b"v"), "a header needs a name"),
        ((b"a b", b"v"), "' ' cannot stand in the name"),
        (("é".encode(), b"v"), "'é' cannot stand in the name"),
        ((b"a", b"x\ny"), "control character 0x0a"),
    ],
)
def test_a_header_that_is_none_is_refused(cells: tuple[bytes, bytes], reason: str) -> None:
    bad = kind("request-headers", with_headers()).check(cells)
    assert bad is not None
    assert reason in bad.reason


def test_blanks_around_a_value_are_kept_and_talked_about() -> None:
    headers = kind("request-headers", with_headers())
    assert headers.check((b"a", b" x ")) is None
    assert "blanks around" in headers.advice((b"a", b" x "))
    assert not headers.advice((b"a", b"x y"))


@given(st.lists(COOKIES.map(b"".join), max_size=3))
def test_cookies_come_back(values: list[bytes]) -> None:
    fields = [(b"Host", b"x"), *((b"cookIE", value) for value in values), (b"Z", b"z")]
    flow = with_headers(*fields)
    cookies = kind("cookies", flow)
    rows = cookies.read()
    cookies.write(rows)
    # Where no cookie is left at all, no header stays.
    assert flow.request.headers.fields == (fields[0], *(fields[1:-1] if rows else ()), fields[-1])


def test_one_cookie_is_edited_and_the_others_keep_their_blanks() -> None:
    flow = with_headers((b"cookie", b'a=1;  b="x;y" ;;c;'), (b"X", b"1"), (b"Cookie", b"d=4"))
    cookies = kind("cookies", flow)
    rows = cookies.read()
    assert [row.cells for row in rows] == [(b"a", b"1"), (b"b", b'"x;y"'), (b"c", b""), (b"d", b"4")]
    rows = edited(rows, 0, 1, b"\xff")
    cookies.write([rows[0], new(b"n", b"", slot=0), *rows[1:]])
    assert flow.request.headers.fields == (
        (b"cookie", b'a=\xff; n=;  b="x;y" ;;c;'),
        (b"X", b"1"),
        (b"Cookie", b"d=4"),
    )
    cookies.write(cookies.read()[-1:])
    assert flow.request.headers.fields == ((b"X", b"1"), (b"Cookie", b"d=4"))


def test_first_cookies_get_a_header() -> None:
    flow = with_headers((b"X", b"1"))
    kind("cookies", flow).write([new(b"a", b"1"), new(b"b", b"2")])
    assert flow.request.headers.fields == ((b"X", b"1"), (b"Cookie", b"a=1; b=2"))
    assert "begins another pair" in str(kind("cookies", flow).check((b"a", b"1;b=2")))
    assert kind("cookies", flow).check((b"a", b'"1;2"')) is None


@given(st.lists(COOKIES.map(b"".join), max_size=3))
def test_set_cookies_come_back(values: list[bytes]) -> None:
    fields = [(b"X", b"x"), *((b"Set-Cookie", value) for value in values)]
    flow = with_headers(*fields)
    cookies = kind("set-cookies", flow)
    cookies.write(cookies.read())
    assert flow.response is not None
    assert flow.response.headers.fields == tuple(fields)


def test_attributes_are_a_table_of_their_own() -> None:
    flow = with_headers((b"set-cookie", b"a=1;Path=/; HttpOnly ;x=y"), (b"set-cookie", b"b=2"))
    cookies = kind("set-cookies", flow)
    rows = cookies.read()
    nested = cookies.nested_kind(rows[0], 2)
    assert isinstance(nested, Attributes)
    inner = nested.read()
    assert [row.cells for row in inner] == [(b"Path", b"/"), (b"HttpOnly", b""), (b"x", b"y")]
    nested.apply([*edited(inner, 0, 1, b"/login"), new(b"Secure", b"")])
    assert nested.made == b"Path=/login; HttpOnly ;x=y; Secure"
    cookies.write([rows[0].with_cell(2, nested.made), *edited(rows[1:], 0, 1, b"3"), new(b"c", b"4", b"", slot=1)])
    assert flow.response is not None
    assert [value for _, value in flow.response.headers.fields] == [
        b"a=1; Path=/login; HttpOnly ;x=y; Secure",
        b"b=3",
        b"c=4",
    ]


# -- forms -------------------------------------------------------------------------------------------------------------


def form_flow(body: bytes, content_type: bytes = b"application/x-www-form-urlencoded") -> HTTPFlow:
    return http_flow(
        "http://x.example/", "POST", request_body=body, request_headers=((b"Content-Type", content_type), (b"A", b"b"))
    )


def test_a_form_is_edited() -> None:
    flow = form_flow(b"a=%20&&b=+&c")
    form = kind("urlencoded-form", flow)
    rows = form.read()
    form.write([*edited(rows, 2, 1, "é".encode()), new(b"d", b"&")])
    assert flow.request.raw_content == b"a=%20&&b=+&c=%C3%A9&d=%26"
    assert flow.request.headers["content-length"] == str(len(flow.request.raw_content))


def test_a_body_that_is_no_form_is_not_taken_for_one() -> None:
    flow = form_flow(b'{"a": 1}', b"application/json")
    form = kind("urlencoded-form", flow)
    assert form.read() == []
    assert "replaces the body" in form.note()
    form.write([new(b"a", b"1")])
    assert flow.request.raw_content == b"a=1"
    assert flow.request.headers["content-type"] == "application/x-www-form-urlencoded"
    flow.request.raw_content = None
    with pytest.raises(CommandError, match="not stored"):
        form.read()


PART = b'Content-Disposition: form-data; name="%b"%b'
MULTIPART = b"multipart/form-data; boundary=XX"


def multipart(*parts: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(b"--XX" + end + part + end for part in parts) + b"--XX--" + end


@given(
    st.lists(st.tuples(BYTES, BYTES), max_size=4),
    st.sampled_from([b"\r\n", b"\n"]),
    st.sampled_from([b"", b"preamble\r\n"]),
    st.sampled_from([b"", b"epilogue"]),
)
def test_a_multipart_form_comes_back(
    fields: list[tuple[bytes, bytes]], end: bytes, before: bytes, after: bytes
) -> None:
    body = before + multipart(*(PART % (b"n", b"") + end * 2 + b"".join(field) for field in fields), end=end) + after
    flow = form_flow(body, MULTIPART)
    form = kind("multipart-form", flow)
    rows = form.read()
    if rows:
        form.write(rows)
        assert flow.request.raw_content == body


def test_files_keep_their_names_and_types() -> None:
    file = PART % (b"up", b'; filename="a.png"') + b"\r\nContent-Type: image/png\r\nX-Own: 1\r\n\r\n\x89PNG"
    body = multipart(PART % (b"a", b"") + b"\r\n\r\n1", file, b"no name at all")
    flow = form_flow(body, MULTIPART)
    form = kind("multipart-form", flow)
    rows = form.read()
    assert [row.cells for row in rows] == [
        (b"a", b"1", b"", b""),
        (b"up", b"\x89PNG", b"a.png", b"image/png"),
        (b"", b"no name at all", b"", b""),
    ]
    form.write([new(b"first", b"0", b"", b""), *edited(rows, 1, 1, b"GIF")])
    assert flow.request.raw_content == body.replace(b"\x89PNG", b"GIF").replace(
        b"--XX\r\n", b'--XX\r\nContent-Disposition: form-data; name="first"\r\n\r\n0\r\n--XX\r\n', 1
    )
    rows = edited(edited(edited(form.read()[1:], 1, 2, b'b".gif'), 1, 3, b"image/gif"), 0, 3, b"text/plain")
    form.write(rows)
    assert (
        b'name="up"; filename="b%22.gif"\r\nContent-Type: image/gif\r\nX-Own: 1\r\n\r\nGIF' in flow.request.raw_content
    )
    assert b'name="a"\r\nContent-Type: text/plain\r\n\r\n1\r\n' in flow.request.raw_content
    form.write([new(b"x", b"--XX", b"", b"")][:0])
    assert "boundary" in str(form.check((b"x", b"--XX", b"", b"")))


def test_a_form_of_many_fields_is_quick() -> None:
    flow = form_flow(b"&".join(b"field%d=%%20value" % number for number in range(5_000)))
    form = kind("urlencoded-form", flow)
    with within(0.25):
        rows = form.read()
        form.write(edited(rows, 2500, 1, b"x"))
    assert len(rows) == 5_000


def test_more_fields_than_a_table_may_have_are_for_the_editor() -> None:
    form = kind("urlencoded-form", form_flow(b"&".join([b"field=value"] * 5_001)))
    with pytest.raises(CommandError, match="it has 5,001 parts, and up to 5,000 are edited as a table; e e opens"):
        form.read()
