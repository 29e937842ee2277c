"""The commands that open boxes: choosers, questions, the export dialog, the palette, forms. In the console's addon.

What a box asks and shows is its own business (overlays/); what comes of it is done by commands of others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from midstream.console import results
from midstream.console.key_names import show_chord
from midstream.console.overlays.chooser import Chooser
from midstream.console.overlays.command_form import CommandForm
from midstream.console.overlays.confirm import Answer, Confirm
from midstream.console.overlays.palette import Palette
from midstream.console.palette_entries import Recent, entries
from midstream.console.panes.commands import CommandsPane
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub import lexer
from midstream.hub.commands import command
from midstream.hub.types import Cmd, CmdArgs
from midstream.store.specs import Flows
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.overlays.export_form import ExportChoice

_AFTERWARDS = "\nprintf '\\n-- ended with status %s; enter goes back -- ' $?\nread -r _\n"


class BoxCommands:
    """See the module."""

    name = "console_boxes"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._exported: ExportChoice | None = None
        self._recent = Recent()

    # --- choosing ---------------------------------------------------------------------------------------------------

    @command("console.choose")
    def choose(self, prompt: str, choices: Sequence[str], cmd: Cmd, *args: CmdArgs) -> None:
        """Pick one of the choices, then run the command with {choice} replaced by it."""
        self._choose(prompt, choices, cmd, args)

    @command("console.choose.cmd")
    def choose_cmd(self, prompt: str, choicecmd: Cmd, subcmd: Cmd, *args: CmdArgs) -> None:
        """Pick from what a command lists, then run another with {choice} replaced by it."""
        listed = self._console.master.commands.execute(choicecmd)
        if isinstance(listed, Awaitable):
            self._console.spawn(self._choose_later(prompt, listed, subcmd, args), choicecmd)
        else:
            self._choose(prompt, listed, subcmd, args)

    async def _choose_later(self, prompt: str, listed: Awaitable[object], cmd: str, args: Sequence[str]) -> None:
        self._choose(prompt, await listed, cmd, args)

    def _choose(self, prompt: str, listed: object, cmd: str, args: Sequence[str]) -> None:
        if isinstance(listed, str | bytes) or not isinstance(listed, Sequence):
            raise CommandError(f"{prompt!r}: there is nothing to choose from, only {type(listed).__name__}")

        def picked(choice: str) -> None:
            self._console.run_command(lexer_join(cmd, [arg.replace("{choice}", choice) for arg in args]))

        self._console.show(Chooser(prompt, [str(each) for each in listed], picked, self._present(cmd, args)))

    def _present(self, cmd: str, args: Sequence[str]) -> str:
        """What is chosen now, where an option is set."""
        options = self._console.master.options
        if cmd == "set" and len(args) == 2 and args[1] == "{choice}" and args[0] in options:
            return str(options.option(args[0]).current())
        return ""

    # --- the palette ------------------------------------------------------------------------------------------------

    @command("console.palette")
    def palette(self) -> None:
        """Find anything by a few letters: commands, options, panes, flows, marks; enter does what suits it."""
        self._console.show(Palette(self._console, entries(self._console), self._recent))

    # --- commands ---------------------------------------------------------------------------------------------------

    @command("console.command.form")
    def command_form(self, cmd: Cmd) -> None:
        """Run a command, after a form for its arguments if it takes any."""
        found = self._console.master.commands.commands.get(cmd)
        if found is None:
            raise CommandError(
                f"no command is called {cmd!r}{did_you_mean(cmd, self._console.master.commands.commands)}"
            )
        if found.parameters:
            self._console.show(CommandForm(self._console, found))
        else:
            self._console.run_command(cmd)

    @command("console.commands.prompt")
    def commands_prompt(self) -> None:
        """Put the selected command into the prompt."""
        pane = self._console.focused_pane
        name = pane.focused_command if isinstance(pane, CommandsPane) else None
        self._console.prompt(":", f"{name} " if name is not None else "")

    # --- questions --------------------------------------------------------------------------------------------------

    @command("console.command.confirm")
    def command_confirm(self, prompt: str, cmd: Cmd, *args: CmdArgs) -> None:
        """Ask yes or no; run the command on yes."""
        line = lexer_join(cmd, args)
        self._console.show(Confirm.yes_or_no(prompt, lambda: self._console.run_command(line)))

    @command("console.flows.clear")
    def flows_clear(self) -> None:
        """Take all flows out of the list, after a question that says what would be lost."""
        console = self._console
        count, held = len(console.view), len(console.tally.held)
        if not count:
            raise CommandError("there are no flows to clear")
        question = f"clear {count:,} flows?" if count > 1 else "clear the flow?"
        keys = console.keys.keymap.keys_for("edit.undo", console.contexts())
        undo = f" {show_chord(keys)} brings them back." if keys else ""
        if not held:
            console.show(Confirm.yes_or_no(question, self._clear, [undo.strip()] if undo else []))
            return
        about = f"{held:,} {'is' if held == 1 else 'are'} held and will be killed.{undo}"
        answers = [Answer("k", "kill and clear", self._clear), Answer("h", "keep held", self._clear_but_held)]
        console.show(Confirm(question, answers, [about]))

    def _clear(self) -> None:
        self._console.run_command("view.clear")

    def _clear_but_held(self) -> None:
        view, held = self._console.view, self._console.tally.held
        others = Flows([id_ for id_ in view.all_ids if id_ not in held], view)  # by their ids: none is read
        self._console.master.commands.call("view.flows.remove", others)

    # --- export -----------------------------------------------------------------------------------------------------

    @command("console.export")
    def export(self, flows: Sequence[Flow]) -> None:
        """Open the export dialog: a format, where it goes, what is left out, and a preview."""
        # At first use: no start pays for the formats.
        from midstream.console.overlays.export_form import ExportChoice, ExportForm

        if not len(flows):
            raise CommandError("there is no such flow")
        if not any(isinstance(flow, HTTPFlow) for flow in flows[:20]):
            raise CommandError("only HTTP can be exported; of others y w copies the messages, and save.file keeps all")
        last = self._exported or ExportChoice()
        self._console.show(ExportForm(self._console, flows, last, lambda *done: self._export(flows, *done)))

    def _export(self, flows: Sequence[Flow], choice: ExportChoice, path: str) -> None:
        self._exported = choice
        call, parts = self._console.master.commands.call, choice.left_out()
        match choice.to:
            case "clipboard":
                self._console.spawn(call("export.clip", choice.format, flows, parts), "export.clip")
            case "file":
                self._console.spawn(call("export.file", choice.format, flows, path, parts), "export.file")
            case _:
                self._console.spawn(self._export_here(flows, choice, parts), "console.export")

    async def _export_here(self, flows: Sequence[Flow], choice: ExportChoice, parts: list[str]) -> None:
        text = await self._console.master.commands.call("export.text", choice.format, flows, parts)
        if choice.to == "pane":
            results.show_text(self._console, f"export {choice.format}", text)
            return
        shell = os.environ.get("SHELL") or shutil.which("sh") or "/bin/sh"
        await self._console.suspend([shell, "-c", text + _AFTERWARDS])


def lexer_join(cmd: str, args: Sequence[str]) -> str:
    """A command line of a command and its arguments."""
    return " ".join([cmd, *(lexer.quote(arg) for arg in args)])
