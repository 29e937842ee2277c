"""Runs README's start command on a terminal as a newcomer would: it installs, the console comes up, `Q` leaves it.

    python .ci/start.py 'python3 -m venv .venv && …'

Run by .ci/run in a fresh copy of the repository, with a home folder of its own.
"""

import os
import select
import sys
import tempfile
import time

import ptyprocess

TIMEOUT = 300  # seconds; most of it is pip
UP = b"8080"  # the port stands on the screen once the console is up


def main(command: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        child = ptyprocess.PtyProcess.spawn(["bash", "-c", command], env=env, dimensions=(32, 120))
        said = b""
        deadline = time.monotonic() + TIMEOUT
        while UP not in said:
            piece = read(child, deadline)
            said += piece
            if not piece:
                sys.exit(f"the console did not come up:\n{said[-4000:].decode(errors='replace')}")
        child.write(b"Q")
        while piece := read(child, deadline):
            said += piece
        if child.isalive() and time.monotonic() >= deadline:
            child.terminate(force=True)
        child.wait()
        assert child.exitstatus == 0, (child.exitstatus, child.signalstatus, said[-2000:])
    print("the console came up and left with status 0")


def read(child: ptyprocess.PtyProcess, deadline: float) -> bytes:
    """The next output; empty when the child has ended or the time is over."""
    ready, _, _ = select.select([child.fd], [], [], max(0.0, deadline - time.monotonic()))
    try:
        return child.read(65536) if ready else b""
    except EOFError:
        return b""


if __name__ == "__main__":
    main(sys.argv[1])
