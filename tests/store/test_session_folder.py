"""The folder of sessions: which there are, who has them, which go first."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from midstream.store import session_folder
from midstream.store.session_codec import snapshot
from midstream.store.session_file import Batch, FlowWrite, SessionFile
from midstream.store.session_folder import Lock, NoSession, choose, claim_new, entries, make_folder, named, prune
from midstream.store.session_listing import done, table
from midstream.testing.flows import tflow


def made(folder: Path, name: str, *, flows: int = 1, is_closed: bool = True, size: int = 0) -> Path:
    path = folder / f"{name}.session"
    file = SessionFile(str(path))
    file.open()
    flow = tflow(resp=True)
    flow.response.raw_content = os.urandom(size)  # type: ignore[union-attr]
    file.write(Batch(flows=[FlowWrite(number + 1, snapshot(flow, 1, 2)) for number in range(flows)]))
    if is_closed:
        file.close(is_clean=True)
    else:
        assert file._db is not None
        file._db.close()
    return path


def test_the_folder_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "conf" / "sessions"
    mask = os.umask(0)
    try:
        assert make_folder(folder) == ""
        path, lock = claim_new(folder)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.with_suffix(".lock").stat().st_mode) == 0o600
    lock.release()
    folder.chmod(0o755)
    assert "could be read by others" in make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_names_do_not_collide(tmp_path: Path) -> None:
    claims = [claim_new(tmp_path) for _ in range(3)]
    assert len({path for path, _ in claims}) == 3
    for _, lock in claims:
        lock.release()
    assert not list(tmp_path.iterdir())


def test_states_counts_and_order(tmp_path: Path) -> None:
    made(tmp_path, "a", flows=3)
    made(tmp_path, "b", flows=2, is_closed=False)
    lock = Lock(made(tmp_path, "c"))
    assert lock.take()
    (tmp_path / "d.session").write_bytes(os.urandom(5000))
    (tmp_path / "readme.txt").write_text("not one")
    found = {entry.name: (entry.state, entry.flows) for entry in entries(tmp_path)}
    assert found == {"a": ("closed", 3), "b": ("crashed", 2), "c": ("in use", 1), "d": ("damaged", 0)}
    assert [entry.name for entry in entries(tmp_path) if entry.name != "d"] == ["c", "b", "a"]
    lines = table(tmp_path)
    assert lines[0].split() == ["NAME", "LAST", "USED", "FLOWS", "SIZE", "STATE"]
    assert "not a database" in next(line for line in lines if line.startswith("d "))
    lock.release()


def test_the_crashed_one_is_chosen_first(tmp_path: Path) -> None:
    with pytest.raises(NoSession, match="there is no session"):
        choose(tmp_path, "")
    made(tmp_path, "20200101-1", is_closed=False)
    made(tmp_path, "20210101-2")
    path, lock = choose(tmp_path, "")
    assert path.stem == "20200101-1"
    with pytest.raises(NoSession, match="in use by another"):
        choose(tmp_path, "20200101-1")
    assert choose(tmp_path, "2021")[0].stem == "20210101-2"
    lock.release()
    with pytest.raises(NoSession, match="may be any of"):
        named(tmp_path, "202")
    with pytest.raises(NoSession, match="did you mean '20210101-2'"):
        named(tmp_path, "20210102-2")
    assert named(tmp_path, "20210101-2.session").name == "20210101-2"


def test_the_oldest_go_first_and_none_in_use(tmp_path: Path) -> None:
    for name in "abcdefg":
        made(tmp_path, name)
    lock = Lock(tmp_path / "a.session")
    assert lock.take()
    assert [entry.name for entry in prune(tmp_path)] == ["b", "c"]
    assert prune(tmp_path) == []
    size = sum(entry.size for entry in entries(tmp_path))
    assert [entry.name for entry in prune(tmp_path, most_bytes=size - 1)] == ["d"]
    assert [entry.name for entry in prune(tmp_path, most=0)] == ["e", "f", "g"]
    assert [entry.name for entry in entries(tmp_path)] == ["a"]
    lock.release()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = made(tmp_path, "a")
    code = (
        "import sys; from pathlib import Path; from midstream.store.session_folder import Lock\n"
        f"lock = Lock(Path({str(path)!r})); print(lock.take(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        assert not Lock(path).take()
        other.kill()
        other.wait()
    lock = Lock(path)
    assert lock.take()
    lock.release()


def test_what_a_kill_leaves_beside_sessions_is_swept(tmp_path: Path) -> None:
    made(tmp_path, "a")
    (tmp_path / "a.copy").write_bytes(b"x")
    (tmp_path / "a.copy-wal").write_bytes(b"x")
    (tmp_path / "gone.lock").write_bytes(b"")
    path, lock = claim_new(tmp_path)
    prune(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["a.session", path.with_suffix(".lock").name])
    lock.release()


def test_deleting(tmp_path: Path) -> None:
    assert done(tmp_path, ()) == ([f"there is no session in {tmp_path}"], True)
    for name in ("one", "two", "three"):
        made(tmp_path, name)
    lock = Lock(tmp_path / "two.session")
    assert lock.take()
    assert done(tmp_path, ("delete", "on")) == (["one deleted"], True)
    assert done(tmp_path, ("delete", "two")) == (["two is in use, and was kept"], False)
    assert done(tmp_path, ("delete", "thee")) == (["no session is called 'thee'; did you mean 'three'?"], False)
    assert not done(tmp_path, ("remove", "three"))[1]
    lines, is_whole = done(tmp_path, ("delete", "all"))
    assert (sorted(lines), is_whole) == (["three deleted", "two is in use, and was kept"], True)
    lock.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.session"]


def test_what_only_looks_like_a_session_is_left_alone(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = tmp_path / "sessions"
    session_folder.make_folder(folder)
    os.mkfifo(folder / "pipe.session")
    (folder / "folder.session").mkdir()
    (folder / "link.session").symlink_to(victim)
    (folder / "dangling.session").symlink_to(tmp_path / "nothing")
    (folder / "locked.session").write_bytes(b"")
    (folder / "locked.lock").symlink_to(victim)
    (folder / "blocked.session").write_bytes(b"")
    (folder / "blocked.lock").mkdir()
    found = session_folder.entries(folder)
    assert {(each.name, each.state) for each in found} == {("locked", "damaged"), ("blocked", "damaged")}
    assert all(each.problem.startswith("it cannot be locked: ") for each in found)
    assert session_folder.prune(folder, 0, 0) == []
    assert victim.read_bytes() == b"precious"


def test_what_was_taken_out_does_not_count(tmp_path: Path) -> None:
    path = made(tmp_path, "a", flows=5)
    file = SessionFile(str(path))
    file.open()
    file.write(Batch(fates={1: "taken", 2: "taken", 3: "removed"}))
    file.close(is_clean=True)
    assert entries(tmp_path)[0].flows == 2
    assert session_folder.MOST_SESSIONS == 5
