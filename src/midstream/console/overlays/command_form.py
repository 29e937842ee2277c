"""A form for the arguments of a command: a field for each, by its type, with completion; enter runs the line.

Opened by the commands pane and `console.command.form`. What is wrong with a value is said by the command itself, which
is asked before it runs; the line goes through the same door as one that is typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.completion import Candidates
from midstream.console.overlays.fields import ChoiceField, Field, TextField
from midstream.console.overlays.form import Form
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.flows.errors import CommandError
from midstream.hub import ctx, lexer
from midstream.hub.types import Choice
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.hub.command import Command, CommandParameter

_MOST_CHOICES = 12
_LEFT_OUT = "(none)"  # the choice that gives an optional argument no value


class CommandForm(Form):
    """See the module. `texts` are the first values that are offered."""

    keys = (("enter", "run"), ("tab", "complete, next"), ("ctrl o", "to the prompt"), ("esc", "cancel"))

    def __init__(self, console: Console, command: Command) -> None:
        self._console = console
        self._command = command
        fields = [_field(console, command, parameter) for parameter in command.parameters]
        super().__init__(command.name, fields, lambda _: console.run_command(self.line()))

    def press(self, key: str) -> None:
        if key == "ctrl o":
            self.finished = True
            self._console.prompt(":", self.line())
        else:
            super().press(key)

    def accept(self) -> None:
        try:
            with ctx.use(self._console.master):
                self._console.master.commands.prepare(self.line())
        except CommandError as error:
            self._point_at(str(error).removeprefix(f"{self._command.name}: "))
            return
        super().accept()

    def line(self) -> str:
        """The command line of what the fields hold."""
        words = [self._command.name]
        last = max((at for at, field in enumerate(self.fields) if _said(field)), default=-1)
        least = sum(not parameter.is_optional for parameter in self._command.parameters)
        for at, (parameter, field) in enumerate(zip(self._command.parameters, self.fields, strict=True)):
            # An optional argument that nothing follows is left out; one that something follows has to be there.
            if at > last and at >= least:
                break
            said = _said(field)
            words.append(said if parameter.is_variadic else lexer.quote(said))
        return " ".join(words).rstrip()

    def _point_at(self, problem: str) -> None:
        name = problem.partition(":")[0]
        self.go_to(name)
        self.problem = problem

    def below(self, columns: int, rows: int) -> list[Line]:
        first = (self._command.help or "No help.").partition("\n")[0]
        shown = f": {self.line()}"
        lines = [("dim", visible(first)), ("text", visible(shown))]
        below: list[Line] = [[("border", "-" * columns)]]
        below += [[(role, cells.cut(text, columns, "…"))] for role, text in lines]
        return below[:rows]


def _field(console: Console, command: Command, parameter: CommandParameter) -> Field:
    commands = console.master.commands
    kind = commands.types.get(parameter.type)
    words = _choices(console, parameter)
    if words:
        optional = [_LEFT_OUT] if parameter.is_optional else []
        return ChoiceField(parameter.name, parameter.name, [*optional, *words])

    def complete(text: str, cursor: int) -> Candidates:
        start = text.rfind(" ", 0, cursor) + 1 if parameter.is_variadic else 0
        typed = text[start:cursor]
        with ctx.use(console.master):
            found = [choice for choice in commands.completions(parameter.type, typed) if choice.startswith(typed)]
        return Candidates(start, cursor, found, typed=typed)

    example = " ".join(kind.examples[:1]) if kind is not None else ""
    shown = kind.shown_as(parameter.type) if kind is not None else ""
    hint = ", ".join(part for part in (shown, f"like {example}" if example else "", _default(parameter)) if part)
    offered = "@focus" if kind is not None and kind.display in ("flow", "flow[]") else ""
    return TextField(parameter.name, parameter.name, offered, complete=complete, hint=hint, kill_ring=console.kill_ring)


def _choices(console: Console, parameter: CommandParameter) -> list[str]:
    """The words to choose from, if they are few."""
    if parameter.type is bool:
        return ["true", "false"]
    if not isinstance(parameter.type, Choice) or parameter.is_variadic:
        return []
    with ctx.use(console.master):
        words = list(console.master.commands.completions(parameter.type, ""))
    return words if len(words) <= _MOST_CHOICES else []


def _default(parameter: CommandParameter) -> str:
    if parameter.is_variadic:
        return "any number"
    return f"else {parameter.default!r}" if parameter.is_optional else ""


def _said(field: Field) -> str:
    value = str(field.value)
    return "" if value == _LEFT_OUT else value
