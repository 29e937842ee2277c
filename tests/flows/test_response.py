"""Responses."""

from typing import Any

import pytest

from midstream.flows.http import Headers, Response


def response(*set_cookie: bytes) -> Response:
    return Response(b"HTTP/1.1", 200, b"OK", Headers([(b"Set-Cookie", c) for c in set_cookie]), b"", None, 0.0, None)


def test_make() -> None:
    made = Response.make()
    assert (made.status_code, made.reason, made.content) == (200, "OK", b"")
    assert made.headers.fields == ((b"content-length", b"0"),)
    made = Response.make(404, "x", {"a": "b"})
    assert (made.reason, made.content) == ("Not Found", b"x")
    assert made.headers.fields == ((b"a", b"b"), (b"content-length", b"1"))
    assert Response.make(299).reason == ""
    assert Response.make(200, b"", [(b"a", b"b")]).headers["a"] == "b"


@pytest.mark.parametrize("arguments", [("200",), (200, None), (200, 5), (200, b"", 5)])
def test_make_refuses(arguments: Any) -> None:
    with pytest.raises(TypeError):
        Response.make(*arguments)


def test_constructor() -> None:
    made = Response("HTTP/1.1", 200, "é", (), None, (), 0, None)
    assert made.raw_reason == b"\xe9"
    assert made.trailers is not None
    with pytest.raises(ValueError, match="bytes"):
        Response(b"HTTP/1.1", 200, b"OK", Headers(), "x", None, 0, None)
    with pytest.raises(TypeError, match="Expected an int for status_code"):
        Response(b"HTTP/1.1", "200", b"OK", Headers(), b"", None, 0, None)


def test_reason() -> None:
    made = response()
    made.reason = "é"
    assert made.raw_reason == b"\xe9"
    assert made.reason == "é"
    with pytest.raises(UnicodeEncodeError):
        made.reason = "中"


def test_cookies() -> None:
    cookies = response(
        b"a=b; Path=/; HttpOnly; Expires=Wed, 21 Oct 2015 07:28:00 GMT", b'q="a;b"', b"nov", b"=x"
    ).cookies
    value, attributes = cookies["a"]
    assert value == "b"
    assert attributes["path"] == "/"
    assert attributes["HTTPONLY"] is None
    assert attributes["expires"] == "Wed, 21 Oct 2015 07:28:00 GMT"
    assert cookies["q"][0] == "a;b"
    assert cookies["nov"][0] is None
    assert cookies[""][0] == "x"


@pytest.mark.parametrize(
    "attributes", [{"Path": "/", "HttpOnly": None, "x": "a b"}, [("Path", "/"), ("HttpOnly", None), ("x", "a b")]]
)
def test_setting_cookies(attributes: Any) -> None:
    made = response(b"old=1;path=/;  secure")
    made.cookies["n"] = ("v", attributes)
    assert made.headers.get_all("set-cookie") == ["old=1;path=/;  secure", 'n=v; Path=/; HttpOnly; x="a b"']
    made.cookies["old"] = ("2", {})
    assert made.headers.get_all("set-cookie")[0] == "old=2"
    made.cookies = []
    assert "set-cookie" not in made.headers


def test_a_cookie_needs_a_pair() -> None:
    with pytest.raises(ValueError, match="cookie 'a': expected a pair"):
        response().cookies["a"] = "b"


def test_refresh() -> None:
    made = response(b"a=b; expires=Wed, 21 Oct 2015 08:28:00 GMT; path=/", b"c=d")
    made.headers["date"] = "Wed, 21 Oct 2015 07:28:00 GMT"
    made.headers["last-modified"] = "junk"
    made.headers["expires"] = "0"
    made.timestamp_start = 1000.0
    made.refresh(1100.0)
    assert made.headers["date"] == "Wed, 21 Oct 2015 07:29:40 GMT"
    assert made.headers["last-modified"] == "junk"
    assert made.headers["expires"] == "0"
    assert made.headers.get_all("set-cookie") == ["a=b; expires=Wed, 21 Oct 2015 08:29:40 GMT; path=/", "c=d"]


def test_repr() -> None:
    assert repr(response()) == "Response(200, no content)"
    assert repr(Response.make(200, b"x" * 2048, {"content-type": "a/b"})) == "Response(200, a/b, 2.0k)"
