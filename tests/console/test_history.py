from __future__ import annotations

import stat

from midstream.console.history import CUT_TO, KEPT, History


def test_lines_are_kept_private_and_read_again(tmp_path):
    path = tmp_path / "folder" / "command_history"
    history = History(path)
    history.add("one")
    history.add("  ")
    history.add("two\nlines")
    history.add("two lines")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert History(path).lines == ["one", "two lines"]


def test_a_long_file_is_cut_at_the_end(tmp_path):
    path = tmp_path / "command_history"
    history = History(path)
    for number in range(KEPT):
        history.add(str(number))
    history.trim()
    assert History(path).lines == [str(number) for number in range(KEPT - CUT_TO, KEPT)]


def test_any_file_is_accepted(tmp_path):
    path = tmp_path / "command_history"
    path.write_bytes(b"\xff\xfe\x00binary\nfine\n" + b"x" * 2_000_000)
    assert History(path).lines is not None
    folder = tmp_path / "folder"
    folder.mkdir()
    assert History(folder).lines == []


def test_clear_removes_the_file(tmp_path):
    history = History(tmp_path / "h")
    history.add("x")
    history.clear()
    assert not (tmp_path / "h").exists()
    assert history.older("") is None


def test_steps_are_filtered_by_what_was_typed():
    history = History()
    for line in ("set a", "flow.kill", "set b", "set b"):
        history.add(line)
    assert history.older("set") == "set b"
    assert history.older("set b") == "set a"
    assert history.older("set a") is None
    assert history.newer("set a") == "set b"
    assert history.newer("set b") == "set"
    assert history.newer("set") is None


def test_search_finds_words_in_order_newest_first():
    history = History()
    for line in ("flow.mark @all x", "flow.kill @all", "flow.mark @focus y"):
        history.add(line)
    assert history.search("flow mark") == "flow.mark @focus y"
    assert history.search("flow mark", 1) == "flow.mark @all x"
    assert history.search("mark flow") is None
