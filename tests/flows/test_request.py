"""Requests."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.http import Headers, Request

URL = "http://example.com:8080/p?q=1#f"


def request(url: str = URL, method: str = "GET", content: str | bytes = "", **headers: str) -> Request:
    req = Request.make(method, url, content)
    req.headers = Headers(**headers)
    return req


def test_constructor_takes_text_and_bytes() -> None:
    for encode in (str, str.encode):
        req = Request(
            encode("h"), 80, encode("GET"), encode("http"), encode(""), encode("/"), encode("HTTP/1.1"),
            ((b"a", b"b"),), None, ((b"t", b"u"),), 1.0, None,
        )  # fmt: skip
        assert (req.host, req.method, req.scheme, req.authority, req.path) == ("h", "GET", "http", "", "/")
        assert req.raw_path == b"/"
        assert req.headers["a"] == "b"
        assert req.trailers is not None
        assert req.trailers["t"] == "u"
        assert req.stream is False


def test_constructor_refuses_other_types() -> None:
    parts: list[Any] = ["h", "80", b"GET", b"http", b"", b"/", b"HTTP/1.1", Headers(), b"", None, 0, None]
    with pytest.raises(TypeError, match="Expected an int for port"):
        Request(*parts)
    parts[1], parts[8] = 80, "text"
    with pytest.raises(ValueError, match="bytes"):
        Request(*parts)


def test_make() -> None:
    req = Request.make("POST", URL, "hé", {"a": "b"})
    assert (req.host, req.port, req.scheme, req.path, req.authority) == ("example.com", 8080, "http", "/p?q=1#f", "")
    assert req.headers.fields == ((b"a", b"b"), (b"content-length", b"2"))
    assert req.raw_content == b"h\xe9"
    assert req.timestamp_start > 0
    assert Request.make("GET", "http://h").headers.fields == ((b"content-length", b"0"),)
    with pytest.raises(ValueError, match="no absolute URL"):
        Request.make("GET", "nope")
    with pytest.raises(TypeError, match="content"):
        Request.make("GET", URL, None)


def test_make_leaves_given_headers_alone() -> None:
    headers = Headers(a="b")
    Request.make("POST", URL, "x", headers)
    assert headers.fields == ((b"a", b"b"),)


def test_method_is_upper_case_but_kept() -> None:
    req = request()
    req.method = "get"
    assert req.method == "GET"
    assert req.raw_method == b"get"


Change = Callable[[Request], None]


def set_to(name: str, value: Any) -> Change:
    return lambda req: setattr(req, name, value)


@pytest.mark.parametrize(
    ("change", "host", "authority"),
    [
        (set_to("host", "other"), "other:8080", "other:8080"),
        (set_to("port", 80), "example.com", "example.com"),
        (set_to("host", "::1"), "[::1]:8080", "[::1]:8080"),
        (set_to("host", "bücher.de"), "xn--bcher-kva.de:8080", "bücher.de:8080"),
        (set_to("url", "http://new:1/x"), "new:1", "new:1"),
        (set_to("scheme", "https"), "example.com:8080", "example.com:8080"),
    ],
)
def test_moving_a_request_renames_what_is_there(change: Change, host: str, authority: str) -> None:
    bare = request()
    change(bare)
    assert "Host" not in bare.headers
    assert bare.authority == ""
    full = request(host="example.com:8080")
    full.authority = "example.com:8080"
    change(full)
    assert full.headers.fields == ((b"host", host.encode()),)
    assert full.authority == authority
    assert full.first_line_format == "absolute"


def test_port_must_be_a_number() -> None:
    with pytest.raises(TypeError, match="Expected an int for port, but got str"):
        request().port = "80"


@pytest.mark.parametrize("name", ["method", "scheme", "authority", "host", "path", "http_version"])
def test_what_is_no_text_is_refused_in_the_line_that_assigns_it(name: str) -> None:
    changed = request()
    before = changed.get_state()
    for value in (5, None):
        with pytest.raises(TypeError, match=f"Expected str or bytes, but got {type(value).__name__}"):
            setattr(changed, name, value)
    assert changed.get_state() == before


def test_url() -> None:
    req = request()
    assert req.url == req.pretty_url == URL
    req.url = "https://new?x=1"
    assert (req.scheme, req.host, req.port, req.path) == ("https", "new", 443, "/?x=1")
    assert req.url == "https://new/?x=1"
    req.path = "*"
    assert req.url == "https://new"
    req.host = "::1"
    assert req.url == "https://[::1]"
    before = req.get_state()
    with pytest.raises(ValueError, match="names no host"):
        req.url = "http:///x"
    assert req.get_state() == before


@pytest.mark.parametrize("target", ["/x", "nonsense", "*", ""])
def test_the_url_of_a_refused_request_that_names_no_host_is_its_target(target: str) -> None:
    req = Request("", 0, b"GET", b"", b"", target.encode(), b"HTTP/1.1", Headers(), b"", None, 0, None)
    assert req.url == req.pretty_url == target
    req.headers["Host"] = "some.test"
    assert req.pretty_url == target


@given(st.from_regex(r"/[!-~]*", fullmatch=True))
def test_assigning_the_url_changes_nothing(path: str) -> None:
    req = request()
    req.path = path
    before = req.get_state()
    req.url = req.url
    if path != "/*":
        assert req.get_state() == before


def test_connect() -> None:
    req = request(method="CONNECT")
    req.authority = "a:1"
    assert req.first_line_format == "authority"
    assert req.url == "example.com:8080"
    assert req.pretty_url == "a:1"


@pytest.mark.parametrize(
    ("header", "host", "url"),
    [
        ("pretty:99", "pretty", "http://pretty:99/"),
        ("pretty", "pretty", "http://pretty/"),
        ("xn--bcher-kva.de", "bücher.de", "http://bücher.de/"),
        ("[::1]:8", "::1", "http://[::1]:8/"),
        ("bad host:xx", "bad host:xx", "http://bad host:xx/"),
        ("", "example.com", "http://example.com/"),
    ],
)
def test_pretty(header: str, host: str, url: str) -> None:
    req = request("http://example.com/", host=header)
    assert req.pretty_host == host
    assert req.pretty_url == url
    assert req.host == "example.com"


def test_host_header() -> None:
    req = request()
    assert req.host_header is None
    req.host_header = "a"
    assert req.headers.fields == ((b"Host", b"a"),)
    assert req.authority == ""
    req.host_header = None
    assert not req.headers
    req.http_version = "HTTP/2.0"
    req.host_header = "b:1"
    assert req.authority == req.host_header == "b:1"
    assert not req.headers
    req.headers["Host"] = "c"
    assert req.host_header == "b:1"
    req.host_header = "d"
    assert req.headers["Host"] == req.authority == "d"
    req.host_header = None
    assert req.host_header is None


# --- query, path, cookies, forms


def test_query() -> None:
    req = request("http://h/?a=1&b=&c&a=%20+x;d=1")
    assert req.query.fields == (("a", "1"), ("b", ""), ("c", ""), ("a", "  x;d=1"))
    req.query = [("a", "b c"), ("x", "é&"), ("n", "")]
    assert req.path == "/?a=b+c&x=%C3%A9%26&n="
    req.query = {}
    assert req.path == "/"


def test_what_is_not_changed_in_a_query_keeps_its_spelling() -> None:
    req = request("http://h/a;p?x=%7e&flag&y=a%20b&z=1#frag")
    req.query["z"] = "2"
    req.query.add("new", "/")
    assert req.path == "/a;p?x=%7e&flag&y=a%20b&z=2&new=%2F#frag"


def test_path_components() -> None:
    req = request("http://h/a%20b//c/?x")
    assert req.path_components == ("a b", "c")
    req.path_components = ["a b", "c/d", "é"]
    assert req.path == "/a%20b/c%2Fd/%C3%A9?x"
    req.path_components = []
    assert req.path == "/?x"


@given(st.lists(st.text(min_size=1)))
def test_path_components_round_trip(components: list[str]) -> None:
    req = request()
    req.path_components = components
    assert req.path_components == tuple(components)
    assert req.query.fields == (("q", "1"),)


def test_cookies() -> None:
    req = request(cookie='a=1; b="x y"; c; d=e=f;; g = h')
    assert req.cookies.fields == (("a", "1"), ("b", "x y"), ("c", ""), ("d", "e=f"), ("g", "h"))
    req.cookies["a"] = "2"
    req.cookies["new"] = "sp ace;"
    assert req.headers["cookie"] == 'a=2; b="x y"; c; d=e=f; g = h; new="sp ace;"'
    assert req.cookies["new"] == "sp ace;"
    req.cookies = []
    assert "cookie" not in req.headers


def test_several_cookie_headers() -> None:
    req = request()
    req.headers = Headers([(b"cookie", b"a=1"), (b"Cookie", b"b=2")])
    assert req.cookies.fields == (("a", "1"), ("b", "2"))
    req.cookies["b"] = "3"
    assert req.headers.fields == ((b"cookie", b"a=1; b=3"),)


def test_urlencoded_form() -> None:
    req = request(method="POST")
    assert not req.urlencoded_form
    req.content = b"a=b"
    assert not req.urlencoded_form
    req.urlencoded_form = [("a", "é b")]
    assert req.content == b"a=%C3%A9+b"
    assert req.headers["content-type"] == "application/x-www-form-urlencoded"
    assert req.headers["content-length"] == "10"
    req.headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
    req.content = b"x=%7e&raw=\xff"
    assert req.urlencoded_form.fields == (("x", "~"), ("raw", "\udcff"))
    req.urlencoded_form["n"] = "1"
    assert req.content == b"x=%7e&raw=\xff&n=1"
    assert req.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"


def test_multipart_form() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nv1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\n'
        b"line1\r\nline2\r\n--B--\r\n"
    )
    req = request(method="POST", content_type="multipart/form-data; boundary=B")
    req.raw_content = body
    assert req.multipart_form.fields == ((b"a", b"v1"), (b"f", b"line1\r\nline2"))
    req.multipart_form[b"a"] = b"v2"
    assert req.content == body.replace(b"v1", b"v2")
    assert req.headers["content-length"] == str(len(body))


def test_a_new_multipart_form() -> None:
    req = request(method="POST")
    assert not req.multipart_form
    req.multipart_form = [(b"a", b"1"), (b"b", bytes(range(256)))]
    assert req.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert req.multipart_form.fields == ((b"a", b"1"), (b"b", bytes(range(256))))


def test_shortcuts() -> None:
    req = request(if_none_match="1", if_modified_since="2", accept_encoding="gzip, foo, br;q=0.5, *")
    req.anticache()
    req.constrain_encoding()
    assert req.headers.fields == ((b"accept-encoding", b"gzip, br;q=0.5"),)
    req.anticomp()
    assert req.headers["accept-encoding"] == "identity"
    req.headers["accept-encoding"] = "foo"
    req.constrain_encoding()
    assert req.headers["accept-encoding"] == "identity"


def test_repr() -> None:
    assert repr(request()) == "Request(GET example.com:8080/p?q=1#f)"
    assert repr(request(method="CONNECT")) == "Request(CONNECT example.com:8080)"


def test_what_is_for_one_sending_only_is_not_copied_but_there():
    request = Request.make("GET", "http://a.test/")
    request.send_raw, request.stream = b"GET", True
    copy = request.copy()
    assert (copy.send_raw, copy.stream, copy.pace) == (None, False, None)


def test_a_host_header_of_any_length_is_read_and_not_remembered() -> None:
    request = Request.make("GET", "http://a.test/")
    request.headers["Host"] = "b.test:81"
    assert (request.pretty_host, request.pretty_url) == ("b.test", "http://b.test:81/")
    request.headers["Host"] = "c" * 100_000
    assert request.pretty_host == "c" * 100_000
