"""How many clients, and connections to servers, fit into the files that the system lets this process have open.

A process that runs out of them can accept nobody, and asyncio's own loop then logs thousands of lines per second. So
the limit is raised as far as the system allows (by `app.py`, at the start), and half of it is for either side: `Proxy`
turns clients away before it is reached, and the dialler opens no further connection.
"""

import errno
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

if sys.platform != "win32":  # where sockets are not files
    import resource

logger = logging.getLogger("midstream.proxy")

ENOUGH = 65536
# For listeners, scripts, flow files and whatever else is no client.
RESERVED = 32
# A client usually brings one connection to a server along.
PER_CLIENT = 2
FEWEST = 4
FEW = 8
"""Connections to servers for one client, while more than half of all that fit are open."""
MOST_LOOKUPS = 64
"""How many names the mode `dns` may ask for at once; each has a socket."""


def raise_limit() -> None:
    """Allow this process as many open files as it may ask for without privileges."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS knows more limits than it tells
            return


def most_clients() -> int:
    """How many clients may be connected at once."""
    return max(_usable_files() // PER_CLIENT, FEWEST)


def most_lookups() -> int:
    """How many names may be asked for at once."""
    return max(min(MOST_LOOKUPS, _usable_files() // 8), 1)


def most_servers() -> int:
    """How many connections to servers may be open at once."""
    return max(_usable_files() - most_clients() - most_lookups(), FEWEST)


def _usable_files() -> int:
    files = ENOUGH
    if sys.platform != "win32":
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = ENOUGH if soft == resource.RLIM_INFINITY else soft
    return files - RESERVED


class Counted(Protocol):
    """A connection that says when its file is closed."""

    on_gone: Callable[[], None] | None


class ServerRoom:
    """Counts the connections to servers, of all clients. UDP is not in it: such a client has no file of its own."""

    __slots__ = ("_is_full", "most", "used")

    def __init__(self, most: int | None = None) -> None:
        self.most = most_servers() if most is None else most
        self.used = 0
        self._is_full = False

    @property
    def is_scarce(self) -> bool:
        """Half of it is in use: a connection that nobody needs is better closed than kept."""
        return self.used > self.most // 2

    def take(self) -> bool:
        """Whether there was room for one more, which is counted then."""
        if self.used < self.most:
            self.used += 1
            return True
        if not self._is_full:
            self._is_full = True
            logger.warning("%d connections to servers are open, and no more fit into the open files that the system "
                           "allows this process (`ulimit -n`): further ones fail", self.most)  # fmt: skip
        return False

    def give_back(self) -> None:
        """One has gone."""
        self.used -= 1
        if self._is_full and not self.is_scarce:
            self._is_full = False
            logger.info("there is room for further connections to servers again")


class Share:
    """What one client has of it. When room is scarce, none gets many: the others are to be served as well."""

    __slots__ = ("_count", "room")

    def __init__(self, room: ServerRoom) -> None:
        self.room = room
        self._count = 0

    @contextmanager
    def dialling(self) -> Iterator[Callable[[Counted], None]]:
        """While a connection is being opened; what it gives is to be called with it once it is. Raises OSError."""
        if (self._count >= FEW and self.room.is_scarce) or not self.room.take():
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        self._count += 1
        is_open = False

        def opened(connection: Counted) -> None:
            nonlocal is_open
            is_open = True
            connection.on_gone = self._gone

        try:
            yield opened
        finally:
            if not is_open:
                self._gone()

    def _gone(self) -> None:
        self._count -= 1
        self.room.give_back()
