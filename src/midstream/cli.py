"""The programs `midstream` and `middump`: from the arguments of the process to its exit status.

Every start that fails for a reason the user can mend ends here: one line on stderr, status 1. What the arguments mean
stands in hub/invocation.py, what a start does in app.py; both are imported late, so that `--version` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midstream.hub.invocation import Tool


def midstream(argv: Sequence[str] | None = None) -> int:
    """The console."""
    return _start("midstream", argv)


def middump(argv: Sequence[str] | None = None) -> int:
    """The headless program."""
    return _start("middump", argv)


def _start(tool: Tool, argv: Sequence[str] | None) -> int:
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["--version"]:
        from midstream.hub.invocation import version

        print(version(), end="")
        return 0

    from midstream.app import start
    from midstream.flows.errors import MidstreamError

    try:
        return start(tool, arguments)
    except MidstreamError as error:
        print(f"{tool}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `middump --options | head`
        # Without this the interpreter complains a second time when it flushes stdout at its end.
        sys.stdout = None
        return 1
