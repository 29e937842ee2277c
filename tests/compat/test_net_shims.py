"""Helpers around HTTP, cookies, URLs and hosts, by what mitmproxy's own return for the same input."""

import io
import ipaddress
import time

import pytest

from midstream.compat.shims import (
    cookies,
    domain_names,
    encoding,
    hosts,
    http1,
    http_messages,
    status_codes,
    tls_records,
    tnetstring,
    url,
)
from midstream.flows.cookies import CookieAttrs
from midstream.flows.headers import Headers
from midstream.flows.http import Response
from midstream.testing import treq, tresp

FORM = b'--bb\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--bb--\r\n'
PAST, FUTURE = "Thu, 01-Jan-1970 00:00:10 GMT", "Mon, 24-Aug-2037 00:00:00 GMT"


def test_cookie_headers() -> None:
    assert cookies.parse_cookie_header('a="b;c"; d') == [["a", "b;c"], ["d", ""]]
    assert cookies.parse_cookie_headers(["a=b", "c=d; e=f"]) == [["a", "b"], ["c", "d"], ["e", "f"]]
    pairs = [("a", "b c"), ("d", "e"), ("x", None), ("q", 'w"e')]
    assert cookies.format_cookie_header(pairs) == 'a="b c"; d=e; x; q="w\\"e"'


def test_set_cookie_headers() -> None:
    assert cookies.parse_set_cookie_header("") == []
    ((name, value, attributes),) = cookies.parse_set_cookie_header(f"foo=bar; Path=/; HttpOnly; Expires={FUTURE}")
    assert (name, value, attributes.fields) == ("foo", "bar", (("Path", "/"), ("HttpOnly", None), ("Expires", FUTURE)))
    both = cookies.parse_set_cookie_headers(["a=b", "c=d; Path=/x"])
    assert cookies.format_set_cookie_header(both) == "a=b, c=d; Path=/x"


@pytest.mark.parametrize(
    ("header", "moved"),
    [
        ("a=b; expires=Thu, 01-Jan-1970 00:01:40 GMT; path=/", "a=b; expires=Thu, 01 Jan 1970 00:02:40 GMT; path=/"),
        ("a=b; max-age=5", "a=b; max-age=5"),
        ("foo=bar; expires=nonsense", "foo=bar"),
        ("", ""),
    ],
)  # fmt: skip
def test_refreshing_a_cookie(header: str, moved: str) -> None:
    assert cookies.refresh_set_cookie_header(header, 60) == moved


def test_expiry_of_cookies() -> None:
    expired = CookieAttrs((("Expires", PAST),))
    assert cookies.get_expiration_ts(expired) == 10 and cookies.is_expired(expired)
    later = CookieAttrs((("Max-Age", "-1"), ("Expires", FUTURE)))
    assert cookies.get_expiration_ts(later) == 2134684800 and not cookies.is_expired(later)
    assert cookies.is_expired(CookieAttrs((("Max-Age", "0"),)))
    for nothing in ((), (("expires", "nonsense"),), (("max-age", "x"),)):
        assert cookies.get_expiration_ts(CookieAttrs(nothing)) is None
    soon = cookies.get_expiration_ts(CookieAttrs((("Max-Age", "10"),)))
    assert soon is not None and 0 < soon - time.time() <= 10


def test_grouping_cookies() -> None:
    pairs = [("foo", "bar"), ("path", "/x"), ("HttpOnly", ""), ("a", "b")]
    first, second = cookies.group_cookies(pairs)
    assert first[:2] == ("foo", "bar") and first[2].fields == (("path", "/x"), ("HttpOnly", ""))
    assert second[:2] == ("a", "b") and second[2].fields == ()
    assert [cookie[0] for cookie in cookies.group_cookies([("path", "/x"), ("a", "b")])] == ["path", "a"]


def test_urls() -> None:
    assert url.decode("a=b&c=d%20e&f&=g") == [("a", "b"), ("c", "d e"), ("f", ""), ("", "g")]
    assert url.encode([("a", "b c"), ("e", "é/")]) == "a=b+c&e=%C3%A9%2F"
    assert url.encode([("a", ""), ("b", "")], "a&b=") == "a&b" and url.encode([("a", "")], "") == "a="
    assert (url.quote("a b/é&"), url.quote("a b/c", safe="")) == ("a%20b/%C3%A9%26", "a%20b%2Fc")
    assert url.unquote("a%20b%C3%A9") == "a bé"


@pytest.mark.parametrize(
    ("authority", "parts"),
    [("a:80", ("a", 80)), (b"a", ("a", None)), ("[::1]:80", ("::1", 80)), ("é.com:1", ("xn--9ca.com", 1))],
)
def test_authorities(authority: str | bytes, parts: tuple[str, int | None]) -> None:
    assert url.parse_authority(authority, check=True) == parts


@pytest.mark.parametrize("authority", ["::1", "a:b", "", "a:99999", b"\xff:1"])
def test_what_is_no_authority(authority: str | bytes) -> None:
    with pytest.raises(ValueError):
        url.parse_authority(authority, check=True)
    assert url.parse_authority(authority, check=False)[1] is None


def test_request_heads() -> None:
    read = http1.read_request_head
    request = read([b"GET http://a:8/x HTTP/1.0", b"A: b", b" c"])
    assert (request.host, request.port, request.path, request.authority) == ("a", 8, "/x", "a:8")
    assert request.headers.fields == ((b"A", b"b\r\n c"),) and request.raw_content is None
    assert (read([b"CONNECT a:443 HTTP/1.1"]).host, read([b"OPTIONS * HTTP/1.1"]).path) == ("a", "*")
    for lines in ([b"GET /"], [b"GET / FOO/1.1"], [b"GET foo HTTP/1.1"], [b"CONNECT foo HTTP/1.1"]):
        with pytest.raises(ValueError, match="no request line"):
            read(lines)
    with pytest.raises(ValueError, match="no header line"):
        read([b"GET / HTTP/1.1", b"nocolon"])


def test_response_heads() -> None:
    response = http1.read_response_head([b"HTTP/1.1 404 Not  Found", b"A: b"])
    assert (response.status_code, response.reason, response.headers["a"]) == (404, "Not  Found", "b")
    assert http1.read_response_head([b"HTTP/1.1 200"]).reason == ""
    for line in (b"HTTP/1.1 x OK", b"FOO"):
        with pytest.raises(ValueError, match="no status line"):
            http1.read_response_head([line])


def test_assembling() -> None:
    assert http1.assemble_request(treq()) == (
        b"GET /path HTTP/1.1\r\nheader: qvalue\r\ncontent-length: 7\r\n\r\ncontent"
    )
    assert http1.assemble_response(tresp()).startswith(b"HTTP/1.1 200 OK\r\nheader-response: svalue\r\n")
    assert http1.assemble_request_head(treq(authority=b"a:1")).startswith(b"GET http://a:1/path HTTP/1.1\r\n")
    assert http1.assemble_request_head(treq(authority=b"a:1", method=b"CONNECT")).startswith(b"CONNECT a:1 HTTP/1.1")
    chunked = Headers(transfer_encoding="chunked")
    assert http1.assemble_response(tresp(headers=chunked)).endswith(b"\r\n\r\n7\r\nmessage\r\n0\r\n\r\n")
    assert list(http1.assemble_body(chunked, [b"ab", b""], Headers(a="b"))) == [b"2\r\nab\r\n", b"0\r\na: b\r\n\r\n"]
    with pytest.raises(ValueError, match="chunked"):
        list(http1.assemble_body(Headers(), [b"ab"], Headers(a="b")))
    with pytest.raises(ValueError, match="not there"):
        http1.assemble_response(Response(b"HTTP/1.1", 200, b"", Headers(), None, None, 0, 0))


def test_when_a_connection_closes() -> None:
    close, keep = Headers(connection="close"), Headers(connection="keep-alive")
    cases = [(b"HTTP/1.1", Headers()), (b"HTTP/1.0", Headers()), ("HTTP/1.1", close), (b"HTTP/1.0", keep)]
    assert [http1.connection_close(*case) for case in cases] == [False, True, True, False]
    with pytest.raises(ValueError):
        http1.raise_if_http_version_unknown(b"HTTP/3")


@pytest.mark.parametrize(
    ("request_headers", "response", "size"),
    [
        ({}, None, 0), ({"content_length": "5"}, None, 5), ({"transfer_encoding": "chunked"}, None, None),
        ({"expect": "100-continue"}, None, 0), ({"transfer_encoding": "identity"}, None, 0),
        ({}, (200, {}), -1), ({}, (204, {}), 0), ({}, (304, {"content_length": "4"}), 0), ({}, (100, {}), 0),
        ({}, (200, {"content_length": "5"}), 5), ({}, (200, {"transfer_encoding": "gzip"}), -1),
    ],
)  # fmt: skip
def test_the_size_of_a_body(request_headers, response, size) -> None:
    request = treq(headers=Headers(**request_headers))
    answer = tresp(status_code=response[0], headers=Headers(**response[1])) if response else None
    assert http1.expected_http_body_size(request, answer) == size


def test_no_body_after_connect_and_head() -> None:
    answer = tresp(headers=Headers(content_length="5"))
    assert http1.expected_http_body_size(treq(method=b"HEAD"), answer) == 0
    assert http1.expected_http_body_size(treq(method=b"CONNECT"), answer) == 0


def test_forms() -> None:
    kind = "multipart/form-data; boundary=bb"
    assert http_messages.decode_multipart(kind, FORM) == [(b"a", b"x")]
    assert http_messages.decode_multipart(None, FORM) == http_messages.decode_multipart("text/html", FORM) == []
    assert http_messages.decode_multipart(kind, http_messages.encode_multipart(kind, [(b"a", b"x")])) == [(b"a", b"x")]
    assert http_messages.encode_multipart("text/html", [(b"a", b"x")]) == b""
    with pytest.raises(ValueError, match="boundary"):
        http_messages.encode_multipart(kind, [(b"a", b"--bb")])


def test_framing_headers() -> None:
    assert http_messages.parse_content_length(b"5") == 5
    for wrong in ("-1", "x", "5, 5", "+5", " 5", "٣", ""):
        with pytest.raises(ValueError):
            http_messages.parse_content_length(wrong)
    assert http_messages.parse_transfer_encoding("compress , Chunked") == "compress,chunked"
    for wrong in ("x", "chunked, chunked", "", "\x0bchunked", "identity, chunked", "gzip, deflate"):
        with pytest.raises(ValueError):
            http_messages.parse_transfer_encoding(wrong)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"content-length", b"5"), (b"content-length", b"5")],
        [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")],
        [(b"a b", b"c")], [(b"", b"c")], [(b"transfer-encoding", b"x")], [(b"transfer-encoding", b"gzip")],
    ],
)  # fmt: skip
def test_headers_that_are_not_valid(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ValueError):
        http_messages.validate_headers(treq(headers=Headers(fields)))


def test_headers_that_are_valid() -> None:
    http_messages.validate_headers(treq(headers=Headers(content_length="5")))
    http_messages.validate_headers(tresp(headers=Headers(transfer_encoding="gzip")))
    for message in (
        treq(http_version=b"HTTP/1.0", headers=Headers(transfer_encoding="chunked")),
        tresp(status_code=204, headers=Headers(transfer_encoding="chunked")),
    ):
        with pytest.raises(ValueError):
            http_messages.validate_headers(message)


def test_the_encoding_of_text() -> None:
    guess = http_messages.infer_content_encoding
    assert [guess("text/html; charset=utf-8"), guess("application/json"), guess("")] == ["utf-8", "utf8", "latin-1"]
    assert guess("text/html", b"<meta charset=gb2312>") == "gb18030"


def test_encodings() -> None:
    for name in ("gzip", "deflate", "br", "zstd", "identity", "none", "GZip"):
        assert encoding.decode(encoding.encode(b"abc", name), name) == b"abc"
    assert encoding.decode_gzip(encoding.encode_gzip(b"a")) == encoding.identity(b"a")
    assert encoding.decode_brotli(encoding.encode_brotli(b"a")) == encoding.decode_zstd(encoding.encode_zstd(b"a"))
    assert encoding.decode_deflate(encoding.encode_deflate(b"a")) == b"a"
    assert encoding.encode("é", "utf8") == b"\xc3\xa9" and encoding.decode(b"\xff", "utf8", "replace") == "\ufffd"
    assert encoding.decode(None, "gzip") is None and encoding.encode(None, "gzip") is None
    for data in ("a", b"a"):
        with pytest.raises((TypeError, ValueError)):
            encoding.encode(data, "utf8" if isinstance(data, bytes) else "gzip")
    for name in ("nope", "gzip"):
        with pytest.raises(ValueError):
            encoding.decode(b"abc", name)
    with pytest.raises(TypeError):
        encoding.decode("abc", "gzip")


def test_hosts() -> None:
    good = ["a.com", b"a.com", "1.2.3.4", "::1", "_a.b", "a.", "é.com"]
    bad = ["a b", "", "a" * 64, b"\xff", "a..b", "a" * 300]
    assert all(map(hosts.is_valid_host, good)) and not any(map(hosts.is_valid_host, bad))
    assert [hosts.is_valid_port(port) for port in (0, 65535, 65536, -1)] == [True, True, False, False]
    assert 0 < hosts.get_free_port() < 65536
    assert hosts.get_local_ip("127.0.0.1") == "127.0.0.1"
    found = hosts.get_local_ip6("::1")
    assert found is None or ipaddress.ip_address(found).version == 6


def test_codes_and_names() -> None:
    assert (status_codes.IM_A_TEAPOT, status_codes.RESPONSES[404]) == (418, "Not Found")
    assert status_codes.RESPONSES[status_codes.NO_RESPONSE] == "No Response"
    assert domain_names.unpack(domain_names.pack("a.com")) == "a.com"
    assert domain_names.unpack_from(b"xx\x01a\x00yy", 2) == ("a", 3)
    with pytest.raises(ValueError, match="follow"):
        domain_names.unpack(b"\x01a\x00yy")


def test_beginnings_of_tls() -> None:
    tls, dtls = tls_records.starts_like_tls_record, tls_records.starts_like_dtls_record
    assert tls(b"\x16\x03\x00") and tls(b"\x16\x03\x03") and not tls(b"\x16\x03\x04") and not tls(b"\x16\x03")
    assert [dtls(data) for data in (b"\x16\xfe\xfd", b"\x16\xfe\xfe", b"\x16\xfe\xff")] == [True, True, False]
    assert tls_records.parse_client_hello(b"\x16\x03\x01") is None
    assert tls_records.Version.TLS1_2.value == 0x303


def test_values_of_flow_files() -> None:
    file = io.BytesIO()
    tnetstring.dump({"a": [1, b"x", None, True, "é"]}, file)
    tnetstring.dump(2, file)
    file.seek(0)
    assert (tnetstring.load(file), tnetstring.load(file)) == ({"a": [1, b"x", None, True, "é"]}, 2)
    with pytest.raises(ValueError, match="no tnetstring"):
        tnetstring.load(file)
    assert tnetstring.loads(tnetstring.dumps([1])) == [1]
