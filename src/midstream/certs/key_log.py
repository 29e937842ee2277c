"""The file of handshake secrets (SSLKEYLOGFILE), by which Wireshark and its like read captured TLS.

`addons/tlsconfig.py` prepares it when the program starts and gives its path to whatever makes contexts. Each context
keeps the file open, so that this is for looking into things, not for every day.
"""

import os
import ssl
from pathlib import Path


def prepare(path: Path) -> None:
    """Make the file readable by nobody else, unless it is there. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))


def log_keys(context: ssl.SSLContext, path: Path | None) -> None:
    """Append the secrets of all handshakes of a context to `path`; nothing without one, or when it has gone."""
    if path is None:
        return
    try:
        context.keylog_filename = str(path)
    except OSError:
        return
