"""`python -m midstream.compat script.py [args]`: run a script that imports mitmproxy and starts the tool itself.

The script is `__main__`, finds its arguments in `sys.argv` and its folder first on `sys.path`, as if python had been
told to run it; `mitmproxy` means midstream. Scripts that the tool loads (`-s`) need no such help.
"""

from __future__ import annotations

import os
import runpy
import sys

from midstream import compat
from midstream.flows.errors import MidstreamError
from midstream.text.escape import visible

USAGE = "usage: python -m midstream.compat script.py [arguments of the script]\n"


def main(arguments: list[str]) -> int:
    """Run the script named first; the status for the process, unless the script ends it by itself."""
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE)
        return 0 if arguments else 2
    script = arguments[0]
    if not os.path.exists(script):
        sys.stderr.write(f"midstream.compat: {visible(script)} does not exist\n")
        return 2
    sys.argv[:] = arguments
    # A folder or a zip file is put there by runpy itself.
    if os.path.isfile(script) and not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.abspath(script))
    compat.install()
    try:
        runpy.run_path(script, run_name="__main__")
    except MidstreamError as error:  # the start failed, and its text says why
        sys.stderr.write(f"{visible(os.path.basename(script))}: {visible(str(error), keep_newlines=True)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
