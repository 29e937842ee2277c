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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from midstream.flows.state import StateError
from midstream.store.session_codec import FORMAT, Snapshot, Stored, Unpackable, pack, pack_connection, pack_flow
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
_WINDOW: Final = 256  # flows that are read at once
_APART_MESSAGES: Final = 4  # beside 1 and 2 for the bodies of request and response
# A body has at most 2**20 pieces of a megabyte, a conversation at most 2**32 messages.
_PIECES: Final = 20
_MESSAGES: Final = 32


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
            self._last = last_number(db)
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
                    db.execute("INSERT OR REPLACE INTO facts VALUES ('closed', ?)", (time.time(),))
        finally:
            db.close()

    # --- writing

    def write(self, batch: Batch) -> list[tuple[int, str]]:
        """Write a batch, all of it or nothing. Flows that have no form are left out, and returned with the reason."""
        db = self._db
        assert db is not None
        refused: list[tuple[int, str]] = []
        flows: list[tuple[int, int, int, int, int, bytes]] = []
        kept: list[FlowWrite] = []
        for each in batch.flows:
            try:
                data = pack_flow(each.shot)
                messages = [(number, pack(values)) for number, values in each.messages]
            except Unpackable as error:
                refused.append((each.number, str(error)))
                continue
            each.messages = messages  # type: ignore[assignment] # packed by now
            flows.append((each.number, zlib.crc32(data), each.apart, each.first, each.count, data))
            kept.append(each)
        connections = [(number, zlib.crc32(data), data) for number, data in _packed(batch.connections)]
        db.execute("BEGIN IMMEDIATE")
        try:
            if connections:
                db.executemany("INSERT OR REPLACE INTO connections VALUES (?, ?, ?)", connections)
            db.executemany("INSERT OR REPLACE INTO flows VALUES (?, ?, ?, ?, ?, ?)", flows)
            for each in kept:
                _write_apart(db, each)
            for number, fate in batch.fates.items():
                if fate == "taken":
                    db.execute("INSERT OR IGNORE INTO taken VALUES (?)", (number,))
                    continue
                db.execute("DELETE FROM taken WHERE number = ?", (number,))
                if fate == "removed":
                    _remove(db, number)
            db.execute("INSERT OR REPLACE INTO facts VALUES ('written', ?)", (time.time(),))
            self._last = max(self._last, *(flow[0] for flow in flows)) if flows else self._last
            db.execute("INSERT OR REPLACE INTO facts VALUES ('last', ?)", (self._last,))
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        if "removed" in batch.fates.values():
            db.execute("PRAGMA incremental_vacuum(2000)").fetchall()
        return refused

    def forget_closing(self) -> None:
        """It is in use again: a crash from now on is one."""
        assert self._db is not None
        self._db.execute("DELETE FROM facts WHERE name = 'closed'")

    def forget_taken(self) -> None:
        """Delete what was taken out of the list and did not come back."""
        assert self._db is not None
        numbers = [number for (number,) in self._db.execute("SELECT number FROM taken")]
        for start in range(0, len(numbers), _WINDOW):
            some = numbers[start : start + _WINDOW]
            self.write(Batch(fates=dict.fromkeys(some, "removed")))


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


def _packed(connections: Iterable[tuple[int, Snapshot]]) -> Iterator[tuple[int, bytes]]:
    for number, shot in connections:
        # A connection that a script gave odd values: its flows are whole all the same but for these.
        with contextlib.suppress(Unpackable):
            yield number, pack_connection(shot)


def _write_apart(db: sqlite3.Connection, each: FlowWrite) -> None:
    for side, body in each.bodies:
        start = _body(each.number, side)
        db.execute("DELETE FROM bodies WHERE piece BETWEEN ? AND ?", (start, start + (1 << _PIECES) - 1))
        view = memoryview(body)
        for index in range(0, len(view), PIECE):
            piece = view[index : index + PIECE]
            db.execute("INSERT INTO bodies VALUES (?, ?, ?)", (start + index // PIECE, zlib.crc32(piece), piece))
    if each.apart & _APART_MESSAGES:
        start = each.number << _MESSAGES
        if each.first:
            db.execute("DELETE FROM messages WHERE number >= ? AND number < ?", (start, start + each.first))
        packed: Sequence[tuple[int, bytes]] = each.messages  # type: ignore[assignment] # see `write`
        rows = [(start + number, zlib.crc32(data), data) for number, data in packed]
        db.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", rows)


def _remove(db: sqlite3.Connection, number: int) -> None:
    found = db.execute("SELECT apart FROM flows WHERE number = ?", (number,)).fetchone()
    db.execute("DELETE FROM flows WHERE number = ?", (number,))
    if found is None or not found[0]:
        return
    start = _body(number, 0)
    db.execute("DELETE FROM bodies WHERE piece BETWEEN ? AND ?", (start, start + (2 << _PIECES) - 1))
    start = number << _MESSAGES
    db.execute("DELETE FROM messages WHERE number BETWEEN ? AND ?", (start, start + (1 << _MESSAGES) - 1))


def _body(number: int, side: int) -> int:
    return (number << 1 | side) << _PIECES


# --- reading


def read(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Stored | StateError]:
    """Some flows; StateError for those that are damaged, nothing for those that are not there."""
    marks = ",".join("?" * len(numbers))
    try:
        rows = db.execute(f"SELECT * FROM flows WHERE number IN ({marks})", numbers).fetchall()  # noqa: S608
    except sqlite3.DatabaseError:
        # A page is damaged: what a walk over its neighbours has found is found in that way again.
        windows = {(number - 1) // _WINDOW * _WINDOW for number in numbers}
        found = [each for after in windows for each in scan(db, after, after + _WINDOW)[0]]
        return {each.number: each for each in found if isinstance(each, Stored) and each.number in numbers}
    return {row[0]: _stored(db, row) for row in rows}


def scan(db: sqlite3.Connection, after: int, last: int) -> tuple[list[Stored | StateError], int]:
    """The next flows behind a number, in order of their numbers, and the number to go on behind; `last` at the end.

    Where pages are damaged each flow is asked for by itself, so that those beside the damage are found.
    """
    end = min(after + _WINDOW, last)
    try:
        rows = db.execute(
            "SELECT * FROM flows WHERE number > ? AND number <= ? ORDER BY number", (after, end)
        ).fetchall()
        if not rows:  # a gap, which a file may claim to be without end
            (following,) = db.execute("SELECT min(number) FROM flows WHERE number > ?", (end,)).fetchone()
            return [], last if following is None else min(following - 1, last)
    except sqlite3.DatabaseError:
        rows = []
        for number in range(after + 1, end + 1):
            try:
                rows += db.execute("SELECT * FROM flows WHERE number = ?", (number,)).fetchall()
            except sqlite3.DatabaseError:
                rows.append((number, None, 0, 0, 0, b""))
    return [_stored(db, row) for row in rows], end


def last_number(db: sqlite3.Connection) -> int:
    """The largest number of a flow, which is noted as well: a damaged page may tell a smaller one. Else a guess."""
    found = []
    for question in ("SELECT value FROM facts WHERE name = 'last'", "SELECT max(number) FROM flows"):
        with contextlib.suppress(sqlite3.DatabaseError):
            found += [value for (value,) in db.execute(question) if isinstance(value, int)]
    if found:
        return max(found)
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (rows,) = db.execute("SELECT count(*) FROM facts").fetchone()
    return int(pages) * 32 if rows > 1 else 0  # nothing was ever written to a new one


def last_connection(db: sqlite3.Connection) -> int:
    """The largest number of a connection."""
    try:
        (last,) = db.execute("SELECT max(number) FROM connections").fetchone()
        return int(last or 0)
    except sqlite3.DatabaseError:
        return 1 << 40  # beyond all that there can be


def read_connection(db: sqlite3.Connection, number: int) -> bytes:
    """The bytes of a connection. StateError when it is damaged or not there."""
    row = db.execute("SELECT sum, data FROM connections WHERE number = ?", (number,)).fetchone()
    if row is None or not isinstance(row[1], bytes) or zlib.crc32(row[1]) != row[0]:
        raise StateError(f"damaged: connection {number} is not there")
    return row[1]


def _stored(db: sqlite3.Connection, row: tuple[int, int | None, int, int, int, object]) -> Stored | StateError:
    number, total, apart, first, count, data = row
    try:
        if not isinstance(data, bytes) or zlib.crc32(data) != total:
            raise StateError("damaged: its checksum is another")
        if not apart:
            return Stored(number, data, {}, (), 0)
        bodies = {side: _pieces(db, _body(number, side)) for side in (0, 1) if apart & (1 << side)}
        messages = _messages(db, number << _MESSAGES, first, count) if apart & _APART_MESSAGES else []
        return Stored(number, data, bodies, messages, first)
    except StateError as error:
        return error
    except sqlite3.DatabaseError as error:
        return StateError(f"damaged: {error}")


def _pieces(db: sqlite3.Connection, start: int) -> bytes:
    rows = db.execute(
        "SELECT sum, data FROM bodies WHERE piece BETWEEN ? AND ? ORDER BY piece", (start, start + (1 << _PIECES) - 1)
    )
    return b"".join([_whole(total, data) for total, data in rows])


def _messages(db: sqlite3.Connection, start: int, first: int, count: int) -> list[bytes]:
    rows = db.execute(
        "SELECT sum, data FROM messages WHERE number BETWEEN ? AND ? ORDER BY number",
        (start + first, start + first + count - 1),
    )
    found = [_whole(total, data) for total, data in rows]
    if len(found) != count:
        raise StateError(f"damaged: {len(found)} of {count} messages are there")
    return found


def _whole(total: int, data: object) -> bytes:
    if not isinstance(data, bytes) or zlib.crc32(data) != total:
        raise StateError("damaged: a checksum is another")
    return data
