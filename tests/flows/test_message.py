"""Bodies, text and raw parts of messages."""

import gzip
import types
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midstream.flows.http import Headers, Response


def message(raw: bytes | None = b"x", **headers: str) -> Response:
    return Response(b"HTTP/1.1", 200, b"OK", Headers(**headers), raw, None, 0.0, None)


def test_versions() -> None:
    msg = message()
    assert (msg.is_http10, msg.is_http11, msg.is_http2, msg.is_http3) == (False, True, False, False)
    msg.http_version = "HTTP/2.0"
    assert msg.is_http2
    assert msg.raw_http_version == b"HTTP/2.0"
    assert msg.data.http_version == b"HTTP/2.0"


def test_whether_it_was_touched_is_a_comparison_by_identity() -> None:
    body, fields = b"abc", ((b"content-type", b"text/plain"),)
    msg = Response(b"HTTP/1.1", 200, b"OK", Headers(fields), body, None, 0.0, None)
    _ = (msg.content, msg.text, msg.headers["content-type"], msg.cookies.fields, msg.get_state())
    assert msg.raw_content is body
    assert msg.headers.fields is fields


def test_content_is_decoded_and_encoded() -> None:
    msg = message(gzip.compress(b"abc"), content_encoding="gzip")
    assert msg.content == b"abc"
    msg.content = b"defg"
    assert msg.raw_content is not None
    assert gzip.decompress(msg.raw_content) == b"defg"
    assert msg.headers["content-length"] == str(len(msg.raw_content))


def test_content_with_an_encoding_that_we_do_not_know() -> None:
    msg = message(b"abc", content_encoding="nope")
    with pytest.raises(ValueError, match="'nope' is no known content coding"):
        _ = msg.content
    assert msg.get_content(strict=False) == b"abc"
    msg.content = b"d"
    assert msg.headers.fields == ((b"content-length", b"1"),)


def test_a_bomb_stops_at_the_limit() -> None:
    msg = message(gzip.compress(bytes(100_000)), content_encoding="gzip")
    with pytest.raises(ValueError, match="larger than"):
        msg.get_content(limit=1000)
    assert msg.get_content(strict=False, limit=1000) == msg.raw_content


def test_a_chunked_message_gets_no_length() -> None:
    msg = message(transfer_encoding="chunked")
    msg.content = b"abc"
    assert "content-length" not in msg.headers


def test_missing_content() -> None:
    msg = message(None, content_encoding="gzip")
    assert msg.content is None
    assert msg.text is None
    msg.decode()
    with pytest.raises(TypeError, match="not available"):
        msg.json()
    msg.content = b"abc"
    msg.content = None
    assert msg.raw_content is None
    msg.text = "x"
    msg.text = None
    assert msg.raw_content is None


def test_content_must_be_bytes() -> None:
    with pytest.raises(TypeError, match="bytes, not str"):
        message().content = "abc"


@pytest.mark.parametrize(
    ("raw", "content_type", "text"),
    [
        (b"\xe9", "text/plain", "é"),
        ("é".encode(), "text/html", "é"),
        ("中".encode("gb18030"), "text/plain; charset=gb2312", "中"),
        (b"\xef\xbb\xbfx", "", "x"),
        (b"\xff\xfex\0", "", "x"),
    ],
)
def test_text(raw: bytes, content_type: str, text: str) -> None:
    assert message(raw, content_type=content_type).text == text


@pytest.mark.parametrize("charset", ["nope", "utf-8", "hex", "undefined"])
def test_text_that_is_none(charset: str) -> None:
    msg = message(b"\xe9", content_type=f"text/plain; charset={charset}")
    with pytest.raises(ValueError, match=f"not text in {charset}"):
        _ = msg.text
    assert msg.get_text(strict=False) == "\udce9"


@pytest.mark.parametrize(
    ("before", "text", "raw", "after"),
    [
        ("text/plain", "é", b"\xe9", "text/plain"),
        ("text/plain", "中", "中".encode(), "text/plain; charset=utf-8"),
        ("", "中", "中".encode(), "text/plain; charset=utf-8"),
        ('text/plain; charset="ascii"; x=y', "中", "中".encode(), "text/plain; charset=utf-8; x=y"),
        ("text/plain; charset=nope", "a", b"a", "text/plain; charset=utf-8"),
        ("text/html; charset=utf8", "\udce9", b"\xe9", "text/html; charset=utf-8"),
        ("garbage", "中", "中".encode(), "text/plain; charset=utf-8"),
        ("text/html", '<meta charset="koi8-r">ж', b'<meta charset="koi8-r">\xd6', "text/html"),
        ("text/plain", "ÿþx", "ÿþx".encode(), "text/plain; charset=utf-8"),
    ],
)
def test_setting_text(before: str, text: str, raw: bytes, after: str) -> None:
    msg = message(content_type=before)
    msg.text = text
    assert msg.raw_content == raw
    assert msg.headers["content-type"] == after
    assert msg.headers["content-length"] == str(len(raw))


def test_setting_text_keeps_a_byte_order_mark() -> None:
    msg = message(b"\xef\xbb\xbfx", content_type="text/plain")
    msg.text = "é"
    assert msg.raw_content == b"\xef\xbb\xbf\xc3\xa9"


@given(
    st.text(),
    st.sampled_from(["", "text/plain", "text/html", "application/json", "text/css", "text/plain; charset=koi8-r"]),
    st.sampled_from(["", "gzip", "br", "nope"]),
)
@example("\ufeffx", "text/html", "")
def test_text_round_trip(text: str, content_type: str, encoding: str) -> None:
    msg = message(content_type=content_type, content_encoding=encoding)
    msg.text = text
    if not text.startswith("\ufeff"):  # UTF-8 text cannot say whether this is a mark or a character
        assert msg.get_text(strict=False) == text


def test_encode_and_decode() -> None:
    msg = message(b"abc")
    for encoding in ("gzip", "br", "identity", "zstd", "deflate", "deflateraw"):
        msg.encode(encoding)
        assert msg.headers["content-encoding"] == encoding
        assert msg.content == b"abc"
        assert msg.raw_content is not None
        assert msg.headers["content-length"] == str(len(msg.raw_content))
    msg.decode()
    assert msg.raw_content == b"abc"
    assert "content-encoding" not in msg.headers


def test_encoding_to_something_unknown_changes_nothing() -> None:
    msg = message(gzip.compress(b"abc"), content_encoding="gzip")
    before = msg.get_state()
    with pytest.raises(ValueError, match="'nope'"):
        msg.encode("nope")
    assert msg.get_state() == before


def test_decoding_something_broken() -> None:
    msg = message(b"abc", content_encoding="gzip")
    with pytest.raises(ValueError, match="decompression failed"):
        msg.decode()
    msg.decode(strict=False)
    assert msg.content == b"abc"


def test_json() -> None:
    assert message(b'{"a": [1.5]}').json() == {"a": [1.5]}
    assert message(b"1.5").json(parse_float=str) == "1.5"


def test_data_view() -> None:
    msg = message(b"abc")
    msg.data.content = b"d"
    msg.data.reason = b"Nice"
    assert msg.raw_content == b"d"
    assert msg.reason == "Nice"
    assert msg.data.status_code == 200
    assert "status_code=200" in repr(msg.data)
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = msg.data.nope
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        msg.data.nope = 1


def test_copy_is_independent() -> None:
    msg = message(b"abc", a="b")
    msg.trailers = Headers(t="1")
    copy = msg.copy()
    assert copy.get_state() == msg.get_state()
    copy.headers["a"] = "c"
    assert msg.headers["a"] == "b"
    assert copy.trailers is not msg.trailers


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("status_code", "200", "response.status_code: expected an integer, got str"),
        ("status_code", True, "response.status_code: expected an integer, got bool"),
        ("headers", [[b"a"]], r"response.headers\[0\]: expected 2 items, got 1"),
        ("headers", [[b"a", "b"]], r"response.headers\[0\]\[1\]: expected bytes, got str"),
        ("headers", {}, "response.headers: expected a list, got dict"),
        ("content", "x", "response.content: expected bytes, got str"),
        ("timestamp_start", None, "response.timestamp_start: expected a number, got NoneType"),
        ("extra", 1, "response: unknown key 'extra'"),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(key: str, value: Any, sentence: str) -> None:
    msg = message(b"abc")
    before = msg.get_state()
    with pytest.raises(ValueError, match=sentence):
        msg.set_state({**before, key: value})
    assert msg.get_state() == before


def test_numbers_may_be_of_the_other_kind() -> None:
    state = {**message().get_state(), "status_code": 404.0, "timestamp_start": 5}
    assert Response.from_state(state).status_code == 404


def test_a_state_without_a_key_is_refused() -> None:
    state = message().get_state()
    del state["reason"]
    with pytest.raises(ValueError, match="response: key 'reason' is missing"):
        Response.from_state(state)


@pytest.mark.parametrize(
    "value",
    [
        Headers([(b"A", b"b")]),
        {"A": "b"},
        types.MappingProxyType({b"A": b"b"}),
        [("A", "b")],
        ((b"A", b"b"),),
        {"A": b"b"}.items(),
    ],
)
@pytest.mark.parametrize("part", ["headers", "trailers"])
def test_headers_are_made_of_what_scripts_assign(value: object, part: str) -> None:
    message = Response.make()
    setattr(message, part, value)
    assert getattr(message, part) == Headers([(b"A", b"b")])


@pytest.mark.parametrize("value", ["text", b"bytes", 5, [1], [("a", 1)], {"a": None}, [("a", "b", "c")]])
@pytest.mark.parametrize("part", ["headers", "trailers"])
def test_what_is_no_headers_is_refused_at_once(value: object, part: str) -> None:
    message = Response.make()
    before = getattr(message, part)
    with pytest.raises(TypeError, match=r"^headers are Headers, a dict or pairs"):
        setattr(message, part, value)
    assert getattr(message, part) is before


def test_headers_are_never_missing_but_trailers_may_be() -> None:
    message = Response.make()
    with pytest.raises(TypeError):
        message.headers = None  # type: ignore[assignment]
    message.trailers = None
    assert message.trailers is None
