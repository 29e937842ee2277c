"""Ends a start during which something went wrong: a broken script, a busy port.

Stands last in the chain, so that every other addon has been told `running` before; what goes wrong while scripts are
loaded ends the start even earlier (app.py). What the errors are is in the log; the programs repeat them on stderr where
nobody prints the log (the console), and who embeds a master gets them as an exception.
"""

from __future__ import annotations

import asyncio
import sys

from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.text.escape import visible


class ErrorCheck:
    """Status 1 for a process that logged an error before it was up."""

    async def running(self) -> None:
        """Look once, when everything has started."""
        await asyncio.sleep(0)  # records that threads have handed in arrive now
        if start_failed(ctx.master):
            ctx.master.shutdown()


def start_failed(master: Master) -> bool:
    """Whether anything has gone wrong so far; the exit status says so then."""
    if not master.startup_errors:
        return False
    master.exit_status = 1
    return True


def print_errors(master: Master) -> None:
    """Tell what has gone wrong at the start on stderr, unless the log is printed anyway."""
    if master.addons.get("termlog") is None:
        for entry in master.startup_errors:
            sys.stderr.write(f"{visible(entry.msg, keep_newlines=True)}\n")
