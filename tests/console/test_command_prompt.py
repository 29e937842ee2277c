"""The `:` prompt: completion of every argument, colours, and how many flows are meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream.console.completion import complete_command
from midstream.flows.flow import Flow
from midstream.hub import types
from midstream.hub.commands import argument, command
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow


class Example:
    """A command with an argument of each type."""

    name = "example"

    @command("example.all")
    @argument("part", type=types.Choice("example.parts"))
    def all(
        self,
        flows: Sequence[Flow],
        part: str,
        path: types.Path,
        flag: bool,
        cuts: types.CutSpec,
        marker: types.Marker,
        number: int = 3,
        *words: str,
    ) -> None:
        """Takes everything."""

    @command("example.parts")
    def parts(self) -> Sequence[str]:
        return ["request", "response", "with space"]

    @command("example.run")
    def run(self, prompt: str, cmd: types.Cmd, *args: types.CmdArgs) -> None:
        """Runs another."""

    @command("example.broken")
    @argument("part", type=types.Choice("example.broken.parts"))
    def broken(self, part: str) -> None: ...

    @command("example.broken.parts")
    def broken_parts(self) -> Sequence[str]:
        raise SystemExit(3)

    @command("example.later")
    @argument("part", type=types.Choice("example.later.parts"))
    def later(self, part: str) -> None: ...

    @command("example.later.parts")
    async def later_parts(self) -> Sequence[str]:
        return ["a"]


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.console.master.addons.add(Example())
        yield shown


def text(shown: Shown) -> str:
    """The line with a bar where the cursor is."""
    prompt = shown.console.active_prompt
    assert prompt is not None
    return f"{prompt.edit.text[: prompt.edit.cursor]}|{prompt.edit.text[prompt.edit.cursor :]}"


def write(shown: Shown, line: str) -> None:
    """A line in the prompt; the bar is the cursor."""
    if shown.console.active_prompt is None:
        shown.press(":")
    prompt = shown.console.active_prompt
    assert prompt is not None
    before, _, after = line.partition("|")
    prompt.edit.set_text(before + after, len(before))
    prompt.candidates = None
    prompt.changed()


def tab(shown: Shown, line: str) -> str:
    write(shown, line)
    shown.press("tab")
    return text(shown)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("example.al|", "example.all |"),
        ("example.all @foc|", "example.all @focus |"),
        ("example.all ~markd|", "example.all ~markd|"),
        ("example.all ~meth|", "example.all ~meth|"),
        ("example.all ~wholeword|", "example.all ~wholeword|"),
        # An operator with an argument goes on inside quotes; one without is done.
        ("example.all ~comm|", 'example.all "~comment |"'),
        ("example.all ~webs|", "example.all ~websocket |"),
        ('example.all "~d x & ~comm|"', 'example.all "~d x & ~comment |"'),
        ('example.all "~d x & ~comm|', 'example.all "~d x & ~comment |"'),
        ("example.all @all req|", "example.all @all request |"),
        ("example.all @all w|", 'example.all @all "with space" |'),
        ('example.all @all "wi|"', 'example.all @all "with space" |'),
        ("example.all @all request /tmp fa|", "example.all @all request /tmp false |"),
        ("example.all @all request /tmp true request.met|", "example.all @all request /tmp true request.method |"),
        ("example.all @all request /tmp true request.he|", "example.all @all request /tmp true request.header[|"),
        (
            "example.all @all request /tmp true request.url,response.st|",
            "example.all @all request /tmp true request.url,response.status_code |",
        ),
        ("example.all @all request /tmp true x :red_ci|", "example.all @all request /tmp true x :red_circle: |"),
        # The command inside another one has its own types.
        ("example.run p example.al|", "example.run p example.all |"),
        ("example.run p example.all @foc|", "example.run p example.all @focus |"),
        (
            "example.run p example.run p example.all @all resp|",
            "example.run p example.run p example.all @all response |",
        ),
        ("example.run p set intercept_a|", "example.run p set intercept_active |"),
        ("console.choose.cmd p set|", "console.choose.cmd p set |"),
        ("console.choose.cmd p example.parts view.order.s|", "console.choose.cmd p example.parts view.order.set |"),
        ("set console_palette mo|", "set console_palette mono |"),
        ("set console_palette=mo|", "set console_palette=mono |"),
        ("set intercept='~comm|'", 'set intercept="~comment |"'),
        ("set intercept '~d x & ~webs|'", 'set intercept "~d x & ~websocket" |'),
        # What is right of the cursor stays.
        ("example.all @foc| request", "example.all @focus |request"),
        ("exam| @all", "example.| @all"),
        ("example.al| @all", "example.all |@all"),
        ("example.all @foc|", "example.all @focus |"),
        ("example.all @f|ocus request", "example.all @focus |request"),
        ("example.all @f|x request", "example.all @focus|x request"),
        ('example.all "@f|x y" request', 'example.all "@focus|x y" request'),
        ("example.all | request", "example.all | request"),
        # A surplus word, an unknown command, no candidates: nothing changes.
        ("view.clear x|", "view.clear x|"),
        ("no.such x|", "no.such x|"),
        ("example.all @all request /tmp true x true 4|", "example.all @all request /tmp true x true 4|"),
        ("example.broken x|", "example.broken x|"),
        ("example.later |", "example.later |"),
    ],
)
async def test_tab(shown, line, after):
    assert tab(shown, line) == after


async def test_folders_go_on_also_inside_quotes(shown, tmp_path: Path):
    folder = tmp_path / "my folder"
    folder.mkdir()
    (folder / "it's.txt").touch()
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "x").touch()
    start = "example.all @all request "
    assert tab(shown, f"{start}{tmp_path}/pl|") == f"{start}{tmp_path}/plain/|"
    shown.press("tab")
    assert text(shown) == f"{start}{tmp_path}/plain/x |"
    assert tab(shown, f"{start}{tmp_path}/my|") == f'{start}"{tmp_path}/my folder/|"'
    shown.press("tab")
    assert text(shown) == f'{start}"{tmp_path}/my folder/it\'s.txt" |'


async def test_the_home_folder_is_completed(shown, tmp_path: Path, monkeypatch):
    (tmp_path / "home" / "docs").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    start = "example.all @all request "
    assert tab(shown, f"{start}~|") == f"{start}~/|"
    shown.press("tab")
    assert text(shown) == f"{start}~/docs/|"


async def test_the_common_beginning_comes_first_then_each_candidate(shown):
    assert tab(shown, "example.all @all re| tail") == "example.all @all re| tail"
    assert "| request" in shown.text
    shown.press("tab")
    assert text(shown) == "example.all @all request| tail"
    shown.press("tab")
    assert text(shown) == "example.all @all response| tail"
    shown.press("tab")
    assert text(shown) == "example.all @all request| tail"
    shown.press("shift tab")
    assert text(shown) == "example.all @all response| tail"


def roles(shown: Shown, line: str) -> list[tuple[str, str]]:
    """The words of the line with the roles they have."""
    write(shown, line)
    prompt = shown.console.active_prompt
    assert prompt is not None
    found = prompt.roles(prompt.edit.text)
    assert len(found) == len(prompt.edit.text)
    words: list[tuple[str, str]] = []
    for character, role in zip(prompt.edit.text, found, strict=True):
        role = role.removeprefix("prompt").removeprefix(".")
        if words and words[-1][1] == role:
            words[-1] = (words[-1][0] + character, role)
        else:
            words.append((character, role))
    return words


async def test_words_are_coloured_while_they_are_typed(shown):
    assert roles(shown, "example.p|") == [("example.p", "")]
    assert roles(shown, "nothing|") == [("nothing", "bad")]
    assert roles(shown, "nothing x|") == [("nothing", "bad"), (" ", ""), ("x", "bad")]
    assert roles(shown, "example.parts|") == [("example.parts", "good")]
    assert roles(shown, " example.parts x|") == [(" ", ""), ("example.parts", "good"), (" ", ""), ("x", "bad")]
    assert roles(shown, "example.all @al|") == [("example.all", "good"), (" @al", "")]
    assert roles(shown, "example.all @al |") == [("example.all", "good"), (" ", ""), ("@al", "bad"), (" ", "")]
    assert roles(shown, "example.all @a|l") == [("example.all", "good"), (" ", ""), ("@al", "bad")]
    assert roles(shown, "example.run p view.clear x|") == [
        ("example.run", "good"),
        (" p ", ""),
        ("view.clear", "good"),
        (" ", ""),
        ("x", "bad"),
    ]
    assert roles(shown, "example.run p example.all {choice} {choice} |")[-1] == (" {choice} {choice} ", "")
    assert roles(shown, "example.broken x |")[-2] == ("x", "bad")
    assert roles(shown, "example.later x |")[-2] == ("x", "bad")


async def test_what_is_still_to_come_is_named(shown):
    write(shown, "example.all @all request|")
    assert "path flag cuts marker number=3 *words" in shown.prompt_line
    write(shown, "example.run p example.all|")
    assert "flows part path flag cuts marker number=3 *words" in shown.prompt_line
    assert "Takes everything." in shown.prompt_line
    write(shown, "example.run p|")
    assert "cmd *args  Runs another." in shown.prompt_line


async def test_the_flows_that_are_meant_are_counted(shown):
    for number in range(3):
        shown.view.add(http_flow(f"http://example.com/{number}"))
    first = shown.view.get(next(iter(shown.view.all_ids)))
    assert first is not None
    first.marked = ":dog:"
    shown.view.update(first)
    for spec, count in (
        ("@all", "-> 3 flows"),
        ("@focus", "-> 1 flow "),
        ("@hidden", "-> 0 flows"),
        ("@marked", "-> 1 flow "),
        ("@unmarked", "-> 2 flows"),
        ("'~u /[01]$'", "-> 2 flows"),
        (f"@{first.id}", "-> 1 flow "),
    ):
        write(shown, f"flow.kill {spec}|")
        await shown.until_shown(count)
    write(shown, "flow.kill ~nothing|")
    assert "->" not in shown.prompt_line
    write(shown, "view.order|")
    assert "->" not in shown.prompt_line


async def test_counting_many_flows_does_not_hold_the_keys(shown):
    flows = [http_flow(f"http://example.com/{number}") for number in range(3000)]
    for flow in flows:
        shown.view.add(flow)
    write(shown, "flow.kill ~b.nothing|")
    write(shown, "flow.kill '~b nothing'|")
    assert "->" not in shown.prompt_line, "it is looked for beside"
    shown.press("esc")
    await shown.until(lambda: shown.console.active_prompt is None)
    write(shown, "flow.kill '~u /1...$'|")
    await shown.until_shown("-> 1,000 flows")


async def test_a_value_is_completed_where_the_cursor_is(shown):
    found = complete_command("example.all @all re", 17, shown.console.master.commands, shown.options)
    assert (found.start, found.end, found.choices, found.rest) == (17, 17, ["request", "response", "with space"], "")


async def test_a_huge_paste_is_not_parsed_at_each_key(shown):
    shown.press(":")
    shown.paste("flow.kill " + "a " * 200_000)
    prompt = shown.console.active_prompt
    assert prompt is not None
    assert set(prompt.roles(prompt.edit.text)) == {"prompt"}
    assert "->" not in shown.prompt_line
    shown.press("enter")
    assert "flow.kill: 1 argument needed, got 200000" in shown.text


async def test_lines_of_vim_do_what_their_users_mean(tmp_path: Path) -> None:
    async with shown_console(tmp_path, 100, 26) as shown:
        shown.view.add(http_flow("http://shop.example/cart"))
        shown.press("3")
        assert shown.console.shown_name == "options"
        shown.press(":", "q")
        assert "runs console.view.pop" in shown.prompt_line
        shown.press("enter")
        assert shown.console.shown_name == "flows"
        shown.press(":", "q", "enter")
        assert "quit?" in shown.text
        shown.press("n", ":", "qa", "enter")
        assert "quit?" in shown.text
        shown.press("n", ":", f"w {tmp_path / 'kept.mid'}", "enter")
        await shown.until((tmp_path / "kept.mid").exists)
        shown.press(":", "q now", "enter")
        assert "no command is called 'q'" in shown.text


async def test_set_says_what_is_set(tmp_path: Path) -> None:
    async with shown_console(tmp_path, 100, 26) as shown:
        shown.press(":", *"set view_order_reversed=true", "enter")
        await shown.until_shown("view_order_reversed is true")
        shown.press(":", "set intercept=", "enter")
        await shown.until_shown("intercept is empty")
