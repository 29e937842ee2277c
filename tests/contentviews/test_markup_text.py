"""XML and HTML in lines."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.contentviews.markup_text import reindent
from midstream.contentviews.stepped import joined

TAGS = b"<a>,</a>,<b x='1>2'>,<br>,<p/>,<!--,-->,<![CDATA[,]]>,<?x,?>,<!d>,<script>,</script>,<PRE>,</pre>,<".split(
    b","
)
PIECES = st.sampled_from([*TAGS, b">", b'"', b"'", b"text", b" ", b"\n", b"\xff", b"=", b"/"])


def pretty(data: bytes) -> str:
    return joined(reindent(data)).decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"<html><p>hi<br>x</p></html>", ["<html>", "  <p>", "    hi", "    <br>", "    x", "  </p>", "</html>"]),
        (b"  <a><b/>t</a>", ["<a>", "  <b/>", "  t", "</a>"]),
        (b'<a x="1>2">t</A>', ['<a x="1>2">t</A>']),
        (b"<a><b></b></a>", ["<a>", "  <b></b>", "</a>"]),
        (b"<a>one<b/></a>", ["<a>", "  one", "  <b/>", "</a>"]),
        (b"<a>" + b"x" * 100 + b"</a>", ["<a>", "  " + "x" * 100, "</a>"]),
        (b"<a>one\ntwo</a>", ["<a>", "  one", "two", "</a>"]),
        (b"<ul><li>a<li>b</ul>z", ["<ul>", "  <li>", "    a", "    <li>", "      b", "</ul>", "z"]),
        (b"</x>1 < 2<!-- <b> -->", ["</x>", "1 < 2", "<!-- <b> -->"]),
        (b"<?xml a?><!DOCTYPE x><![CDATA[<y>]]>", ["<?xml a?>", "<!DOCTYPE x>", "<![CDATA[<y>]]>"]),
        (b"<script>if (a<b) x('</p>')</script>", ["<script>", "if (a<b) x('</p>')", "</script>"]),
        (b"<pre>\n a\n  b</pre>", ["<pre>", " a", "  b", "</pre>"]),
        (b"<script>no end <b>", ["<script>", "  no end", "  <b>"]),
        (b"<!-- no end <b>", ["<!-- no end", "<b>"]),
        (b'<a x="no end>t', ['<a x="no end>', "  t"]),
        (b"<", ["<"]),
        (b"", []),
    ],
)
def test_lines(data: bytes, lines: list[str]) -> None:
    assert pretty(data).splitlines() == lines


@given(st.lists(PIECES).map(b"".join) | st.binary())
def test_only_blanks_change(data: bytes) -> None:
    assert re.sub(rb"[ \t\r\n\f]", b"", joined(reindent(data))) == re.sub(rb"[ \t\r\n\f]", b"", data)


def test_deep_nesting_is_bounded() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        pretty(b"<a>" * 200_000)
