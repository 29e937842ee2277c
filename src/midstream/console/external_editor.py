"""Runs $EDITOR on bytes, in a private file, as an awaited child that owns the terminal meanwhile.

The console's edit commands call it. Traffic flows on; nothing here knows what the bytes mean.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from midstream.console.external_program import NoProgram, find_program, private_file
from midstream.text.environment import variables

VARIABLES = (*variables("EDITOR"), "VISUAL", "EDITOR")
FALLBACKS = ("sensible-editor", "nano", "vim", "vi")

_LARGE = 1 << 20  # bytes that are written and read in a thread

logger = logging.getLogger(__name__)

RunChild = Callable[[list[str]], Awaitable[int]]


@dataclass(slots=True)
class Edited:
    """What the person left, and the file that still holds it until `discard`."""

    data: bytes
    path: Path

    def discard(self) -> None:
        """The text has arrived where it belongs: the file is not needed any more."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def find_editor(environment: Mapping[str, str]) -> list[str]:
    """The command line of the editor. NoProgram if there is none."""
    return find_program(
        environment, VARIABLES, FALLBACKS, "no editor was found; set EDITOR to one, such as EDITOR=nano"
    )


async def edit(data: bytes, suffix: str, run_child: RunChild, path: Path | None = None) -> Edited:
    """Let the person edit; `path` is the file of an earlier try. The exit status of the editor means nothing."""
    command = find_editor(os.environ)
    if path is None:
        path = private_file(data, suffix) if len(data) < _LARGE else await asyncio.to_thread(private_file, data, suffix)
    try:
        status = await run_child([*command, str(path)])
    except OSError as error:
        raise NoProgram(f"the editor {command[0]!r} could not be started: {error.strerror or error}") from None
    if status:
        logger.info("the editor %s ended with status %d", command[0], status)
    try:
        size = path.stat().st_size
        return Edited(path.read_bytes() if size < _LARGE else await asyncio.to_thread(path.read_bytes), path)
    except OSError as error:
        raise NoProgram(f"the edited file is gone: {error}") from None
