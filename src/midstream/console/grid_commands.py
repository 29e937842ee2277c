"""The commands of the table that is edited (`console.grideditor.*`), and how a part of a flow becomes one.

Nested in the console's addon. Texts that are edited in place have `edit_commands.py`.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
from typing import TYPE_CHECKING

from midstream.console import external_editor
from midstream.console.external_program import NoProgram
from midstream.console.grids import PARTS
from midstream.console.grids.cells_text import unescaped
from midstream.console.key_names import show_chord
from midstream.console.panes.grid import Grid
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.commands import command
from midstream.hub.types import Path
from midstream.store.files import why, write_file
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of a file that is loaded into a cell."""


def open_part(console: Console, flow: Flow, part: str) -> None:
    """Show one of `grids.PARTS` of a flow as a table."""
    kind = PARTS[part](console, flow)
    console.left_edits.open(kind.key, lambda: Grid(console, kind))


class GridCommands:
    """See the module."""

    name = "grideditor"

    def __init__(self, console: Console) -> None:
        self._console = console

    def _grid(self, with_rows: bool = False) -> Grid:
        for pane in (self._console.focused_pane, self._console.pane):
            if isinstance(pane, Grid):
                if with_rows and not len(pane.rows):
                    raise CommandError("the table has no rows")
                if not pane.commit():
                    raise CommandError(f"the cell that is edited: {pane.problem}")
                return pane
        raise CommandError("no table is open: e h opens the request headers as one")

    @command("console.grideditor.add")
    def add(self) -> None:
        """Add a row below and type into it."""
        self._grid().add()

    @command("console.grideditor.insert")
    def insert(self) -> None:
        """Add a row above and type into it."""
        self._grid().add(before=True)

    @command("console.grideditor.delete")
    def delete(self) -> None:
        """Take the row out."""
        self._grid(with_rows=True).delete()
        self._say("the row is out")

    @command("console.grideditor.clear")
    def clear(self) -> None:
        """Take all rows out."""
        grid = self._grid(with_rows=True)
        count = len(grid.rows)
        grid.clear()
        self._say("the row is out" if count == 1 else f"{count:,} rows are out")

    def _say(self, what: str) -> None:
        keys = self._console.keys.keymap.keys_for("console.grideditor.undo", ("grid",))
        back = f"; {show_chord(keys)} takes that back" if keys else ""
        self._console.message(f"{what}, and gone when you apply{back}", log=False)

    @command("console.grideditor.undo")
    def undo(self) -> None:
        """Take back the last change of the table."""
        grid = self._grid()
        if not grid.rows.can_undo:
            raise CommandError("nothing was changed in this table")
        grid.undo()

    @command("console.grideditor.redo")
    def redo(self) -> None:
        """Make the change again that was taken back."""
        grid = self._grid()
        if not grid.rows.can_redo:
            raise CommandError("nothing was undone in this table")
        grid.undo(again=True)

    @command("console.grideditor.apply")
    def apply(self) -> None:
        """Put the rows in place, and close the table."""
        self._grid().apply()

    @command("console.grideditor.leave")
    def leave(self) -> None:
        """Close the table; asks when something was changed."""
        self._grid().leave()

    @command("console.grideditor.load")
    async def load_file(self, path: Path) -> None:
        """Put the bytes of a file into the cell."""
        grid = self._grid(with_rows=True)
        grid.set_cell(await asyncio.to_thread(_read, path))

    @command("console.grideditor.load_escaped")
    async def load_escaped(self, path: Path) -> None:
        r"""Put the text of a file into the cell, with \\n, \\xNN and their like replaced by what they mean."""
        grid = self._grid(with_rows=True)
        data = (await asyncio.to_thread(_read, path)).removesuffix(b"\n").removesuffix(b"\r")
        try:
            grid.set_cell(unescaped(data.decode("utf-8", "surrogateescape")))
        except ValueError as error:
            raise CommandError(f"{visible(path)}: {error}") from None

    @command("console.grideditor.editor")
    async def editor(self) -> None:
        """Edit the cell in $EDITOR."""
        grid = self._grid(with_rows=True)
        before = grid.cell
        try:
            edited = await external_editor.edit(before, ".txt", self._console.suspend)
        except NoProgram as error:
            raise CommandError(str(error)) from None
        edited.discard()
        data = edited.data
        if data.endswith(b"\n") and not before.endswith(b"\n"):
            data = data[:-1].removesuffix(b"\r")  # editors end the last line whether it had an end or not
        if data != before:
            grid.set_cell(data)

    @command("console.grideditor.save")
    async def save(self, path: Path) -> None:
        """Write the rows as CSV, cells as they are shown; a + in front of the path appends."""
        grid = self._grid()
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for row in grid.rows:
            writer.writerow([grid.kind.text_of(cell) for cell in row.cells])
        try:
            await write_file(path, [text.getvalue().encode("utf-8", "surrogateescape")])
        except OSError as error:
            raise CommandError(f"{visible(path)} was not written: {why(error)}") from None
        count = len(grid.rows)
        self._console.message(f"{count:,} row{'s' if count != 1 else ''} written to {visible(path)}")


def _read(path: str) -> bytes:
    try:
        with open(os.path.expanduser(path), "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise CommandError(f"{visible(path)} cannot be read: {error.strerror or error}") from None
    if len(data) > LARGEST_FILE:
        raise CommandError(f"{visible(path)} is larger than {LARGEST_FILE >> 20} MB, the most that a cell takes")
    return data
