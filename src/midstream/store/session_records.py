"""What is read of a session file: flows as they are stored, and the numbers that are taken.

By a reader of its own for each thread (`SessionFile.reader`). `session` reads by it, `session_resume` everything. Each
record has a checksum, so that of a damaged file every whole flow is found; the others give a StateError each.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final, Protocol

from midstream.flows.elsewhere import Elsewhere
from midstream.flows.state import StateError
from midstream.store.session_codec import Body, Stored, kind_of, unpack_messages

APART_MESSAGES: Final = 4
"""In the column `apart`, beside 1 and 2 for the large bodies of request and response."""
# A body has at most 2**20 pieces of a megabyte, a conversation at most 2**32 messages.
PIECES_BITS: Final = 20
MESSAGES_BITS: Final = 32
MOST_FLOWS: Final = 1 << 31
"""Numbers are below this, so that those of messages have room."""
# What is read at once, whichever is less.
_WINDOW: Final = 256
_MOST_BYTES: Final = 16 << 20
# What takes more than a millisecond to read: bytes of a body, messages of a conversation.
LARGE: Final = 256 << 10
MANY_MESSAGES: Final = 200
_MESSAGE_SIZE: Final = 200


def body_place(number: int, side: int) -> int:
    """Where the pieces of a body begin."""
    return (number << 1 | side) << PIECES_BITS


class Elsewheres(Protocol):
    """Who makes stand-ins for what is not read with its flow."""

    def body(self, number: int, side: int, size: int) -> Elsewhere[bytes]: ...
    def messages(self, number: int, kind: str, first: int, count: int) -> Elsewhere[list[Any]]: ...


def read(
    db: sqlite3.Connection, numbers: Sequence[int], elsewhere: Elsewheres | None = None
) -> dict[int, Stored | StateError]:
    """Some flows; StateError for those that are damaged, nothing for those that are not there. What is large is left
    where it is if there is somebody to stand in for it.
    """
    marks = ",".join("?" * len(numbers))
    try:
        rows = db.execute(f"SELECT * FROM flows WHERE number IN ({marks})", numbers).fetchall()  # noqa: S608
    except sqlite3.DatabaseError:
        # A page is damaged: what a walk over its neighbours has found is found in that way again.
        found = [each for number in numbers for each in scan(db, number - 1, number)[0]]
        return {each.number: each for each in found if isinstance(each, Stored) and each.number in numbers}
    return {row[0]: _stored(db, row, elsewhere) for row in rows}


def scan(db: sqlite3.Connection, after: int, last: int) -> tuple[list[Stored | StateError], int]:
    """The next flows behind a number, in order of their numbers, and the number to go on behind; `last` at the end.

    Where pages are damaged each flow is asked for by itself, so that those beside the damage are found.
    """
    end = min(after + _WINDOW, last)
    try:
        found, size = [], 0
        for row in db.execute("SELECT * FROM flows WHERE number > ? AND number <= ? ORDER BY number", (after, end)):
            found.append(stored := _stored(db, row))
            size += _size(stored)
            if size > _MOST_BYTES:
                return found, row[0]
        if not found:  # a gap, which a file may claim to be without end
            (following,) = db.execute("SELECT min(number) FROM flows WHERE number > ?", (end,)).fetchone()
            return [], last if following is None else min(following - 1, last)
    except sqlite3.DatabaseError:
        found, size = [], 0
        for number in range(after + 1, end + 1):
            try:
                rows = db.execute("SELECT * FROM flows WHERE number = ?", (number,)).fetchall()
            except sqlite3.DatabaseError:
                rows = [(number, None, 0, 0, 0, b"")]
            found += [_stored(db, row) for row in rows]
            size += sum(map(_size, found[-1:]))
            if size > _MOST_BYTES:
                return found, number
    return found, end


def _size(stored: Stored | StateError) -> int:
    if isinstance(stored, StateError):
        return 0
    messages = stored.messages
    said = _MESSAGE_SIZE * len(messages) if isinstance(messages, Elsewhere) else sum(map(len, messages))
    return len(stored.data) + sum(map(len, stored.bodies.values())) + said


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


def flows_noted(db: sqlite3.Connection) -> int | None:
    """How many flows there ought to be; None where that is not known: an older midstream did not note it."""
    with contextlib.suppress(sqlite3.DatabaseError):
        facts = dict(db.execute("SELECT name, value FROM facts").fetchall())
        noted = facts.get("flows", None if "written" in facts else 0)
        return noted if isinstance(noted, int) and 0 <= noted < MOST_FLOWS else None
    return None


def taken(db: sqlite3.Connection) -> set[int]:
    """Flows that were taken out of the list and are not deleted yet, as far as that can be read."""
    with contextlib.suppress(sqlite3.DatabaseError):
        return {number for (number,) in db.execute("SELECT number FROM taken")}
    return set()


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


def _stored(
    db: sqlite3.Connection, row: tuple[int, int | None, int, int, int, object], elsewhere: Elsewheres | None = None
) -> Stored | StateError:
    number, total, apart, first, count, data = row
    try:
        if not isinstance(data, bytes) or zlib.crc32(data) != total:
            raise StateError("damaged: its checksum is another")
        if not all(isinstance(each, int) for each in (apart, first, count)) or not 0 < number < MOST_FLOWS:
            raise StateError("damaged: its numbers are none of a flow")
        if not apart:
            return Stored(number, data, {}, (), 0)
        bodies = {side: _body(db, number, side, elsewhere) for side in (0, 1) if apart & (1 << side)}
        if not apart & APART_MESSAGES:
            return Stored(number, data, bodies, (), first)
        if count <= MANY_MESSAGES:
            return Stored(number, data, bodies, read_messages(db, number, first, count), first)
        return Stored(number, data, bodies, _talk(db, (number, first, count), kind_of(data), elsewhere), first)
    except StateError as error:
        return error
    except (sqlite3.DatabaseError, OverflowError) as error:
        return StateError(f"damaged: {error}")


def _body(db: sqlite3.Connection, number: int, side: int, elsewhere: Elsewheres | None) -> Body:
    if elsewhere is not None:
        # Asking for the length reads nothing of a record.
        question = "SELECT sum(length(data)) FROM bodies WHERE piece BETWEEN ? AND ?"
        (size,) = db.execute(question, _places(number, side)).fetchone()
        if size is not None and size > LARGE:
            return elsewhere.body(number, side, size)
    return read_body(db, number, side)


def _talk(
    db: sqlite3.Connection, place: tuple[int, int, int], kind: str, elsewhere: Elsewheres | None
) -> Elsewhere[list[Any]]:
    number, first, count = place
    if elsewhere is not None:
        return elsewhere.messages(number, kind, first, count)
    # Here is a thread with the time to make messages of the bytes; on the loop thousands would hold it.
    packed = read_messages(db, number, first, count)
    made: Elsewhere[list[Any]] = Elsewhere(place, count, lambda: unpack_messages(kind, packed))
    made.value()
    return made


def read_body(db: sqlite3.Connection, number: int, side: int) -> bytes:
    """A body that is written apart, as far as it is there. StateError when a piece of it is damaged."""
    rows = db.execute("SELECT sum, data FROM bodies WHERE piece BETWEEN ? AND ? ORDER BY piece", _places(number, side))
    # Piece by piece: a join would hold the interpreter while it copies all of it.
    body = BytesIO()
    for total, data in rows:
        body.write(_whole(total, data))
    return body.getvalue()


def _places(number: int, side: int) -> tuple[int, int]:
    start = body_place(number, side)
    return start, start + (1 << PIECES_BITS) - 1


def read_messages(db: sqlite3.Connection, number: int, first: int, count: int) -> list[bytes]:
    """The messages of a conversation, packed. StateError when one is damaged or not there."""
    start = number << MESSAGES_BITS
    rows = db.execute(
        "SELECT sum, data FROM messages WHERE number BETWEEN ? AND ? ORDER BY number",
        (start + first, start + first + count - 1),
    )
    found = [_whole(total, data) for total, data in rows]
    if len(found) != count:
        raise StateError(f"damaged: {len(found):,} of {count:,} messages are there")
    return found


def _whole(total: int, data: object) -> bytes:
    if not isinstance(data, bytes) or zlib.crc32(data) != total:
        raise StateError("damaged: a checksum is another")
    return data
