"""Commands: found in addons, bound by their annotations, checked in and out."""

import io
import sys
from collections.abc import Iterable, Sequence
from inspect import isawaitable
from types import ModuleType
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.connection import Client, Server
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.hub import types
from midstream.hub.addons import Loader
from midstream.hub.commands import CommandManager, CommandParameter, ParseResult, argument, command
from midstream.hub.lexer import split
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.types import Data


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


# -- what a signature may look like --


def make_flow(kind: type[Flow]) -> Flow:
    return kind(Client(peername=("", 0), sockname=("", 0)), Server(address=("example", 80)))


@pytest.fixture
def flows(manager: CommandManager) -> list[Flow]:
    """What every spec names."""
    found: list[Flow] = [make_flow(TCPFlow), make_flow(HTTPFlow)]

    def resolve(flow_spec: str) -> Sequence[Flow]:
        return found[1:] if flow_spec == "@focus" else found[:]

    manager.add("view.flows.resolve", resolve)
    return found


def test_none_is_a_default_and_a_result_but_nothing_to_type(manager: CommandManager) -> None:
    def maybe(word: str | None = None, number: Optional[int] = None) -> str | None:  # noqa: UP045
        return word and f"{word} {number}"

    manager.add("maybe", maybe)
    assert manager.commands["maybe"].signature_help() == "maybe word:str=None number:int=None -> str"
    assert manager.execute("maybe") is None
    assert manager.execute("maybe a 3") == "a 3"


def test_what_only_keywords_give_is_left_out(manager: CommandManager) -> None:
    def keywords(word: str, *, number: float = 3.0, **rest: object) -> str:
        return f"{word} {number} {rest}"

    manager.add("keywords", keywords)
    assert manager.commands["keywords"].signature_help() == "keywords word:str -> str"
    assert manager.execute("keywords a") == "a 3.0 {}"
    with pytest.raises(CommandError, match="1 argument needed, got 2"):
        manager.execute("keywords a b")


def test_a_command_may_want_one_kind_of_flow(manager: CommandManager, flows: list[Flow]) -> None:
    def one(flow: HTTPFlow) -> str:
        return flow.id

    def several(flows: list[HTTPFlow]) -> int:
        return len(flows)

    def every(flows: Iterable[Flow]) -> int:
        return len(list(flows))

    for name, func in (("one", one), ("several", several), ("every", every)):
        manager.add(name, func)
    assert manager.execute("one @focus") == flows[1].id
    assert (manager.execute("several @all"), manager.execute("every @all")) == (1, 2)
    flows[1:] = flows[:1]
    with pytest.raises(CommandError, match="one: flow: '@focus' is a tcp flow; an http flow is needed"):
        manager.execute("one @focus")


def test_what_a_type_asks_may_fail_in_any_way(manager: CommandManager) -> None:
    def broken() -> Sequence[str]:
        raise KeyboardInterrupt

    async def later() -> Sequence[str]:
        return ["a"]

    def pick(part: str) -> None: ...

    def pick_later(part: str) -> None: ...

    manager.add("broken", broken)
    manager.add("later.parts", later)
    manager.add("pick", argument("part", type=types.Choice("broken"))(pick))
    manager.add("pick.later", argument("part", type=types.Choice("later.parts"))(pick_later))
    for line, message in (
        ("pick a", "pick: part: broken failed: KeyboardInterrupt"),
        ("pick.later a", "later.parts lists no choices: it is async"),
    ):
        with pytest.raises(CommandError, match=message):
            manager.execute(line)
        assert shown(manager, line)[0][1][2] is False
        assert manager.completions(shown(manager, line)[0][1][1], "") == []


def test_prepared_arguments_have_the_defaults(manager: CommandManager) -> None:
    prepared = manager.commands["optional"].prepare_args(["a"])
    assert prepared.args == ("a", 7)
    assert manager.commands["many"].prepare_args(["a", "1", "2"]).arguments == {"first": "a", "rest": (1, 2)}


def test_async_commands_are_known_as_such(manager: CommandManager) -> None:
    assert manager.commands["later"].is_async
    assert not manager.commands["two"].is_async


async def test_mistakes_in_results_name_the_line(manager: CommandManager) -> None:
    place = manager.commands["liar"].place
    assert place.startswith("test_commands.py:")
    with pytest.raises(CommandError) as caught:
        manager.execute("liar")
    assert str(caught.value) == f"liar promised int and returned str: a mistake in that command ({place})"

    def nothing() -> Sequence[str]:
        return None  # type: ignore[return-value]

    manager.add("nothing", nothing)
    with pytest.raises(CommandError, match=r"nothing promised str\[\] and returned nothing: a mistake"):
        manager.execute("nothing")


def test_a_mistake_within_a_result_is_named(manager: CommandManager) -> None:
    def table() -> Data:
        return [["a", b"b"], ["c", 1]]  # type: ignore[list-item]

    def endless() -> Sequence[str]:
        found: list[object] = []
        found.append(found)
        return found  # type: ignore[return-value]

    manager.add("table", table)
    with pytest.raises(CommandError, match=r"promised data\[\]\[\] and returned list\[list\[str \| bytes\] \| "):
        manager.execute("table")
    manager.add("endless", endless)
    with pytest.raises(CommandError, match=r"promised str\[\] and returned list\[list\[list\[list\]\]\]:"):
        manager.execute("endless")


# -- coming and going --


def test_a_command_that_was_hidden_comes_back(
    manager: CommandManager, addon: Example, caplog: pytest.LogCaptureFixture
) -> None:
    other, third = Example(), Example()
    manager.collect_commands(other)
    manager.collect_commands(third)
    manager.remove_commands(other)
    assert manager.commands["two"].owner is third
    manager.remove_commands(third)
    assert manager.commands["two"].owner is addon
    manager.remove_commands(addon)
    assert not manager.commands
    assert caplog.text.count("command two is declared again") == 2


def test_taking_over_from_one_that_leaves_is_no_news(
    manager: CommandManager, addon: Example, caplog: pytest.LogCaptureFixture
) -> None:
    successor = Example()
    manager.add("two", successor.two, successor, replacing=[addon])
    manager.remove_commands(addon)
    assert manager.commands["two"].owner is successor
    assert not caplog.text


# -- any text --

PIECES = st.sampled_from(
    ["run", "two", "choose", "later", "many", "x", "'", '"', " ", "{choice}", "\\x", "@all", "~u ("]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=4))).map("".join))
def test_no_text_surprises_the_prompt(line: str) -> None:
    manager = CommandManager()
    manager.collect_commands(Example())
    manager.add("every", every_type)
    for text in (line, f"every {line}", f"run x every {line}"):
        parsed, coming = manager.parse_partial(text)
        assert "".join(part.value for part in parsed) == text
        for expected in [part.type for part in parsed] + [parameter.type for parameter in coming]:
            for word in split(text) or [""]:
                assert all(isinstance(choice, str) for choice in manager.completions(expected, word))


@given(st.lists(st.one_of(PIECES, st.text(max_size=4))).map("".join))
def test_any_line_runs_or_is_refused(line: str) -> None:
    manager = CommandManager()
    manager.collect_commands(Example())
    manager.add("every", every_type)
    for text in (line, f"every {line}"):
        try:
            result = manager.execute(text)
        except CommandError as error:
            assert str(error)
        else:
            if isawaitable(result):
                result.close()  # type: ignore[attr-defined]


def every_type(
    word: str,
    octets: bytes,
    number: int,
    flag: bool,
    path: types.Path,
    flow: Flow,
    flows: Sequence[Flow],
    cuts: types.CutSpec,
    words: Sequence[str],
    marker: types.Marker,
    data: types.Data,
) -> None:
    """A parameter of every type."""


class Loading:
    """An addon that adds its command in `load`, as a script does; the name is the script's."""

    def __init__(self, name: str, answer: str) -> None:
        self.name = name
        self.answer = answer

    def load(self, loader: Loader) -> None:
        loader.add_command("said", self.said)
        if not self.answer:
            raise ValueError("broken")

    def said(self) -> str:
        return self.answer


async def test_commands_added_in_load_survive_being_replaced(caplog: pytest.LogCaptureFixture) -> None:
    master = Master(Options())
    chain: list[object] = []
    old, new = Loading("script", "old"), Loading("script", "new")
    master.addons.register(old, chain)
    with pytest.raises(ValueError, match="broken"):
        master.addons.register(Loading("script", ""), chain, replacing=old)
    assert master.commands.execute("said") == "old", "what does not load takes nothing away"
    master.addons.register(new, chain, replacing=old)
    assert master.commands.execute("said") == "new"
    master.addons.unregister(new, chain)
    assert "said" not in master.commands.commands
    assert "declared again" not in caplog.text
    await master.done()
