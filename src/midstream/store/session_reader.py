"""Reading a session: a flow at once on the loop, many of them in a thread, and what is large when somebody touches it.

`session` owns one. Bodies and conversations that would hold the loop are not read with their flow: they stay elsewhere
(flows/elsewhere.py) until they are needed. What is deleted while somebody still holds its flow is read before. What the
bytes mean is `session_codec`'s business.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from midstream.flows.elsewhere import Elsewhere
from midstream.flows.state import StateError
from midstream.store import session_records
from midstream.store.session_codec import Stored, unpack_messages
from midstream.store.session_file import SessionFile
from midstream.text.escape import visible

logger = logging.getLogger("midstream.session")

T = TypeVar("T")

Found = dict[int, Stored | StateError]

_MESSAGES: Final = 2  # beside 0 and 1, the sides of bodies


class Reader:
    """See the module."""

    def __init__(self, file: SessionFile) -> None:
        self._file = file
        self._near: sqlite3.Connection | None = None
        self._far: sqlite3.Connection | None = None
        self._beside: sqlite3.Connection | None = None
        self._beside_lock = threading.Lock()
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, "session-read")
        self._unread: weakref.WeakValueDictionary[tuple[int, int], Elsewhere[Any]] = weakref.WeakValueDictionary()

    # --- on the loop

    def read(self, number: int) -> Stored | StateError | None:
        """One flow, without what is large; None when it is not there."""
        try:
            return session_records.read(self._open_near(), (number,), self).get(number)
        except sqlite3.Error as error:
            return StateError(str(error))

    def connection(self, number: int) -> bytes:
        """The bytes of a connection. StateError, sqlite3.Error."""
        return session_records.read_connection(self._open_near(), number)

    def _open_near(self) -> sqlite3.Connection:
        if self._near is None:
            self._near = self._file.reader()
        return self._near

    # --- in a thread

    def read_soon(self, numbers: Sequence[int]) -> asyncio.Future[Found]:
        """Some flows, all of them; read from now on."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._read_far, numbers)

    async def scan(self, after: int, last: int) -> tuple[list[Stored | StateError], int]:
        """The next flows behind a number, as they are written; see `session_records.scan`."""
        return await self._in_thread(lambda: session_records.scan(self._open_far(), after, last))

    async def fetch(self, parts: Iterable[Elsewhere[Any]]) -> None:
        """Read what is elsewhere."""
        for part in parts:
            await self._in_thread(part.value)

    def _open_far(self) -> sqlite3.Connection:
        if self._far is None:
            self._far = self._file.reader()
        return self._far

    def _read_far(self, numbers: Sequence[int]) -> Found:
        try:
            return session_records.read(self._open_far(), numbers)
        except sqlite3.Error as error:
            return {number: StateError(str(error)) for number in numbers}

    async def _in_thread(self, func: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        if self._is_closed:
            await loop.create_future()  # the program ends: in a moment whoever asks is cancelled
        return await loop.run_in_executor(self._thread, func)

    # --- what is elsewhere

    def body(self, number: int, side: int, size: int) -> Elsewhere[bytes]:
        """A body that is not read yet."""
        return self._left(number, side, size, lambda db: session_records.read_body(db, number, side))

    def messages(self, number: int, kind: str, first: int, count: int) -> Elsewhere[list[Any]]:
        """The messages of a conversation that are not read yet."""

        def found(db: sqlite3.Connection) -> list[Any]:
            return unpack_messages(kind, session_records.read_messages(db, number, first, count))

        return self._left(number, _MESSAGES, count, found)

    def _left(self, number: int, part: int, size: int, read: Callable[[sqlite3.Connection], T]) -> Elsewhere[T]:
        left = Elsewhere((number, part), size, lambda: self._touched(number, read))
        self._unread[number, part] = left
        return left

    def _touched(self, number: int, read: Callable[[sqlite3.Connection], T]) -> T | None:
        """In any thread, and also when the session is closed already: a script may hold the flow."""
        try:
            with self._beside_lock:
                if self._beside is None:
                    self._beside = self._file.reader()
                try:
                    return read(self._beside)
                finally:
                    if self._is_closed:
                        self._close(self._beside)
                        self._beside = None
        except (StateError, sqlite3.Error, OSError) as error:
            logger.error("a part of flow %d cannot be read from the session: %s", number, visible(str(error)))
            return None

    def rescue(self, numbers: Iterable[int]) -> None:
        """Read what is left elsewhere of flows that are about to be deleted: somebody holds them."""
        if self._unread:
            for number in numbers:
                for part in (0, 1, _MESSAGES):
                    if (left := self._unread.get((number, part))) is not None:
                        left.value()

    # --- the end

    async def close(self) -> None:
        """Nothing more is asked for, but perhaps what is elsewhere."""
        self._is_closed = True
        # Each is closed where it is used: SQLite crashes when one is closed under the hands of another thread.
        self._close(self._near)
        self._near = None
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_others)
        self._thread.shutdown(wait=False)

    def _close_others(self) -> None:
        with self._beside_lock:
            self._close(self._far)
            self._close(self._beside)
            self._far = self._beside = None

    def _close(self, reader: sqlite3.Connection | None) -> None:
        if self._file.path and reader is not None:  # in memory there is but the one
            reader.close()
