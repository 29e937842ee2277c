"""Files of users: replaced whole, appended to without leaving half of what was added, and why they cannot be."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream.store.files import Target, Writing, append_file, replace_file, target, why, write_file


def test_a_plus_means_append_and_a_tilde_is_somebodys_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert target("+~/flows") == Target("/home/me/flows", append=True)
    assert target("~/flows") == Target("/home/me/flows", append=False)
    assert target("a+b") == Target("a+b", append=False)


async def test_replacing_and_appending(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert await write_file(str(path), [b"one", b"two"]) == 6
    assert await write_file(f"+{path}", [b"three"]) == 5
    assert path.read_bytes() == b"onetwothree"
    assert await replace_file(path, [b"four"]) == 4
    assert await append_file(path, []) == 0
    assert path.read_bytes() == b"four"


async def test_new_files_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        await replace_file(tmp_path / "a", [b""])
        await append_file(tmp_path / "b", [b""])
    finally:
        os.umask(old)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"} == {0o600}


async def test_what_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.EIO, "broken")

    path = tmp_path / "file"
    path.write_bytes(b"whole")
    for write in (replace_file, append_file):
        with pytest.raises(OSError, match="broken"):
            await write(path, chunks())
        assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["file"]


async def test_a_file_that_may_not_grow_further_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"whole")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError) as failed:
            await append_file(path, [b"x" * 60_000, b"y" * 60_000])
        assert why(failed.value) == "it would be larger than files may be here"
        with pytest.raises(OSError):
            await replace_file(path, [b"x" * 120_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["file"]


async def test_bytes_that_are_made_on_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "file"
    async with Writing(str(path)) as file:
        for _ in range(3):
            await file.write(b"x" * 700_000)
        assert not path.exists()
    assert path.stat().st_size == file.size == 2_100_000
    async with Writing(f"+{path}") as file:
        await file.write(b"more")
    assert path.read_bytes().endswith(b"xmore")


async def test_making_them_may_fail_or_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    async def forever(text: str) -> None:
        async with Writing(text) as file:
            while True:
                await file.write(b"x" * (1 << 20))

    for text in (str(path), f"+{path}"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await forever(text)
        with pytest.raises(ZeroDivisionError):
            async with Writing(text) as file:
                await file.write(b"x" * (1 << 20))
                raise ZeroDivisionError
        assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


async def test_a_full_disk_at_the_very_end() -> None:
    for text in ("/dev/full", "+/dev/full"):
        with pytest.raises(OSError) as failed:
            async with Writing(text) as file:
                await file.write(b"a little")
        assert why(failed.value) == "the disk is full"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none/file", "there is no such folder"),
        ("file/file", "a part of its path is no folder"),
        (".", "it is a folder"),
        ("pipe", "it is a pipe or a device that nobody listens to"),
        ("a\0b", "this is no name of a file"),
        ("x" * 300, "File name too long"),
    ],
)
async def test_why_not(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    for sign in ("", "+"):
        with pytest.raises(OSError) as failed:
            await write_file(f"{sign}{tmp_path}/{path}", [b"x"])
        assert why(failed.value) == reason
    assert {each.name for each in tmp_path.iterdir()} == {"file", "pipe"}
