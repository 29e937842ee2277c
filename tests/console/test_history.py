from __future__ import annotations

from midstream.console.history import CommandHistory, History
from midstream.hub.commands import CommandManager


def test_lines_are_kept_once_in_a_row():
    history = History()
    for line in ("one", "  ", "two\nlines", "two lines"):
        history.add(line)
    assert history.lines == ["one", "two lines"]


def test_command_lines_are_kept_by_their_commands():
    kept: list[str] = []
    commands = CommandManager()

    def add(command: str) -> None:
        kept.append(command)

    commands.add("commands.history.add", add)
    commands.add("commands.history.get", lambda: list(kept))
    history = CommandHistory(commands)
    history.add("one")
    history.add("two")
    kept.append("by a script")
    assert history.older("") == "by a script"
    assert history.older("by a script") == "two"
    kept.clear()
    assert history.older("two") is None
    assert history.newer("two") == ""


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


def test_the_best_matches_come_first_and_the_newest_of_them():
    history = History()
    for line in ("flow.mark @all x", "flow.kill @all", "fl o w mark", "flow.mark @focus y", "flow.mark @all x"):
        history.add(line)
    assert history.matches("flow mark") == ["flow.mark @all x", "flow.mark @focus y", "fl o w mark"]
    assert history.matches("fkill") == ["flow.kill @all"]
    assert history.matches("FLOW KILL") == ["flow.kill @all"]
    assert history.matches("nowhere") == []
    assert len(history.matches("")) == 4
