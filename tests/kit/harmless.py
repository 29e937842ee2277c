"""What presses keys at random must harm nobody: no file is written outside of a folder, no name is asked for abroad.

with harmless(tmp_path, monkeypatch): …                 # in this process
env=harmless_environment(tmp_path), and guard(folder)   # in a program of its own

The folder becomes home, temporary and working folder; the editor, pager and shell are `true`, and no other program is
found. What would write elsewhere all the same gets a PermissionError, which is a thing that programs have to bear.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = frozenset(["os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.chmod"])
_DEVICES = ("/dev/", "/proc/")
_HERE = ("localhost", "127.", "::1", "0.0.0.0", "::")


class _Guard:
    """One audit hook for the process, which cannot be taken away: it does nothing while there is no folder."""

    def __init__(self) -> None:
        self.folder = ""
        self.refused: list[str] = []
        self._is_there = False

    def install(self) -> None:
        if not self._is_there:
            sys.addaudithook(self._look)
            self._is_there = True

    def _look(self, event: str, details: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event == "open":
            path, _, flags = details
            if flags & _WRITING:
                self._check(path)
        elif event in _CHANGING:
            for each in details[:2] if event in ("os.rename", "os.link") else details[:1]:
                self._check(each)
        elif event == "socket.getaddrinfo" and not str(details[0] or "::1").startswith(_HERE):
            raise socket.gaierror(socket.EAI_NONAME, "names abroad are not asked for in this test")

    def _check(self, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        full = os.path.realpath(os.fsdecode(path))
        if not full.startswith((self.folder, *_DEVICES)):
            self.refused.append(full)
            raise PermissionError(13, "this test writes nowhere else", full)


_guard = _Guard()


def guard(folder: str) -> None:
    """From now on, for the whole life of this process."""
    _guard.install()
    _guard.folder = os.path.realpath(folder)


@contextmanager
def harmless(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """See the module. Gives the folder that is the working folder meanwhile."""
    for name, value in harmless_environment(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    cwd = folder / "cwd"
    monkeypatch.chdir(cwd)
    guard(str(folder))
    try:
        yield cwd
    finally:
        _guard.folder = ""


def harmless_environment(folder: Path) -> dict[str, str]:
    """The same for a program of its own; makes the folders."""
    programs = folder / "bin"
    for each in (programs, folder / "cwd", folder / "home", folder / "tmp"):
        each.mkdir(exist_ok=True)
    true = shutil.which("true")
    assert true is not None
    link = programs / "true"
    if not link.exists():
        link.symlink_to(true)
    tools = ("MIDSTREAM_EDITOR", "EDITOR", "VISUAL", "PAGER", "SHELL", "BROWSER")
    folders = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "PATH": str(programs)}
    return {**dict.fromkeys(tools, str(link)), **folders, "DISPLAY": "", "WAYLAND_DISPLAY": ""}
