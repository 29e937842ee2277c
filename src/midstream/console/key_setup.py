"""Loads the key bindings at start: the shipped set, and the person's own `keys.yaml` in the config folder.

A person's file says itself what it extends (the default set unless told); one that cannot be read at all leaves the
default set in place, so that there are always keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from midstream import filters
from midstream.console.key_file import KeyFileReader, shipped_folder
from midstream.console.keymap import Condition, Keymap
from midstream.hub import lexer
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.hub.commands import CommandManager
    from midstream.hub.master import Master

OWN_FILE = "keys.yaml"
DEFAULT_SET = "default"


def load_keys(keymap: Keymap, master: Master, confdir: Path) -> list[str]:
    """Fill the keymap; returns what was wrong, each with file, line and column."""
    reader = reader_for(keymap, master.commands)
    own = confdir / OWN_FILE
    if own.is_file():
        reader.read_file(own)
    wanted = getattr(master.options, "console_keys", "") or ""
    if wanted:
        path = Path(wanted).expanduser()
        reader.read_file(path if path.suffix == ".yaml" else shipped_folder() / f"{wanted}.yaml")
    if not any(True for _ in keymap.in_context("global")):
        reader.read_file(shipped_folder() / f"{DEFAULT_SET}.yaml")
    return reader.report.errors


def reader_for(keymap: Keymap, commands: CommandManager) -> KeyFileReader:
    """A reader that knows which commands and filters there are."""

    def check_command(line: str) -> str:
        words = lexer.split(line)
        if not words:
            return "no command is given"
        if words[0] not in commands.commands:
            return f"no command is called {words[0]!r}{did_you_mean(words[0], commands.commands)}"
        return ""

    def compile_filter(text: str) -> Condition:
        return filters.parse(text)

    return KeyFileReader(keymap, compile_filter, check_command)
