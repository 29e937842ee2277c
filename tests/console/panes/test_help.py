from midstream.console.keymap import Binding
from midstream.console.panes.help import HelpPane
from midstream.filters import OPERATORS, parse
from tests.kit.fake_console import FakeConsole, screen


def test_keys_and_filters_are_listed(console: FakeConsole) -> None:
    for name in ("console.nav.start", "flow.resume"):
        console.master.commands.add(name, lambda: None)
    keymap = console.keys.keymap
    keymap.add(Binding(("b",), ("flows",), "flow.resumee", "Later"))
    keymap.add(Binding(("g", "g"), ("list",), "console.nav.start", "To the start"))
    keymap.add(Binding(("a",), ("flows",), "flow.resume @focus", "Resume", when_text="~q"))
    pane = HelpPane(console)  # type: ignore[arg-type]
    pane.asked_from = ("flows",)
    pane.entered()
    lines = screen(pane, 100, 100)
    assert lines[1] == " Flow list"
    assert "   a              Resume                   flow.resume @focus   when ~q" in lines
    assert "   g g            To the start             console.nav.start" in lines
    text = "\n".join(lines)
    assert "   b              Later                    no command is called 'flow.resumee'; did you mean" in text
    for operator in OPERATORS:
        assert operator.name in text


def test_it_scrolls_and_finds(console: FakeConsole) -> None:
    pane = HelpPane(console)  # type: ignore[arg-type]
    pane.entered()
    screen(pane, 60, 16)
    assert pane.search("~websocket")
    assert any("~websocket" in line for line in screen(pane, 60, 16))
    pane.navigate("end")
    assert "checkout" in screen(pane, 60, 16)[-1]


def test_the_examples_are_filters() -> None:
    from midstream.console.panes.help import _EXAMPLES

    for text, _ in _EXAMPLES:
        parse(text)
