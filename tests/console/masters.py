"""A console for tests: a master without a network, on a screen that records what is painted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import urwid
from urwid.display import BaseScreen

from midstream.addons.attempts import Attempts
from midstream.addons.browser import Browser
from midstream.addons.changes import Changes
from midstream.addons.clientplayback import ClientPlayback
from midstream.addons.command_history import CommandHistory
from midstream.addons.comment import Comment
from midstream.addons.comparing import Comparing
from midstream.addons.core import Core
from midstream.addons.cut import Cut
from midstream.addons.eventstore import EventStore
from midstream.addons.export import Export
from midstream.addons.intercept import Intercept
from midstream.addons.save import Save
from midstream.addons.script import ScriptLoader
from midstream.addons.serverplayback import ServerPlayback
from midstream.addons.tlsconfig import TlsConfig
from midstream.addons.undo import Undo
from midstream.addons.view import ViewAddon
from midstream.console.console import Console
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.proxy.server import Proxy
from midstream.store.view import View


def make_console(confdir: Path) -> Console:
    """A console whose master has no proxy. Call it inside a running loop; `console.open(screen)` shows it."""
    options = Options()
    options.set(f"confdir={confdir}", defer=True)
    master = Master(options)
    view = View()
    master.view = view
    console = Console(master, view)
    proxy = Proxy(master.events, options)
    replay = ClientPlayback(proxy), ServerPlayback(proxy)
    own = (
        Core(),
        CommandHistory(),
        Browser(proxy, TlsConfig()),
        Comment(),
        Comparing(),
        Cut(),
        Export(),
        ScriptLoader(),
        *replay,
        Save(),
        Changes(recorded=True),
        Undo(),
        Intercept(),
        ViewAddon(view),
        Attempts(view),
    )
    master.addons.add(EventStore(), *own, console.addon)
    return console


class RecordingScreen(BaseScreen):
    """A screen without a terminal that keeps the last frame. Input comes from `Shown.press`."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.frames = 0
        self.canvas: urwid.Canvas | None = None

    def get_cols_rows(self) -> tuple[int, int]:
        return self.size

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        assert (canvas.cols(), canvas.rows()) == size == self.size
        for row in canvas.content():
            assert sum(urwid.calc_width(text, 0, len(text)) for _, _, text in row) == size[0]
        self.canvas = canvas
        self.frames += 1

    def hook_event_loop(self, event_loop: object, callback: object) -> None:
        """Nothing to read from."""

    def unhook_event_loop(self, event_loop: object) -> None:
        """Nothing was hooked."""


class Shown:
    """A console on a screen that records: `press` and `paste` go in, `text` comes out."""

    def __init__(self, console: Console, screen: RecordingScreen) -> None:
        self.console = console
        self.screen = screen
        self.view = console.view
        self.options = console.master.options

    @property
    def text(self) -> str:
        """The screen as it would be painted now."""
        self.console.terminal.paint()
        assert self.screen.canvas is not None
        return "\n".join(line.rstrip() for line in self.screen.canvas.decoded_text)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def prompt_line(self) -> str:
        return self.lines[-3]

    def press(self, *keys: str) -> None:
        """Keys as urwid reports them; a longer text is typed."""
        for key in keys:
            single = len(key) == 1 or key in _NAMED or key.startswith(("ctrl ", "meta ", "shift "))
            for each in [key] if single else list(key):
                self.console.terminal.handle([each])

    def paste(self, text: str) -> None:
        self.console.input.paste(text)

    async def until(self, holds: Callable[[], object], deadline: float = 5.0) -> None:
        """Let the loop run until something holds."""
        end = time.monotonic() + deadline
        while not holds():
            assert time.monotonic() < end, f"never happened\n{self.text}"
            await asyncio.sleep(0.001)

    async def until_shown(self, wanted: str) -> None:
        await self.until(lambda: wanted in self.text)


_NAMED = frozenset(
    [
        "enter",
        "esc",
        "tab",
        "backspace",
        "delete",
        "up",
        "down",
        "left",
        "right",
        "home",
        "end",
        "page up",
        "page down",
        "f1",
    ],
)


@asynccontextmanager
async def shown_console(confdir: Path, columns: int = 120, rows: int = 32) -> AsyncIterator[Shown]:
    """A console that is open, with its master running."""
    console = make_console(confdir)
    with ctx.use(console.master):
        await console.master.running()
        screen = RecordingScreen((columns, rows))
        screen.start()
        console.open(screen)
        try:
            yield Shown(console, screen)
        finally:
            console.terminal.close()
            console.close()
            await console.master.done()
