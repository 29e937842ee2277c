"""Presses random keys in the whole program but for its terminal, and looks after each of them whether all is well.

`press_randomly` is called by test_random_keys_*.py, once for each key set. MIDSTREAM_RANDOM_KEYS=20000 in the
environment presses so many keys instead of the few that every run of the tests has time for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from midstream.app import ConsoleMaster, make_options
from midstream.console.key_names import from_urwid
from midstream.console.overlays import Confirm, Overlay
from midstream.console.overlays.leave import Leave
from midstream.hub import ctx
from tests.console.masters import RecordingScreen, Shown
from tests.console.random_keys import PASTES, SIZES, Event, Keys, Traffic
from tests.kit.harmless import harmless
from tests.kit.hostile import assert_clean

KEYS = int(os.environ.get("MIDSTREAM_RANDOM_KEYS", "2500"))
CHAPTER = 250
"""Keys after which the way back to the flow list is looked for, and options and keys are as they were."""

ENOUGH = 12
"""How often a binding is pressed without any effect before it is called dead."""

WAY_BACK = 40
"""Keys within which the flow list must be reached from anywhere."""


class _Failures(logging.Handler):
    """What was logged with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.tracebacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        is_ours = record.exc_info and record.levelno >= logging.WARNING
        if is_ours or (record.name == "asyncio" and record.levelno >= logging.ERROR):
            self.tracebacks.append(logging.Formatter().format(record))


class Run:
    """One console, one seed. `pressed` and `idle` count, for each binding, its runs and those that changed nothing."""

    def __init__(self, shown: Shown, seed: int, port: int, given: dict[str, object]) -> None:
        self.shown = shown
        self.given = given
        self.seed = seed
        self.console = shown.console
        self.random = random.Random(seed)
        self.keys = Keys(self.console, self.random)
        self.traffic = Traffic(self.console, self.random, port)
        self.failures = _Failures()
        self.history: list[object] = []
        self.pressed: Counter[str] = Counter()
        self.idle: Counter[str] = Counter()
        self._clean: set[object] = set()
        self._painted: object = None

    async def chapter(self, count: int) -> None:
        """So many keys, from the flow list back to it."""
        self.history.clear()
        self.traffic.fill()
        self.resize()
        for _ in range(count):
            draw = self.random.random()
            if draw < 0.02:
                self.resize()
                self.look()
            elif draw < 0.035:
                self.paste()
                self.look()
            elif draw < 0.1:
                self.traffic.step()
            else:
                self.press(self.keys.next())
            await asyncio.sleep(0.002 if draw > 0.9 else 0)
        await self.go_home()

    # --- one step ---------------------------------------------------------------------------------------------------

    def press(self, events: list[Event]) -> None:
        self.history.append(events)
        name, before = self._binding(events), self._painted
        self.console.terminal.handle(events)
        if self.random.random() < 0.2 and self.console.keys.pending:
            self.console.keys._open()
        if self.console.master.should_exit.is_set():
            assert events[0] in ("Q", "y", "ctrl c", "enter") or not isinstance(events[0], str), f"{events} quits"
            self.console.master.should_exit.clear()
        self.look()
        if name:
            self.pressed[name] += 1
            self.idle[name] += self._painted == before and self.console.messages.shown is None

    def _binding(self, events: list[Event]) -> str:
        """Which binding the key runs, if it gets to one."""
        console = self.console
        key = events[0]
        if not isinstance(key, str) or console.active_prompt or console.overlay or console.focused_pane.editing:
            return ""
        keys = (*console.keys.pending, from_urwid(key))
        found = console.keys.keymap.find(keys, console.contexts(), console.focused_flow()).binding
        return f"{console.focused_pane.name}: {' '.join(keys)}: {found.command}" if found is not None else ""

    def paste(self) -> None:
        text = self.random.choice(PASTES)
        self.history.append(("paste", text))
        self.console.terminal.handle([])
        self.shown.paste(text)

    def resize(self) -> None:
        size = self.random.choice(SIZES)
        self.history.append(("size", size))
        self.shown.screen.size = self.keys.size = size
        self.console.terminal.handle(["window resize"])

    def look(self) -> None:
        """Nothing failed, and what is painted is clean."""
        assert not self.failures.tracebacks, self.failures.tracebacks[0]
        shown = self.console.messages.shown
        assert shown is None or "that key failed" not in shown[0], shown
        columns = self.shown.screen.size[0]
        self.console.terminal.paint()
        canvas = self.shown.screen.canvas
        assert canvas is not None
        content = [tuple(row) for row in canvas.content()]
        self._painted = content, canvas.cursor
        rows = {(columns, row) for row in content}
        if not rows <= self._clean:
            assert_clean(canvas, columns)
            if len(self._clean) > 20_000:
                self._clean.clear()
            self._clean.update(rows)

    # --- the way back -----------------------------------------------------------------------------------------------

    async def go_home(self) -> None:
        """Esc, and answers to what is asked, lead back to the flow list."""
        console = self.console
        await self.forget()
        taken: list[object] = []
        for _ in range(WAY_BACK):
            if console.is_at_root and console.active_prompt is None and not console.focused_pane.editing:
                break
            key = _answer(console.overlay)
            taken.append((key, console.focused_pane.name, console.overlay, console.active_prompt))
            self.press([key])
            await asyncio.sleep(0.001)
        else:
            raise AssertionError(f"no way back to the flow list: {taken}\n{self.shown.text}")
        assert console.focused_pane.name == "flows", (console.focused_pane.name, taken)

    async def forget(self) -> None:
        """Options and keys as they were: what a person does to them is not undone by esc."""
        options = self.console.master.options
        for name in list(options.keys()):
            if name not in self.given and options.has_changed(name):
                options.reset_one(name)
        options.update(**self.given)
        for file in self.console.confdir.glob("keys*"):
            file.unlink()
        self.console.bindings.session.clear()  # nobody who takes esc away expects it to lead back
        await self.console.bindings.reload()

    async def quit(self) -> None:
        """Q ends it."""
        self.console.terminal.handle(["Q"])
        assert self.console.master.should_exit.is_set()


@asynccontextmanager
async def whole_console(folder: Path, given: dict[str, object]) -> AsyncIterator[tuple[Shown, int]]:
    """The program with its proxy and an origin, on a screen that records; and the origin's port."""
    tasks = asyncio.all_tasks()
    async with _origin() as port:
        options = make_options()
        master = ConsoleMaster(options)
        options.update(**given)
        async with master:
            with ctx.use(master):
                screen = RecordingScreen((120, 32))
                screen.start()
                master.console.open(screen)
                visits = asyncio.create_task(_visit(master, port))
                try:
                    yield Shown(master.console, screen), port
                finally:
                    visits.cancel()
                    await asyncio.wait([visits])
                    master.console.terminal.close()
                    master.console.close()
    left = [task for task in asyncio.all_tasks() - tasks if "midstream" in repr(task.get_coro())]
    assert not left, left


async def _visit(master: ConsoleMaster, port: int) -> None:
    """One request after the other through the proxy; those that are held are given up."""
    number = 0
    while True:
        number += 1
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, IndexError):
            async with asyncio.timeout(0.5):
                reader, writer = await asyncio.open_connection("127.0.0.1", master.proxy.listen_addrs[0][1])
                try:
                    head = f"GET http://127.0.0.1:{port}/{number} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
                    writer.write(head.encode())
                    await reader.readuntil(b"hello")
                finally:
                    writer.close()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _origin() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def press_randomly(folder: Path, monkeypatch: pytest.MonkeyPatch, key_set: str, seed: int) -> Run:
    """See the module."""
    with harmless(folder, monkeypatch) as cwd:
        (cwd / "s.py").write_text("def request(flow):\n    flow.comment += 'x'\n")
        confdir = folder / "home" / ".midstream"
        given = {"confdir": str(confdir), "listen_host": "127.0.0.1", "listen_port": 0, "console_keys": key_set}
        async with whole_console(folder, given) as (shown, port):
            run = Run(shown, int(os.environ.get("MIDSTREAM_RANDOM_SEED", seed)), port, given)
            logging.getLogger().addHandler(run.failures)
            start = time.process_time()
            try:
                for number in range(max(1, KEYS // CHAPTER)):
                    await run.chapter(CHAPTER)
                    if os.environ.get("MIDSTREAM_RANDOM_SHOW"):
                        seconds = f"{time.process_time() - start:.1f} s"
                        print(number, seconds, len(shown.view), len(asyncio.all_tasks()), _memory(), flush=True)
                await run.quit()
            except BaseException:
                print(f"seed {run.seed} set {key_set}:", *run.history[-30:], sep="\n")
                raise
            finally:
                logging.getLogger().removeHandler(run.failures)
    return run


def _answer(box: Overlay | None) -> str:
    if isinstance(box, Leave | Confirm):
        keys = [key for key, _ in box.keys]
        return next((key for key in ("d", "n", "k", "y") if key in keys), "esc")
    return "esc"


def _memory() -> str:
    return f"{int(Path('/proc/self/statm').read_text().split()[1]) * 4096 // 1_000_000} MB"


def assert_no_dead_key(run: Run) -> None:
    """Every binding that was pressed often has changed something at least once."""
    if os.environ.get("MIDSTREAM_RANDOM_SHOW"):
        print(len(run.pressed), "bindings in their panes;", sum(run.pressed.values()), "presses")
        for name, count in sorted(run.pressed.items()):
            print(count, run.idle[name], name)
    dead = [name for name, count in run.pressed.items() if count >= ENOUGH and run.idle[name] == count]
    assert not dead, dead
