"""The file that finished flows are appended to: rotation, repair, and what a full disk leaves."""

from __future__ import annotations

import io
import os
import resource
import stat
import time
from pathlib import Path

import pytest

from midstream.io import FlowReader, FlowWriter
from midstream.store.files import Target, target
from midstream.store.stream_file import ForeignFile, StreamFile, path_of, repaired
from tests.kit.captured import http_flow


def item(url: str = "http://example.com/") -> bytes:
    file = io.BytesIO()
    FlowWriter(file).add(http_flow(url))
    return file.getvalue()


def urls(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [flow.request.url for flow in FlowReader(file).stream()]  # type: ignore[attr-defined]


def test_a_new_file_is_private_and_its_folder_is_made(tmp_path: Path) -> None:
    stream = StreamFile(target(f"{tmp_path}/a/b/flows"))
    stream.open()
    stream.write([item()])
    stream.close()
    path = tmp_path / "a" / "b" / "flows"
    assert urls(path) == ["http://example.com/"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_plain_name_begins_anew_and_whoever_has_the_old_file_open_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    before = item("http://old.example/")
    path.write_bytes(before)
    with path.open("rb") as old:
        stream = StreamFile(target(str(path)))
        stream.write([item()])
        stream.close()
        assert old.read() == before
    assert urls(path) == ["http://example.com/"]


def test_names_follow_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.localtime(1_700_000_000)
    monkeypatch.setattr(time, "localtime", lambda: now)
    stream = StreamFile(target(f"{tmp_path}/%Y/%M.flows"))
    stream.write([item("http://one.example/")])
    first = Path(stream.path)
    now = time.struct_time((*now[:4], now[4] + 1, *now[5:]))
    stream.write([item("http://two.example/")])
    second = Path(stream.path)
    assert first.parent.name == "2023" and first != second
    # The clock is set back: the name comes again, and what is in the file stays.
    now = time.struct_time((*now[:4], now[4] - 1, *now[5:]))
    stream.write([item("http://three.example/")])
    stream.close()
    assert urls(first) == ["http://one.example/", "http://three.example/"]
    assert urls(second) == ["http://two.example/"]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    stream = StreamFile(target(str(path)))
    stream.write([item("http://one.example/")])
    path.rename(tmp_path / "moved")
    stream.write([item("http://two.example/")])
    path.unlink()
    stream.write([item("http://three.example/")])
    stream.close()
    assert urls(tmp_path / "moved") == ["http://one.example/"]
    assert urls(path) == ["http://three.example/"]


def test_half_a_flow_at_the_end_is_kept_elsewhere_before_more_is_appended(tmp_path: Path) -> None:
    path, whole = tmp_path / "flows", item("http://one.example/")
    for cut in (1, 2, 5, 100, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        path.chmod(0o600)
        stream = StreamFile(target(f"+{path}"))
        stream.write([item("http://two.example/")])
        stream.close()
        (note,) = stream.notes
        rest = Path(f"{path}.rest-{len(whole)}")
        assert f"byte {len(whole)}: the file ends in the middle of a flow" in note and str(rest) in note
        assert urls(path) == ["http://one.example/", "http://two.example/"]
        assert rest.read_bytes() == whole[:cut]
        assert stat.S_IMODE(rest.stat().st_mode) == 0o600


def test_garbage_behind_flows_is_cut_off_and_kept_too(tmp_path: Path) -> None:
    path, whole = tmp_path / "flows", item()
    for garbage in (b"garbage", b"3:abc,", b"\0" * 512):
        path.write_bytes(whole + garbage)
        (note,) = repaired(str(path))
        assert "expected a flow" in note
        assert path.read_bytes() == whole
        assert Path(f"{path}.rest-{len(whole)}").read_bytes() == garbage


def test_what_is_no_flow_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    for content in (b"my notes", b'{"log": {}}', b"12 monkeys"):
        path.write_bytes(content)
        with pytest.raises(ForeignFile, match="no flow file"):
            StreamFile(target(f"+{path}")).open()
        assert path.read_bytes() == content


def test_whole_files_need_no_repair(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(item() * 3)
    (tmp_path / "empty").write_bytes(b"")
    for name in ("whole", "empty", "missing"):
        assert repaired(str(tmp_path / name)) == []


def test_what_does_not_fit_is_cut_back_to_the_last_whole_flow(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    one = item()
    stream = StreamFile(target(str(path)))
    stream.write([one])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(one) * 3 + 10, hard))
    try:
        with pytest.raises(OSError):
            stream.write([one] * 5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stream.kept == 2
    assert path.read_bytes() == one * 3
    stream.write([one])
    stream.close()
    assert path.read_bytes() == one * 4


def test_a_device_is_written_to(tmp_path: Path) -> None:
    stream = StreamFile(target("/dev/full"))
    with pytest.raises(OSError, match="No space"):
        stream.write([item()])
    stream.close()
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_file_that_others_can_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    path.write_bytes(item())
    path.chmod(0o644)
    stream = StreamFile(target(f"+{path}"))
    stream.open()
    stream.close()
    assert stream.notes == [f"{path} can be read by others; chmod 600 {path}"]


def test_names_that_cannot_be() -> None:
    for name in ("", "a\0b"):
        with pytest.raises(OSError, match="no name of a file"):
            path_of(Target(name, append=False))
