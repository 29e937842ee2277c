"""Which cookies are kept, and which of them belong to a request."""

from __future__ import annotations

import pytest

from midstream.addons import cookie_jar
from midstream.addons.cookie_jar import LARGEST, MOST_OF_HOST, CookieJar

PAST, FUTURE = "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 31 Dec 2099 23:59:59 GMT"


def jar_of(*headers: str, host: str = "www.a.example", port: int = 80, over_tls: bool = False) -> CookieJar:
    jar = CookieJar()
    jar.take(headers, host, port, over_tls=over_tls)
    return jar


def pairs(
    jar: CookieJar, host: str = "www.a.example", path: str = "/", *, port: int = 80, over_tls: bool = False
) -> list[str]:
    return [cookie.pair for cookie in jar.fitting(host, port, path, over_tls=over_tls)]


def test_a_cookie_belongs_to_its_host_and_port() -> None:
    jar = jar_of("a=1")
    assert pairs(jar) == pairs(jar, "WWW.A.example") == ["a=1"]
    for host, port in [("a.example", 80), ("x.www.a.example", 80), ("www.a.example", 81), ("w.a.example", 80)]:
        assert pairs(jar, host, port=port) == []


@pytest.mark.parametrize("domain", ["a.example", ".a.example", "A.Example"])
def test_a_domain_is_all_that_lies_in_it(domain: str) -> None:
    jar = jar_of(f"a=1; Domain={domain}")
    for host in ("a.example", "www.a.example", "x.y.a.example"):
        assert pairs(jar, host) == ["a=1"]
    assert pairs(jar, "ba.example") == []


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.example", "b.example"),
        ("a.example", "www.a.example"),
        ("a.example", "example"),
        ("a.example", "a.example."),
        ("10.0.0.1", "0.0.1"),
        ("::1", "1"),
        ("xa.example", "a.example"),
    ],
)
def test_domains_that_a_host_cannot_speak_for(host: str, domain: str) -> None:
    assert len(jar_of(f"a=1; Domain={domain}", host=host)) == 0


@pytest.mark.parametrize("host", ["localhost", "10.0.0.1", "a.example"])
def test_a_host_may_name_itself(host: str) -> None:
    assert pairs(jar_of(f"a=1; Domain={host}", host=host), host) == ["a=1"]


@pytest.mark.parametrize(
    ("of_cookie", "path", "fits"),
    [
        ("/", "/x", True),
        ("/foo", "/foo", True),
        ("/foo", "/foo/x", True),
        ("/foo/", "/foo/x", True),
        ("/foo", "/foo?x=1", True),
        ("/foo", "/foobar", False),
        ("/foo/", "/foo", False),
        ("/foo", "/", False),
        ("foo", "/bar", True),
        ("", "/bar", True),
    ],
)
def test_paths(of_cookie: str, path: str, fits: bool) -> None:
    assert bool(pairs(jar_of(f"a=1; Path={of_cookie}"), path=path)) is fits


def test_longer_paths_come_first() -> None:
    jar = jar_of("a=1", "b=2; Path=/x/y", "c=3; Path=/x", "d=4")
    assert pairs(jar, path="/x/y") == ["b=2", "c=3", "a=1", "d=4"]


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ("Max-Age=10", True),
        ("Max-Age=0", False),
        ("Max-Age=-1", False),
        ("Max-Age=99999999999999999", True),
        ("Max-Age=x", True),
        (f"Expires={PAST}", False),
        ("Expires=Thu, 01-Jan-1970 00:00:00 GMT", False),
        (f"Expires={FUTURE}", True),
        ("Expires=never", True),
        (f"Max-Age=10; Expires={PAST}", True),
        (f"Max-Age=0; Expires={FUTURE}", False),
    ],
)
def test_the_end_of_a_cookie(attributes: str, kept: bool) -> None:
    jar = jar_of("a=old", f"a=new; {attributes}")
    assert pairs(jar) == (["a=new"] if kept else [])


def test_a_cookie_ends_while_it_is_kept() -> None:
    now = 1000.0
    jar = CookieJar(lambda: now)
    jar.take(["a=1; Max-Age=10"], "www.a.example", 80, over_tls=False)
    assert pairs(jar) == ["a=1"]
    now += 11
    assert pairs(jar) == []
    assert len(jar) == 0


def test_what_is_secure_stays_inside_of_tls() -> None:
    assert len(jar_of("a=1; Secure")) == 0
    jar = jar_of("a=1; Secure", "b=2", over_tls=True)
    assert pairs(jar, over_tls=True) == ["a=1", "b=2"]
    assert pairs(jar) == ["b=2"]


@pytest.mark.parametrize(
    ("header", "pair"),
    [('a="1"; Path=/', 'a="1"'), ('a="x;y"; Path=/', 'a="x;y"'), ("a", "a"), ("a=", "a="), (" a=b=c ;x", "a=b=c")],
)
def test_cookies_keep_their_spelling(header: str, pair: str) -> None:
    assert pairs(jar_of(header)) == [pair]


def test_a_jar_has_an_end() -> None:
    jar = CookieJar()
    jar.take([f"c{number}=1" for number in range(MOST_OF_HOST + 1)], "a.example", 80, over_tls=False)
    assert len(jar) == MOST_OF_HOST
    found = pairs(jar, "a.example")
    assert "c0=1" not in found
    assert f"c{MOST_OF_HOST}=1" in found
    for number in range(cookie_jar.MOST + 10):
        jar.take(["a=1"], f"{number}.example", 80, over_tls=False)
    assert len(jar) == cookie_jar.MOST
    assert pairs(jar, "a.example") == []
    assert pairs(jar, f"{number}.example") == ["a=1"]
    jar.take([f"b={'x' * LARGEST}", "", ";"], "b.example", 80, over_tls=False)
    assert pairs(jar, "b.example") == []
