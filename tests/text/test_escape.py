import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text.escape import visible, visible_bytes

ANY_TEXT = st.text(alphabet=st.characters())  # surrogates included

BIDI_CONTROLS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI", "BN"}
FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


def forbidden(text: str, allowed: str) -> list[str]:
    found = []
    for char in text:
        drawn_format_sign = (
            char in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
        )
        category = unicodedata.category(char)
        if char not in allowed and (category in FORBIDDEN or (category == "Cf" and not drawn_format_sign)):
            found.append(char)
        reorders = unicodedata.bidirectional(char) in BIDI_CONTROLS and category != "Cn"
        if reorders and not drawn_format_sign and char not in allowed:
            found.append(char)
    return found


def test_no_assigned_character_of_all_unicode_passes_that_is_control_format_or_surrogate() -> None:
    everything = "".join(map(chr, range(0x110000)))
    assert forbidden(visible(everything), allowed="\t") == []
    assert forbidden(visible(everything, keep_newlines=True), allowed="\t\n") == []
    assert forbidden(visible(everything, expand_tabs=True), allowed="") == []


@given(ANY_TEXT, st.booleans(), st.booleans())
def test_output_holds_nothing_unsafe(text: str, keep_newlines: bool, expand_tabs: bool) -> None:
    out = visible(text, keep_newlines=keep_newlines, expand_tabs=expand_tabs)
    assert forbidden(out, allowed=("\n" if keep_newlines else "") + ("" if expand_tabs else "\t")) == []
    out.encode()


@given(ANY_TEXT)
def test_escaping_twice_changes_nothing_more(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.binary())
def test_any_bytes_are_shown(data: bytes) -> None:
    assert forbidden(visible_bytes(data, expand_tabs=True), allowed="") == []


@given(
    st.text(
        alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u115f\u1160\u3164\uffa0")
    )
)
def test_writing_is_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "␛[31mred"),
        ("a\x00b\x07\x7f", "a␀b␇␡"),
        ("\x9b2J", "<9B>2J"),
        ("x\u202egpj.exe", "x<202E>gpj.exe"),
        ("zero\u200bwidth\ufeff", "zero<200B>width<FEFF>"),
        ("tag\U000e0041", "tag<E0041>"),
        ("caf\udce9", "caf\\xe9"),
        ("lone \ud83d", "lone <D83D>"),
        ("a\tb\r\n", "a\tb␍␊"),
        ("e\u0301 für 日本", "e\u0301 für 日本"),
    ],
)
def test_pictures(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_newlines_and_tabs() -> None:
    assert visible("a\tb\r\nc", keep_newlines=True) == "a\tb␍\nc"
    assert visible("a\tb\n\tc", keep_newlines=True, expand_tabs=True) == "a       b\n        c"
    assert visible("\x1b\tb", expand_tabs=True) == "␛       b"


def test_bytes_that_are_no_utf8() -> None:
    assert visible_bytes(b"ok \xff\xc3\xa9") == "ok \\xffé"
