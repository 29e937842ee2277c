"""What happens again and again, said in the log once, and then with its count at 10, 100 … times.

A browser asks a broken server again for each picture of a page; the log is for what is new, and each request has its
row in any case. The proxy keeps one `Repeats` for all its connections. What fails with clients is counted by the addon
`tls_failures`, which folds rows as well.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable

QUIET = 600.0
"""Seconds without it, after which the next time is news again."""
MOST = 500
"""How many things are remembered; then those that are longest ago are news again, too."""


class Repeats:
    """Counts what repeats itself; see the module."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._now = clock
        self._known: dict[Hashable, tuple[int, float]] = {}

    def count(self, key: Hashable) -> int:
        """How often it happened with this time, since it was last quiet around it."""
        now = self._now()
        before, at = self._known.pop(key, (0, now))
        if now - at > QUIET:
            before = 0
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = before + 1, now
        return before + 1

    def warn(self, logger: logging.Logger, text: str, about: str = "", client: object = None, flow: str = "") -> None:
        """Log `text` if its count says so; `about`, in front of it, is what it happened to this time, and `client` the
        address of whom; `flow` the id of the flow.
        """
        count = self.count(text)
        if is_news(count):
            times = f"{count} times by now: " if count > 1 else ""
            extra = {name: value for name, value in (("client", client), ("flow", flow)) if value}
            logger.warning("%s%s", times, f"{about}: {text}" if about else text, extra=extra)


def is_news(count: int) -> bool:
    """For 1, 10, 100 …"""
    return str(count).rstrip("0") == "1"
