"""The lines typed before into one kind of prompt: stepped through with up and down, searched with ctrl r.

The console makes one per kind of line. Most live as long as the console; command lines are kept by the addon that owns
`commands.history.*`, which writes them to a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midstream.hub.commands import CommandManager

_LONGEST_LINE = 16 * 1024


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

    def search(self, words: str, skip: int = 0) -> str | None:
        """The newest line that holds all words in order, after `skip` such lines; for ctrl r."""
        seen: set[str] = set()
        for line in reversed(self.lines):
            if line not in seen and _holds(line, words):
                seen.add(line)
                if len(seen) > skip:
                    return line
        return None


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


def _holds(line: str, words: str) -> bool:
    position = 0
    for word in words.split():
        position = line.find(word, position)
        if position < 0:
            return False
        position += len(word)
    return True
