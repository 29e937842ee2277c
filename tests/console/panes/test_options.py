from collections.abc import Sequence

import pytest

from midstream.console.grids import Items
from midstream.console.keymap import Binding
from midstream.console.panes.options import OptionsPane
from midstream.flows.errors import OptionsError
from midstream.hub import config
from midstream.hub.option_kinds import between
from tests.kit.fake_console import FakeConsole, roles, screen
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
def pane(console: FakeConsole) -> OptionsPane:
    add = console.master.options.add_option
    add("stream_large_bodies", str | None, None, "Stream bodies larger than this instead of holding them.", kind="size")
    add("intercept", str | None, None, "Filter of flows to hold.", kind="filter")
    add("intercept_active", bool, False, "Whether the filter is applied.")
    add("scripts", Sequence[str], [], "Addon scripts.", kind="path")
    add("listen_port", int | None, None, "Port to listen on.", kind=between(0, 65535))
    add("view_order", str, "time", "Sort key.", choices=["time", "method", "url", "size"])
    add("proxyauth", str | None, None, "Credentials that clients must give.", kind="secret")
    console.keys.keymap.add(Binding(("c",), ("options",), "console.options.changed", "Only changed"))
    console.keys.keymap.add(Binding(("/",), ("list",), "console.search", "Find"))
    return OptionsPane(console)  # type: ignore[arg-type]


def go(pane: OptionsPane, name: str) -> None:
    pane.row_count()
    pane.scroll.count = pane.row_count()
    pane.scroll.go(pane._names.index(name))
    assert pane.focused_option == name


def keys(pane: OptionsPane, *pressed: str) -> None:
    for key in pressed:
        assert pane.typed(key), key


def edit(pane: OptionsPane, name: str, *pressed: str) -> None:
    go(pane, name)
    pane.navigate("select")
    keys(pane, *pressed)


GOLDEN = """\
 options  7   c changed 1   / find
  name                       value                         default      from
  intercept                  ~m POST                       nothing      session
> intercept_active           false                         -            -
  listen_port                                              -            -
  proxyauth                                                -            -
  scripts                                                  -            -
  stream_large_bodies                                      -            -
  view_order                 time                          -            -







+- intercept_active -----------------------------------------------------------+
| Whether the filter is applied.                                               |
|                                                                              |
| type     bool                                                                |
| default  false                                                               |
+------------------------------------------------------------------------------+"""


def test_golden(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(intercept="~m POST")
    pane.navigate("down")
    assert "\n".join(screen(pane, 80, 22)).rstrip() == GOLDEN
    beside = screen(pane, 120, 16)
    assert "+- intercept_active ---" in beside[2]
    assert "default" not in screen(pane, 60, 16)[1]


def test_a_bool_is_toggled(console: FakeConsole, pane: OptionsPane) -> None:
    go(pane, "intercept_active")
    pane.navigate("select")
    assert console.master.options.intercept_active is True
    assert not pane.editing
    assert any("intercept_active" in line and "true" in line for line in screen(pane, 80, 22))


def test_a_size_is_typed_in_place(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "stream_large_bodies", "2", "m", "x")
    assert pane.editing
    text = "\n".join(screen(pane, 80, 24))
    assert "[2mx" in text
    assert "'2mx' is not a size" in text
    keys(pane, "enter")
    assert pane.editing
    assert console.master.options.stream_large_bodies is None
    keys(pane, "backspace")
    assert "ok: 2m = 2,097,152 bytes" in "\n".join(screen(pane, 80, 24))
    assert pane.get_cursor_coords((80, 24)) == (32, 7)
    keys(pane, "enter")
    assert not pane.editing
    assert console.master.options.stream_large_bodies == "2m"


def test_escape_keeps_the_old_value(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(intercept="~q")
    edit(pane, "intercept", "ctrl u", "~", "s", "esc")
    assert not pane.editing
    assert console.master.options.intercept == "~q"


def test_an_emptied_optional_is_nothing(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(intercept="~q")
    edit(pane, "intercept", "ctrl u", "enter")
    assert console.master.options.intercept is None


def test_the_offending_character_is_marked(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "intercept", *"~m POST | (~c 4")
    assert pane._edit is not None
    assert "column" in pane._edit.problem
    assert any(role == "value.bad" for row in roles(pane, 80, 24) for role, _ in row)


def test_a_field_has_the_room_of_the_columns_behind_it(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(intercept="~d a.example & ~m POST & ~u login")
    edit(pane, "intercept")
    for columns in (80, 120):
        assert any("[~d a.example & ~m POST & ~u login" in line for line in screen(pane, columns, 24))


def test_numbers_have_a_range(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "listen_port", *"99999", "enter")
    assert pane.editing
    assert "above 65535" in "\n".join(screen(pane, 60, 20))
    keys(pane, "ctrl u", *"8081", "enter")
    assert console.master.options.listen_port == 8081


def test_choices_are_stepped_through_and_completed(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "view_order", "down", "down", "up", "enter")
    assert console.master.options.view_order == "method"
    edit(pane, "view_order", "ctrl u", "s", "tab", "enter")
    assert console.master.options.view_order == "size"
    edit(pane, "view_order", "ctrl u", "x", "enter")
    assert pane.editing
    keys(pane, "esc")


def test_lists_are_edited_as_tables(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(scripts=["a\\d.py", "b\nc"])
    go(pane, "scripts")
    pane.navigate("select")
    assert not pane.editing
    assert console.opened == ["grid"]
    kind = Items(console.master.options, "scripts", pane._apply)
    rows = kind.read()
    assert [kind.text_of(row.cells[0]) for row in rows] == ["a\\d.py", "b\nc"]
    assert kind.apply([rows[1], rows[0]]) == "scripts set: 2 items"
    assert console.master.options.scripts == ["b\nc", "a\\d.py"]


def test_the_mark_stands_under_the_offending_character(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "intercept", *"~m POST | (~c 4")
    for columns in (60, 80, 120, 200):
        lines = screen(pane, columns, 30)
        at = next(number for number, line in enumerate(lines) if line.rstrip(" |").endswith("^"))
        column = lines[at].index("^")
        assert lines[at - 1][column] == "("


def test_choices_are_listed_while_one_is_edited(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "view_order", "down")
    text = "\n".join(screen(pane, 80, 30))
    assert "| time  [method]  url  size" in text


def test_numbers_are_counted_up_and_down_in_their_range(console: FakeConsole, pane: OptionsPane) -> None:
    edit(pane, "listen_port", "down", "up", "up", "down", "enter")
    assert console.master.options.listen_port == 1


def test_all_are_shown_again(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(intercept="~q")
    assert pane.why_not("console.options.all") == "all options are shown"
    pane.toggle_changed()
    assert " options  1 of 7 " in screen(pane, 80, 22)[0]
    assert not pane.why_not("console.options.all")
    pane.show(only_changed=False)
    assert pane.row_count() == 7


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_values_are_painted_clean(console: FakeConsole, pane: OptionsPane, width: int) -> None:
    console.master.options.add_option("words", Sequence[str], [], "Some text.")
    for text in TEXTS:
        console.master.options.update(stream_large_bodies=None, proxyauth=text, words=[text, text])
        for name in ("proxyauth", "words"):
            go(pane, name)
            assert_clean(pane.render((width, 24), True), width)
        edit(pane, "intercept", "(")
        pane.pasted(text)
        assert_clean(pane.render((width, 24), True), width)
        keys(pane, "esc")


def test_secrets_are_not_shown(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(proxyauth="user:hunter2")
    edit(pane, "proxyauth", "x")
    assert "hunter2" not in "\n".join(screen(pane, 100, 24))
    keys(pane, "enter")
    assert console.master.options.proxyauth == "user:hunter2x"
    assert "hunter2" not in "\n".join(screen(pane, 100, 24))
    assert not pane.search("hunter2")


def test_what_an_addon_refuses_stays_in_the_field(console: FakeConsole, pane: OptionsPane) -> None:
    def refuse(updated: set[str]) -> None:
        if console.master.options.listen_port == 80:
            raise OptionsError("port 80 needs more rights")

    console.master.options.changed.connect(refuse)
    edit(pane, "listen_port", *"80", "enter")
    assert pane.editing
    assert "port 80 needs more rights" in "\n".join(screen(pane, 80, 24))
    assert console.master.options.listen_port is None


def test_a_refused_toggle_is_said(console: FakeConsole, pane: OptionsPane) -> None:
    def refuse(updated: set[str]) -> None:
        if console.master.options.intercept_active:
            raise OptionsError("not now")

    console.master.options.changed.connect(refuse)
    go(pane, "intercept_active")
    pane.navigate("select")
    assert console.messages == ["not now"]
    assert console.master.options.intercept_active is False


def test_a_change_elsewhere_shows_at_once(console: FakeConsole, pane: OptionsPane) -> None:
    pane.entered()
    screen(pane, 80, 22)
    console.frames.clear()
    console.master.options.set("intercept=~m POST")
    assert console.frames == [False]
    assert any("intercept " in line and "~m POST" in line for line in screen(pane, 80, 22))
    pane.left()
    console.master.options.set("intercept=~q")
    assert console.frames == [False]


def test_only_changed(console: FakeConsole, pane: OptionsPane) -> None:
    console.master.options.update(intercept="~q", listen_port=81)
    go(pane, "listen_port")
    pane.toggle_changed()
    assert pane.row_count() == 2
    assert pane.focused_option == "listen_port"
    console.master.options.reset_one("listen_port")
    assert pane.row_count() == 1
    console.master.options.reset()
    assert "Every option has its default" in "\n".join(screen(pane, 80, 22))
    pane.toggle_changed()
    assert pane.row_count() == 7


def test_find_paste_and_leave(console: FakeConsole, pane: OptionsPane) -> None:
    assert pane.search("port to listen")
    assert not pane.search("^.* time$"), "a default value is not what is looked for"
    assert pane.focused_option == "listen_port"
    assert not pane.pasted("1")
    assert not pane.typed("1")
    pane.navigate("select")
    assert pane.pasted("80\n")
    assert not pane.typed("f5")
    pane.left()
    assert not pane.editing
    assert console.master.options.listen_port is None


def test_paths_are_completed(console: FakeConsole, pane: OptionsPane, tmp_path: object) -> None:
    folder = tmp_path  # type: ignore[assignment]
    for name in ("addon_one.py", "addon_two.py"):
        (folder / name).touch()  # type: ignore[operator]
    console.master.options.add_option("script", str, "", "One of them.", kind="path")
    edit(pane, "script", *f"{folder}/add", "tab")
    assert pane._edit is not None
    assert pane._edit.edit.text == f"{folder}/addon_"
    assert len(pane._edit.offered) == 2
    keys(pane, "o", "tab", "enter")
    assert console.master.options.script == f"{folder}/addon_one.py"


def test_an_option_goes_and_comes_back_with_its_script(pane: OptionsPane, console: FakeConsole) -> None:
    options = console.master.options
    script = object()
    options.add_option("mine", str, "one", "Of a script.", owner=script)
    edit(pane, "mine", "X")
    assert "[oneX" in "\n".join(screen(pane, 80, 24))
    options.remove_options(script)
    options.add_option("mine", str, "one", "Of a script.", owner=script)  # it was saved meanwhile
    assert "[oneX" in "\n".join(screen(pane, 80, 24))
    keys(pane, "enter")
    assert options.mine == "oneX"
    assert not pane.editing
    edit(pane, "mine", "Y")
    options.remove_options(script)
    assert not pane.typed("enter")
    shown = "\n".join(screen(pane, 80, 24))
    assert "mine" not in shown
    assert not pane.editing
    assert "oneX" not in shown


def test_where_in_the_config_file_a_value_stands(console: FakeConsole, pane: OptionsPane) -> None:
    config.load(console.master.options, "listen_port: 8081\n", name="/x/config.yaml")
    go(pane, "listen_port")
    assert "set in   /x/config.yaml:1:14" in "\n".join(screen(pane, 80, 24))
    console.master.options.listen_port = 8082
    assert "set in" not in "\n".join(screen(pane, 80, 24))
