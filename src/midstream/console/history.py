"""The lines typed before: kept in `CONFDIR/command_history`, stepped through with up and down, searched with ctrl r.

The prompt owns one per kind of line; only command lines go to the file. Any file content is accepted; an unreadable
file is only reported.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

KEPT = 1024
CUT_TO = 512
_LONGEST_LINE = 16 * 1024

logger = logging.getLogger(__name__)


class History:
    """Lines, oldest first. `path` None keeps them in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lines: list[str] = _read(path) if path is not None else []
        self._position: int | None = None
        self._prefix = ""
        self._draft = ""

    def add(self, line: str) -> None:
        """Keep a line that was accepted; blank ones and repeats of the newest are not kept."""
        self.rewind()
        line = line.replace("\n", " ").replace("\r", " ")[:_LONGEST_LINE]
        if not line.strip() or (self.lines and self.lines[-1] == line):
            return
        self.lines.append(line)
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # 0600 from the first byte: lines may hold credentials.
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as file:
                file.write(line + "\n")
        except OSError as error:
            logger.warning("the command history cannot be kept: %s: %s", self.path, error.strerror)
            self.path = None

    def trim(self) -> None:
        """At the end: a file of 1024 lines or more is cut to its last 512."""
        if self.path is None or len(self.lines) < KEPT:
            return
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.writelines(line + "\n" for line in self.lines[-CUT_TO:])
            fresh.replace(self.path)
        except OSError as error:
            logger.warning("the command history cannot be cut: %s", error.strerror)

    def clear(self) -> None:
        """Forget everything, in the file too."""
        self.lines.clear()
        self.rewind()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    # --- stepping ---------------------------------------------------------------------------------------------------

    def rewind(self) -> None:
        """The line was edited or left: the next step starts at the newest line again."""
        self._position = None

    def older(self, current: str) -> str | None:
        """The next older line that starts with what was typed; None: there is none."""
        if self._position is None:
            self._position, self._prefix, self._draft = len(self.lines), current, current
        for position in range(self._position - 1, -1, -1):
            line = self.lines[position]
            if line.startswith(self._prefix) and line != current:
                self._position = position
                return line
        return None

    def newer(self, current: str) -> str | None:
        """The next newer line, at last what was typed; None: nothing was stepped through."""
        if self._position is None:
            return None
        for position in range(self._position + 1, len(self.lines)):
            line = self.lines[position]
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


def _holds(line: str, words: str) -> bool:
    position = 0
    for word in words.split():
        position = line.find(word, position)
        if position < 0:
            return False
        position += len(word)
    return True


def _read(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            # A huge foreign file must not fill the memory: only its end counts.
            file.seek(max(0, path.stat().st_size - KEPT * 256))
            lines = file.read(KEPT * 256).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        logger.warning("the command history cannot be read: %s: %s", path, error.strerror)
        return []
    return [line[:_LONGEST_LINE] for line in lines if line.strip()][-4 * KEPT :]
