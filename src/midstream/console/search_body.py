"""One body searched in the worker process: what may take long, because it is large, encoded or backtracks.

Called by search_flows.py by way of `master.worker`; imports little, so that the process is up soon.
"""

from __future__ import annotations

from midstream.console.finder import Finder
from midstream.flows import encodings

SECONDS = 2.0
"""What one expression may take in one body."""

LARGEST = 64 * 1024 * 1024
"""Bytes of a body when decoded; one that is larger is searched as it came."""


def holds(raw: bytes, encoding: str, pattern: str, seconds: float = SECONDS) -> bool | None:
    """Whether the decoded body holds it; None: that takes too long."""
    data = raw
    if encoding:
        try:
            data = encodings.decode(raw, encoding, LARGEST)
        except ValueError:
            data = raw
    finder = Finder(pattern, seconds)
    found = finder.holds(data)
    return None if finder.problem else found
