"""The lines typed before into one kind of prompt: stepped through with up and down, searched with ctrl r.

The console makes one per kind of line. Most live as long as the console; command lines are kept by the addon that owns
`commands.history.*`, which writes them to a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.fuzzy import Searched, scorer

if TYPE_CHECKING:
    from midstream.hub.commands import CommandManager

_LONGEST_LINE = 16 * 1024
MOST_MATCHES = 50
_ABOUT_THE_SAME = 150  # points of console.fuzzy


class History:
    """Lines, oldest first."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._position: int | None = None
        self._prefix = ""
        self._draft = ""

    @property
    def lines(self) -> Sequence[str]:
        return self._lines

    def add(self, line: str) -> None:
        """Keep a line that was accepted; blank ones and repeats of the newest are not kept."""
        self.rewind()
        line = line.replace("\n", " ").replace("\r", " ")[:_LONGEST_LINE]
        if line.strip() and not (self._lines and self._lines[-1] == line):
            self._lines.append(line)

    # --- stepping ---------------------------------------------------------------------------------------------------

    def rewind(self) -> None:
        """The line was edited or left: the next step starts at the newest line again."""
        self._position = None

    def older(self, current: str) -> str | None:
        """The next older line that starts with what was typed; None: there is none."""
        lines = self.lines
        if self._position is None:
            self._position, self._prefix, self._draft = len(lines), current, current
        for position in range(min(self._position, len(lines)) - 1, -1, -1):
            line = lines[position]
            if line.startswith(self._prefix) and line != current:
                self._position = position
                return line
        return None

    def newer(self, current: str) -> str | None:
        """The next newer line, at last what was typed; None: nothing was stepped through."""
        if self._position is None:
            return None
        lines = self.lines
        for position in range(self._position + 1, len(lines)):
            line = lines[position]
            if line.startswith(self._prefix) and line != current:
                self._position = position
                return line
        self._position = None
        return self._draft

    def matches(self, words: str) -> list[str]:
        """The lines that fit what is typed as the palette has it, the best first; for ctrl r.

        Of those that fit about as well the one used last comes first.
        """
        score_of = scorer(words)
        found: dict[str, tuple[int, int]] = {}
        for age, line in enumerate(reversed(self.lines)):
            if line not in found and (score := score_of(Searched(line)) if words.strip() else 1):
                found[line] = (-(score // _ABOUT_THE_SAME), age)
        return sorted(found, key=found.__getitem__)[:MOST_MATCHES]


class CommandHistory(History):
    """The command lines, as `commands.history.get` and `commands.history.add` keep them."""

    def __init__(self, commands: CommandManager) -> None:
        super().__init__()
        self._commands = commands

    @property
    def lines(self) -> Sequence[str]:
        lines: Sequence[str] = self._commands.call("commands.history.get")
        return lines

    def add(self, line: str) -> None:
        self.rewind()
        self._commands.call("commands.history.add", line)
