"""The console: the object that panes, commands and the key engine share.

`app.py` makes one for a master and awaits `run`; panes get it as their first argument. It knows which panes are open
and which has the focus, paints through the frame clock, and runs command lines. It is not the proxy: closing it asks
the master to shut down, and no traffic passes through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midstream.console.pane import Pane
    from midstream.hub.master import Master
    from midstream.store.view import View


class Console:
    """One screen for one master."""

    def __init__(self, master: Master, view: View) -> None:
        self.master = master
        self.view = view

    @property
    def focused_pane(self) -> Pane:
        raise NotImplementedError

    def request_frame(self, now: bool = False) -> None:
        """Ask for a repaint: at once after input, else when the frame clock allows."""
        raise NotImplementedError

    def open_pane(self, pane: str | Pane) -> Pane:
        """Show a pane (made by its name the first time) and give it the focus."""
        raise NotImplementedError

    def close_pane(self) -> None:
        """Leave the focused pane for the one before it."""
        raise NotImplementedError

    def message(self, text: str, level: str = "info") -> None:
        """A line in the status bar (and the log, from warn up)."""
        raise NotImplementedError

    def prompt(
        self, label: str, text: str = "", *, kind: str = "command", done: Callable[[str], object] | None = None
    ) -> None:
        """Open the prompt. Kinds: command, text, filter, yesno. `done` gets the text; yesno calls it only for yes."""
        raise NotImplementedError

    def run_command(self, line: str) -> None:
        """Execute a command line; results and errors are shown, async commands go on as tasks."""
        raise NotImplementedError

    async def suspend(self, argv: list[str]) -> int:
        """Give the terminal to a child until it ends; traffic flows on. Returns its exit status."""
        raise NotImplementedError

    def edit_in_editor(self, data: bytes, suffix: str) -> Awaitable[bytes | None]:
        """The bytes as the person left them in $EDITOR; None: the editor could not run."""
        raise NotImplementedError

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> None:
        """Run a coroutine in the console's task group; its error goes to the log."""
        raise NotImplementedError
