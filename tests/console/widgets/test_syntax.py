"""Colours of the lines of a body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets.canvas import Line
from midstream.console.widgets.syntax import code_colours, json_colours, markup_colours, yaml_colours


@given(st.text(max_size=60))
def test_colours_change_no_text(line: str) -> None:
    assert "".join(text for _, text in json_colours(line)) == line
    assert "".join(text for _, text in yaml_colours(line)) == line
    assert "".join(text for _, text in markup_colours(line)) == line
    assert "".join(text for _, text in code_colours(line)) == line
    assert "".join(text for _, text in markup_colours(f"<{line}")) == f"<{line}"


def test_json() -> None:
    assert json_colours('  "a": "b", 12, true') == [
        ("text", "  "),
        ("syntax.key", '"a"'),
        ("text", ":"),
        ("text", " "),
        ("syntax.string", '"b"'),
        ("text", ", "),
        ("syntax.number", "12"),
        ("text", ", "),
        ("syntax.word", "true"),
    ]


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("a: b", [("syntax.key", "a"), ("text", ":"), ("text", " "), ("syntax.string", "b")]),
        ("a:", [("syntax.key", "a"), ("text", ":")]),
        ("'1': ''", [("syntax.key", "'1'"), ("text", ":"), ("text", " "), ("syntax.string", "''")]),
        ("- x", [("text", "- "), ("syntax.string", "x")]),
        ("http://h/", [("syntax.string", "http://h/")]),
        ("a: 12", [("syntax.key", "a"), ("text", ":"), ("text", " "), ("syntax.number", "12")]),
    ],
)
def test_yaml(line: str, runs: Line) -> None:
    assert yaml_colours(line) == runs


def test_markup() -> None:
    assert markup_colours('  <a href="x">') == [
        ("text", "  "),
        ("syntax.key", "<a"),
        ("text", " href="),
        ("syntax.string", '"x"'),
        ("text", ">"),
    ]
    assert markup_colours("  text") == [("text", "  text")]


def test_tags_are_coloured_wherever_they_stand_in_a_line() -> None:
    assert markup_colours('<p>it\'s &amp; "so"</p><!-- a <b> -->') == [
        ("syntax.key", "<p"),
        ("text", '>it\'s &amp; "so"'),
        ("syntax.key", "</p"),
        ("text", ">"),
        ("syntax.comment", "<!-- a <b> -->"),
    ]
    assert markup_colours("<!-- begins") == [("syntax.comment", "<!-- begins")]


def test_code() -> None:
    assert code_colours("  return f('a', 1.5); // why") == [
        ("text", "  "),
        ("syntax.word", "return"),
        ("text", " "),
        ("text", "f"),
        ("text", "("),
        ("syntax.string", "'a'"),
        ("text", ", "),
        ("syntax.number", "1.5"),
        ("text", "); "),
        ("syntax.comment", "// why"),
    ]
    assert code_colours("  margin-top: 5px;")[:3] == [
        ("syntax.key", "  margin-top"),
        ("text", ": "),
        ("syntax.number", "5px"),
    ]
