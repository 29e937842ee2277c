"""Runs $EDITOR on bytes, in a private file, as an awaited child that owns the terminal meanwhile.

The console's edit commands call it. Traffic flows on; nothing here knows what the bytes mean.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from midstream.text.environment import variables

VARIABLES = (*variables("EDITOR"), "VISUAL", "EDITOR")
FALLBACKS = ("sensible-editor", "nano", "vim", "vi")

logger = logging.getLogger(__name__)

RunChild = Callable[[list[str]], Awaitable[int]]


class NoEditor(Exception):
    """No editor could be run; the message says what to do."""


@dataclass(slots=True)
class Edited:
    """What the person left, and the file that still holds it until `discard`."""

    data: bytes
    path: Path

    def discard(self) -> None:
        """The text has arrived where it belongs: the file is not needed any more."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def find_editor(environment: Mapping[str, str]) -> list[str]:
    """The command line of the editor. NoEditor if there is none."""
    for name in VARIABLES:
        value = environment.get(name, "").strip()
        if value:
            try:
                return shlex.split(value)
            except ValueError as error:
                raise NoEditor(f"{name} is no command line: {value!r}: {error}") from None
    for name in FALLBACKS:
        if found := shutil.which(name):
            return [found]
    raise NoEditor("no editor was found; set EDITOR to one, such as EDITOR=nano")


async def edit(data: bytes, suffix: str, run_child: RunChild, path: Path | None = None) -> Edited:
    """Let the person edit; `path` is the file of an earlier try. The exit status of the editor means nothing."""
    command = find_editor(os.environ)
    if path is None:
        path = private_file(data, suffix)
    try:
        status = await run_child([*command, str(path)])
    except OSError as error:
        raise NoEditor(f"the editor {command[0]!r} could not be started: {error.strerror or error}") from None
    if status:
        logger.info("the editor %s ended with status %d", command[0], status)
    try:
        return Edited(path.read_bytes(), path)
    except OSError as error:
        raise NoEditor(f"the edited file is gone: {error}") from None


def private_file(data: bytes, suffix: str) -> Path:
    """A file 0600 in a folder 0700 of its own, where the editor's swap and backup files are private too."""
    folder = Path(tempfile.mkdtemp(prefix="midstream-"))
    path = folder / f"edit{suffix}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, contextlib.suppress(BrokenPipeError):
        file.write(data)
    return path
