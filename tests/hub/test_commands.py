"""Commands: found in addons, bound by their annotations, checked in and out."""

import io
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.errors import CommandError
from midstream.hub import types
from midstream.hub.commands import CommandManager, CommandParameter, ParseResult, argument, command


class Example:
    """An addon with one command of each shape."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    @property
    def explosive(self) -> str:
        raise AssertionError("properties are not to be run")

    @command()
    def no_arguments(self) -> None:
        """Nothing at all.

        Really.
        """
        self.calls.append("no_arguments")

    @command("two")
    def two(self, word: str, number: int) -> str:
        return f"{word}{number}"

    @command("optional")
    def optional(self, word: str, number: int = 7) -> str:
        return f"{word}{number}"

    @command("many")
    def many(self, first: str, *rest: int) -> Sequence[str]:
        return [first, *map(str, rest)]

    @command("run")
    def run(self, prompt: str, cmd: types.Cmd, *args: types.CmdArgs) -> None:
        self.calls.append((prompt, cmd, args))

    @command("choose")
    @argument("part", type=types.Choice("choose.options"))
    def choose(self, part: str) -> None:
        self.calls.append(part)

    @command("choose.options")
    def choose_options(self) -> Sequence[str]:
        return ["url", "body"]

    @command("liar")
    def liar(self) -> int:
        return "three"  # type: ignore[return-value]

    @command("later")
    async def later(self, number: int) -> int:
        """An async command."""
        return number + 1

    @command("later.liar")
    async def later_liar(self) -> int:
        return "three"  # type: ignore[return-value]

    @staticmethod
    @command("static")
    def static(number: int) -> int:
        return number


@pytest.fixture
def addon() -> Example:
    return Example()


@pytest.fixture
def manager(addon: Example) -> CommandManager:
    commands = CommandManager()
    commands.collect_commands(addon)
    return commands


def test_commands_are_found(manager: CommandManager) -> None:
    assert sorted(manager.commands) == [
        "choose",
        "choose.options",
        "later",
        "later.liar",
        "liar",
        "many",
        "no.arguments",
        "optional",
        "run",
        "static",
        "two",
    ]
    assert manager.commands["no.arguments"].help == "Nothing at all.\n\nReally."


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("two a 3", "a3"),
        ("  two 'a b' 3 ", "a b3"),
        ("'two' a 3", "a3"),
        (r"two a\x41 3", "aA3"),
        ("optional a", "a7"),
        ("optional a 8", "a8"),
        ("many a", ["a"]),
        ("many a 1 2 3", ["a", "1", "2", "3"]),
        ("static 4", 4),
        ("no.arguments", None),
    ],
)
def test_lines_are_run(manager: CommandManager, line: str, result: object) -> None:
    assert manager.execute(line) == result


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "no command was given"),
        ("   ", "no command was given"),
        ("tow a 3", "no command is called 'tow'; did you mean 'two'?"),
        ("two a", "two: 2 arguments needed, got 1; two word:str number:int -> str"),
        ("two a 3 4", "two: 2 arguments needed, got 3; two word:str number:int -> str"),
        ("optional", "optional: 1 to 2 arguments needed, got 0; optional word:str number:int=7 -> str"),
        ("many", "many: at least 1 argument needed, got 0; many first:str *rest:int -> str[]"),
        ("no.arguments x", "no.arguments: no arguments taken, got 1; no.arguments"),
        ("two a b", "two: number: 'b' is no whole number"),
        ("many a 1 b", "many: rest: 'b' is no whole number"),
        ("choose head", "choose: part: 'head' is no choice; the choices are url, body"),
        ("run x nothing", "run: cmd: no command is called 'nothing'"),
    ],
)
def test_lines_that_cannot_be_run(manager: CommandManager, line: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        manager.execute(line)
    assert str(caught.value) == message


def test_arguments_of_inner_commands_stay_as_typed(manager: CommandManager, addon: Example) -> None:
    manager.execute(r"run ask two a\n 3")
    assert addon.calls == [("ask", "two", (r"a\n", "3"))]


def test_calling_with_values_checks_nothing(manager: CommandManager) -> None:
    assert manager.call("two", 1, "x") == "1x"
    assert manager.call("liar") == "three"
    assert manager.call_strings("two", ["a b", "3"]) == "a b3"
    with pytest.raises(CommandError, match="no command is called 'nothing'"):
        manager.call("nothing")


async def test_async_commands_give_awaitables(manager: CommandManager) -> None:
    assert await manager.execute("later 3") == 4
    assert await manager.call("later", 5) == 6
    pending = manager.execute("later.liar")
    with pytest.raises(CommandError, match="promised int and returned str"):
        await pending
    with pytest.raises(CommandError, match="1 argument needed"):
        manager.execute("later")


def test_direct_calls_of_a_wrong_arity_are_command_errors(addon: Example) -> None:
    assert addon.two("a", 1) == "a1"
    with pytest.raises(CommandError, match=r"two: missing a required argument: 'number'; it takes word: 'str'|two: "):
        addon.two("a")  # type: ignore[call-arg]


def test_commands_go_with_their_addon(manager: CommandManager, addon: Example) -> None:
    manager.add("other", lambda: None)
    manager.remove_commands(addon)
    assert list(manager.commands) == ["other"]


def test_declaring_a_name_twice_warns(manager: CommandManager, caplog: pytest.LogCaptureFixture) -> None:
    manager.collect_commands(Example())
    assert "command two is declared again; the later one counts" in caplog.text


def test_functions_of_a_module_are_commands() -> None:
    module = ModuleType("script")
    sys.modules["script"] = module
    try:
        exec(  # string annotations, as in a script file
            "from __future__ import annotations\n"
            "from collections.abc import Sequence\n"
            "from midstream.hub.commands import command\n"
            "@command('mine')\n"
            "def mine(words: Sequence[str]) -> str:\n"
            "    return '+'.join(words)\n",
            module.__dict__,
        )
        manager = CommandManager()
        manager.collect_commands(module)
    finally:
        del sys.modules["script"]
    assert manager.execute("mine a,b") == "a+b"


def unannotated(word):  # type: ignore[no-untyped-def]
    pass


def odd_parameter(word: float) -> None:
    pass


def odd_result() -> float:
    return 1.0


def by_keyword(*, word: str) -> None:
    pass


def unknown_annotation(word: "Nowhere") -> None:  # type: ignore[name-defined] # noqa: F821
    pass


@pytest.mark.parametrize(
    ("func", "message"),
    [
        (unannotated, "parameter 'word' has no annotation"),
        (odd_parameter, "parameter 'word' is float, which is no command type"),
        (odd_result, "its result is float, which is no command type"),
        (by_keyword, "parameter 'word' can only be given by keyword"),
        (unknown_annotation, "its annotations cannot be read: NameError: name 'Nowhere' is not defined"),
    ],
)
def test_functions_that_cannot_be_commands(func: Any, message: str, caplog: pytest.LogCaptureFixture) -> None:
    manager = CommandManager()
    with pytest.raises(CommandError, match=message):
        manager.add("x", func)

    class Addon:
        x = staticmethod(command("x")(func))

    manager.collect_commands(Addon())
    assert not manager.commands
    assert f"command x is skipped: {message}" in caplog.text


def test_arguments_must_exist() -> None:
    with pytest.raises(ValueError, match="has no parameter 'wrod'; did you mean 'word'"):

        @argument("wrod", type=str)
        def func(word: str) -> None: ...


def test_the_listing(manager: CommandManager) -> None:
    out = io.StringIO()
    manager.dump(out)
    text = out.getvalue()
    assert "# Nothing at all.\n#\n# Really.\nno.arguments\n\n" in text
    assert "choose part:choice(choose.options)\n\n" in text
    assert "run prompt:str cmd:cmd *args:arg\n" in text


# -- unfinished lines --


def shown(manager: CommandManager, text: str) -> tuple[list[tuple[str, Any, bool]], list[str]]:
    parsed, coming = manager.parse_partial(text)
    return [tuple(part) for part in parsed if part.type is not types.Space], [str(parameter) for parameter in coming]


@pytest.mark.parametrize(
    ("text", "parsed", "coming"),
    [
        ("", [], ["", ""]),
        ("tw", [("tw", types.Cmd, False)], []),
        ("two", [("two", types.Cmd, True)], ["word", "number"]),
        ("two a", [("two", types.Cmd, True), ("a", str, True)], ["number"]),
        ("two a b", [("two", types.Cmd, True), ("a", str, True), ("b", int, False)], []),
        ("no.arguments x", [("no.arguments", types.Cmd, True), ("x", types.Unknown, False)], []),
        ("many a 1 x", [("many", types.Cmd, True), ("a", str, True), ("1", int, True), ("x", int, False)], ["*rest"]),
        ("optional 'a", [("optional", types.Cmd, True), ("'a", str, True)], ["number=7"]),
        ("run", [("run", types.Cmd, True)], ["prompt", "cmd", "*args"]),
        (
            "run p two a",
            [("run", types.Cmd, True), ("p", str, True), ("two", types.Cmd, True), ("a", str, True)],
            ["number"],
        ),
        (
            "run p tow a",
            [("run", types.Cmd, True), ("p", str, True), ("tow", types.Cmd, False), ("a", types.Unknown, False)],
            [],
        ),
        ("choose body", [("choose", types.Cmd, True), ("body", types.Choice("choose.options"), True)], []),
        ("choose head", [("choose", types.Cmd, True), ("head", types.Choice("choose.options"), False)], []),
    ],
)
def test_unfinished_lines(manager: CommandManager, text: str, parsed: list[Any], coming: list[str]) -> None:
    assert shown(manager, text) == (parsed, coming)


def test_white_space_is_kept(manager: CommandManager) -> None:
    parsed, _ = manager.parse_partial(" two  'a b'")
    assert parsed == [
        ParseResult(" ", types.Space, True),
        ParseResult("two", types.Cmd, True),
        ParseResult("  ", types.Space, True),
        ParseResult("'a b'", str, True),
    ]


@given(st.text())
def test_any_unfinished_line_is_parsed(text: str) -> None:
    manager = CommandManager()
    manager.collect_commands(Example())
    parsed, _ = manager.parse_partial("run x two " + text)
    assert "".join(part.value for part in parsed) == "run x two " + text


def test_parameters_are_shown_with_their_defaults() -> None:
    assert str(CommandParameter("name", str)) == "name"
