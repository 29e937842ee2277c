"""Cookie and Set-Cookie headers."""

from hypothesis import given
from hypothesis import strategies as st

from midstream.flows import cookies
from midstream.flows.cookies import CookieAttrs

NAME = st.text("abcXYZ_-09", min_size=1)
VALUE = st.text()


@given(st.lists(st.tuples(NAME, VALUE.filter(lambda v: v == v.strip() and not (v[:1] == v[-1:] == '"')))))
def test_cookie_header_round_trip(pairs: list[tuple[str, str]]) -> None:
    header = cookies.write_cookie_header(pairs, "")
    assert [pair for pair, _ in cookies.read_cookie_header(header)] == pairs


@given(st.text())
def test_reading_anything_and_writing_it_back_keeps_it(header: str) -> None:
    read = cookies.read_cookie_header(header)
    assert cookies.write_cookie_header([pair for pair, _ in read], header) == "; ".join(raw for _, raw in read)


@given(st.lists(st.text()))
def test_set_cookies_that_nobody_changes_keep_their_spelling(headers: list[str]) -> None:
    assert cookies.write_set_cookies([cookies.read_set_cookie(header) for header in headers], headers) == headers


@given(NAME, VALUE.filter(lambda v: v == v.strip()), st.dictionaries(st.sampled_from(["Path", "x", "Secure"]), NAME))
def test_set_cookie_round_trip(name: str, value: str, attributes: dict[str, str]) -> None:
    if value[:1] == value[-1:] == '"':
        return
    header = cookies.write_set_cookie((name, (value, attributes)))
    assert cookies.read_set_cookie(header) == (name, (value, CookieAttrs(tuple(attributes.items()))))


def test_quoted_strings() -> None:
    assert cookies.read_set_cookie(r'a="b \"c\"; d"; Path=/')[1][0] == 'b "c"; d'
    assert cookies.write_set_cookie(("a", ('b "c"; d', ()))) == r'a="b \"c\"; d"'
    assert cookies.read_set_cookie('a="open; Path=/')[1] == ('"open', CookieAttrs([("Path", "/")]))


def test_attribute_names_ignore_case() -> None:
    attributes = CookieAttrs([("HttpOnly", None), ("Path", "/")])
    assert attributes["PATH"] == "/"
    assert "httponly" in attributes
    attributes["path"] = "/x"
    assert attributes.fields == (("HttpOnly", None), ("Path", "/x"))
    assert type(attributes.copy()) is CookieAttrs
