"""Why a server could not be reached, in words."""

import errno
import os
import socket

import pytest

from midstream.proxy.errors import explain_dial

REFUSED = f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] Connect call failed ('::1', 1, 0, 0), "


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (TimeoutError(), "a.test:1 did not answer within 3 s"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "a.test:1 refused the connection: nothing listens there"),
        (
            OSError(REFUSED + f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 1)"),
            "a.test:1 refused the connection: nothing listens there",
        ),
        (
            OSError(REFUSED + f"[Errno {errno.ENETUNREACH}] Network is unreachable"),
            "a.test:1 refused the connection: nothing listens there",
        ),
        (OSError(errno.ENETUNREACH, "x"), "there is no route to a.test:1"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "the name a.test cannot be resolved"),
        (UnicodeError("label too long"), "'a.test' is no host name"),
        (ValueError("embedded null character"), "'a.test' is no host name"),
        (OverflowError("port must be 0-65535"), "a.test:1 cannot be connected to: port must be 0-65535"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "too many open files"),
        (OSError(errno.EADDRNOTAVAIL, "x"), "cannot connect to a.test:1"),
    ],
)
def test_dialling(exc, words):
    assert words in explain_dial(exc, "a.test", 1, 3)
