"""A console without a screen: what panes ask of one, with the real options, commands and view behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import urwid
import urwid.testing

from midstream.console.key_bindings import KeyBindings
from midstream.console.keymap import Keymap
from midstream.console.left_edits import LeftEdits
from midstream.console.pane import Pane
from midstream.console.search import Search
from midstream.console.widgets.line_edit import KillRing
from midstream.flows.flow import Flow
from midstream.hub.commands import CommandManager
from midstream.hub.log import LogEntry
from midstream.hub.options import Options
from midstream.hub.showing import Showing
from midstream.store.view import View
from midstream.work.worker import Worker


class FakeEventStore:
    """The two attributes of the addon that the log pane uses."""

    def __init__(self) -> None:
        self.data: list[LogEntry] = []
        self.on_change: list[Callable[[LogEntry | None], object]] = []

    def log(self, msg: str, level: str = "info", timestamp: float = 0.0, **more: Any) -> None:
        entry = LogEntry(msg, level, timestamp, **more)
        self.data.append(entry)
        for callback in self.on_change:
            callback(entry)


class FakeMaster:
    """Options, commands and addons by name; nothing runs."""

    def __init__(self) -> None:
        self.options = Options()
        self.commands = CommandManager(self)
        self.showing = Showing()
        self.worker = Worker()
        self.contentviews: Any = None
        self.addons: dict[str, Any] = {"eventstore": FakeEventStore()}


class FakeConsole:
    """Remembers what panes asked for: frames, messages, panes to open, prompts."""

    def __init__(self) -> None:
        self.master = FakeMaster()
        self.view = View()
        self.kill_ring = KillRing()
        self.keys = SimpleNamespace(keymap=Keymap())
        self.bindings = KeyBindings(self)  # type: ignore[arg-type]
        self.search = Search(self)  # type: ignore[arg-type]
        self.left_edits = LeftEdits(self)  # type: ignore[arg-type]
        self.frames: list[bool] = []
        self.messages: list[str] = []
        self.opened: list[str] = []
        self.prompts: list[tuple[str, str]] = []
        self.commands: list[str] = []
        self.tasks: list[asyncio.Task[object]] = []
        self.focused_pane: Pane | None = None
        self.drawer: Pane | None = None

    @property
    def pane(self) -> Pane | None:
        return self.focused_pane

    @property
    def panes_shown(self) -> list[Pane]:
        return [self.focused_pane] if self.focused_pane is not None else []

    @property
    def store(self) -> FakeEventStore:
        store: FakeEventStore = self.master.addons["eventstore"]
        return store

    def request_frame(self, now: bool = False) -> None:
        self.frames.append(now)

    def message(self, text: str, level: str = "info", *, log: bool = True) -> None:
        self.messages.append(text)

    def open_pane(self, pane: str | Pane) -> None:
        self.opened.append(pane if isinstance(pane, str) else pane.name)

    def prompt(self, label: str, text: str = "", **more: object) -> None:
        self.prompts.append((label, text))

    def run_command(self, line: str) -> None:
        self.commands.append(line)

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(coro, name=name))

    async def settle(self) -> None:
        """Wait for what was spawned."""
        while self.tasks:
            await self.tasks.pop()

    def add(self, *flows: Flow) -> None:
        for flow in flows:
            self.view.add(flow)


def screen(pane: Pane, columns: int, rows: int, focus: bool = True) -> list[str]:
    """The text of a pane, without blanks at the ends; checks that each row has exactly `columns` cells."""
    canvas = pane.render((columns, rows), focus)
    lines = list(canvas.decoded_text)
    assert len(lines) == rows
    for line in lines:
        assert urwid.calc_width(line, 0, len(line)) == columns, line
    return [line.rstrip() for line in lines]


def roles(pane: Pane, columns: int, rows: int, focus: bool = True) -> list[list[tuple[object, str]]]:
    """The runs of a pane: (role, text)."""
    return [[(role, data.decode()) for role, _, data in row] for row in pane.render((columns, rows), focus).content()]
