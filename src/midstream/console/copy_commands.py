"""The commands that copy what is under the cursor, or a part of the focused flow. Nested in the console's addon.

Where a copy goes is the clipboard's business (hub/clipboard.py): the terminal, a program, a file. It is told each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from midstream.console import copying
from midstream.console.overlays.chooser import Chooser
from midstream.flows.errors import CommandError
from midstream.hub import ctx
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice
from midstream.text.sizes import spoken_size
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.console import Console


class CopyCommands:
    """See the module."""

    name = "console_copying"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._had_mouse: bool | None = None

    def configure(self, updated: set[str]) -> None:
        if "console_mouse" not in updated:
            return
        has_mouse = bool(ctx.options.console_mouse)
        if self._had_mouse is not None and has_mouse != self._had_mouse:
            freed = "the terminal has the mouse now: drag to select text; the same key takes it back"
            self._console.message("the console has the mouse again" if has_mouse else freed)
        self._had_mouse = has_mouse

    @command("console.copy.options")
    def copy_options(self) -> Sequence[str]:
        """What can be copied here: of what is under the cursor, and of the focused flow."""
        here = list(self._console.focused_pane.copies())
        return [*here, *(name for name in copying.names() if name not in here)]

    @command("console.copy")
    @argument("what", type=Choice("console.copy.options"))
    async def copy(self, what: str) -> None:
        """Copy something to the clipboard: what is under the cursor, or a part of the focused flow."""
        console = self._console
        here = console.focused_pane.copies()
        if what in here:
            found = here[what]()
            if not isinstance(found, str):
                self._choose(what, found)
                return
            text = found
        else:
            text = await self._of_flow(what)
        await self._copy(what, text)

    def _choose(self, what: str, found: Mapping[str, str]) -> None:
        """One of several that stand in the same line."""
        console = self._console

        def done(name: str) -> None:
            console.spawn(self._copy(what, found[name]), "copy")

        console.show(Chooser(f"copy the {what} of", list(found), done))

    async def _copy(self, what: str, text: str) -> None:
        where = await ctx.master.clipboard.copy(text)
        size = len(text.encode("utf-8", "backslashreplace"))
        self._console.message(f"copied {spoken_size(size)}, the {what.replace('-', ' ')}, to {where}")

    async def _of_flow(self, what: str) -> str:
        part = copying.part_of(what)
        if part is None:
            raise CommandError(f"nothing is called {what!r}{did_you_mean(what, copying.names())}")
        flow = self._console.focused_flow()
        if flow is None:
            raise CommandError("no flow has the focus")
        if not part.is_there(flow):
            raise CommandError(part.missing)
        shown = ctx.master.showing.flow(flow)
        # A large body takes long to decode, and decoders let the loop go on.
        return copying.as_text(await asyncio.to_thread(part.text, shown))
