import pytest

from midstream.console.keymap import Binding
from midstream.console.panes.log import Log
from midstream.hub.log import LogLevels
from tests.kit.captured import START, http_flow
from tests.kit.fake_console import FakeConsole, roles, screen
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean


@pytest.fixture
def pane(console: FakeConsole) -> Log:
    console.master.options.add_option("console_eventlog_verbosity", str, "info", "Level.", choices=LogLevels)
    return Log(console)  # type: ignore[arg-type]


def fill(console: FakeConsole) -> None:
    for number in range(14):
        console.store.log(
            "KeyError: 'sku' in response()",
            "error",
            START + number / 2,
            source="my_addon",
            exc_text="Traceback (most recent call last):\n  File \"x.py\", line 3, in response\nKeyError: 'sku'",
        )
    console.store.log("server reset by peer\x1b[2J", "warn", START + 9, source="proxy", client="127.0.0.1:5555")
    console.store.log("debugging", "debug", START + 9.5)
    console.store.log("listening on *:8080", "info", START + 10, source="proxyserver")


GOLDEN = """\
 log   level info   3 lines, 14 errors   follow on
 22:13:20.000 error my_addon     KeyError: 'sku' in response()  (x14 in 10 s)  …
 22:13:29.000 warn  proxy        server reset by peer␛[2J
>22:13:30.000 info  proxyserver  listening on *:8080"""


async def test_repeats_are_folded_and_levels_filtered(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    assert "\n".join(screen(pane, 80, 12)).rstrip() == GOLDEN
    console.master.options.update(console_eventlog_verbosity="debug")
    assert any("debugging" in line for line in screen(pane, 80, 12))
    console.master.options.update(console_eventlog_verbosity="error")
    assert [line for line in screen(pane, 80, 12) if "22:13" in line] == [
        ">22:13:20.000 error my_addon     KeyError: 'sku' in response()  (x14 in 10 s)"
    ]
    console.drawer = pane
    assert screen(pane, 80, 5)[0].startswith(">22:13:20.000"), "the title stands above the drawer"
    pane.left()


async def test_repeats_over_more_than_ten_seconds_are_several_lines(console: FakeConsole, pane: Log) -> None:
    pane.entered()
    for number in range(25):
        console.store.log("again", "info", START + number)
    assert [line.split("(")[-1] for line in screen(pane, 80, 8) if "again" in line] == [
        "x10 in 10 s)",
        "x10 in 10 s)",
        "x5 in 10 s)",
    ]
    pane.left()


async def test_it_follows_the_end_until_somebody_looks_up(console: FakeConsole, pane: Log) -> None:
    pane.entered()
    for number in range(30):
        console.store.log(f"entry {number}", "info", START + number)
    assert screen(pane, 80, 8)[-1].endswith("entry 29")
    pane.navigate("up")
    console.store.log("entry 30", "info", START + 30)
    assert screen(pane, 80, 8)[-1].endswith("entry 29")
    pane.navigate("end")
    assert screen(pane, 80, 8)[-1].endswith("entry 30")
    console.store.log("entry 31", "info", START + 31)
    assert screen(pane, 80, 8)[-1].endswith("entry 31")
    pane.left()


async def test_tracebacks_are_shown_on_demand(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    pane.navigate("start")
    assert "Traceback" not in "\n".join(screen(pane, 80, 24))
    pane.navigate("select")
    text = "\n".join(screen(pane, 80, 24))
    assert 'File "x.py", line 3, in response' in text
    assert "said 14 times" in text
    pane.toggle_expanded()
    assert "Traceback" not in "\n".join(screen(pane, 80, 24))
    pane.left()


async def test_a_drawer_hands_over_to_the_pane(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    screen(pane, 80, 6)
    pane.navigate("select")
    assert console.opened == ["log"]
    assert not pane.expanded
    pane.left()


async def test_clearing_and_leaving(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    screen(pane, 80, 8)
    console.frames.clear()
    console.store.data.clear()
    for callback in list(console.store.on_change):
        callback(None)
    assert console.frames == [False]
    assert "Nothing has been logged" in "\n".join(screen(pane, 80, 8))
    pane.left()
    assert console.store.on_change == []


async def test_what_is_not_shown_asks_for_no_frame(console: FakeConsole, pane: Log) -> None:
    pane.entered()
    console.store.log("noise", "debug", START)
    assert console.frames == []
    pane.left()


async def test_search_and_roles(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    screen(pane, 80, 8)
    assert pane.search("RESET|reset")
    assert pane.scroll.focus == 1
    assert not pane.search("nowhere")
    assert any(role == "log.error" for row in roles(pane, 80, 8) for role, _ in row)
    pane.left()


async def test_a_flood_keeps_a_bounded_list(console: FakeConsole, pane: Log) -> None:
    pane.entered()
    for number in range(12_000):
        console.store.log(f"entry {number}", "info", START + number)
    assert pane.row_count() <= 10_500
    assert screen(pane, 80, 8)[-1].endswith("entry 11999")
    pane.left()


async def test_without_a_store(console: FakeConsole, pane: Log) -> None:
    console.master.addons.clear()
    pane.entered()
    assert "Nothing has been logged" in "\n".join(screen(pane, 80, 8))
    pane.left()


def test_what_may_be_shown_of_a_line(pane: Log, console: FakeConsole) -> None:
    console.store.log("GET /?password=hunter2: refused", "error", START, exc_text="hunter2")
    pane.entered()
    console.master.showing.texts.append(lambda text: text.replace(b"hunter2", b"<password-1>"))
    assert "/?password=<password-1>: refused" in "\n".join(screen(pane, 80, 8))
    pane.toggle_expanded()
    assert "hunter2" not in "\n".join(screen(pane, 80, 20))
    console.master.showing.texts.clear()
    assert "/?password=hunter2: refused" in "\n".join(screen(pane, 80, 20))


async def test_an_entry_is_shown_whole_when_its_line_has_no_room_for_it(console: FakeConsole, pane: Log) -> None:
    flow = http_flow()
    console.add(flow)
    said = "the rule /~d api.example/x-seen/yes was skipped, because what it makes is no header: the last word"
    console.store.log(said, "warn", START, source="rules", flow=flow.id)
    console.store.log("short", "info", START + 1, source="rules")
    pane.entered()
    pane.navigate("start")
    assert "the last word" not in "\n".join(screen(pane, 80, 20))
    assert not pane.why_not("console.log.expand"), "enter would go to the flow"
    pane.toggle_expanded()
    assert "the last word" in "\n".join(screen(pane, 80, 20))
    pane.toggle_expanded()
    pane.navigate("end")
    screen(pane, 80, 20)
    assert pane.why_not("console.log.expand") == "all of this entry is in its line"
    pane.left()


async def test_enter_goes_to_the_flow_that_an_entry_is_about(console: FakeConsole, pane: Log) -> None:
    flow, other = http_flow(), http_flow()
    console.add(flow, other)
    console.view.set_focus(other.id)
    console.store.log("failed in response", "error", START, source="my_addon", flow=flow.id)
    console.store.log("about a flow that is gone", "warn", START + 1, source="my_addon", flow="gone")
    pane.entered()
    pane.navigate("start")
    assert "flow 1" in screen(pane, 100, 8)[1]
    assert "flow" not in screen(pane, 100, 8)[2].removesuffix("gone").replace("about a flow that is", "")
    pane.navigate("select")
    assert (console.opened, console.view.focus_id) == (["flows"], flow.id)
    pane.navigate("end")
    screen(pane, 100, 20)
    pane.navigate("select")
    assert console.opened == ["flows"] and pane.expanded
    pane.left()


async def test_one_origin_alone_is_shown_and_stays_in_place(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    assert pane.sources == ["my_addon", "proxy", "proxyserver"]
    pane.show_source("proxy")
    assert [line for line in screen(pane, 80, 8) if "22:13" in line] == [
        ">22:13:29.000 warn  proxy        server reset by peer␛[2J"
    ]
    console.store.log("not from there", "error", START + 20, source="other")
    assert pane.row_count() == 1 and "from proxy" in pane.title()
    pane.show_source("")
    assert pane.row_count() == 4
    pane.left()


async def test_what_is_saved_and_copied(console: FakeConsole, pane: Log) -> None:
    fill(console)
    pane.entered()
    first = pane.shown_entries()[0]
    assert first.msg == "KeyError: 'sku' in response() (x14 in 10 s)"
    pane.navigate("start")
    assert pane.copies()["line"]() == "KeyError: 'sku' in response()"
    assert pane.copies()["traceback"]().startswith("Traceback")
    pane.navigate("end")
    assert set(pane.copies()) == {"line"}
    pane.left()


async def test_repeats_among_a_thousand_others_are_folded(console: FakeConsole, pane: Log) -> None:
    pane.entered()
    for number in range(800):
        console.store.log("the same", "error", START + number / 200, source="a")
        console.store.log(f"another {number % 400}", "info", START + number / 200, source="b")
    assert pane.row_count() == 401
    pane.left()


@pytest.mark.parametrize("columns", WIDTHS)
async def test_hostile_entries(console: FakeConsole, pane: Log, columns: int) -> None:
    pane.entered()
    for text in TEXTS:
        console.store.log(text, "error", START, source=text, client=text, exc_text=text)
    pane.expanded = True
    for move in ("start", *["down"] * len(TEXTS)):
        pane.navigate(move)
        assert_clean(pane.render((columns, 16), True), columns)
    pane.left()


async def test_a_long_message_is_worth_more_than_the_keys_beside_it(console: FakeConsole, pane: Log) -> None:
    console.keys.keymap.add(Binding(("v",), ("log",), "console.log.expand", "Traceback"))
    said = "bad.py failed in response: no such thing"
    console.store.log(said, "error", START, source="bad.py", exc_text="Traceback")
    pane.entered()
    assert any(said in line and "v traceback" in line for line in screen(pane, 120, 8))
    line = next(line for line in screen(pane, 80, 8) if "22:13" in line)
    assert said in line
    assert "traceback" not in line
    pane.left()


async def test_a_path_that_has_no_room_leaves_out_its_folders(console: FakeConsole, pane: Log) -> None:
    said = "/a/long/way/" + "to/" * 40 + "shop.py:2: KeyError: 'sku'"
    console.store.log(said, "error", START, source="shop.py")
    pane.entered()
    assert "…/shop.py:2: KeyError: 'sku'" in "\n".join(screen(pane, 120, 20))
    pane.toggle_expanded()
    assert "/a/long/way/to/to" in "\n".join(screen(pane, 120, 20))
    pane.left()
