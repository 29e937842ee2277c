"""The file, or with a pattern of strftime the files, that finished flows are appended to while traffic goes on.

Used by the addon `save`, in a thread: everything here waits for the disk. What is handed over are whole items of a flow
file; one that does not fit on the disk is cut off again, so that the file can always be read and be appended to.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence

from midstream.store.files import Target, open_to_append
from midstream.store.formats.items import whole_part
from midstream.work.whole_file import WholeFile, checked

_PIECE = 1 << 20


class ForeignFile(OSError):
    """What would be appended to is no flow file."""


def path_of(target: Target, now: time.struct_time | None = None) -> str:
    """The file that a target means at this moment. OSError when it cannot be the name of one."""
    return os.path.expanduser(time.strftime(checked(target.path), now or time.localtime()))


class StreamFile:
    """One such file at a time, begun anew or appended to as the target says. Every method raises OSError."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.path = ""
        """Where it writes to now."""
        self.notes: list[str] = []
        """What a person has to know about the files that were opened; to be taken by who logs it."""
        self.kept = 0
        """How many items of the last `write` are in the file."""
        self._descriptor = -1
        self._identity: tuple[int, int] | None = None
        self._newest: tuple[int, ...] = ()

    def open(self) -> None:
        """Open the file of this moment, unless it is open. A file that was moved away or deleted is begun anew."""
        now = time.localtime()
        path = path_of(self._target, now)
        if path == self.path and self._descriptor >= 0 and self._is_there():
            return
        # When the clock is set back, as in autumn, a name comes again that must not lose what is in it.
        append = self._target.append or now[:6] < self._newest
        self._newest = max(self._newest, now[:6])
        self.close()
        if folder := os.path.dirname(path):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        if append:
            self.notes += repaired(path)
        elif not _is_special(path):
            # Another file under this name: who reads the old one, or has a link to it, still finds what was in it.
            with WholeFile(path):
                pass
        self._descriptor, size = open_to_append(path)
        status = os.fstat(self._descriptor)
        self._identity = (status.st_dev, status.st_ino) if size is not None else None
        self.path = path
        if size is not None and os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
            self.notes.append(f"{path} can be read by others; chmod 600 {path}")

    def _is_there(self) -> bool:
        if self._identity is None:
            return True
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def write(self, items: Sequence[bytes]) -> None:
        """Append items. When one does not fit, those before it stay; `kept` says how many."""
        self.kept = 0
        self.open()
        view = memoryview(b"".join(items))
        written = 0
        try:
            while written < len(view):
                written += os.write(self._descriptor, view[written:])
        except OSError:
            self._cut_back(items, written)
            raise
        self.kept = len(items)

    def _cut_back(self, items: Sequence[bytes], written: int) -> None:
        whole = 0
        for item in items:
            if whole + len(item) > written:
                break
            whole += len(item)
            self.kept += 1
        if self._identity is not None and whole < written:
            # O_APPEND leaves the position behind what was written last. Others may have added something since.
            end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            if end == os.fstat(self._descriptor).st_size:
                os.ftruncate(self._descriptor, end - (written - whole))

    def close(self) -> None:
        """Close the file, if one is open."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def repaired(path: str) -> list[str]:
    """Make a flow file whole before something is appended to it: half a flow at its end would hide all that follows.

    What is cut off is kept beside it. Says so in a line or none. ForeignFile when there is no flow in it.
    """
    try:
        if _is_special(path) or not os.path.getsize(path):
            return []
    except FileNotFoundError:
        return []
    with open(path, "r+b") as file:
        cut = whole_part(file.fileno())
        if cut is None:
            return []
        if not cut.offset and not cut.looks_like_a_flow:
            raise ForeignFile(f"it is no flow file: {cut.problem}")
        rest = f"{path}.rest-{cut.offset}"
        file.seek(cut.offset)
        with WholeFile(rest) as aside:
            while piece := file.read(_PIECE):
                aside.write(piece)
        file.truncate(cut.offset)
    return [f"{path}: byte {cut.offset}: {cut.problem}; it goes on from there, and what was behind is in {rest}"]


def _is_special(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False
