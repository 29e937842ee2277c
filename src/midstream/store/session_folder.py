"""The sessions in `confdir/sessions`: their names, which are in use, and which have to go.

`addons/session.py` asks at the start, `hub`-level listings by way of `app.py`. A session is one file, beside it its
lock: whoever holds that is writing to the session, so that two consoles have two, and nobody deletes one in use. What
is in a session is `session_file`'s business. Everything here waits for the disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from midstream.store.files import why
from midstream.store.session_file import ForeignSession, check_format
from midstream.text.suggest import did_you_mean
from midstream.work.whole_file import PRIVATE

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be deleted anyway
    fcntl = None  # type: ignore[assignment]

MOST_SESSIONS: Final = 5
"""Sessions that are kept, the one in use included."""
MOST_BYTES: Final = 4 << 30
"""Bytes of all sessions together; one that is in use is never cut for it."""

SUFFIX: Final = ".session"
_BESIDE: Final = ("", "-wal", "-shm", "-journal")

State = Literal["in use", "crashed", "closed", "damaged"]


class NoSession(ValueError):
    """There is none of that name, or it cannot be had; the message says so."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A session in the folder. `used` is when it was written last, in seconds since the epoch."""

    name: str
    path: Path
    state: State
    flows: int
    size: int
    used: float
    problem: str = ""


class Lock:
    """Says that a session is in use, for as long as this process lives or until `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(".lock")
        self._descriptor = -1

    def take(self, *, make: bool = True) -> bool:
        """False: somebody else has it. OSError, when there is no such file and it may not be made."""
        flags = os.O_RDWR | (os.O_CREAT if make else 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path, flags, PRIVATE)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever deleted the session may have deleted the lock between the two calls.
                if not os.path.exists(self._path) or not os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                    os.close(descriptor)
                    return self.take(make=make)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let others have the session. The lock's file goes; a later holder makes another."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = -1


def make_folder(folder: Path) -> str:
    """Make it, for its owner only; what is wrong with one that is there, or nothing. OSError."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)
        return f"{folder} could be read by others; now it cannot"
    return ""


def claim_new(folder: Path) -> tuple[Path, Lock]:
    """A name for a session that begins now, and the lock of it. The file is not there yet. OSError."""
    start = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        path = folder / f"{start}{'' if number == 1 else f'-{number}'}{SUFFIX}"
        lock = Lock(path)
        if not path.exists() and lock.take():
            return path, lock
    raise OSError(f"no name is free for a session in {folder}")


def entries(folder: Path) -> list[Entry]:
    """All sessions, the one used last first."""
    found = [entry for path in _paths(folder) if (entry := _entry(path)) is not None]
    return sorted(found, key=lambda each: each.used, reverse=True)


def _paths(folder: Path) -> list[Path]:
    """The files that may be sessions; whatever else is called like one (a link, a pipe) is left alone."""
    try:
        with os.scandir(folder) as found:
            return [Path(each) for each in found if each.name.endswith(SUFFIX) and each.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _entry(path: Path) -> Entry | None:
    try:
        size, used = _size_and_time(path)
    except OSError:  # somebody has just deleted it
        return None
    lock = Lock(path)
    try:
        in_use = not lock.take()
    except OSError as error:  # somebody else's folder, say
        return Entry(path.stem, path, "damaged", 0, size, used, f"it cannot be locked: {why(error)}")
    try:
        flows, is_closed, used = _glance(path, used)
        state: State = "in use" if in_use else "closed" if is_closed else "crashed"
        return Entry(path.stem, path, state, flows, size, used)
    except (sqlite3.Error, ForeignSession) as error:
        return Entry(path.stem, path, "in use" if in_use else "damaged", 0, size, used, str(error))
    finally:
        lock.release()


def _size_and_time(path: Path) -> tuple[int, float]:
    status = os.stat(path)
    size, used = status.st_size, status.st_mtime
    with contextlib.suppress(OSError):
        wal = os.stat(f"{path}-wal")
        size, used = size + wal.st_size, max(used, wal.st_mtime)
    return size, used


def _glance(path: Path, used: float) -> tuple[int, bool, float]:
    """How many flows, whether it was closed, and when it was written last: the file's time tells who looked."""
    with contextlib.closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as db:
        for pragma in ("trusted_schema=0", "query_only=1"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        check_format(db)
        (flows,) = db.execute("SELECT (SELECT count(*) FROM flows) - (SELECT count(*) FROM taken)").fetchone()
        facts = dict(db.execute("SELECT name, value FROM facts").fetchall())
        written = facts.get("written", facts.get("started"))
        return max(0, int(flows)), "closed" in facts, written if isinstance(written, float) else used


def choose(folder: Path, name: str) -> tuple[Path, Lock]:
    """The session of this name, or of the only name that begins so; without a name the one that crashed last, else the
    one used last. NoSession says why there is none.
    """
    free = [entry for entry in entries(folder) if entry.state != "in use"]
    if not name:
        wanted = [entry for entry in free if entry.state == "crashed" and entry.flows] or free
        if not wanted:
            raise NoSession("there is no session to go on with; --sessions lists them")
        entry = wanted[0]
    else:
        entry = named(folder, name)
        if entry.state == "in use":
            raise NoSession(f"session {entry.name} is in use by another midstream")
    lock = Lock(entry.path)
    if not lock.take():
        raise NoSession(f"session {entry.name} is in use by another midstream")
    return entry.path, lock


def named(folder: Path, name: str) -> Entry:
    """The session of this name, or of the only name that begins so. NoSession."""
    name = name.removesuffix(SUFFIX)
    found = entries(folder)
    matching = [entry for entry in found if entry.name == name] or [
        entry for entry in found if name and entry.name.startswith(name)
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise NoSession(f"{name!r} may be any of {', '.join(entry.name for entry in matching)}")
    hint = did_you_mean(name, [entry.name for entry in found]) if found else "; there are none"
    raise NoSession(f"no session is called {name!r}{hint or '; --sessions lists them'}")


def delete(entry: Entry) -> bool:
    """Delete a session for good; False: it is in use. OSError."""
    lock = Lock(entry.path)
    if not lock.take():
        return False
    try:
        delete_files(entry.path)
    finally:
        lock.release()
    return True


def delete_files(path: Path) -> None:
    """Delete the files of a session whose lock is held. OSError."""
    for ending in reversed(_BESIDE):  # the file itself last: what is left half way is still found
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{ending}")


def prune(folder: Path, most: int = MOST_SESSIONS, most_bytes: int = MOST_BYTES) -> list[Entry]:
    """Delete what is too much, the oldest first, and never what is in use. Returns what was deleted."""
    _sweep(folder)
    if _is_little(folder, most, most_bytes):
        return []
    found = entries(folder)
    count, size = len(found), sum(entry.size for entry in found)
    gone: list[Entry] = []
    for entry in reversed(found):
        if count <= most and size <= most_bytes:
            break
        if entry.state == "in use":
            continue
        with contextlib.suppress(OSError):
            if delete(entry):
                gone.append(entry)
                count, size = count - 1, size - entry.size
    return gone


def _is_little(folder: Path, most: int, most_bytes: int) -> bool:
    """Whether nothing has to go; to know the flows of each session, much of it has to be read."""
    size, paths = 0, _paths(folder)
    for path in paths:
        with contextlib.suppress(OSError):
            size += _size_and_time(path)[0]
    return len(paths) <= most and size <= most_bytes


def _sweep(folder: Path) -> None:
    """Delete what a kill has left of sessions that never began, and of copies."""
    for path in (*folder.glob("*.lock"), *folder.glob("*.copy*")):
        session = path.with_name(path.name.partition(".")[0] + SUFFIX)
        with contextlib.suppress(OSError):
            if path.suffix == ".lock" and session.exists():
                continue
            lock = Lock(session)
            if lock.take(make=path.suffix != ".lock"):  # it may have gone just now
                path.unlink(missing_ok=True)
                lock.release()
