"""What happens when a command that a person asked for fails: one line for the person, a record for the log.

The console calls it for lines typed and keys pressed. Commands are often a script's: nothing that one raises may end
the program (promises.md 6), and the line names the place in the script. Failing event handlers: failures.py.
"""

from __future__ import annotations

import asyncio
import logging
import os.path
import traceback
from typing import TYPE_CHECKING

from midstream.flows.errors import CommandError, OptionsError
from midstream.hub.failures import one_line, own_traceback, task_is_cancelled
from midstream.hub.handlers import addon_name, location, short_name

if TYPE_CHECKING:
    from midstream.hub.command import Command

logger = logging.getLogger(__name__)


def explain(name: str, command: Command | None, error: BaseException) -> str:
    """The line that says why the command `name` failed; what is no mere refusal is logged with its traceback.

    A cancellation of the running task is no failure: it is raised again.
    """
    if isinstance(error, asyncio.CancelledError) and task_is_cancelled():
        raise error
    if isinstance(error, CommandError | OptionsError):
        return str(error) or f"{name} was refused"
    file = location(command.func).rpartition(":")[0] if command is not None else ""
    trace = own_traceback(error, file)
    where = _last_line_in(file, error)
    text = f"{name} failed{f' in {where}' if where else ''}: {one_line(error)}"
    owner = command.owner if command is not None else None
    extra = {"addon": short_name(addon_name(owner))} if owner is not None else {}
    logger.error("%s", text, exc_info=(type(error), error, trace), extra=extra)
    return text


def _last_line_in(file: str, error: BaseException) -> str:
    """`script.py line 7`: where in its author's file it went wrong, however deep below that it was raised."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if file and frame.filename == file]
    return f"{os.path.basename(file)} line {lines[-1]}" if lines else ""
