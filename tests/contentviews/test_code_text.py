"""Code in new lines: where they are, and that nothing but blanks is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.contentviews.code_text import CSS, GRAPHQL, JAVASCRIPT, Language, reindent


def pretty(text: str, language: Language) -> str:
    return b"".join(part for part in reindent(text.encode(), language) if part).decode()


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("a();b()", "a();\nb()\n"),
        ("if(a){b()}else{c()}", "if(a) {\n  b()\n} else {\n  c()\n}\n"),
        ("for(var i=0;i<9;i++){}x()", "for(var i=0;i<9;i++) {}\nx()\n"),
        ("a={b:1,c:[1,2]};", "a={\n  b:1,\n  c:[1,2]\n};\n"),
        ("var s='a;{\\\\'',t=\"}\";", "var s='a;{\\\\'',t=\"}\";\n"),
        ("x=`a;${b?`;${c}`:{d:1}}{`;y", "x=`a;${b?`;${c}`:{\n  d:1\n}\n}{`;\ny\n"),
        ("a=b.match(/[/;{]\\/;/g);c", "a=b.match(/[/;{]\\/;/g);\nc\n"),
        ("a=b/c;d=e/f;", "a=b/c;\nd=e/f;\n"),
        ("a();// one; {\nb()", "a();// one; {\nb()\n"),
        ("a();/* two;\n {*/b()", "a();/* two;\n {*/b()\n"),
        ("f(function(){a})", "f(function() {\n  a\n})\n"),
        ("f(a,\nb\n)\n\n\n\ng", "f(a,\n  b\n)\n\ng\n"),
        ("}}}a", "}\n}\n}\na\n"),
        ("it's {", "it's {\n"),
        ("", ""),
    ],
)
def test_javascript(code: str, lines: str) -> None:
    assert pretty(code, JAVASCRIPT) == lines


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("a,b:hover{color:red;margin:0 1px}c{}", "a,b:hover {\n  color:red;\n  margin:0 1px\n}\nc {}\n"),
        ("@media x{a{b:c}}", "@media x {\n  a {\n    b:c\n  }\n}\n"),
        ("a{b:url(data:x;base64,{});c:'}'}", "a {\n  b:url(data:x;base64,{});\n  c:'}'\n}\n"),
        ("/* ; { */a{}", "/* ; { */a {}\n"),
    ],
)
def test_css(code: str, lines: str) -> None:
    assert pretty(code, CSS) == lines


def test_graphql() -> None:
    assert pretty('query A($b:C={d:1}){e(f:"}"){g}}', GRAPHQL).startswith("query A($b:C={")
    assert pretty('{e(f:"}"){g h}}# i', GRAPHQL) == '{\n  e(f:"}") {\n    g h\n  }\n}\n# i\n'


PIECES = [*"{}()[];,'\"`/*\\a=ä#", "${", "url(", "//", "/*", "*/", "return"]
CODE = st.lists(st.sampled_from([*PIECES, " ", "\n", "\r\n"])).map("".join)


@given(CODE, st.sampled_from([JAVASCRIPT, CSS, GRAPHQL]))
def test_only_blanks_are_touched(code: str, language: Language) -> None:
    text = pretty(code, language)
    assert "".join(text.split()) == "".join(code.split())
