"""Every pane, box and prompt with hostile text in every place that traffic fills, painted at widths from 20 to 300.

A scene opens something; then the whole screen is painted in every size and must be clean and exactly as wide
(`assert_clean`), and no pane may have failed. A new pane, box or prompt without a scene here fails the last test.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import midstream.console
from midstream.addons.eventstore import EventStore
from midstream.console import glyphs
from midstream.console.flow_table import FlowTable
from midstream.console.key_box import KeyBox
from midstream.console.left_edits import LeftEdits
from midstream.console.marks import MarkBox, Marks
from midstream.console.message_form import MessageForm
from midstream.console.overlays import (
    Answer,
    AnyKey,
    ChoiceField,
    Chooser,
    Confirm,
    Form,
    KeysBox,
    Overlay,
    Table,
    TextField,
    ToggleField,
)
from midstream.console.overlays.leave import Leave
from midstream.console.pane import Pane
from midstream.console.panes.list_pane import ListPane
from midstream.console.prompt import Prompt
from midstream.console.stacks import Stacks
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub.log import LogEntry
from tests.console.masters import Shown, shown_console
from tests.kit.captured import START, tcp_flow, websocket_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.hostile_flows import clean_name, hostile_flows, raw

HEIGHTS = (5, 12, 24, 40)
WITHOUT_TRAFFIC = ("help", "commands", "Timing")
IN_ASCII = (0, 4, 8)
SETTINGS: dict[str, Any] = {}
BASES = (ListPane,)
"""Not shown themselves: what derives from them is."""


class Stage(NamedTuple):
    """What a scene works with."""

    shown: Shown
    text: str
    flows: list[Flow]

    @property
    def console(self) -> Any:
        return self.shown.console

    def show(self, box: Overlay) -> None:
        self.console.show(box)

    def focus(self, number: int) -> None:
        self.shown.view.set_focus(self.flows[number].id)

    def command(self, line: str) -> None:
        self.console.run_command(line)


Open = Callable[[Stage], Awaitable[None] | None]


def keys(*pressed: str) -> Open:
    return lambda stage: stage.shown.press(*pressed)


def commands(*lines: str) -> Open:
    def run(stage: Stage) -> None:
        for line in lines:
            stage.command(line)

    return run


def then(*steps: Open) -> Open:
    def run(stage: Stage) -> None:
        for step in steps:
            step(stage)

    return run


def pasted(stage: Stage) -> None:
    stage.shown.paste(stage.text)


def menu(stage: Stage) -> None:
    """At once, as after a while."""
    stage.console.keys._open()


def chooser(stage: Stage) -> Overlay:
    return Chooser(stage.text, [stage.text, "b" + stage.text] * 12, lambda _: None)


def box(make: Callable[[Stage], Overlay]) -> Open:
    return lambda stage: stage.show(make(stage))


def prompt(kind: str) -> Open:
    def open_it(stage: Stage) -> None:
        stage.console.prompt(f"label {stage.text}", "", kind=kind, done=lambda text: None)
        if stage.console.active_prompt is not None:
            stage.shown.paste(stage.text)
            stage.shown.press("tab")

    return open_it


def tab(name: str, number: int = 0, view: str = "") -> Open:
    def open_it(stage: Stage) -> None:
        stage.focus(number)
        pane = stage.console.open_pane("detail")
        pane.show_tab(name)
        if view:
            pane.content.set_mode(view)

    return open_it


# --- what needs more than a line --------------------------------------------------------------------------------------


def compare(stage: Stage) -> None:
    stage.flows[1].marked = "a"
    stage.shown.view.update(stage.flows[1])
    for flow in stage.flows[2:]:
        flow.marked = ""
        stage.shown.view.update(flow)
    stage.shown.press("c")
    assert stage.console.pane.name == "compare", stage.shown.text


async def queue(stage: Stage) -> None:
    for flow in stage.flows[:3]:
        flow.live = True
        flow.intercept()
        await stage.console.master.events.update([flow])
    stage.console.open_pane("queue")


def log(stage: Stage) -> None:
    store = stage.console.master.addons.get("eventstore")
    assert isinstance(store, EventStore)
    text = stage.text
    for number, level in enumerate(("info", "warn", "error", "alert")):
        store._keep(
            LogEntry(f"{number} {text}\n{text}", level, START, text, text, f"Traceback\n{text}", flow=stage.flows[0].id)
        )
    stage.console.open_pane("log")
    stage.command("console.log.expand")


def toasts(stage: Stage) -> None:
    for level in ("info", "warn", "error"):
        stage.console.messages.news(stage.text, level)
        stage.console.message(stage.text, level)


def options(stage: Stage) -> None:
    stage.shown.options.update(hostile=clean_name(stage.text), hostile_list=[clean_name(stage.text)] * 2)
    stage.console.open_pane("options")
    stage.shown.press("c", "end", "enter")


def options_text(stage: Stage) -> None:
    stage.console.open_pane("options")
    stage.shown.press("/")
    stage.shown.paste("confdir")
    stage.shown.press("enter", "enter")
    stage.shown.paste(stage.text)


def text_edit(part: str) -> Open:
    def open_it(stage: Stage) -> None:
        stage.command(f"console.edit.text {part}")
        is_long = "longer than 64 kB" in stage.shown.text  # then it refuses
        assert is_long or stage.console.pane.name == "text", stage.shown.text
        stage.shown.paste(stage.text)

    return open_it


def grid(part: str, *pressed: str) -> Open:
    def open_it(stage: Stage) -> None:
        stage.focus(6 if part == "urlencoded-form" else 7 if part == "multipart-form" else 0)
        stage.command(f"console.edit.focus {part}")
        assert stage.console.pane.name == "grid", stage.shown.text
        stage.shown.press("enter")
        stage.shown.paste(stage.text)
        stage.shown.press(*pressed)

    return open_it


def form(stage: Stage) -> Overlay:
    text = stage.text
    return Form(
        text,
        [
            ChoiceField("to", text, [text, "b"]),
            TextField("text", text=text, hint=lambda _: text, problem=lambda _: text),
            ToggleField("with", text, [text, "y"]),
        ],
        lambda _: None,
    )


def search(*, bodies: bool) -> Open:
    def open_it(stage: Stage) -> None:
        stage.shown.press("/", *(["tab"] if bodies else []))
        stage.shown.paste(stage.text or "x")

    return open_it


def found(pane: str) -> Open:
    """The finder's hits are highlighted where the text stands."""

    def open_it(stage: Stage) -> None:
        stage.console.open_pane(pane)
        if pane == "detail":
            stage.console.pane.show_tab("Response")
        stage.console.search.start(stage.text[:40] or "e")

    return open_it


def marks(stage: Stage) -> None:
    for number, name in ((0, "a"), (1, "b")):
        stage.focus(number)
        stage.console.master.commands.call("flow.mark", [stage.flows[number]], name)
    stage.show(MarkBox(stage.console, stage.text, Marks(stage.console), lambda _: None))


def filters(stage: Stage) -> None:
    quoted = clean_name(stage.text).replace("\\", "\\\\").replace('"', '\\"')
    stage.shown.press("f")
    stage.shown.paste(f'!~comment "{quoted}zz"')
    stage.shown.press("enter")
    stage.command("console.filters")


def filter_in_use(stage: Stage) -> None:
    """One with a name, and one that has none and holds as well."""
    stage.command("console.filter.save named '!~m NONE'")
    stage.command("console.filter.use named")
    filters(stage)
    stage.shown.press("esc")


def received(stage: Stage) -> None:
    flow = stage.flows[0]
    assert isinstance(flow, HTTPFlow)
    flow.backup()
    flow.request.content = flow.request.data.path = raw(stage.text) + b"!"
    stage.shown.view.update(flow)
    stage.command("console.compare.received @focus")
    assert stage.console.pane.name == "compare", stage.shown.text


def message_text(number: int) -> Open:
    return then(lambda stage: stage.focus(number), text_edit("message"))


def narrowed(pane: str) -> Open:
    """A list by a text that few rows hold, or none."""
    return then(lambda stage: stage.console.open_pane(pane), keys("/"), pasted, keys("enter"))


def live_message(make: Callable[..., Flow]) -> Open:
    def open_it(stage: Stage) -> None:
        flow = make((True, raw(stage.text)), (False, raw(stage.text)), live=True)
        messages: Any = flow.websocket.messages if isinstance(flow, HTTPFlow) and flow.websocket else flow.messages  # type: ignore[attr-defined]
        stage.shown.view.add(flow)
        stage.show(MessageForm(stage.console, flow, messages[0]))

    return open_it


def layout(name: str, **more: object) -> Open:
    def open_it(stage: Stage) -> None:
        stage.shown.options.update(console_layout=name, **more)
        stage.shown.press("enter", "E")

    return open_it


GRIDS = (
    "request-headers", "response-headers", "query", "path", "cookies", "set-cookies", "urlencoded-form",
    "multipart-form",
)  # fmt: skip
TABS = ("Request", "Response", "Messages", "Timing", "Connection", "Edits")

SCENES: dict[str, Open] = {
    "flows": keys("1"),
    "peek": keys("P"),
    "bars": keys("t", "P"),
    "list": lambda stage: stage.shown.options.update(console_flowlist_layout="list"),
    "columns": lambda stage: stage.shown.options.update(
        console_columns=["number", "client", "host", "path", "method", "type", "code", "size:8", "comment"]
    ),
    "tree": keys("T", "right", "right", "down", "right"),
    "queue": queue,
    "compare": compare,
    "compare all": then(compare, keys("d", "tab")),
    "options": options,
    "options text": options_text,
    "commands": keys("4", "end"),
    "keys": keys("5"),
    "log": log,
    "help": keys("?"),
    "toasts": toasts,
    "two panes": layout("horizontal"),
    "two panes and peek": layout("vertical"),
    "plain": layout("single", console_plain=True),
    **{f"{name} of flow {n}": tab(name, n) for name in TABS for n in (0, -5, -4)},
    **{f"response {n}": tab("Response", n) for n in range(1, 16)},
    "dns": tab("Request", -1),
    "udp": tab("Messages", -2),
    "hex": tab("Response", 0, "hex dump"),
    "raw": tab("Response", 1, "raw"),
    "views": then(tab("Response", 1), keys("m")),
    "copy mode": then(tab("Response", 1), keys("ctrl v", "v", "j", "l")),
    "copy menu": then(keys("y"), menu),
    "edit menu": then(keys("e"), menu),
    **{f"grid {part}": grid(part) for part in GRIDS},
    "grid changed": grid("request-headers", "enter", "a", "x", "enter", "esc"),
    **{f"text {part}": text_edit(part) for part in ("request", "response", "request-body", "response-headers")},
    "text left": then(text_edit("request-body"), keys("esc")),
    "compose": then(keys("+"), pasted),
    "any key": box(lambda s: AnyKey(s.text, lambda _: None)),
    "chooser": box(chooser),
    "chooser narrowed": then(box(chooser), keys("/"), pasted),
    "colours": commands("console.colours"),
    "confirm": box(lambda s: Confirm(s.text, [Answer("y", s.text, lambda: None)], [s.text])),
    "form": box(form),
    "keys box": box(lambda s: KeysBox(s.text, [(s.text, s.text)], has_text=False)),
    "leave": box(lambda s: Leave(s.text, [("y", s.text, lambda: None)])),
    "table": box(lambda s: Table(s.text, [[s.text, "x", s.text], ["y", s.text]])),
    "flow table": box(lambda s: FlowTable(s.console, s.text, s.flows)),
    "marks": marks,
    "filters": filters,
    "key box": box(lambda s: KeyBox(s.console, ["flows"], s.text, lambda *_: None, None)),
    "message": live_message(websocket_flow),
    "message tcp": live_message(tcp_flow),
    "export": commands("console.export @focus"),
    "export raw": then(commands("console.export @focus"), keys("r")),
    "palette": then(keys("ctrl p"), pasted),
    "palette flows": then(keys("ctrl p", "shift tab", "shift tab"), pasted),
    "command form": then(commands("console.command.form flow.comment"), pasted),
    **{f"prompt {kind}": prompt(kind) for kind in ("command", "filter", "search", "yesno", "text")},
    "prompt option": then(lambda s: s.console.prompt_option("intercept"), pasted),
    "seen values": keys("f", "~d ", "tab"),
    "history": then(keys(":"), pasted, keys("enter", ":", "ctrl r")),
    "search": search(bodies=False),
    "search bodies": search(bodies=True),
    **{f"found in {pane}": found(pane) for pane in ("flows", "detail", "log", "tree", "help")},
    **{f"narrowed {pane}": narrowed(pane) for pane in ("options", "commands", "keys", "log", "tree")},
    **{f"text message {n}": message_text(n) for n in (-4, -3, -2)},
    "text found": then(text_edit("request"), keys("ctrl f"), pasted),
    "text found again": then(text_edit("response-headers"), keys("ctrl f", "e", "enter", "meta n")),
    "text line": then(text_edit("request"), keys("meta g"), pasted),
    "compare received": received,
    "filter in use": filter_in_use,
    "filter name": then(filters, keys("esc", "f", "~", "m", " ", "x", "meta s"), pasted),
}

seen: set[type] = set()


async def play(stage: Stage, name: str, sizes: Iterable[tuple[int, int]]) -> None:
    """Open one scene, paint it in the sizes, and close what it opened."""
    console = stage.console
    stage.focus(0)
    done = SCENES[name](stage)
    if isawaitable(done):
        await done
    for _ in range(10):  # what goes on in slices
        await asyncio.sleep(0)
    seen.update(type(each) for each in (*console.panes_shown, *console.boxes, console.active_prompt))
    text = ""
    for columns, rows in sizes:
        console.layout._invalidate()
        canvas = console.layout.render((columns, rows), True)
        try:
            assert canvas.rows() == rows
            text += "".join(canvas.decoded_text)
            assert_clean(canvas, columns)
            if not glyphs.beyond_ascii():
                assert all(data.isascii() for row in canvas.content() for _, _, data in row)
        except AssertionError as error:
            raise AssertionError(f"{name} at {columns}x{rows}: {error}") from None
    assert stage.text != TEXTS[0] or not glyphs.beyond_ascii() or "␛" in text or name.startswith(WITHOUT_TRAFFIC), name
    for pane in console.panes_shown:
        assert not getattr(pane, "_failed_to_paint", False), f"{name}: {pane.name} cannot be painted"


def tidy(stage: Stage, settings: dict[str, object]) -> None:
    """As it was before the scene."""
    shown, console = stage.shown, stage.console
    if console.active_prompt is not None:
        console.active_prompt.close()
        console.active_prompt = None
    console.boxes.clear()
    console.left_edits = LeftEdits(console)
    console.keys.drop()
    console.search.start("")
    for pane in console.panes_shown:
        pane.left()
    console.stacks = Stacks(console.make_pane)
    shown.options.update(**{name: value for name, value in settings.items() if getattr(shown.options, name) != value})
    console.open_pane("flows")
    shown.view.set_filter(None)
    shown.options.update(view_filter=None)


@asynccontextmanager
async def stage_for(folder: Path, text: str) -> AsyncIterator[Stage]:
    """A console with the hostile flows of a text."""
    folder.mkdir()
    quoted = json.dumps(clean_name(text) * 2)
    binding = f"bind:\n  - {{keys: T, in: [flows], run: {quoted}, help: {quoted}}}\n  - {{keys: {quoted}, run: a}}\n"
    (folder / "keys.yaml").write_text(f"version: 1\nname: {quoted}\n{binding}", encoding="utf-8")
    async with shown_console(folder) as shown:
        add = shown.options.add_option
        add("hostile", str, "", "For this test.")
        add("hostile_list", Sequence[str], [], "For this test.")
        for name in ("server", "listen_host", "listen_port", "mode"):  # asked for by each frame, and missed at length
            add(name, str, "", "For this test.")
        flows = hostile_flows(text)
        for flow in flows:
            shown.view.add(flow)
        yield Stage(shown, text, flows)


@pytest.mark.parametrize("number", range(len(TEXTS)))
async def test_everything_with_a_hostile_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    await play_all(tmp_path, number)
    assert not [record.getMessage() for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("number", IN_ASCII)
async def test_in_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(SETTINGS, "console_ascii", True)
    await play_all(tmp_path, number)


async def play_all(folder: Path, number: int) -> None:
    """Every scene with one of the texts."""
    async with stage_for(folder / "config", TEXTS[number]) as stage:
        stage.shown.options.update(**SETTINGS)
        assert glyphs.beyond_ascii() is not SETTINGS.get("console_ascii", False)
        names = [name for name in stage.shown.options if name.startswith(("hostile", "console_"))]
        settings = {name: getattr(stage.shown.options, name) for name in names}
        for scene, name in enumerate(SCENES):
            # Each scene in each size with some text, and each text in each size: all three at once takes minutes.
            turns = range(number + scene, number + scene + 3 * 4, 4)
            await play(stage, name, [(WIDTHS[turn % len(WIDTHS)], HEIGHTS[turn % len(HEIGHTS)]) for turn in turns])
            tidy(stage, settings)


def _below(base: type) -> Iterator[type]:
    found: list[type] = base.__subclasses__()
    for each in found:
        yield each
        yield from _below(each)


def test_every_pane_box_and_prompt_was_there() -> None:
    """Runs after the others, in the same process (`--dist loadfile`)."""
    for module in pkgutil.walk_packages(midstream.console.__path__, "midstream.console."):
        importlib.import_module(module.name)
    wanted = {Prompt, *_below(Pane), *_below(Overlay), *_below(Prompt)} - set(BASES)
    assert not {each for each in wanted - seen if each.__module__.startswith("midstream.")}
