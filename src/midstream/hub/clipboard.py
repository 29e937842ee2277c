"""The clipboard: text goes to whatever takes it, and in the end into a file, so that it is never lost.

One belongs to each master (`ctx.master.clipboard`); commands and scripts await `copy`. The order: the terminal (OSC 52,
works over ssh too; the console sets `terminal`), then the first program that the session has a clipboard for, then
`confdir/clipboard.txt`. No terminal says whether it took the text, so that a program is asked as well where there is
one. Nothing is ever read from a clipboard here.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from midstream.flows.errors import CommandError
from midstream.text.escape import visible
from midstream.work.whole_file import WholeFile

OSC_52_LIMIT = 74_994
"""Bytes of text. Terminals drop what is longer: with its base64 the sequence may have 100,000 bytes."""

PATIENCE = 2.0  # seconds for each program: one whose display does not answer must not hold a command
FILE = "clipboard.txt"

# The variable says that there is such a clipboard; the programs fail, or hang, without.
_PROGRAMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy", "--type", "text/plain")),
    ("DISPLAY", ("xclip", "-selection", "clipboard", "-in")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("", ("pbcopy",)),
    # By default tmux keeps OSC 52 of programs to itself; this puts it into its buffer and into the terminal around it.
    ("TMUX", ("tmux", "load-buffer", "-w", "-")),
)


class Clipboard:
    """See the module. `folder` is asked for when a file has to be written."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self.terminal: Callable[[str], bool] | None = None
        """Sends a control sequence to the terminal; False: it is not ours at the moment. Set by who owns one."""

    async def copy(self, text: str) -> str:
        """Put `text` on the clipboard; says where it went: `the clipboard (terminal)`. CommandError: nowhere."""
        data = text.encode("utf-8", "backslashreplace")  # bytes that were no UTF-8 can be on no clipboard
        takers = []
        if self.terminal is not None and len(data) <= OSC_52_LIMIT and self.terminal(osc_52(data)):
            takers.append("terminal")
        for variable, argv in _PROGRAMS:
            if (not variable or os.environ.get(variable)) and shutil.which(argv[0]) and await _fed(argv, data):
                takers.append(argv[0])
                break
        if takers:
            return f"the clipboard ({', '.join(takers)})"
        path = self._folder() / FILE
        try:
            await asyncio.to_thread(_write, path, data)
        except OSError as error:
            raise CommandError(f"no clipboard was found, and {path} cannot be written: {error.strerror}") from None
        return f"{visible(str(path))} (no clipboard was found)"


def osc_52(data: bytes) -> str:
    """The control sequence that asks a terminal to put `data` on the clipboard (xterm's ctlseqs, OSC 52)."""
    return f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"


async def _fed(argv: Sequence[str], data: bytes) -> bool:
    """Whether the program took `data` from its standard input and ended well, in time."""
    null = asyncio.subprocess.DEVNULL
    try:
        # A session of its own: the programs leave a child behind, which serves the clipboard and outlives us. It keeps
        # the outputs open, so these are none that somebody waits for.
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.PIPE, stdout=null, stderr=null, start_new_session=True
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            # uvloop raises RuntimeError for a program that ended before it had read everything.
            with contextlib.suppress(ConnectionError, RuntimeError):
                await child.communicate(data)
            await child.wait()
    except TimeoutError:
        return False
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return child.returncode == 0


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with WholeFile(path) as file:
        file.write(data)
