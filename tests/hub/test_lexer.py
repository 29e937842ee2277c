"""Command lines: any input lexes, and quoting survives the lexer."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midstream.hub.lexer import lex, quote, split, unquote
from midstream.text.backslashes import expand


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  \t\r\n", []),
        ("view.clear", ["view.clear"]),
        ("set a b", ["set", "a", "b"]),
        ("  set   a", ["set", "a"]),
        ("set 'a b' \"c d\"", ["set", "a b", "c d"]),
        ('a"b c"', ["a", "b c"]),
        ("'a''b'", ["a", "b"]),
        ("'set' x", ["set", "x"]),
        ('set "a b', ["set", '"a b']),
        ("set '", ["set", "'"]),
        ('""', [""]),
        ('"it\'s"', ["it's"]),
        (r"a\ b", ["a\\", "b"]),
        ("a\u00a0b", ["a\u00a0b"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert split(line) == words


@given(st.text())
@example("'")
@example('"\'"')
def test_tokens_are_the_line(line: str) -> None:
    tokens = lex(line)
    assert "".join(token.text for token in tokens) == line
    assert [token.start for token in tokens] == [
        sum(len(token.text) for token in tokens[:place]) for place in range(len(tokens))
    ]
    assert all(token.text for token in tokens)
    assert all(token.is_space == (not token.text.strip(" \t\r\n")) for token in tokens)


@given(st.text())
def test_quoted_values_survive(value: str) -> None:
    (word,) = split(quote(value))
    if "'" in value and '"' in value:
        assert word == value.replace('"', r"\x22")
    else:
        assert word == value


@given(st.text(st.characters(exclude_characters="\\")))
def test_str_arguments_undo_the_escaped_quote(value: str) -> None:
    (word,) = split(quote(value))
    assert expand(word) == value


@given(st.lists(st.text(st.characters(exclude_characters='"'))))
def test_lines_of_quoted_values(values: list[str]) -> None:
    assert split(" ".join(quote(value) for value in values)) == values


@given(st.text())
def test_unquoting_takes_one_pair_at_most(text: str) -> None:
    assert len(unquote(text)) in (len(text), len(text) - 2)


def test_plain_words_stay_plain() -> None:
    assert quote("~u") == "~u"
    assert quote("a b") == '"a b"'
    assert quote("") == '""'
    assert quote('say "hi"') == "'say \"hi\"'"
