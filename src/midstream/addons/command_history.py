"""The command lines that were typed: `commands.history.*`, kept in `CONFDIR/command_history`.

The console's prompt adds its lines and gets them by these commands; scripts may as well. The file is read when somebody
first asks, appended to at once, and cut when the program ends. Any file content is accepted; a file that cannot be read
or written is only reported.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from midstream.hub import config, ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.option_kinds import SECRET

KEPT = 1024
CUT_TO = 512
_LONGEST_LINE = 16 * 1024

logger = logging.getLogger(__name__)


class CommandHistory:
    """The addon; see the module."""

    name = "command_history"

    def __init__(self) -> None:
        self._lines: list[str] | None = None  # None: not read yet
        self._found: list[str] = []
        self._position = 0  # in `_found`; its length is the place after the newest line
        self._prefix = ""
        self._path: Path | None = None  # None: in memory only

    def load(self, loader: Loader) -> None:
        config.declare_folder(loader.master.options)
        loader.add_option("command_history", bool, True, "Keep typed commands in a file, for the next session too.")

    def configure(self, updated: set[str]) -> None:
        if updated & {"command_history", "confdir"}:
            folder = config.folder(ctx.options)
            self._path = folder / "command_history" if ctx.options.command_history else None

    def done(self) -> None:
        self._trim()

    @command("commands.history.add")
    def add(self, command: str) -> None:
        """Keep a line; blank ones are not kept."""
        line = command.replace("\n", " ").replace("\r", " ")[:_LONGEST_LINE]
        if line.strip():
            self._all().append(line)
            if not _names_a_secret(line):
                self._append(line)
        self.filter("")

    @command("commands.history.clear")
    def clear(self) -> None:
        """Forget all lines, in the file too."""
        self._all().clear()
        self.filter("")
        if self._path is not None:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                self._complain("emptied", error)

    @command("commands.history.get")
    def get(self) -> Sequence[str]:
        """All lines, oldest first."""
        return list(self._all())

    @command("commands.history.filter")
    def filter(self, prefix: str) -> None:
        """Step only through the lines that begin so, from the newest on."""
        self._prefix = prefix
        self._found = [line for line in self._all() if line.startswith(prefix)]
        self._position = len(self._found)

    @command("commands.history.prev")
    def prev(self) -> str:
        """The next older line that passes the filter; the oldest again at the end."""
        self._position = max(0, self._position - 1)
        return self._found[self._position] if self._found else self._prefix

    @command("commands.history.next")
    def next(self) -> str:
        """The next newer line that passes the filter; after the newest what the filter begins with."""
        self._position = min(len(self._found), self._position + 1)
        return self._found[self._position] if self._position < len(self._found) else self._prefix

    # -- the file -----------------------------------------------------------------------------------------------------

    def _all(self) -> list[str]:
        if self._lines is None:
            self._lines = self._read()
            self.filter("")
        return self._lines

    def _read(self) -> list[str]:
        if self._path is None:
            return []
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                # A huge foreign file must not fill the memory: only its end counts.
                file.seek(max(0, self._path.stat().st_size - KEPT * 256))
                lines = file.read(KEPT * 256).split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            self._complain("read", error)
            return []
        return [line[:_LONGEST_LINE] for line in lines if line.strip()][-4 * KEPT :]

    def _append(self, line: str) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._path, [line], os.O_APPEND)
        except OSError as error:
            self._complain("kept", error)

    def _trim(self) -> None:
        """At the end: a file of 1024 lines or more is cut to its last 512. Another program may have added to it."""
        if self._path is None or self._lines is None or len(self._lines) < KEPT:
            return
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            _write(fresh, self._read()[-CUT_TO:], os.O_TRUNC)
            fresh.replace(self._path)
        except OSError as error:
            self._complain("cut", error)

    def _complain(self, what: str, error: OSError) -> None:
        logger.warning("the command history cannot be %s: %s: %s", what, self._path, error.strerror)
        self._path = None


def _names_a_secret(line: str) -> bool:
    """Whether it may set an option that is a secret: such a line is for this session only."""
    declared = ctx.options.items()
    return any(name in line for name, option in declared if option.kind is SECRET)


def _write(path: Path, lines: Sequence[str], how: int) -> None:
    # 0600 from the first byte: lines may hold credentials.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.writelines(line + "\n" for line in lines)
