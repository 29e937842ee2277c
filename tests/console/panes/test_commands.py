import pytest

from midstream.console.keymap import Binding
from midstream.console.panes.commands import CommandsPane
from midstream.hub.commands import command
from tests.kit.fake_console import FakeConsole, screen


class Addon:
    @command("flow.mark")
    def mark(self, marker: str, *more: str) -> None:
        """Set a marker.

        On several flows at once, too.
        """

    @command("view.clear")
    def clear(self) -> None:
        """Drop all flows."""


@pytest.fixture
def pane(console: FakeConsole) -> CommandsPane:
    console.master.commands.collect_commands(Addon())
    console.keys.keymap.add(Binding(("m",), ("flows",), "flow.mark :default:", "Mark"))
    console.keys.keymap.add(Binding(("/",), ("list",), "console.search", "Find"))
    return CommandsPane(console)  # type: ignore[arg-type]


GOLDEN = """\
 commands  2   / find
  command                    arguments                                keys
> flow.mark                  marker:str *more:str                     m
  view.clear




+- flow.mark ------------------------------------------------------------------+
| Set a marker.                                                                |
|                                                                              |
+------------------------------------------------------------------------------+"""


def test_golden(console: FakeConsole, pane: CommandsPane) -> None:
    pane.entered()
    assert "\n".join(screen(pane, 80, 12)).rstrip() == GOLDEN
    assert any("On several flows at once" in line for line in screen(pane, 120, 12))


def test_enter_runs_the_command_with_a_form(console: FakeConsole, pane: CommandsPane) -> None:
    pane.navigate("select")
    pane.navigate("down")
    pane.navigate("select")
    assert console.commands == ["console.command.form flow.mark", "console.command.form view.clear"]


def test_the_box_tells_each_argument_with_examples_and_the_lines_that_keys_run(
    console: FakeConsole, pane: CommandsPane
) -> None:
    pane.entered()
    shown = "\n".join(screen(pane, 120, 20))
    assert "marker  str" in shown and "more  str any number" in shown
    assert "m  flow.mark :default:" in shown
    assert "from addon (test_commands.py:" in shown


def test_name_and_line_can_be_copied(pane: CommandsPane) -> None:
    copies = pane.copies()
    assert copies["name"]() == "flow.mark"
    assert copies["line"]() == "flow.mark marker:str *more:str"


def test_find_in_names_and_help(console: FakeConsole, pane: CommandsPane) -> None:
    assert pane.search("drop all")
    assert pane.focused_command == "view.clear"


def test_no_commands() -> None:
    console = FakeConsole()
    pane = CommandsPane(console)  # type: ignore[arg-type]
    pane.navigate("select")
    assert "There are no commands" in "\n".join(screen(pane, 60, 16))
