"""Argument types: what each makes of text, offers while typing, and accepts as a result."""

import os
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.connection import Client, Server
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import markers, types
from midstream.hub.arguments import Argument, CommandTypes
from midstream.hub.commands import CommandManager, command
from midstream.text.backslashes import expand, expand_bytes


class SpecialFlow(Flow):
    pass


def make_flow() -> Flow:
    return SpecialFlow(Client(peername=("", 0), sockname=("", 0)), Server(address=("example", 80)))


class LazyFlows(Sequence[Flow]):
    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("a lazy sequence is not to be walked")


class Store:
    def __init__(self) -> None:
        self.flows = [make_flow(), make_flow()]

    @command("view.flows.resolve")
    def resolve(self, spec: str) -> Sequence[Flow]:
        match spec:
            case "@all":
                return self.flows
            case "@focus":
                return self.flows[:1]
            case "@lazy" | "~lazy":
                return LazyFlows()
        raise CommandError(f"{spec!r} is no spec")

    @command("parts")
    def parts(self) -> Sequence[str]:
        """Choices."""
        return ["url", "method", "body"]

    @command("number")
    def number(self) -> int:
        return 3


@pytest.fixture
def manager() -> CommandManager:
    commands = CommandManager()
    commands.collect_commands(Store())
    return commands


def kind(manager: CommandManager, t: Any) -> Argument:
    found = manager.types.get(t)
    assert found is not None
    return found


PARTS = types.Choice("parts")


@pytest.mark.parametrize(
    ("t", "text", "value"),
    [
        (str, r"a\tb\x41\u00e9\N{SNOWMAN}\101\\", "a\tbA\u00e9☃A\\"),
        (str, r"C:\dir \d+ \x4 \u12 end" "\\", r"C:\dir \d+ \x4 \u12 end" "\\"),
        (bytes, r"a\x00\xff\n\377é\q", b"a\x00\xff\n\xff\xc3\xa9\\q"),
        (bytes, "\udcff", b"\xff"),
        (int, "-3", -3),
        (bool, "true", True),
        (bool, "false", False),
        (types.Path, "~/x", os.path.expanduser("~/x")),
        (types.Path, "a b", "a b"),
        (types.Cmd, "parts", "parts"),
        (types.CmdArgs, r"\n", r"\n"),
        (Sequence[str], "a, b ,c", ["a", "b", "c"]),
        (list[str], "", [""]),
        (types.CutSpec, "request.url, response.code", ["request.url", " response.code"]),
        (PARTS, "url", "url"),
        (types.Marker, "true", ":default:"),
        (types.Marker, "false", ""),
        (types.Marker, ":dog:", ":dog:"),
    ],
)
def test_texts_are_parsed(manager: CommandManager, t: Any, text: str, value: object) -> None:
    parsed = kind(manager, t).parse(manager, t, text)
    assert parsed == value
    if value:
        assert kind(manager, t).is_valid(manager, t, parsed)


@pytest.mark.parametrize(
    ("t", "text", "message"),
    [
        (str, r"\N{NO SUCH CHARACTER}", "no character is called 'NO SUCH CHARACTER'"),
        (str, r"\UFFFFFFFF", "beyond the last character"),
        (bytes, r"ab\x4", r"column 3: \\x needs two hexadecimal digits"),
        (bytes, r"\777", "larger than one byte"),
        (int, "3.5", "'3.5' is no whole number"),
        (bool, "True", "'True' is neither true nor false"),
        (types.Cmd, "partz", "no command is called 'partz'; did you mean 'parts'"),
        (types.Data, "x", "a table cannot be typed"),
        (PARTS, "urk", "'urk' is no choice; did you mean 'url'"),
        (PARTS, "?", "'\\?' is no choice; the choices are url, method, body"),
        (types.Choice("number"), "x", "number lists no choices"),
        (types.Choice("nothing"), "x", "no command is called 'nothing'"),
        (types.Marker, ":dgo:", "':dgo:' is no marker; did you mean"),
        (types.Marker, "", "'' is no marker"),
        (Flow, "@all", "'@all' names 2 flows; exactly one is needed"),
        (Flow, "nonsense", "'nonsense' is no spec"),
        (Sequence[Flow], "nonsense", "'nonsense' is no spec"),
    ],
)
def test_texts_that_are_refused(manager: CommandManager, t: Any, text: str, message: str) -> None:
    with pytest.raises((ValueError, CommandError), match=message):
        kind(manager, t).parse(manager, t, text)


@pytest.mark.parametrize(
    ("t", "value"),
    [
        (str, b"x"),
        (bytes, "x"),
        (int, True),
        (int, "3"),
        (bool, 1),
        (types.Path, None),
        (types.Cmd, "none"),
        (types.CmdArgs, 3),
        (Sequence[str], "abc"),
        (Sequence[str], ["a", 3]),
        (Sequence[str], None),
        (types.CutSpec, "request.url"),
        (types.CutSpec, [1]),
        (PARTS, "none"),
        (types.Marker, "dog"),
        (types.Marker, None),
        (types.Data, [["a"], "b"]),
        (types.Data, [[1]]),
        (types.Data, "a"),
        (Flow, None),
        (Sequence[Flow], ["a"]),
        (Sequence[Flow], "a"),
        (Sequence[Flow], None),
    ],
)
def test_values_that_are_not_of_the_type(manager: CommandManager, t: Any, value: object) -> None:
    assert not kind(manager, t).is_valid(manager, t, value)


def test_tables_are_results(manager: CommandManager) -> None:
    assert kind(manager, types.Data).is_valid(manager, types.Data, [["a", b"b"], []])


def test_flows_are_resolved(manager: CommandManager) -> None:
    everything = kind(manager, Sequence[Flow]).parse(manager, Sequence[Flow], "@all")
    assert len(everything) == 2
    assert kind(manager, Flow).parse(manager, Flow, "@focus") is everything[0]
    assert kind(manager, Sequence[Flow]).is_valid(manager, Sequence[Flow], everything)


def test_nothing_is_focused(manager: CommandManager) -> None:
    manager.execute("view.flows.resolve @all").clear()  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="no flow is under the cursor"):
        kind(manager, Flow).parse(manager, Flow, "@focus")


def test_lazy_flows_are_not_walked(manager: CommandManager) -> None:
    flows = kind(manager, Sequence[Flow]).parse(manager, Sequence[Flow], "@lazy")
    assert kind(manager, Sequence[Flow]).is_valid(manager, Sequence[Flow], flows)


def test_a_prompt_does_not_ask_which_flows_a_filter_names(manager: CommandManager) -> None:
    one = kind(manager, Flow)
    assert one.accepts(manager, Flow, "@focus")
    assert not one.accepts(manager, Flow, "@all")
    assert one.accepts(manager, Flow, "~lazy")
    assert not one.accepts(manager, Flow, "nonsense")


def test_flows_need_a_store() -> None:
    manager = CommandManager()
    with pytest.raises(CommandError, match="this program keeps none; use midstream"):
        kind(manager, Sequence[Flow]).parse(manager, Sequence[Flow], "@all")


@pytest.mark.parametrize(
    ("t", "text", "offered"),
    [
        (str, "x", []),
        (bool, "", ["false", "true"]),
        (bool, "t", ["true"]),
        (types.Cmd, "n", ["number"]),
        (types.Cmd, "", ["number", "parts", "view.flows.resolve"]),
        (PARTS, "m", ["method"]),
        (types.Choice("nothing"), "m", []),
        (Flow, "@f", ["@focus"]),
        (Sequence[Flow], "~h", ["~h ", "~hq ", "~hs ", "~http"]),
        (Sequence[Flow], "~d x & ~comm", ["~d x & ~comment "]),
        (types.CutSpec, "request.m", ["request.method"]),
        (types.CutSpec, "request.url,server_conn.s", ["request.url,server_conn.sni"]),
        (types.Marker, "tr", ["true"]),
        (types.Data, "", []),
    ],
)
def test_completion(manager: CommandManager, t: Any, text: str, offered: list[str]) -> None:
    assert list(manager.completions(t, text)) == offered


def test_cuts_name_every_part_that_people_cut(manager: CommandManager) -> None:
    message = "text content raw_content timestamp_start timestamp_end header["
    parts = {
        "request": f"method scheme host http_version port path url {message}",
        "response": f"status_code reason {message}",
        "client_conn": "peername.port peername.host tls_version sni tls_established",
        "server_conn": "address.port address.host ip_address.host tls_version sni tls_established",
    }
    known = {f"{part}.{name}" for part, names in parts.items() for name in names.split()}
    assert set(manager.completions(types.CutSpec, "")) == known


def test_paths_are_completed(manager: CommandManager, tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    assert manager.completions(types.Path, f"{tmp_path}/o") == [f"{tmp_path}/one"]


def test_the_registry_knows_its_types_in_every_spelling() -> None:
    registry = CommandTypes()
    by_name = {found.display for t in (Sequence[str], list[str]) if (found := registry.get(t)) is not None}
    assert by_name == {"str[]"}
    by_name = {found.display for t in (Sequence[Flow], list[SpecialFlow]) if (found := registry.get(t)) is not None}
    assert by_name == {"flow[]"}
    tables = (Sequence[Sequence[str | bytes]], list[list[str]], Sequence[tuple[str, ...]], list[tuple[str, bytes]])
    by_name = {found.display for t in tables if (found := registry.get(t)) is not None}
    assert by_name == {"data[][]"}
    others: list[Any] = [
        float,
        Sequence[int],
        Sequence[Sequence[int]],
        list[list[Any]],
        typing.Sequence,
        dict[str, str],
        types.Unknown,
        [],
        "str",
        list,
    ]
    assert [t for t in others if registry.get(t) is not None] == []


@given(st.text())
def test_any_text_expands_or_is_refused(text: str) -> None:
    for function in (expand, expand_bytes):
        try:
            function(text)
        except ValueError as error:
            assert str(error)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_python_literals_mean_the_same(text: str) -> None:
    assert expand(text.encode("unicode_escape").decode("ascii")) == text


@given(st.binary())
def test_byte_literals_mean_the_same(data: bytes) -> None:
    assert expand_bytes("".join(f"\\x{byte:02x}" for byte in data)) == data


# -- markers --


def test_markers_have_glyphs() -> None:
    assert len(markers.names()) > 1000
    assert markers.glyph(":default:") == "●"
    assert markers.glyph(":red_circle:") == "🔴"
    assert markers.glyph(":from_an_old_file:") == "●"
    assert markers.glyph("") == ""


def test_markers_have_the_names_that_chats_use() -> None:
    known = [":alarm_clock:", ":+1:", ":thumbsup:", ":1st_place_medal:", ":iceland:", ":red_circle:", "a", "Z", "9"]
    assert [name for name in known if name not in markers.names()] == []
    # What terminals draw in as many ways as there are terminals is a dot.
    assert markers.glyph(":iceland:") == "●"
    assert markers.glyph(":heart:") == "❤"
    assert markers.glyph("a") == "a"
    assert markers.glyph("\x1b") == "●"
    assert markers.glyph("") == ""
    assert all(len(glyph) == 1 and glyph.isprintable() for glyph in markers.names().values())
    assert all(" " not in name and (len(name) == 1 or name[0] == name[-1] == ":") for name in markers.names())
