"""Argument types on any text and any value: parsing undoes writing, and only the declared errors are raised."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midstream import filters
from midstream.flows.connection import Client, Server
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub import markers, types
from midstream.hub.arguments import ALL, CommandTypes
from midstream.hub.commands import CommandManager
from midstream.hub.lexer import lex, quote, split
from midstream.text.backslashes import expand, expand_bytes

# Lone surrogates too: pasted and read text may hold them.
TEXT = st.text(st.characters(exclude_categories=[]))


def make_flow() -> HTTPFlow:
    return HTTPFlow(Client(peername=("", 0), sockname=("", 0)), Server(address=("example", 80)))


FLOWS = [make_flow(), make_flow()]


def resolve(flow_spec: str) -> Sequence[Flow]:
    if flow_spec.startswith("@"):
        return [flow for flow in FLOWS if flow.id in flow_spec[1:].split(",")]
    try:
        matches = filters.parse(flow_spec)
    except filters.FilterError as error:
        raise CommandError(str(error)) from None
    return [flow for flow in FLOWS if matches(flow)]


def parts() -> Sequence[str]:
    return ["request", "with space", "it's", 'say "x"', "ümläut"]


def manager() -> CommandManager:
    commands = CommandManager()
    commands.add("view.flows.resolve", resolve)
    commands.add("parts", parts)
    return commands


COMMANDS = manager()
PARTS = types.Choice("parts")


def escaped(text: str) -> str:
    return "".join(f"\\U{ord(character):08x}" for character in text)


# The annotation, values of it, and how each is written.
FORMATS: list[tuple[Any, st.SearchStrategy[Any], Any]] = [
    (str, TEXT, escaped),
    (str, TEXT, lambda value: value.replace("\\", r"\\")),
    (bytes, st.binary(), lambda value: "".join(f"\\x{byte:02x}" for byte in value)),
    (int, st.integers(), str),
    (bool, st.booleans(), lambda value: str(value).lower()),
    (types.Path, TEXT.filter(lambda text: not text.startswith("~")), str),
    (types.Cmd, st.sampled_from(["parts", "view.flows.resolve"]), str),
    (types.CmdArgs, TEXT, str),
    (
        Sequence[str],
        st.lists(TEXT.map(str.strip).filter(lambda text: "," not in text), min_size=1),
        lambda value: " ,".join(value),
    ),
    (types.CutSpec, st.lists(TEXT.filter(lambda text: "," not in text), min_size=1), lambda value: ",".join(value)),
    (PARTS, st.sampled_from(parts()), str),
    (types.Marker, st.sampled_from(sorted(markers.names())), str),
    (types.Marker, st.sampled_from([":default:", ""]), lambda value: "true" if value else "false"),
    (Flow, st.sampled_from(FLOWS), lambda value: f"@{value.id}"),
    (HTTPFlow, st.sampled_from(FLOWS), lambda value: f"@{value.id}"),
    (Sequence[Flow], st.sampled_from([FLOWS, FLOWS[:1]]), lambda value: "@" + ",".join(flow.id for flow in value)),
]


@given(st.data())
@pytest.mark.parametrize(("t", "values", "written"), FORMATS, ids=lambda each: getattr(each, "__name__", None))
def test_parsing_undoes_writing(t: Any, values: st.SearchStrategy[Any], written: Any, data: st.DataObject) -> None:
    kind = CommandTypes.get(t)
    assert kind is not None
    value = data.draw(values)
    text = written(value)
    assert kind.accepts(COMMANDS, t, text)
    parsed = kind.parse(COMMANDS, t, text)
    assert list(parsed) == list(value) if isinstance(value, list) else parsed == value
    assert kind.is_valid(COMMANDS, t, parsed)


def test_every_type_is_tried() -> None:
    tried = {type(CommandTypes.get(t)) for t, _, _ in FORMATS}
    assert {kind.display for kind in ALL if kind not in tried} == {"data[][]"}, "a table is only a result"


EVERY_TYPE = [*dict.fromkeys(t for t, _, _ in FORMATS), types.Data, types.Choice("nothing"), types.Choice("")]
HOSTILE = [
    "~",
    "~\0",
    "/\0",
    "~root/",
    "((" * 5000,
    "~u " + "(" * 100,
    "@" + "-" * 40,
    "9" * 5000,
    "\ud800",
    "\\N{" * 50,
]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.binary(), st.lists(TEXT), st.dictionaries(TEXT, TEXT)
)


@given(st.one_of(TEXT, st.sampled_from(HOSTILE), st.text(st.sampled_from("~@&|!()\"'\\xuUN{}0123abc,:[ "))))
@pytest.mark.parametrize("t", EVERY_TYPE, ids=str)
def test_any_text_is_parsed_or_refused(t: Any, text: str) -> None:
    kind = CommandTypes.get(t)
    assert kind is not None
    try:
        kind.parse(COMMANDS, t, text)
    except (ValueError, CommandError) as error:
        assert str(error)
        assert "\n" not in str(error) or "\n" in text
    assert isinstance(kind.accepts(COMMANDS, t, text), bool)
    # Folders are read: only where the text says so, and never with an error.
    assert all(isinstance(choice, str) for choice in COMMANDS.completions(t, text))


@given(VALUES)
@pytest.mark.parametrize("t", EVERY_TYPE, ids=str)
def test_any_value_is_judged(t: Any, value: object) -> None:
    kind = CommandTypes.get(t)
    assert kind is not None
    assert kind.is_valid(COMMANDS, t, value) in (True, False)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts(text: str) -> None:
    for t in EVERY_TYPE:
        test_any_text_is_parsed_or_refused.hypothesis.inner_test(t, text)  # type: ignore[attr-defined]


@given(TEXT)
@example("a\ud800'\"")
def test_lexing_and_quoting(text: str) -> None:
    assert "".join(token.text for token in lex(text)) == text
    assert [token.value for token in lex(text) if not token.is_space] == split(text)
    (word,) = split(quote(text))
    assert expand(word.replace("\\x22", '"') if word != text else word.replace("\\", r"\\")) is not None
    if not ("'" in text and '"' in text):
        assert word == text


@given(TEXT)
def test_a_quoted_escape_survives_the_line(text: str) -> None:
    (word,) = split(quote(text.replace("\\", r"\\")))
    assert expand(word) == text


@given(st.binary())
def test_bytes_survive_the_line(data: bytes) -> None:
    (word,) = split(quote(data.decode("latin-1").encode("unicode_escape").decode("ascii")))
    assert expand_bytes(word) == data


@given(TEXT)
def test_paths_expand_only_the_home(text: str) -> None:
    kind = CommandTypes.get(types.Path)
    assert kind is not None
    try:
        parsed = kind.parse(COMMANDS, types.Path, text)
    except ValueError:
        return
    assert parsed == os.path.expanduser(text)
