"""Files are put in place whole, private, and leave nothing behind when they cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from midstream.work.whole_file import WholeFile


def put(path: Path, data: bytes, mode: int = 0o600) -> None:
    with WholeFile(path, mode) as file:
        file.write(data)


def test_a_new_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        put(tmp_path / "new", b"secret")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with WholeFile(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), WholeFile(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_is_replaced_becomes_private_unless_a_mode_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    put(path, b"new", 0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    put(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    put(tmp_path / "link", b"through it")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"through it"


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    put(Path("/dev/null"), b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OSError, match="No space"):
        put(Path("/dev/full"), b"too much")


def test_a_pipe_without_a_reader_is_no_reason_to_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        put(tmp_path / "pipe", b"for nobody")


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
def test_what_is_no_name_of_a_file_is_an_oserror(name: str) -> None:
    with pytest.raises(OSError, match="no name of a file"):
        put(Path(name) if name != "" else name, b"")  # type: ignore[arg-type]


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    put(path, b"long")
    assert path.read_bytes() == b"long"


def test_a_folder_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        put(tmp_path, b"")
    with pytest.raises(FileNotFoundError):
        put(tmp_path / "none" / "file", b"")
