"""Key bindings in a console: files read at start and while it runs, the session's changes, commands that go."""

from __future__ import annotations

import asyncio
import os
import stat
import textwrap
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from midstream.console.key_bindings import command_problem, option_problem
from midstream.console.key_names import parse_chord
from midstream.console.keymap import CONTEXTS, Binding
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


async def run(shown: Shown, line: str) -> object:
    result = shown.console.master.commands.execute(line)
    return await result if isinstance(result, Awaitable) else result


def bound(shown: Shown, keys: str, context: str = "flows") -> str:
    chain = CONTEXTS[context]
    found = shown.console.keys.keymap.find((keys,) if keys.startswith("ctrl") else tuple(keys.split()), chain, None)
    return found.binding.command if found.binding is not None else ""


class Late:
    """An addon that comes later."""

    def __init__(self, ran: list[str]) -> None:
        self.ran = ran

    def load(self, loader: object) -> None:
        loader.add_command("late.now", self.now)  # type: ignore[attr-defined]

    def now(self, word: str) -> None:
        self.ran.append(word)


LATE = """\
version: 1
bind:
  - {keys: leader n, in: [flows], run: late.now please, help: Now}
  - {keys: ctrl n, in: [flows], run: late.now please, help: Now please}
"""


async def test_a_key_works_as_soon_as_an_addon_brings_its_command(tmp_path, caplog):
    write(tmp_path / "keys.yaml", LATE)
    ran: list[str] = []
    async with shown_console(tmp_path) as shown:
        assert f"{tmp_path}/keys.yaml:4:38: ctrl n does nothing yet: no command is called 'late.now'" in caplog.text
        shown.press("ctrl n")
        assert "ctrl n (keys.yaml:4): no command is called 'late.now'" in shown.text
        shown.press("esc", ",")
        assert "n Now - no command is called 'late.now'" in shown.text
        shown.press("esc", "?")
        assert "Now please               no command is called 'late.now'" in shown.text
        shown.press("q")
        assert "now please" not in shown.lines[-1]

        late = Late(ran)
        shown.console.master.addons.add(late)
        assert "now please" in shown.lines[-1]
        shown.press("ctrl n", ",", "n")
        assert ran == ["please", "please"]

        shown.console.master.addons.remove(late)
        assert "now please" not in shown.lines[-1]
        shown.press("ctrl n")
        assert "no command is called 'late.now'" in shown.text
        assert ran == ["please", "please"]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("flow.resume @focus", ""),
        ("flow.resum @focus", "no command is called 'flow.resum'; did you mean 'flow.resume'?"),
        ("console.command flow.ma", ""),
        ("console.command nowhere.to.be.found @focus", "no command is called 'nowhere.to.be.found'"),
        ("console.command", ""),
        (
            "console.command.confirm 'really?' flow.kil @all",
            "no command is called 'flow.kil'; did you mean 'flow.kill'?",
        ),
        ("console.choose.cmd x view.order.options set view_order {choice}", ""),
        ("console.choose.cmd x vew.order.options set view_order {choice}", "no command is called 'vew.order.options'"),
        ("console.choose.cmd x view.order.options sett view_order {choice}", "no command is called 'sett'"),
        ("console.choose x a,b console.command.confirm sure? flow.kil @all", "no command is called 'flow.kil'"),
    ],
)
async def test_commands_within_commands_are_looked_for_too(tmp_path, line, missing):
    async with shown_console(tmp_path) as shown:
        problem = command_problem(line, shown.console.master.commands.commands)
        assert problem.startswith(missing) if missing else not problem


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("set view_filter ~q", ""),
        ("set view_fliter ~q", "no option is called 'view_fliter'; did you mean 'view_filter'?"),
        ("console.command.set nope", "no option is called 'nope'"),
        ("console.choose.cmd x view.order.options set view_odrer {choice}", "no option is called 'view_odrer'"),
        ("flow.comment @all set nope", ""),
        ("set", ""),
    ],
)
async def test_options_within_commands_are_looked_for_too(tmp_path, line, missing):
    async with shown_console(tmp_path) as shown:
        problem = option_problem(line, shown.options)
        assert problem.startswith(missing) if missing else not problem


async def test_bind_and_unbind_until_exit(tmp_path):
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows,detail 'ctrl x k' flow.kill @focus")
        await run(shown, "console.key.bind flowlist,eventlog 'meta b' flow.mark @focus ':red_circle:'")
        keymap = shown.console.keys.keymap
        assert keymap.find(("ctrl x", "k"), CONTEXTS["detail"], None).binding.help == "Kill", (
            "as it is called elsewhere"
        )
        assert keymap.find(("alt b",), CONTEXTS["log"], None).binding.command == "flow.mark @focus :red_circle:"
        await run(shown, "console.key.unbind flowlist a")
        assert bound(shown, "a") == ""
        assert bound(shown, "a", "detail") == "flow.resume @focus"
        await run(shown, "console.keymap.reload")
        assert bound(shown, "a") == ""
        assert shown.console.keys.keymap is not keymap
        assert shown.console.keys.keymap.find(("ctrl x", "k"), CONTEXTS["flows"], None).binding
        assert "flows" in await run(shown, "console.key.contexts")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("console.key.bind flwos x flow.kill @focus", "'flwos' is no context; did you mean 'flows'?"),
        ("console.key.bind chooser x flow.kill @focus", "chooser: no keys can be bound there"),
        ("console.key.bind flows entre flow.kill @focus", "'entre' is no key name; did you mean 'enter'?"),
        ("console.key.bind flows e flow.kill @focus", "'e' starts the chord 'e h' in flows; unbind that first"),
        ("console.key.bind flows 'a b' flow.kill @focus", "'a' is a binding of its own in flows; unbind that first"),
        ("console.key.bind flows x flow.kil", "no command is called 'flow.kil'"),
        ("console.key.unbind flows f12", "'f12' is not bound in flows"),
        ("console.keymap.load /nowhere.yaml", "/nowhere.yaml: No such file or directory"),
        ("console.keymap.save", "no key was bound or unbound in this session"),
        ("console.key.edit.focus", "no key binding is selected"),
    ],
)
async def test_what_cannot_be_done_is_said(tmp_path, line, problem):
    async with shown_console(tmp_path) as shown:
        with pytest.raises(CommandError) as raised:
            await run(shown, line)
        assert problem in str(raised.value)
        assert bound(shown, "a") == "flow.resume @focus"


@pytest.mark.parametrize("key", ["'\"'", "\\", "'\\''", ";", "space", "#", "é"])
async def test_odd_keys(tmp_path, key):
    async with shown_console(tmp_path) as shown:
        if key == "'\\''":
            key = '"\'"'
        await run(shown, f"console.key.bind options {key} console.exit")
        shown.press("K", "/", "console.exit", "enter")
        wanted = {"space": "space"}.get(key, key.strip("'\"") or key[1])
        assert bound(shown, wanted, "options") == "console.exit"


async def test_a_file_loaded_while_it_runs_is_laid_over_what_is_there(tmp_path):
    path = write(
        tmp_path / "more.yaml",
        """\
        version: 1
        bind:
          - {keys: ctrl t, in: [flows], run: flow.mark.toggle @focus, help: Toggle}
          - {keys: d, in: [flows], run: flow.kill @focus, help: Kill}
          - {keys: x, in: [nowhere], run: flow.kill @focus}
        """,
    )
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows J flow.kill @focus")
        await run(shown, f"console.keymap.load {path}")
        assert "2 keys bound; 1 entry is skipped, the keys pane says why" in shown.text
        assert bound(shown, "ctrl t") == "flow.mark.toggle @focus"
        assert bound(shown, "d") == "flow.kill @focus"
        assert bound(shown, "a") == "flow.resume @focus"
        assert bound(shown, "J") == "flow.kill @focus"
        shown.press("K")
        assert "more.yaml:5:20: 'nowhere' is no context" in shown.text
        shown.press("/", "overridden", "enter")
        assert any("- d" in line and "view.flows.remove @focus" in line for line in shown.lines)

        path.write_text("version: 1\nbind: [")
        with pytest.raises(CommandError, match=r"more\.yaml:2:8"):
            await run(shown, f"console.keymap.load {path}")
        assert bound(shown, "ctrl t") == "flow.mark.toggle @focus", "a file that cannot be read changes nothing"

        path.write_text("version: 1\nextends: none\nbind: [{keys: k, run: flow.kill @all}]\n")
        await run(shown, f"console.keymap.load {path}")
        assert bound(shown, "a") == ""
        assert bound(shown, "k") == "flow.kill @all"
        assert shown.console.bindings.errors == []


async def test_which_set_is_an_option(tmp_path, caplog):
    write(tmp_path / "keybindings" / "tiny.yaml", "version: 1\nbind: [{keys: ctrl t, run: flow.kill @focus}]\n")
    other = write(tmp_path / "other.yaml", "- {key: ctrl o, cmd: flow.kill @focus}\n")
    write(tmp_path / "keys.yaml", "version: 1\nbind: [{keys: ctrl y, run: flow.kill @focus}]\n")
    async with shown_console(tmp_path) as shown:
        for value, own in (("tiny", "ctrl t"), (str(other), "ctrl o")):
            shown.options.update(console_keys=value)
            await shown.until(lambda own=own: bound(shown, own))
            for key in (own, "ctrl y", "d"):
                assert bound(shown, key), (value, key)
        assert bound(shown, "ctrl t") == ""
        shown.options.update(console_keys="tinny")
        wrong = "console_keys: there is no key set 'tinny'; did you mean 'tiny'?"
        await shown.until(lambda: shown.console.bindings.errors == [wrong])
        assert bound(shown, "d")
        write(tmp_path / "keys.yaml", "version: 1\nextends: default\nbind: [{keys: ctrl y, run: flow.kill @focus}]\n")
        shown.options.update(console_keys="tiny")
        await shown.until(lambda: "keys.yaml says itself what it extends, so console_keys is not used" in caplog.text)
        assert bound(shown, "ctrl t") == ""


async def test_the_sets_are_completed(tmp_path):
    write(tmp_path / "keybindings" / "tiny.yaml", "version: 1\n")
    async with shown_console(tmp_path) as shown:
        shown.press(":", "set console_keys t", "tab")
        assert ": set console_keys tiny" in shown.prompt_line
        shown.press("backspace", "backspace", "backspace", "backspace", "backspace", "tab")
        assert "| default" in shown.text
        shown.press("esc", "ctrl u", f"set console_keys {tmp_path}/keyb", "tab")
        assert f": set console_keys {tmp_path}/keybindings/" in shown.prompt_line


async def test_without_any_key_left_there_are_those_of_the_default_set(tmp_path):
    write(tmp_path / "keys.yaml", "version: 1\nextends: none\n")
    async with shown_console(tmp_path) as shown:
        assert bound(shown, "q") == "console.view.pop"


# --- saving -----------------------------------------------------------------------------------------------------------


async def again(tmp_path: Path, check: Callable[[Shown], object]) -> None:
    """What another start makes of the saved file."""
    async with shown_console(tmp_path) as shown:
        assert shown.console.bindings.errors == []
        check(shown)


async def test_saving_keeps_what_stands_in_the_file(tmp_path):
    path = write(
        tmp_path / "keys.yaml",
        """\
        # my keys
        version: 1
        bind:
          # the most useful one
          - {keys: ctrl t, in: [flows], run: "flow.kill @focus", help: 'Kill'}  # really
          - keys: ctrl y
            run: flow.kill @all
        """,
    )
    path.chmod(0o640)
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'ctrl u' flow.mark @focus ':dog:'")
        await run(shown, "console.key.unbind global 'ctrl y'")
        await run(shown, "console.key.bind flows d flow.kill @focus")
        await run(shown, "console.key.unbind flows d")
        await run(shown, "console.key.unbind flows e")
        await run(shown, "console.key.bind flows e flow.revert @focus")
        shown.press("K", "S")
        await shown.until_shown("6 changes written to")
        assert shown.console.bindings.session == []
        assert bound(shown, "d") == ""
    assert path.read_text() == textwrap.dedent("""\
        # my keys
        version: 1
        bind:
          # the most useful one
          - {keys: ctrl t, in: [flows], run: "flow.kill @focus", help: 'Kill'}  # really
          - keys: ctrl u
            in: [flows]
            run: 'flow.mark @focus :dog:'
          - keys: e
            in: [flows]
            run: flow.revert @focus
        unbind:
          - keys: d
            in: [flows]
          - keys: e
            in: [flows]
        """)
    assert path.stat().st_mode & 0o777 == 0o640

    def check(shown: Shown) -> None:
        assert bound(shown, "ctrl u") == "flow.mark @focus :dog:"
        assert bound(shown, "ctrl y") == ""
        assert bound(shown, "d") == ""
        assert bound(shown, "e") == "flow.revert @focus"

    await again(tmp_path, check)


async def test_saving_makes_the_file_or_adds_to_a_list(tmp_path):
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'g x' flow.kill @focus")
        await run(shown, "console.keymap.save")
    await again(tmp_path, lambda shown: bound(shown, "g x") == "flow.kill @focus" or pytest.fail())
    write(tmp_path / "keys.yaml", "# a list\n- key: ctrl t\n  cmd: flow.kill @focus\n")
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'ctrl u' flow.kill @focus")
        await run(shown, "console.keymap.save")
        await run(shown, "console.key.unbind flows 'd'")
        with pytest.raises(CommandError, match="is a list, which cannot say that d is unbound"):
            await run(shown, "console.keymap.save")
    assert (tmp_path / "keys.yaml").read_text().startswith("# a list\n")
    await again(tmp_path, lambda shown: bound(shown, "ctrl u") == "flow.kill @focus" or pytest.fail())


async def test_a_broken_file_is_not_written_over(tmp_path):
    path = write(tmp_path / "keys.yaml", "version: 1\nbind: [\n")
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'ctrl u' flow.kill @focus")
        with pytest.raises(CommandError, match=r"keys\.yaml:3:1: .*; nothing was saved"):
            await run(shown, "console.keymap.save")
    assert path.read_text() == "version: 1\nbind: [\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 1\nversion: 1\n", r":2:1: found duplicate key"),
        ("version: 1\nx: 2001-99-99\n", ": it has a value that is none"),
        ("version: 1\nx: !!bool q\n", ": it has a value that is none"),
        (f"version: 1\nx: {'9' * 5000}\n", ": it has a value that is none"),
        ("version: 1\nx: !!omap [a]\n", r":2:\d+: expected a mapping"),
    ],
)
async def test_a_file_that_cannot_be_kept_is_left_alone(tmp_path, text, place):
    path = write(tmp_path / "keys.yaml", text)
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'ctrl u' flow.kill @focus")
        with pytest.raises(CommandError, match=rf"keys\.yaml{place}.*; nothing was saved") as refused:
            await run(shown, "console.keymap.save")
        assert "\n" not in str(refused.value)
    assert path.read_text() == text


async def test_what_is_saved_is_private_and_a_link_stays_one(tmp_path):
    old = os.umask(0)
    try:
        async with shown_console(tmp_path) as shown:
            await run(shown, "console.key.bind flows 'ctrl u' flow.kill @focus")
            await run(shown, "console.keymap.save")
        made = tmp_path / "keys.yaml"
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        made.rename(tmp_path / "elsewhere.yaml")
        made.symlink_to("elsewhere.yaml")
        async with shown_console(tmp_path) as shown:
            await run(shown, "console.key.bind flows 'ctrl y' flow.kill @all")
            await run(shown, "console.keymap.save")
    finally:
        os.umask(old)
    assert made.is_symlink()
    assert "flow.kill @all" in (tmp_path / "elsewhere.yaml").read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if "keys" in path.name) == ["keys.yaml"]  # nothing is left


@pytest.mark.parametrize("text", ["menus: 7\n", "menus: [{keys: ctrl, items: {u: []}}]\n", "unbind: [[a], 7]\n"])
async def test_entries_that_are_wrong_do_not_keep_others_from_being_saved(tmp_path, text):
    path = write(tmp_path / "keys.yaml", f"version: 1\n{text}")
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'ctrl u' flow.kill @focus")
        await run(shown, "console.keymap.save")
    assert "run: flow.kill @focus" in path.read_text()


# --- the pane ---------------------------------------------------------------------------------------------------------


async def test_the_keys_of_the_pane(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.view.add(http_flow("http://example.com/"))
        shown.press("K", "/", "view.flows.duplicate @focus", "enter", "d")
        assert bound(shown, "D") == ""
        assert "1 of this session" in shown.text
        assert "D in flows, detail is unbound" in shown.text
        assert any("- D" in line and "unbound by session" in line for line in shown.lines)

        shown.press("/", "flow.revert @focus", "enter", "b")
        assert "bind a key" in shown.text
        shown.press("ctrl n")
        assert "ok: free here" in shown.text
        shown.press("enter")
        assert bound(shown, "ctrl n", "detail") == "flow.revert @focus"
        assert "ctrl n in flows, queue, detail runs flow.revert @focus" in shown.text
        assert any(line.startswith(">   ctrl n ") for line in shown.lines), "the new row has the focus"
        assert bound(shown, "V", "detail") == "flow.revert @focus"

        shown.press("/", "flow.mark.toggle @focus", "enter", "enter")
        assert "another key" in shown.text
        shown.press("Y", "enter")
        assert (bound(shown, "Y"), bound(shown, "m")) == ("flow.mark.toggle @focus", "")
        focused = next(line for line in shown.lines if line.startswith(">"))
        assert "flow.mark.toggle" in focused

        shown.press("/", "console.exit", "enter", "x")
        assert ": console.exit" in shown.prompt_line
        shown.press("esc", "a")
        assert "bind a key" in shown.text
        shown.press("esc", "C", "/", "flow.resume", "enter", "b")
        assert "[x] global" in shown.text
        shown.press("ctrl o", "enter")
        row = next(line for line in shown.lines if line.startswith("> flow.resume "))
        assert " ctrl o " in f"{row} "


async def test_a_click_on_the_focused_row_rebinds(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.press("K")
        for _ in range(2):
            assert shown.text
            shown.console.terminal.handle([("mouse press", 1, 10, 5)])
        assert "another key" in shown.text
        assert "[x] flows" in shown.text
        assert "[x] detail" in shown.text


async def test_find_by_key(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.press("K", "\\")
        assert "press the key" in shown.text
        shown.press("m")
        assert any(line.startswith(">   m ") and "flow.mark.toggle" in line for line in shown.lines)
        shown.press("\\", "m")
        assert any(line.startswith(">   m ") and "flow.mark.toggle" not in line for line in shown.lines)
        shown.press("\\", "ctrl y")
        assert "ctrl y is bound to nothing" in shown.text
        shown.press("\\", "esc", "\\", ",")
        assert any(line.startswith(">   , ") for line in shown.lines)


async def test_a_rebinding_that_fails_leaves_the_old_one(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.press("K", "/", "flow.mark.toggle @focus", "enter", "enter", "e")
        assert "'e' starts the chord 'e h' in flows; unbind that first" in shown.text, "said before enter"
        shown.press("enter")
        assert "'e' starts the chord 'e h' in flows; unbind that first" in shown.text
        assert bound(shown, "m") == "flow.mark.toggle @focus"
        assert shown.console.bindings.session == []
        shown.press("backspace", "d")
        assert "takes the place of view.flows.remove @focus in flows" in shown.text
        shown.press("backspace", "enter")
        assert "enter" in shown.text, "the first key is taken whatever it is"
        shown.press("backspace", "Y", "enter")
        assert (bound(shown, "Y"), bound(shown, "m")) == ("flow.mark.toggle @focus", "")
        assert shown.console.overlay is None


async def test_the_box_says_what_is_missing_and_saves_if_asked(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.press("K", "a", "ctrl n", "enter")
        assert "command: no command is given" in shown.text
        shown.press("flow.resum", "enter")
        assert "did you mean 'flow.resume'" in shown.text
        shown.press("e @focus", "ctrl s")
        await shown.until_shown("keys.yaml")
        assert bound(shown, "ctrl n") == "flow.resume @focus"
        await shown.until(lambda: (tmp_path / "keys.yaml").exists())
        assert "flow.resume @focus" in (tmp_path / "keys.yaml").read_text()


async def test_the_title_of_a_menu_has_room_and_does_no_harm(tmp_path):
    for title, shown_title in (("Things of \\e[31mmine", "Things of ␛[31mmine"), ("菜单 " * 40, "菜单 菜单 菜单")):
        menu = f'{{keys: leader t, in: [flows], title: "{title}", items: {{a: [flow.kill @focus, Kill]}}}}'
        write(tmp_path / "keys.yaml", f"version: 1\nmenus:\n  - {menu}\n")
        async with shown_console(tmp_path, 80, 24) as shown:
            shown.press(",")
            assert f"t {shown_title}" in shown.text
            shown.press("t")
            assert f"- , t  {shown_title} " in shown.text


async def test_a_text_that_needs_quotes_is_told_so(tmp_path, caplog):
    write(tmp_path / "keys.yaml", "- key: ctrl a\n  cmd: flow.mark @focus :dog:\n")
    async with shown_console(tmp_path):
        assert "keys.yaml:2:29: no ':' is allowed here: is a text not in quotes" in caplog.text


TWO_CONDITIONS = """\
version: 1
bind:
  - {keys: J, in: [flows], run: "flow.mark @focus :cat:", when: "~m POST", help: "Cat"}
  - {keys: J, in: [flows], run: "flow.mark @focus :fox:", when: "~m PUT", help: 'Fox'}
  - {keys: J, in: [flows], run: flow.mark.toggle @focus}
"""


async def test_one_of_several_conditions_is_moved_or_taken_away_alone(tmp_path):
    def commands(shown: Shown, key: str) -> list[tuple[str, str]]:
        return [(each.command, each.help) for each in shown.console.bindings.keymap.bound((key,), "flows")]

    cat, fox = ("flow.mark @focus :cat:", "Cat"), ("flow.mark @focus :fox:", "Fox")
    toggle = ("flow.mark.toggle @focus", "Mark")
    write(tmp_path / "keys.yaml", TWO_CONDITIONS)
    async with shown_console(tmp_path) as shown:
        shown.press("K", "/", ":cat:", "enter", "enter", "Y", "enter")
        assert commands(shown, "Y") == [cat]
        assert commands(shown, "J") == [fox, toggle]
        assert not any(line.startswith("  - J") and ":fox:" in line for line in shown.lines), "it is there again"
        await run(shown, "console.keymap.save")
        assert commands(shown, "Y") == [cat]
        assert commands(shown, "J") == [fox, toggle]
        shown.press("/", ":fox:", "enter", "d")
        assert commands(shown, "J") == [toggle]
        await run(shown, "console.keymap.save")
    async with shown_console(tmp_path) as shown:
        assert (commands(shown, "Y"), commands(shown, "J")) == ([cat], [toggle])


async def test_saving_twice_at_once_writes_once(tmp_path):
    async with shown_console(tmp_path) as shown:
        await run(shown, "console.key.bind flows 'ctrl u' flow.kill @focus")
        shown.press("K", "S", "S")
        await shown.until_shown("no key was bound or unbound in this session")
    assert (tmp_path / "keys.yaml").read_text().count("ctrl u") == 1


async def test_what_is_bound_while_files_are_read_counts(tmp_path):
    path = write(tmp_path / "more.yaml", "version: 1\nbind: [{keys: ctrl t, run: flow.kill @focus}]\n")
    async with shown_console(tmp_path) as shown:
        for line in ("console.keymap.reload", f"console.keymap.load {path}"):
            reading = asyncio.ensure_future(run(shown, line))
            await asyncio.sleep(0)
            await run(shown, f"console.key.bind flows {line[-1]} flow.resume @focus")
            await reading
            assert bound(shown, line[-1]) == "flow.resume @focus"


async def test_keys_of_the_prompt_context(tmp_path):
    write(tmp_path / "keys.yaml", "version: 1\nbind: [{keys: ctrl x o, in: [prompt], run: console.view.options}]\n")
    async with shown_console(tmp_path) as shown:
        shown.press(":", "flow", "ctrl x", "o")
        assert shown.console.pane.name == "options"


SMALL = """\
version: 1
unbind: [{keys: V, in: [flows]}]
bind: [{keys: d, in: flows, run: flow.kill @all}]
"""
MENUS = """\
version: 1
options: {leader: f9}
unbind:
  - {keys: g}
bind:
  - {keys: leader z, in: [flows, detail], run: flow.kill @all}
menus:
  - {keys: leader, in: [flows, options], items: {9: flow.kill @all, x: [flow.kill @focus, Kill]}}
  - {keys: g, items: {x: [flow.kill @focus, Kill]}}
"""


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("own", ["", SMALL, MENUS], ids=["new", "small", "menus"])
async def test_what_is_saved_is_what_was_bound(tmp_path, seed, own):
    random = Random(seed)
    keys = ("d", "V", "e", "e h", "g x", ", z", ", 9", "f5", "page_up", "ctrl x a", ";", "f9 9", "f9 z", "f9")
    contexts = (("flows",), ("flows", "detail"), ("global",), ("options",))
    if own:
        write(tmp_path / "keys.yaml", own)
    async with shown_console(tmp_path) as shown:
        bindings = shown.console.bindings
        for _ in range(12):
            chord, where = parse_chord(random.choice(keys)), random.choice(contexts)
            with suppress(CommandError):
                if random.random() < 0.6:
                    bindings.bind(chord, where, f"flow.mark @focus {random.randrange(3)}")
                else:
                    bindings.unbind(chord, where)
        wanted = everything(shown)
        await run(shown, "console.keymap.save")
        assert bindings.errors == []
        assert everything(shown) == wanted


def everything(shown: Shown) -> set[tuple[str, tuple[str, ...], str]]:
    keymap = shown.console.keys.keymap
    return {(context, each.keys, each.command) for context in CONTEXTS for each in keymap.in_context(context)}


async def test_a_condition_is_asked_once_for_each_state_of_the_flow_and_not_with_every_frame(tmp_path):
    asked: list[str] = []

    def is_marked(flow: Flow) -> bool:
        asked.append(flow.marked)
        return bool(flow.marked)

    async with shown_console(tmp_path) as shown:
        flow = http_flow("http://example.com/")
        shown.view.add(flow)
        shown.console.bindings.keymap.begin_layer()  # so that it is hinted at first
        for keys in (("J",), (",", "J")):
            binding = Binding(keys, ("flows",), "flow.revert @all", "Odd one", is_marked, "~marked")
            shown.console.bindings.keymap.add(binding)
        assert "odd one" not in shown.lines[-1]
        assert "odd one" not in shown.lines[-1]
        assert asked == [""]
        await run(shown, "flow.mark @focus :dog:")
        assert "J odd one" in shown.lines[-1]
        assert "J odd one" in shown.lines[-1]
        assert asked == ["", ":dog:"]
        shown.press(",")
        assert "J Odd one" in shown.text
        assert "J Odd one" in shown.text
        assert len(asked) == 3


async def test_hints_name_the_keys_that_there_are(tmp_path):
    own = "version: 1\nextends: none\nbind: [{keys: x, run: console.view.help}, {keys: Z, run: console.command}]\n"
    write(tmp_path / "keys.yaml", own)
    async with shown_console(tmp_path) as shown:
        assert "  Z type a command  x all keys" in shown.text
        assert "quit" not in shown.text
        shown.press("q")
        assert "q does nothing here; x shows the keys" in shown.text
        shown.press("Z", "console.view.options", "enter")
        assert " options " in shown.text
        assert "/ find" not in shown.text
        shown.press("Z", "console.key.unbind global x", "enter", "q")
        assert "q does nothing here\n" in shown.text
