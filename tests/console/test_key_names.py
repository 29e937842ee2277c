from __future__ import annotations

import pytest

from midstream.console.key_names import BadKey, from_urwid, legacy_meaning, parse_chord


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("e", ("e",)),
        ("ctrl e", ("ctrl e",)),
        ("g g", ("g", "g")),
        ("ctrl x ctrl f", ("ctrl x", "ctrl f")),
        ("alt ctrl f1", ("ctrl alt f1",)),
        ("leader m", (",", "m")),
        ("shift a", ("A",)),
        ("ctrl E", ("ctrl e",)),
        ("page_up", ("page_up",)),
        ("shift tab", ("shift tab",)),
    ],
)
def test_chords(text, keys):
    assert parse_chord(text, ",") == keys


@pytest.mark.parametrize("text", ["", "ctrl", "entr", "g ctrl", "ctrl ctrl a", "leader", "a\x01"])
def test_bad_chords(text):
    with pytest.raises(BadKey):
        parse_chord(text)


def test_a_misspelt_key_suggests_the_right_one():
    with pytest.raises(BadKey, match="did you mean 'enter'"):
        parse_chord("entre")


@pytest.mark.parametrize(
    ("reported", "ours"),
    [
        (" ", "space"),
        ("page up", "page_up"),
        ("meta x", "alt x"),
        ("shift meta ctrl left", "ctrl alt shift left"),
        ("ctrl c", "ctrl c"),
        ("A", "A"),
        ("enter", "enter"),
        ("ctrl  ", "ctrl space"),
        ("é", "é"),
    ],
)
def test_names_from_urwid(reported, ours):
    assert from_urwid(reported) == ours


def test_what_old_terminals_cannot_tell_apart():
    assert legacy_meaning("ctrl i") == "tab"
    assert legacy_meaning("ctrl e") is None
