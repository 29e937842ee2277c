"""URLs, authorities and queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text import url

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
PORT = st.integers(0, 65535)
PATH = st.from_regex(r"/[!-~]*", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://example.com/p?q=1#f", (b"http", b"example.com", 80, b"/p?q=1#f")),
        ("HTTPS://Example.com", (b"https", b"Example.com", 443, b"/")),
        ("http://h:8080?x", (b"http", b"h", 8080, b"/?x")),
        ("http://[::1]:3/", (b"http", b"::1", 3, b"/")),
        ("ws://h/", (b"ws", b"h", 80, b"/")),
        ("http://user:pw@h/", (b"http", b"h", 80, b"/")),
        ("ftp://h:21/x", (b"ftp", b"h", 21, b"/x")),
        (b"http://a_b.c./\xff", (b"http", b"a_b.c.", 80, b"/\xff")),
        ("http://bücher.de/é", (b"http", b"xn--bcher-kva.de", 80, "/é".encode())),
        ("http://h/a b\r\nc", (b"http", b"h", 80, b"/a%20b%0D%0Ac")),
        ("http://h/\udcff", (b"http", b"h", 80, b"/\xff")),
    ],
)
def test_parse(text: str | bytes, parts: tuple[bytes, bytes, int, bytes]) -> None:
    assert url.parse(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "", "nope", b"nope", "/path", "http:/h", "http://", "http:///x", "http://h:x/", "http://h:/", "http://h:65536/",
        "http://h:123456/", "http://a b/", "http://a..b/", "http://[::1/", "http://[zz]/", "http://::1/", "http://h\r/",
        "ftp://h/", "1http://h/", "http://h@/", "http://" + "a" * 64 + "/", "http://h%00/", b"http://h/a b",
        b"http://h/\r\nx", b"http://h\xff/", "http://\ud800/", "hé://h/",
    ],
)  # fmt: skip
def test_parse_refuses(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        url.parse(text)


@given(st.sampled_from(["http", "https"]), HOST, PORT, PATH)
def test_unparse_is_the_opposite_of_parse(scheme: str, host: str, port: int, path: str) -> None:
    assert url.parse(url.unparse(scheme, host, port, path)) == (scheme.encode(), host.encode(), port, path.encode())


@given(st.text() | st.binary())
def test_parse_never_fails_otherwise(text: str | bytes) -> None:
    try:
        _, host, port, path = url.parse(text)
    except ValueError:
        return
    assert url.split_authority(b"[%b]" % host if b":" in host else host) == (host, None)
    assert 0 <= port <= 65535
    assert path.startswith(b"/")
    assert not set(path) & {*range(33), 127}


@pytest.mark.parametrize(
    ("authority", "parts"),
    [(b"h", (b"h", None)), (b"h:0", (b"h", 0)), (b"[2001:db8::1]", (b"2001:db8::1", None)), (b"[::]:9", (b"::", 9))],
)
def test_split_authority(authority: bytes, parts: tuple[bytes, int | None]) -> None:
    assert url.split_authority(authority) == parts


@pytest.mark.parametrize(
    "authority", [b"", b":80", b"h:", b"u@h", b"h:+1", b"h:1 ", b"h\n", b"[h]:1", b"h:1:2", b"h,g"]
)
def test_split_authority_refuses(authority: bytes) -> None:
    with pytest.raises(ValueError, match=r"no host|no valid"):
        url.split_authority(authority)


def test_a_name_that_no_resolver_takes() -> None:
    longest = b".".join([b"a" * 63] * 4)
    assert url.split_authority(longest + b":80") == (longest, 80)
    with pytest.raises(ValueError, match="the host name has 257 characters; 255 is the limit"):
        url.split_authority(longest + b".a")


def test_hostport() -> None:
    assert url.hostport("http", "h", 80) == "h"
    assert url.hostport(b"https", b"h", 80) == b"h:80"
    assert url.hostport("http", "::1", 80) == "[::1]"
    assert url.hostport(b"http", b"::1", 81) == b"[::1]:81"
    assert url.hostport("", "h", 80) == "h:80"


def test_unparse_of_asterisk_form() -> None:
    assert url.unparse("http", "h", 80, "*") == "http://h"


def test_default_port() -> None:
    assert [url.default_port(s) for s in ("http", b"HTTPS", "wss", "dns", "ftp", "")] == [80, 443, 443, 53, None, None]


def test_decode_query() -> None:
    assert url.decode_query("a=1&b=&c&a=%20+x;d=1") == [("a", "1"), ("b", ""), ("c", ""), ("a", "  x;d=1")]
    assert url.decode_query(b"a=\xff&b=%fe") == [("a", "\udcff"), ("b", "\udcfe")]


@given(st.lists(st.tuples(st.text(), st.text())))
def test_query_round_trip(pairs: list[tuple[str, str]]) -> None:
    encodable = [pair for pair in pairs if not any(0xD800 <= ord(c) < 0xE000 for c in "".join(pair))]
    expected = [pair for pair in encodable if pair != ("", "")]
    assert [p for p in url.decode_query(url.encode_query(encodable)) if p != ("", "")] == expected
