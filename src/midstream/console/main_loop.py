"""urwid's main loop on a loop that is not urwid's: the running asyncio loop, shared with the proxy.

Three traps are closed here (console.md §7). `MainLoop.run` is never called: it would install an exception handler that
ends the program when any task of the proxy fails. urwid's "entering idle" only asks the frame clock. Keys do not travel
through widgets: the console gets them, and no exception in a key press reaches the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import urwid
from urwid.display.raw import Screen

from midstream.console.palettes import Look
from midstream.console.palettes.colours import Count

Input = str | tuple[str, int, int, int]


class ConsoleLoop(urwid.MainLoop):
    """`idle` asks for a frame; `handle` gets each batch of keys and mouse events, "window resize" included."""

    def __init__(
        self,
        widget: urwid.Widget,
        screen: urwid.BaseScreen,
        idle: Callable[[], None],
        handle: Callable[[Sequence[Input]], None],
        *,
        mouse: bool,
    ) -> None:
        super().__init__(
            widget,
            screen=screen,
            handle_mouse=mouse,
            input_filter=self._filter,
            event_loop=urwid.AsyncioEventLoop(loop=asyncio.get_running_loop()),
        )
        self._idle = idle
        self._handle = handle
        self._known_colours: Count | None = None

    def entering_idle(self) -> None:
        """urwid thinks something may have changed: after input, and at the start."""
        self._idle()

    def paint(self) -> None:
        """One frame now; nothing while the terminal is somebody else's."""
        if self.screen.started:
            self.draw_screen()

    def forget_size(self) -> None:
        """Ask the terminal for its size at the next frame."""
        self.screen_size = None

    def columns_rows(self) -> tuple[int, int]:
        """The size of the screen."""
        if not self.screen_size:
            self.screen_size = self.screen.get_cols_rows()
        return self.screen_size

    def use_colours(self, count: Count | None) -> None:
        """Paint in so many colours; None: as many as the terminal is known to show."""
        screen = self.screen
        if not isinstance(screen, Screen):  # a scripted one
            return
        if self._known_colours is None:
            self._known_colours = screen.colors
        wanted = count or self._known_colours
        if wanted != screen.colors:
            screen.set_terminal_properties(colors=wanted)

    def use_palette(self, palette: Mapping[str | None, Look]) -> None:
        """Register every role again; only the rows that look different are sent."""
        for role, look in palette.items():
            self.screen.register_palette_entry(role, *look)

    def _filter(self, keys: list[Any], raw: list[int]) -> list[Any]:
        self._handle(keys)
        return []
