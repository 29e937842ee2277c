"""A HAR file that grows while flows finish, and is whole at its end. Used by the addon savehar, in a thread.

It is written aside, into a hidden private file in the same folder, and put in its place when it is closed. Every write
leaves something that our reader understands, so that a kill costs the end of the document and no flow. `StreamFile` is
for flow files.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from midstream.store.formats.har_write import END, Packer
from midstream.work.whole_file import WholeFile

_PIECE = 1 << 16


class HarFile:
    """See the module. Every method waits for the disk, and raises OSError."""

    def __init__(self, path: str, start: bytes) -> None:
        self._start = start
        self._file = WholeFile(path)
        self._packer = Packer(path)
        self._size = 0
        self._is_open = False

    def open(self) -> None:
        """Begin the document."""
        self._file.__enter__()
        self._is_open = True
        self.write([self._start])

    def write(self, items: Sequence[bytes]) -> None:
        """Add whole entries: all of them, or none."""
        before = self._packer.copy()
        size = self._size
        try:
            for item in items:
                self._add(self._packer.pack(item))
            self._add(self._packer.pause())
        except OSError:
            self._packer, self._size = before, size
            self._file.cut(size)
            raise

    def _add(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)

    def close(self, *, keep: bool = True) -> None:
        """Put the whole document in place, or leave nothing behind."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            if keep:
                self._file.write(self._packer.pack(END) + self._packer.finish())
        except OSError as error:
            self._file.__exit__(type(error), error, None)
            raise
        self._file.__exit__(None if keep else OSError, None, None)


class PrintedHar:
    """The same for stdout: it is kept in a file without a name until its end, when `text` gives it."""

    def __init__(self, start: bytes) -> None:
        self._start = start
        self._file: IO[bytes] | None = None

    def open(self) -> None:
        """Begin the document."""
        # No `with`: it is closed by `text`, or with the program.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self.write([self._start])

    def write(self, items: Sequence[bytes]) -> None:
        """Add whole entries: all of them, or none."""
        assert self._file is not None
        size = self._file.tell()
        try:
            self._file.write(b"".join(items))
            self._file.flush()
        except OSError:
            with contextlib.suppress(OSError):  # what could not be written is tried once more
                self._file.seek(size)
            os.ftruncate(self._file.fileno(), size)
            raise

    def close(self, *, keep: bool = True) -> None:
        """Nothing to do: it is printed by `text`."""

    def text(self) -> Iterator[str]:
        """The whole document, piece by piece; it is gone then."""
        if self._file is None:
            return
        with self._file as file:
            file.seek(0)
            rest = b""
            while data := file.read(_PIECE):
                # Between entries, so that no character is cut; a longer entry goes out in one piece.
                whole, newline, rest = (rest + data).rpartition(b"\n")
                yield (whole + newline).decode()
        yield (rest + END).decode()
