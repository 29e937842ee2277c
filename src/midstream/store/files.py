"""The files that a user asks for: replaced in one step or appended to, 0600 from the first byte, never half written.

Addons and the console write every export, capture and report through this; the disk is waited for in threads. Whatever
goes wrong is an OSError, of which `why` makes words. Not for files of our own in the config folder, nor for the stream
of finished flows (`stream_file.py`), which is never whole.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType as Trace
from typing import Protocol, Self, TypeVar

from midstream.work.whole_file import PRIVATE, WholeFile, checked, open_special, write_all

T = TypeVar("T")

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Target:
    """Where a user wants something to go."""

    path: str
    append: bool


def target(text: str) -> Target:
    """A path as users write it: a `+` in front means append, `~` is somebody's home."""
    append = text.startswith("+")
    return Target(os.path.expanduser(text[append:]), append)


async def write_file(text: str, chunks: Iterable[bytes]) -> int:
    """`append_file` or `replace_file`, as the user's path says."""
    where = target(text)
    return await (append_file if where.append else replace_file)(where.path, chunks)


async def replace_file(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> int:
    """Put a file in place when all of it is on the disk; how many bytes these are. OSError: the old one is still there.

    The chunks are walked in a thread, so they must not look at flows; for what does there is `Writing`. A link stays a
    link. A device or a pipe is written to.
    """
    return await _in_thread(lambda: _write(WholeFile(path), chunks))


async def append_file(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> int:
    """Add to the end of a file, which is made if it is not there; how many bytes. OSError: it is as it was before."""
    return await _in_thread(lambda: _write(Appending(path), chunks))


class Writing:
    """The same for bytes that are made on the loop: `async with Writing(text) as file: await file.write(…)`.

    The file is in place when the block has ended, and as it was before when it fails. Every method raises OSError.
    """

    def __init__(self, text: str) -> None:
        where = target(text)
        self._opened: AbstractContextManager[_Writable] = (
            Appending(where.path) if where.append else WholeFile(where.path)
        )
        self._held: list[bytes] = []
        self._held_size = 0
        self.size = 0
        """How many bytes were written."""

    async def __aenter__(self) -> Self:
        self._file = await _in_thread(self._opened.__enter__)
        return self

    async def write(self, data: bytes) -> None:
        """Add some bytes; small ones are put together before the disk gets them."""
        self._held.append(data)
        self._held_size += len(data)
        self.size += len(data)
        if self._held_size >= _PIECE:
            await self._pass_on()

    async def _pass_on(self) -> None:
        held, self._held, self._held_size = self._held, [], 0
        await _in_thread(lambda: self._file.write(b"".join(held)))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: Trace | None
    ) -> None:
        if kind is None:
            try:
                await self._pass_on()
            except BaseException as failure:
                kind, error = type(failure), failure
                await _in_thread(lambda: self._opened.__exit__(kind, error, trace))
                raise
        await _in_thread(lambda: self._opened.__exit__(kind, error, trace))


class _Writable(Protocol):
    def write(self, data: bytes) -> None: ...


class Appending:
    """A file that is appended to, as a context manager: when the block fails, what it added is cut off again."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._descriptor, self._size = open_to_append(self._path)
        return self

    def write(self, data: bytes) -> None:
        """Add some bytes."""
        write_all(self._descriptor, data)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Trace | None) -> None:
        try:
            if self._size is None:
                return
            try:
                if kind is None:
                    os.fsync(self._descriptor)
            except OSError:  # some file systems find only now that there is no room
                kind = OSError
                raise
            finally:
                if kind is not None:
                    os.ftruncate(self._descriptor, self._size)
        finally:
            os.close(self._descriptor)


def open_to_append(path: str | os.PathLike[str]) -> tuple[int, int | None]:
    """A descriptor at the end of a file, which is made 0600 if it is not there, and its size; None for no file but a
    device or a pipe.
    """
    name = checked(path)
    try:
        status = os.stat(name)
    except FileNotFoundError:
        pass
    else:
        if not stat.S_ISREG(status.st_mode):
            return open_special(name), None
    how = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    descriptor = os.open(name, how, PRIVATE)
    return descriptor, os.fstat(descriptor).st_size


def why(error: OSError) -> str:
    """What went wrong, for a message that has named the file already."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full" if error.errno == errno.ENOSPC else "your share of the disk is used up"
        case errno.EFBIG:
            return "it would be larger than files may be here"
        case errno.ENOENT:
            return "there is no such folder"
        case errno.ENOTDIR | errno.EEXIST:
            return "a part of its path is no folder"
        case errno.EISDIR:
            return "it is a folder"
        case errno.ENXIO:
            return "it is a pipe or a device that nobody listens to"
        case errno.EACCES | errno.EPERM:
            return "it may not be written"
        case _:
            return error.strerror or str(error)


def _write(opened: AbstractContextManager[_Writable], chunks: Iterable[bytes]) -> int:
    size = 0
    with opened as file:
        for chunk in chunks:
            file.write(chunk)
            size += len(chunk)
    return size


async def _in_thread(func: Callable[[], T]) -> T:
    """What `func` returns or raises. Who is cancelled waits for its end all the same: no file is closed under it."""
    work = asyncio.get_running_loop().run_in_executor(None, func)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait((work,))
        raise
