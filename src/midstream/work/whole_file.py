"""Files that are there whole or not at all, and private ones: written aside, then put in place in one step.

What `store/files.py` (files of users, in threads) and `hub/config.py` (the config file) have in common. It waits for
the disk, and knows no messages: whatever goes wrong is an OSError.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from types import TracebackType as Trace
from typing import Self

PRIVATE = 0o600


class WholeFile:
    """A file that is being written, as a context manager: in place when the block ends, gone when it fails.

    The new file is 0600 whatever the umask and the old one's mode, unless `mode` says otherwise. A link stays a link. A
    device or a pipe is never replaced but written to.
    """

    def __init__(self, path: str | os.PathLike[str], mode: int = PRIVATE) -> None:
        self._path = os.path.realpath(checked(path))
        self._mode = mode
        self._aside = ""
        self._old = _status(self._path)

    def __enter__(self) -> Self:
        if self._old is not None and not stat.S_ISREG(self._old.st_mode):
            self._descriptor = open_special(self._path)
            return self
        folder, name = os.path.split(self._path)
        # Of long names some bytes have to make room for what makes it another name.
        self._descriptor, self._aside = tempfile.mkstemp(dir=folder or os.curdir, prefix=f".{name[:50]}.")
        return self

    def write(self, data: bytes) -> None:
        """Add some bytes; nobody sees them before the end."""
        write_all(self._descriptor, data)

    def cut(self, size: int) -> None:
        """Take back what was added after so many bytes; what went to a device or a pipe is gone."""
        if self._aside:
            os.ftruncate(self._descriptor, size)
            os.lseek(self._descriptor, size, os.SEEK_SET)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Trace | None) -> None:
        try:
            try:
                if self._aside and kind is None:
                    self._finish()
            finally:
                os.close(self._descriptor)
            if self._aside and kind is None:
                os.replace(self._aside, self._path)
                self._aside = ""
        finally:
            if self._aside:
                os.unlink(self._aside)

    def _finish(self) -> None:
        if self._mode != PRIVATE:
            os.chmod(self._aside, self._mode)
        if self._old is not None and hasattr(os, "chown") and os.geteuid() == 0:
            os.chown(self._aside, self._old.st_uid, self._old.st_gid)  # root must not take a file from its owner
        os.fsync(self._descriptor)


def checked(path: str | os.PathLike[str]) -> str:
    """The path, if there can be one of this name; otherwise an OSError instead of Python's ValueErrors."""
    name = os.fspath(path)
    try:
        as_bytes = os.fsencode(name)
    except UnicodeEncodeError:
        as_bytes = b"\0"
    if not name or b"\0" in as_bytes:
        raise OSError(errno.EINVAL, "this is no name of a file", name)
    return name


def open_special(path: str) -> int:
    """Open what is no regular file to write to it; OSError for a folder, and for a pipe that nobody reads."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "set_blocking"):
        os.set_blocking(descriptor, True)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a disk that is nearly full takes some before it takes none."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
