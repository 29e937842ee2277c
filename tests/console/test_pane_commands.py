import pytest

from midstream.console.detail_commands import DetailCommands
from midstream.console.log_commands import LogCommands
from midstream.console.pane_commands import PaneCommands
from midstream.console.panes import PANES, Detail, FlowList, Log, OptionsPane
from midstream.flows.errors import CommandError
from tests.kit.captured import http_flow
from tests.kit.fake_console import FakeConsole, screen


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def addon(console: FakeConsole) -> PaneCommands:
    made = PaneCommands(console)  # type: ignore[arg-type]
    console.master.commands.collect_commands(made)
    console.master.commands.collect_commands(DetailCommands(console))  # type: ignore[arg-type]
    console.master.commands.collect_commands(LogCommands(console))  # type: ignore[arg-type]
    console.add(http_flow("http://h/", response_body=b'{"a":1}'))
    return made


def test_they_act_on_the_focused_pane(console: FakeConsole, addon: PaneCommands) -> None:
    detail = console.focused_pane = Detail(console)  # type: ignore[arg-type]
    run = console.master.commands.execute
    screen(detail, 80, 12)
    run("console.flowview.tab response")
    assert detail.tab == "Response"
    run("console.flowview.mode.set 'hex dump'")
    assert run("console.flowview.mode") == "hex dump"
    run("console.flowview.raw")
    assert detail.content.mode == "raw"
    run("console.flowview.wrap")
    assert not detail.content.viewer.wrap
    run("console.flowview.fold")
    assert not detail.content.folded
    with pytest.raises(CommandError, match="no tab 'x'"):
        run("console.flowview.tab x")
    with pytest.raises(CommandError):
        run("console.flowview.mode.set dance")
    console.focused_pane = OptionsPane(console)  # type: ignore[arg-type]
    run("console.options.changed")
    assert console.focused_pane.only_changed
    console.focused_pane = Log(console)  # type: ignore[arg-type]
    run("console.log.expand")
    assert console.focused_pane.expanded


def test_they_say_where_they_work(console: FakeConsole, addon: PaneCommands) -> None:
    console.focused_pane = FlowList(console)  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="open the details of a flow first"):
        console.master.commands.execute("console.flowview.raw")


def test_every_pane_has_a_name_and_contexts() -> None:
    for name, pane in PANES.items():
        made = pane(FakeConsole())
        assert made.name == name
        assert made.contexts[-1] == "global"
        assert made.selectable()


def test_every_command_has_help(console: FakeConsole, addon: PaneCommands) -> None:
    assert all(command.help for command in console.master.commands.commands.values())
