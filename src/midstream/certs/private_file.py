"""Files that only this process's user can open, for interfaces that take keys by path only, as the ssl module does."""

import os
import sys
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path


class PrivateFile:
    """One such file: in memory on Linux; elsewhere in the folder for temporary files, gone when the object is."""

    def __init__(self, data: bytes = b"") -> None:
        # Python may have been built for a C library that lacks it, and a container may lack /proc.
        if sys.platform == "linux" and hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
            self._fd = os.memfd_create("midstream", os.MFD_CLOEXEC)
            self.path = f"/proc/self/fd/{self._fd}"
            self._end: Callable[[], object] = weakref.finalize(self, os.close, self._fd)
        else:
            self._fd, self.path = tempfile.mkstemp(prefix="midstream-")  # 0600 by itself
            self._end = weakref.finalize(self, _remove, self._fd, self.path)
        self.write(data)

    def write(self, data: bytes) -> None:
        """Replace what is in the file."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def close(self) -> None:
        self._end()


def _remove(fd: int, path: str) -> None:
    os.close(fd)
    Path(path).unlink(missing_ok=True)
