"""The programs `midstream` and `middump`: from the arguments of the process to its exit status.

Every start that fails for a reason the user can mend ends here: one line on stderr, status 1. What the arguments mean
stands in hub/invocation.py, what a start does in app.py; both are imported late, so that `--version` is quick.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.hub.invocation import Tool


def midstream(argv: Sequence[str] | None = None) -> int:
    """The console."""
    return _start("midstream", argv)


def middump(argv: Sequence[str] | None = None) -> int:
    """The headless program."""
    return _start("middump", argv)


def _start(tool: Tool, argv: Sequence[str] | None) -> int:
    # What a start makes stays, and looking for garbage in it would take a tenth of its time; see work/collector.py.
    gc.set_threshold(500_000)
    arguments = sys.argv[1:] if argv is None else list(argv)
    _open_standard_files()
    from midstream.flows.errors import MidstreamError

    try:
        if arguments[:1] == ["--version"]:
            from midstream.hub.invocation import show, version

            show(version())
            return 0
        from midstream.app import start

        return start(tool, arguments)
    except MidstreamError as error:
        print(f"{tool}: {visible(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `middump --options | head`
        return 1
    finally:
        _forget_stdout_that_failed()


def _open_standard_files() -> None:
    """A daemon may be started without them. The first files and sockets of ours would then be taken for them."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(descriptor, True)


def _forget_stdout_that_failed() -> None:
    """What is left in its buffer would fail once more at the exit of the interpreter, and not without a word."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        sys.stdout = None
