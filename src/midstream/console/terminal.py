"""The console's terminal: the screen, its main loop, the frame clock, and who owns the terminal at the moment.

The console enters it around its life, opens it, asks it for frames, and hands it over to children. Without a real
terminal (tests give a scripted screen) there are no signals and nothing to guard.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import urwid

from midstream.console.frame_clock import DATA_INTERVAL, PLAIN_DATA_INTERVAL, SLOW_DATA_INTERVAL, FrameClock
from midstream.console.glyphs import locale_is_plain, use_ascii
from midstream.console.heartbeat import Heartbeat
from midstream.console.main_loop import ConsoleLoop
from midstream.console.main_loop import Input as Event
from midstream.console.palettes import PALETTES
from midstream.console.palettes.colours import COLOURS
from midstream.console.palettes.opaque import GROUNDS, opaque, transparent
from midstream.console.screen import ConsoleScreen
from midstream.console.terminal_guard import TerminalGuard

if TYPE_CHECKING:
    from midstream.console.console import Console

TICK = 1.0
PATIENCE_WITH_CHILD = 2.0


class Terminal:
    """See the module."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._screen: ConsoleScreen | None = None
        self._guard: TerminalGuard | None = None
        self._main_loop: ConsoleLoop | None = None
        self._clock: FrameClock | None = None
        self._heartbeat: Heartbeat | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._shown_palette = "dark"

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Terminal:
        loop = asyncio.get_running_loop()

        def on_free() -> None:
            # In the writer's thread; most of the time nobody waits, and the loop is not woken.
            if self._clock is not None and self._clock.waits_for_terminal:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._clock.terminal_free)

        wait = getattr(self._console.master.options, "console_escape_wait", 25) / 1000
        self._screen = ConsoleScreen(on_free, self._console.quit, wait)
        self._guard = TerminalGuard(self, self._screen.tty_fd)
        self._guard.__enter__()
        self._console.master.clipboard.terminal = self.send
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._console.master.clipboard.terminal = None
        try:
            self.close()
            if self._screen is not None:
                self._screen.close()
        finally:
            if self._guard is not None:
                self._guard.__exit__(kind, error, tb)

    def open(self, screen: urwid.BaseScreen | None = None) -> None:
        """Start the screen and paint the first frame."""
        loop = asyncio.get_running_loop()
        screen = screen if screen is not None else self._screen
        assert screen is not None, "enter the terminal first, or give a screen"
        options = self._console.master.options
        self._main_loop = ConsoleLoop(
            self._console.layout,
            screen,
            lambda: self.request_frame(now=True),
            self.handle,
            mouse=bool(getattr(options, "console_mouse", True)),
        )
        self._clock = FrameClock(loop, self._main_loop.paint, self._is_free)
        self._heartbeat = Heartbeat(loop, self._slow_loop)
        self._use_ascii()
        self._use_palette()
        self._slow_loop(is_slow=False)
        self._main_loop.start()
        self._heartbeat.start()
        self._tick = loop.call_later(TICK, self._each_second)

    def close(self) -> None:
        """Stop painting and give the terminal back."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self._clock is not None:
            self._clock.stop()
        if self._main_loop is not None:
            self._main_loop.stop()
            self._main_loop = None
            use_ascii(False)

    # --- frames -----------------------------------------------------------------------------------------------------

    def request_frame(self, now: bool = False) -> None:
        """See `FrameClock.request`; nothing while there is no screen."""
        if self._clock is not None:
            self._clock.request(now)

    def paint(self) -> None:
        """One frame now, whatever the clock says (tests)."""
        if self._main_loop is not None:
            self._main_loop.paint()

    @property
    def frames(self) -> int:
        """How many frames were painted."""
        return self._clock.frames if self._clock is not None else 0

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._main_loop.columns_rows() if self._main_loop is not None else (80, 24)

    @property
    def lag(self) -> float:
        return self._heartbeat.lag if self._heartbeat is not None else 0.0

    @property
    def has_extended_keys(self) -> bool:
        """Whether keys that are the same bytes on old terminals, as `ctrl i` and `tab`, can be told apart."""
        return self._screen is not None and self._screen.has_extended_keys

    @property
    def is_lent(self) -> bool:
        """Whether a child has the terminal at the moment."""
        return self._guard is not None and self._guard.child_has_terminal

    def _is_free(self) -> bool:
        return self._screen is None or not self._screen.writer.busy

    def _slow_loop(self, is_slow: bool) -> None:
        if self._clock is not None:
            usual = PLAIN_DATA_INTERVAL if self._console.is_plain else DATA_INTERVAL
            self._clock.interval = max(usual, SLOW_DATA_INTERVAL) if is_slow else usual

    def _each_second(self) -> None:
        self._tick = asyncio.get_running_loop().call_later(TICK, self._each_second)
        self._console.tally.roll()
        self._console.messages.expire()
        self.request_frame()

    # --- input and settings -----------------------------------------------------------------------------------------

    def handle(self, events: Sequence[Event]) -> None:
        """What the main loop read."""
        if "window resize" in events and self._main_loop is not None:
            self._main_loop.forget_size()
        self._console.input.handle(events)

    def take_paste(self) -> str | None:
        """The oldest pasted text that was not taken yet."""
        return self._screen.pastes.popleft() if self._screen is not None and self._screen.pastes else None

    def ring(self) -> None:
        """The bell."""
        self.send("\a")

    def send(self, sequence: str) -> bool:
        """Write a control sequence that moves nothing on the screen; False: the terminal is not ours at the moment."""
        if self._screen is None or not self._screen.started:
            return False
        self._screen.send(sequence)
        return True

    def redraw(self) -> None:
        """Paint every row again (ctrl l): something else wrote to the terminal."""
        if self._main_loop is not None:
            self._main_loop.screen.clear()
            self._main_loop.forget_size()
        self.request_frame(now=True)

    def options_changed(self, updated: set[str]) -> None:
        """Take over the options about the terminal."""
        if self._main_loop is None:
            return
        if "console_plain" in updated:
            self._slow_loop(is_slow=False)
        if updated & {"console_palette", "console_palette_transparent", "console_colours"}:
            self._use_palette()
        if "console_ascii" in updated:
            self._use_ascii()
            self.redraw()
        if "console_mouse" in updated:
            self._main_loop.screen.set_mouse_tracking(bool(self._console.master.options.console_mouse))

    @property
    def palette_name(self) -> str:
        """The palette by which it is painted: that of the option, or mono where nobody wants colour."""
        return self._shown_palette

    def show_palette(self, name: str) -> None:
        """Paint in a palette, whatever the option says."""
        if self._main_loop is None:
            return
        self._shown_palette = name
        if getattr(self._console.master.options, "console_palette_transparent", True) or name not in GROUNDS:
            self._main_loop.use_palette(transparent(PALETTES[name]))
        else:
            self._main_loop.use_palette(opaque(PALETTES[name], GROUNDS[name]))
        self.request_frame(now=True)

    def _use_palette(self) -> None:
        assert self._main_loop is not None
        options = self._console.master.options
        name = getattr(options, "console_palette", "dark")
        # https://no-color.org: what the person set for this very program counts more.
        if os.environ.get("NO_COLOR") and "console_palette" in options and not options.has_changed("console_palette"):
            name = "mono"
        self._main_loop.use_colours(COLOURS.get(getattr(options, "console_colours", "auto")))
        self.show_palette(name)

    def _use_ascii(self) -> None:
        is_plain = self._screen is not None and locale_is_plain(os.environ, bool(sys.flags.utf8_mode))
        use_ascii(is_plain or bool(getattr(self._console.master.options, "console_ascii", False)))

    # --- the guard's questions --------------------------------------------------------------------------------------

    def quit(self) -> None:
        self._console.quit()

    def ask_to_quit(self) -> None:
        self._console.ask_to_quit()

    def resized(self) -> None:
        """SIGWINCH."""
        if self._screen is not None:
            self._screen._sigwinch_handler()

    def continued(self) -> None:
        """SIGCONT: whoever had the terminal may have changed it."""
        if self._screen is not None and self._screen.started:
            self._screen.reassert()
            self.redraw()

    def stop_process(self) -> None:
        """Give the terminal back and stop the whole process, as ctrl z does everywhere else."""
        if self._screen is None or self._guard is None or not self._screen.started:
            return
        self._pause()
        with self._guard.default_stop_signal():
            os.kill(os.getpid(), signal.SIGTSTP)
        self._resume()

    # --- children ---------------------------------------------------------------------------------------------------

    async def suspend(self, argv: list[str]) -> int:
        """Run a child that owns the terminal until it ends. OSError if it cannot be started."""
        async with self._turn:
            if self._screen is None or self._guard is None:
                child = await asyncio.create_subprocess_exec(*argv)
                return await child.wait()
            self._pause()
            self._guard.child_has_terminal = True
            try:
                with self._guard.default_stop_signal():
                    terminal = self._screen.tty_fd
                    child = await asyncio.create_subprocess_exec(
                        *argv, stdin=terminal, stdout=terminal, stderr=terminal
                    )
                    return await self._wait_for(child)
            finally:
                self._guard.child_has_terminal = False
                if not self._console.master.should_exit.is_set():
                    self._resume()

    async def _wait_for(self, child: asyncio.subprocess.Process) -> int:
        try:
            return await child.wait()
        except asyncio.CancelledError:
            # The console ends: the child must not be left fighting the shell for the terminal.
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
                try:
                    await asyncio.wait_for(child.wait(), PATIENCE_WITH_CHILD)
                except TimeoutError:
                    child.kill()
                    await child.wait()
            raise

    def _pause(self) -> None:
        assert self._clock is not None and self._screen is not None
        self._clock.stop()
        self._screen.stop()

    def _resume(self) -> None:
        if self._main_loop is None or self._clock is None or self._screen is None:
            return
        self._screen.start()
        self._screen.clear()
        self._main_loop.forget_size()
        self._clock.start()
        self.request_frame(now=True)
