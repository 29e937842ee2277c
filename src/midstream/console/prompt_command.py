"""The `:` prompt: command lines, coloured by validity, with the parameters still to come and how many flows are meant.

The line is parsed once per change, and nothing in it is looked for meanwhile: how many flows a spec names is counted in
slices beside (flow_count.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.completion import Candidates
from midstream.console.flow_count import FlowCount
from midstream.console.history import History
from midstream.console.panes.option_edit import value_text
from midstream.console.prompt import Done, Prompt
from midstream.console.widgets.canvas import Line
from midstream.filters import FilterError, parse
from midstream.flows.errors import CommandError
from midstream.hub import ctx, lexer
from midstream.hub.types import Cmd, Unknown
from midstream.store.specs import SPECS
from midstream.text.escape import visible
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from midstream.console.console import Console
    from midstream.hub.arguments import CommandTypes
    from midstream.hub.commands import Command, CommandManager, ParseResult

# A longer line is pasted, not typed: nobody reads its colours, and finding them would hold the loop.
_LONGEST = 16 * 1024

# What fingers type that know vim. No command is called so.
_VIM_LINES = {
    "q": "console.view.pop",
    "q!": "console.exit",
    "qa": "console.exit.ask",
    "qa!": "console.exit",
    "w": "console.flows.save",
}


class CommandPrompt(Prompt):
    """See the module."""

    keys = (
        ("enter", "run"),
        ("tab", "complete"),
        ("esc", "cancel"),
        ("up", "used before"),
        ("ctrl r", "search what was used"),
    )

    def __init__(
        self, console: Console, label: str, text: str = "", *, done: Done | None = None, history: History | None = None
    ) -> None:
        super().__init__(console, label, text, done=done, history=history)
        self._commands = console.master.commands
        self._count = FlowCount(console)
        self._parsed_line: tuple[str, bool] | None = None
        self._roles: list[str] = []
        self._coming = ""
        self._help = ""
        self._wrong = ""  # what is wrong with the first word that is
        self._wrong_at = 0

    def roles(self, text: str) -> list[str]:
        self._parse()
        return self._roles

    def error_column(self) -> int:
        self._parse()
        return self._wrong_at

    def hint(self) -> Line:
        if self.problem:
            return super().hint()
        self._parse()
        if self._wrong:
            return [("prompt.bad", self._wrong)]
        count = f"-> {self._count.text}" if self._count.text else ""
        return [("prompt.hint", "  ".join(words for words in (self._coming, count, self._help) if words))]

    def complete(self) -> Candidates:
        return self.console.complete_command(self.edit.text, self.edit.cursor)

    def written(self, choice: str, rest: str, goes_on: bool) -> tuple[str, int]:
        written = lexer.quote(choice + rest)
        is_quoted = written != choice + rest
        # Inside the quotes while there is more to type.
        return written, len(written) - len(rest) - (1 if is_quoted and (goes_on or rest) else 0)

    def accept(self, text: str) -> bool:
        self._count.stop()
        if self.done is not None:
            return not text.strip() or super().accept(text)
        if text.strip() and (problem := self.console.runner.run(_meant(text) or text)):
            # It stays, so that it can be put right; and it is kept, should it be left now.
            self.problem = problem
            self.history.add(text)
            return False
        self._say_what_is_set(text)
        return True

    def _say_what_is_set(self, line: str) -> None:
        """`set` gives nothing back, and most options are not on the screen."""
        words = lexer.split(line)
        name = words[1].partition("=")[0] if len(words) > 1 and words[0] == "set" else ""
        options = self.console.master.options
        if name in options:
            option = options.option(name)
            value = "set" if option.kind.editor == "secret" else value_text(option.current())
            self.console.message(f"{name} is {visible(value) or 'empty'}")

    def cancel(self) -> None:
        self._count.stop()

    def _parse(self) -> None:
        line = (self.edit.text, self.edit.cursor == len(self.edit.text))
        if line == self._parsed_line:
            return
        self._parsed_line = line
        text, at_end = line
        self._roles, self._coming, self._help = ["prompt"] * len(text), "", ""
        self._wrong, self._wrong_at = "", 0
        if len(text) > _LONGEST:
            self._count.ask(None)
            return
        if meant := _meant(text):
            self._roles, self._help = ["prompt.good"] * len(text), f"runs {visible(meant)}"
            self._count.ask(None)
            return
        with ctx.use(self.console.master):
            parsed, coming = self._commands.parse_partial(text)
        roles = [self._role(part, at_end and number == len(parsed) - 1) for number, part in enumerate(parsed)]
        self._roles = [role for role, part in zip(roles, parsed, strict=True) for _ in part.value]
        if "prompt.bad" in roles:
            first = roles.index("prompt.bad")
            at = sum(len(part.value) for part in parsed[:first])
            reason, inside = reason_of(parsed[first], self._commands)
            self._wrong, self._wrong_at = reason, at + 1 + inside
        known = [found for part in parsed if part.type is Cmd and (found := self._command(part))]
        self._coming = " ".join(str(parameter) for parameter in coming) if known else ""
        # Of a command inside another one the inner is being typed.
        self._help = (known[-1].help or "").partition("\n")[0] if known else ""
        self._count.ask(_last_spec(parsed, self._commands.types))

    def _command(self, part: ParseResult) -> Command | None:
        return self._commands.commands.get(lexer.unquote(part.value))

    def _role(self, part: ParseResult, is_unfinished: bool) -> str:
        if part.value.isspace():
            return "prompt"
        if part.valid:
            return "prompt.good" if part.type is Cmd else "prompt"
        if part.type is Unknown or not is_unfinished:
            return "prompt.bad"
        # The word that is being typed may yet become valid.
        word = lexer.unquote(part.value).lstrip("\"'")
        if part.type is Cmd and not any(name.startswith(word) for name in self._commands.commands):
            return "prompt.bad"
        return "prompt"


def _meant(line: str) -> str:
    """The command that a line of vim stands for; "" for any other line."""
    word, _, path = line.strip().partition(" ")
    if word == "w" and path:
        return f"save.file @shown {path}"
    return "" if path else _VIM_LINES.get(word, "")


def reason_of(part: ParseResult, commands: CommandManager) -> tuple[str, int]:
    """Why a word of a command line is refused, and how many characters inside it the reason stands."""
    word = lexer.unquote(part.value)
    if part.type is Cmd:
        return f"there is no command {visible(word)!r}{did_you_mean(word, commands.commands)}", 0
    if part.type is Unknown:
        return "nothing more is expected here", 0
    kind = commands.types.get(part.type)
    if kind is None:
        return "this does not fit here", 0
    if kind.display in ("flow", "flow[]"):
        # Looking at all flows takes too long for a key press: only whether it is a spec.
        return _spec_reason(word, part.value)
    try:
        kind.parse(commands, part.type, word)
    except (ValueError, CommandError) as error:
        return visible(str(error)).partition("\n")[0], 0
    return f"this is no {kind.display}", 0


def _spec_reason(word: str, written: str) -> tuple[str, int]:
    if word.startswith("@"):
        return f"there is no {visible(word)}{did_you_mean(word, SPECS)}", 0
    try:
        parse(word)
    except FilterError as error:
        # Where quotes or backslashes were taken away, columns are others.
        return error.reason, error.column - 1 if word == written else 0
    return "this names no flow", 0


def _last_spec(parsed: Sequence[ParseResult], types: CommandTypes) -> str | None:
    """The last word of the line that names flows."""
    for part in reversed(parsed):
        kind = types.get(part.type)
        if part.valid and kind is not None and kind.display in ("flow", "flow[]"):
            return lexer.unquote(part.value)
    return None
