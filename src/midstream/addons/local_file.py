"""Which file of a folder a URL means, without ever leaving that folder.

Used by `maplocal`, in a thread. A name comes from the network: it may not climb, and what a symbolic link of the folder
leads to has to lie inside of it as well.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

INDEX = "index.html"

# Characters that file systems or their users have trouble with, as tools that mirror sites replace them.
_UNUSUAL = re.compile(r"[^0-9A-Za-z\-_.=(),/]")

# A file is what it is on disk: with Content-Encoding a client would unpack what it was to download.
_PACKED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
}

# There is no file of that name, or can be none. A folder is opened like a file, but not on every system.
_NO_NAME = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.EINVAL,
        errno.EILSEQ,
        errno.ELOOP,
        errno.ENXIO,
    }
)

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


WHOLE = 1024 * 1024
"""A file up to this size is read at once."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that can be read; `content` is None for one that is larger than `WHOLE`."""

    path: str
    size: int
    media_type: str | None
    content: bytes | None


def candidates(suffix: str) -> list[str]:
    """The names that a suffix of a URL may mean, below the folder and most likely first; none if it climbs."""
    name = unquote(suffix, errors="surrogateescape").strip("/")
    if not name:
        return [INDEX]
    if "\0" in name or "\\" in name or ".." in name.split("/"):
        return []
    names = [name, f"{name}/{INDEX}"]
    plain = _UNUSUAL.sub("_", name)
    if plain != name:
        names += [plain, f"{plain}/{INDEX}"]
    return names


def open_target(target: Path, suffix: str) -> LocalFile | None:
    """The file that `target` is, or that the suffix means below it. None: there is none. Raises OSError."""
    root = os.path.realpath(target)
    if not os.path.isdir(root):
        return _opened(root, target.name)
    for name in candidates(suffix):
        path = os.path.realpath(os.path.join(root, name))
        if not _is_inside(path, root):
            continue
        try:
            found = _opened(path, name)
        except OSError as error:
            if error.errno in _NO_NAME:
                continue
            raise
        if found is not None:
            return found
    return None


def _is_inside(path: str, root: str) -> bool:
    return path.startswith(root if root.endswith(os.sep) else root + os.sep)


def open_again(path: str) -> int:
    """A descriptor for a file that was found before. Raises OSError."""
    return os.open(path, _FLAGS)


def _opened(path: str, name: str) -> LocalFile | None:
    """None for what is no regular file. The path is free of links, and none is followed should one appear."""
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        content = file.read(WHOLE + 1) if status.st_size <= WHOLE else None
    if content is not None and len(content) > WHOLE:  # it has grown
        content = None
    size = status.st_size if content is None else len(content)
    return LocalFile(path, size, _media_type(name), content)


def _media_type(name: str) -> str | None:
    import mimetypes  # which most starts do without

    kind, packed = mimetypes.guess_type(name.replace("\\", "_"), strict=False)
    return _PACKED.get(packed, "application/octet-stream") if packed else kind
