"""The connections of the flows of a session: each is written once, under a number, and shared by the flows read again.

A connection is known by the object that it is, not by its id: a copy of a flow has connections with the same ids, which
may be edited by themselves. Nothing here keeps a connection alive but the last few that were read.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable
from typing import Any

from midstream.flows.connection import Client, Connection, Server
from midstream.flows.state import StateError
from midstream.store.session_codec import Snapshot
from midstream.store.session_connections import connection_snapshot, unpack_connection

_RECENT = 256


class _Known(weakref.ref[Connection]):
    """A connection that has a number, and what was written of it last."""

    __slots__ = ("key", "number", "shot")

    key: int
    number: int
    shot: Snapshot


class Links:
    """See the module. `read` gives the bytes of a number. On the loop's thread."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._by_object: dict[int, _Known] = {}
        self._by_number: dict[int, _Known] = {}
        self._recent: dict[int, Connection] = {}
        self._last = 0
        self.lost: set[int] = set()
        """Connections that cannot be read: an empty one stands for each, so that their flows are not lost, too."""
        self.pending: list[tuple[int, Snapshot]] = []
        """What has to be written with the next flows."""

    def begin_after(self, number: int) -> None:
        """Numbers up to this one are in the session already."""
        self._last = max(self._last, number)

    def number_of(self, connection: Connection) -> int:
        """Its number; what is new or has changed becomes pending."""
        known = self._by_object.get(id(connection))
        shot = connection_snapshot(connection)
        if known is None:
            self._last += 1
            known = self._learn(connection, self._last, shot)
            self.pending.append((known.number, shot))
        elif shot != known.shot:
            known.shot = shot
            self.pending.append((known.number, shot))
        return known.number

    def changed(self, connection: Connection) -> bool:
        """Look at a connection of which something was written; True: there is news."""
        before = len(self.pending)
        if id(connection) in self._by_object:
            self.number_of(connection)
        return len(self.pending) > before

    def client(self, number: Any) -> Client:
        """A client connection. StateError."""
        found = self._get(number, lambda: Client(peername=("", 0), sockname=("", 0)))
        if not isinstance(found, Client):
            raise StateError("damaged: a client connection is none")
        return found

    def server(self, number: Any) -> Server:
        """A server connection. StateError."""
        found = self._get(number, lambda: Server(address=None))
        if not isinstance(found, Server):
            raise StateError("damaged: a server connection is none")
        return found

    def _get(self, number: Any, empty: Callable[[], Client | Server]) -> Connection:
        if type(number) is not int:
            raise StateError("damaged: a connection has no number")
        known = self._by_number.get(number)
        connection = known() if known is not None else None
        if connection is None:
            try:
                connection = unpack_connection(self._read(number))
            except (StateError, sqlite3.DatabaseError):
                self.lost.add(number)
                connection = empty()
            self._learn(connection, number, connection_snapshot(connection))
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            self._recent[number] = connection
        return connection

    def _learn(self, connection: Connection, number: int, shot: Snapshot) -> _Known:
        known = _Known(connection, self._forget)
        known.key, known.number, known.shot = id(connection), number, shot
        self._by_object[known.key] = self._by_number[number] = known
        return known

    def _forget(self, known: weakref.ref[Connection]) -> None:
        assert isinstance(known, _Known)
        if self._by_object.get(known.key) is known:
            del self._by_object[known.key]
        if self._by_number.get(known.number) is known:
            del self._by_number[known.number]
