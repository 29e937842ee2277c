"""One session on the disk, or in memory in the same form: an SQLite file of packed flows.

`session` writes to it from one thread and reads from others; each reader has a connection of its own, and never waits
for the writer (WAL). Every method waits for the disk, and raises sqlite3.Error or OSError. What the bytes mean is
`session_codec`'s business; which sessions there are, and whose, is `session_folder`'s.

A file is private from its first byte, knows its format, and is looked at with suspicion: each record has a checksum, so
that of a damaged one every whole flow is found, and a file whose tables are not exactly ours is not opened.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from midstream.store.session_codec import FORMAT, Parts, Snapshot, Unpackable, pack, pack_flow
from midstream.store.session_connections import pack_connection
from midstream.store.session_proof import prove_connection, prove_flow
from midstream.store.session_records import (
    APART_MESSAGES,
    MESSAGES_BITS,
    PIECES_BITS,
    body_place,
    flows_noted,
    last_number,
)
from midstream.work.whole_file import PRIVATE

APPLICATION: Final = 0x6D696473  # "mids"
PIECE: Final = 1 << 20
"""Bytes of a body in one record: what the interpreter lock is held for while SQLite copies it."""
PAGE: Final = 4 << 10
"""Bytes of a page on the disk."""
_PAGE_IN_MEMORY: Final = 16 << 10  # of usual flows two fit into one of 4 kB, eleven into this
TABLES: Final = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE flows"
    " (number INTEGER PRIMARY KEY, sum INTEGER, apart INTEGER, first INTEGER, count INTEGER, data BLOB)",
    "CREATE TABLE connections (number INTEGER PRIMARY KEY, sum INTEGER, data BLOB)",
    "CREATE TABLE bodies (piece INTEGER PRIMARY KEY, sum INTEGER, data BLOB)",
    "CREATE TABLE messages (number INTEGER PRIMARY KEY, sum INTEGER, data BLOB)",
    "CREATE TABLE taken (number INTEGER PRIMARY KEY)",
)
# The first, and the size of pages, are for a new file, before WAL: free pages go back. With WAL a kill costs nothing
# that was committed; FULL would only help when the power fails. What is deleted is overwritten where that is free.
_PRAGMAS: Final = (
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "journal_size_limit=67108864",
    "secure_delete=FAST",
)
_MEMORY: Final = ":memory:"
_LARGEST: Final = 1 << 30  # of a record; bodies are in pieces
_PAGES_FREED: Final = 2000  # after each write that deleted something
_PAGES_FREED_AT_THE_END: Final = 100_000
_AT_ONCE: Final = 256  # flows that are deleted in one transaction


Fate: TypeAlias = Literal["taken", "back", "removed"]


class ForeignSession(ValueError):
    """The file is no session that can be read here; the message says why."""


@dataclass(slots=True)
class FlowWrite:
    """What is to be written of one flow."""

    number: int
    shot: Snapshot
    bodies: list[tuple[int, bytes]] = field(default_factory=list)
    """Large bodies that are others than before, by their side."""
    apart: int = 0
    """Which large bodies there are: 1 for the request's, 2 for the response's, 4 for messages."""
    messages: Sequence[tuple[int, tuple[object, ...]]] = ()
    """New or changed messages, and their numbers."""
    first: int = 0
    """The number of the first message that is left; what was before it is forgotten."""
    count: int = 0
    """How many messages are left."""


@dataclass(slots=True)
class Batch:
    """What is written in one transaction."""

    flows: list[FlowWrite] = field(default_factory=list)
    connections: list[tuple[int, Snapshot]] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)
    """Flows that were taken out, and what became of them last."""
    size: int = 0

    def __bool__(self) -> bool:
        return bool(self.flows or self.connections or self.fates)


class SessionFile:
    """See the module. `path` is empty for a session in memory."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None
        self._last = 0
        self._count: int | None = 0  # flows that are there; None for a file that does not say
        self._unwritten: dict[int, str] = {}  # connections that cannot be, and why

    # --- opening

    def open(self) -> None:
        """Open the file, which is made if it is not there. ForeignSession, sqlite3.Error, OSError."""
        if self.path:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), PRIVATE))
        db = _connected(self.path or _MEMORY)
        try:
            for pragma in (f"page_size={PAGE if self.path else _PAGE_IN_MEMORY}", *_PRAGMAS):
                db.execute(f"PRAGMA {pragma}").fetchall()
            _check_or_make(db)
            self._last, self._count = last_number(db), flows_noted(db)
        except BaseException:
            db.close()
            raise
        self._db = db

    @property
    def is_open(self) -> bool:
        """Whether there is a file yet."""
        return self._db is not None

    def reader(self) -> sqlite3.Connection:
        """A connection to read by, for one thread at a time; in memory there is but the one."""
        if not self.path:
            assert self._db is not None
            return self._db
        db = _connected(self.path)
        db.execute("PRAGMA query_only=1").fetchall()
        return db

    def close(self, *, is_clean: bool) -> None:
        """Close it; a clean end is noted, so that no later start takes it for a crash."""
        if self._db is None:
            return
        db, self._db = self._db, None
        try:
            with contextlib.suppress(sqlite3.Error):
                if is_clean and self.path:
                    _free_pages(db, _PAGES_FREED_AT_THE_END)
                    db.execute("INSERT OR REPLACE INTO facts VALUES ('closed', ?)", (time.time(),))
        finally:
            db.close()

    # --- writing

    def write(self, batch: Batch) -> list[tuple[int, str]]:
        """Write a batch, all of it or nothing. Flows that have no form are left out, and returned with the reason."""
        db = self._db
        assert db is not None
        connections = self._packed(batch.connections)
        refused: list[tuple[int, str]] = []
        flows: list[tuple[int, int, int, int, int, bytes]] = []
        kept: list[FlowWrite] = []
        for each in batch.flows:
            try:
                data, messages = self._pack(each)
            except Exception as error:  # whatever a script made of it, the others are written
                refused.append((each.number, str(error)))
                continue
            each.messages = messages  # type: ignore[assignment] # packed by now
            flows.append((each.number, zlib.crc32(data), each.apart, each.first, each.count, data))
            kept.append(each)
        db.execute("BEGIN IMMEDIATE")
        try:
            if connections:
                db.executemany("INSERT OR REPLACE INTO connections VALUES (?, ?, ?)", connections)
            count = self._count
            if count is not None:
                count += len(flows) - _known(db, [flow[0] for flow in flows if flow[0] <= self._last])
            db.executemany("INSERT OR REPLACE INTO flows VALUES (?, ?, ?, ?, ?, ?)", flows)
            for each in kept:
                _write_apart(db, each)
            for number, fate in batch.fates.items():
                if fate == "taken":
                    db.execute("INSERT OR IGNORE INTO taken VALUES (?)", (number,))
                    continue
                db.execute("DELETE FROM taken WHERE number = ?", (number,))
                if fate == "removed":
                    gone = _remove(db, number)
                    count = None if count is None else count - gone
            db.execute("INSERT OR REPLACE INTO facts VALUES ('written', ?)", (time.time(),))
            self._last = max(self._last, *(flow[0] for flow in flows)) if flows else self._last
            # How many there are is noted where nothing of a flow is: of a damaged file it says how many are lost.
            facts = [("last", self._last), ("flows", count)]
            db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts)
            db.execute("COMMIT")
            self._count = count
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        if "removed" in batch.fates.values():
            _free_pages(db, _PAGES_FREED)
        return refused

    def _pack(self, each: FlowWrite) -> tuple[bytes, list[tuple[int, bytes]]]:
        """A flow and its messages. Raises whatever is wrong with it, Unpackable mostly."""
        data = pack_flow(each.shot)
        messages = [(number, pack(values)) for number, values in each.messages]
        prove_flow(each.shot, data, [values for _, values in each.messages], [packed for _, packed in messages])
        for number in Parts(*each.shot)[2:4]:
            if number in self._unwritten:
                raise Unpackable(self._unwritten[number])
        return data, messages

    def _packed(self, connections: Iterable[tuple[int, Snapshot]]) -> list[tuple[int, int, bytes]]:
        """Connections, but for those that a script gave odd values: what was written of them before stays."""
        db = self._db
        assert db is not None
        rows = []
        for number, shot in connections:
            try:
                data = pack_connection(shot)
                prove_connection(shot, data)
            except Unpackable as error:
                if not db.execute("SELECT 1 FROM connections WHERE number = ?", (number,)).fetchone():
                    self._unwritten[number] = str(error)
            else:
                rows.append((number, zlib.crc32(data), data))
                self._unwritten.pop(number, None)
        return rows

    def forget_closing(self) -> None:
        """It is in use again: a crash from now on is one."""
        assert self._db is not None
        self._db.execute("DELETE FROM facts WHERE name = 'closed'")

    def forget_taken(self) -> None:
        """Delete what was taken out of the list and did not come back."""
        assert self._db is not None
        numbers = [number for (number,) in self._db.execute("SELECT number FROM taken")]
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            self.write(Batch(fates=dict.fromkeys(some, "removed")))


def _free_pages(db: sqlite3.Connection, most: int) -> None:
    """Give back pages of what was deleted. As a script: `execute` goes but one step, and frees one page."""
    db.executescript(f"PRAGMA incremental_vacuum({most})")


def _connected(path: str) -> sqlite3.Connection:
    # One thread at a time, which `session` sees to; SQLite itself is built to be used by many.
    db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False, cached_statements=32)
    try:
        # A file may be hostile: its schema runs nothing, its pages are looked at, its records are bounded.
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
        for pragma in ("trusted_schema=0", "cell_size_check=1", "temp_store=MEMORY", "cache_size=-4000"):
            db.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        db.close()
        raise
    return db


def _check_or_make(db: sqlite3.Connection) -> None:
    tables = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    if not tables:
        db.execute("BEGIN")
        for table in TABLES:
            db.execute(table)
        db.execute(f"PRAGMA application_id={APPLICATION}")
        db.execute(f"PRAGMA user_version={FORMAT}")
        db.execute("INSERT INTO facts VALUES ('started', ?)", (time.time(),))
        db.execute("COMMIT")
        return
    check_format(db, tables)


def check_format(db: sqlite3.Connection, tables: set[str] | None = None) -> None:
    """ForeignSession for what this program cannot read."""
    if tables is None:
        tables = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    (application,), (version,) = (
        db.execute("PRAGMA application_id").fetchone(),
        db.execute("PRAGMA user_version").fetchone(),
    )
    if application != APPLICATION:
        raise ForeignSession("it is no session")
    if version > FORMAT:
        raise ForeignSession(f"a later midstream wrote it (format {version}, this one reads up to {FORMAT})")
    if tables != set(TABLES):
        raise ForeignSession("its tables are not those of a session")


def _write_apart(db: sqlite3.Connection, each: FlowWrite) -> None:
    for side, body in each.bodies:
        start = body_place(each.number, side)
        db.execute("DELETE FROM bodies WHERE piece BETWEEN ? AND ?", (start, start + (1 << PIECES_BITS) - 1))
        view = memoryview(body)
        for index in range(0, len(view), PIECE):
            piece = view[index : index + PIECE]
            db.execute("INSERT INTO bodies VALUES (?, ?, ?)", (start + index // PIECE, zlib.crc32(piece), piece))
    if each.apart & APART_MESSAGES:
        start = each.number << MESSAGES_BITS
        if each.first:
            db.execute("DELETE FROM messages WHERE number >= ? AND number < ?", (start, start + each.first))
        packed: Sequence[tuple[int, bytes]] = each.messages  # type: ignore[assignment] # see `write`
        rows = [(start + number, zlib.crc32(data), data) for number, data in packed]
        db.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", rows)


def _known(db: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """How many of these flows are there already."""
    if not numbers:
        return 0
    marks = ",".join("?" * len(numbers))
    (known,) = db.execute(f"SELECT count(*) FROM flows WHERE number IN ({marks})", numbers).fetchone()  # noqa: S608
    return int(known)


def _remove(db: sqlite3.Connection, number: int) -> int:
    """How many flows are fewer."""
    gone = db.execute("DELETE FROM flows WHERE number = ?", (number,)).rowcount
    # Asked for always: a body that was edited since may have been a large one.
    start = body_place(number, 0)
    db.execute("DELETE FROM bodies WHERE piece BETWEEN ? AND ?", (start, start + (2 << PIECES_BITS) - 1))
    start = number << MESSAGES_BITS
    db.execute("DELETE FROM messages WHERE number BETWEEN ? AND ?", (start, start + (1 << MESSAGES_BITS) - 1))
    return gone
