"""The file of handshake secrets (SSLKEYLOGFILE), by which Wireshark and its like read captured TLS.

`addons/tlsconfig.py` prepares it when the program starts and gives its path to whatever makes contexts. Each context
keeps the file open, so that this is for looking into things, not for every day.
"""

import os
import ssl
from pathlib import Path


def prepare(path: Path) -> bool:
    """Make the file readable by nobody else, unless it is there; False: others can read it. Raises OSError."""
    # Not blocking: a named pipe that nobody reads would be waited for, and the whole program with it.
    how = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, how, 0o600)
    try:
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return os.name != "posix" or (not found.st_mode & 0o077 and found.st_uid == os.geteuid())


def log_keys(context: ssl.SSLContext, path: Path | None) -> None:
    """Append the secrets of all handshakes of a context to `path`; nothing without one, or when it has gone."""
    if path is None:
        return
    try:
        prepare(path)  # should it have gone meanwhile, the library would make one that anybody may read
        context.keylog_filename = str(path)
    except OSError:
        return
