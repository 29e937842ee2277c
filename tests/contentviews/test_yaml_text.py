"""Mappings of texts, as the library reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from midstream.contentviews.stepped import joined
from midstream.contentviews.yaml_text import LONGEST_VALUE, mapping, scalar

WORDS = "true No ~ null 1 1e5 -1 0x1f 1_000 .5 .inf 2020-01-01 1:30 << = *a &a !a %a @a `a { [x] a,b ? --- ... | >"
LINES = "- x|a: b|a:|a #b|#a|'|it's| x|x |? x|/x?y=z|\\|😀|é"
CONTROLS = ["", '"', "a\nb", "\t", "\x85", "\u2028", "\ufeff", "\x1b", "\x7f"]
ODD = [*WORDS.split(), *LINES.split("|"), *CONTROLS]
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(ODD)


def read(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


@given(TEXTS)
def test_a_text_is_read_as_itself(text: str) -> None:
    assert read(f"- {scalar(text)}\n") == [text]
    assert read(f"{scalar(text)}: {scalar(text)}\n") == {text: text}


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_a_mapping_is_read_as_the_values_of_each_name(pairs: list[tuple[str, str]]) -> None:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    expected = {name: listed[0] if len(listed) == 1 else listed for name, listed in values.items()}
    assert (read(joined(mapping(pairs)).decode()) or {}) == expected


@pytest.mark.parametrize("text", ["word", "two words", "a,b", "é", "it's", "/path?x=1", "x[]"])
def test_no_quotes_where_none_are_needed(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [("1", "'1'"), ("", "''"), ("yes", "'yes'"), ("'", "''''"), ("a\nb", '"a\\nb"'), ("\udcff", '"\\udcff"')],
)
def test_quotes_where_needed(text: str, written: str) -> None:
    assert scalar(text) == written


def test_a_long_value_is_cut_and_says_so() -> None:
    assert scalar("x" * (LONGEST_VALUE + 1000)).endswith("x … 1,000 more")
