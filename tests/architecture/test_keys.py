"""Every key of the shipped sets names a command, has help and fights with no other key."""

from pathlib import Path

import pytest

from midstream import app, filters
from midstream.console.key_bindings import command_problem, option_problem
from midstream.console.key_file import KeyFileReader, shipped_folder
from midstream.console.keymap import Keymap
from tests.architecture.source_tree import REPOSITORY

SETS = sorted(path.stem for path in (REPOSITORY / "keybindings").glob("*.yaml"))


def test_the_sets_are_found() -> None:
    assert "default" in SETS
    assert sorted(path.stem for path in shipped_folder().glob("*.yaml")) == SETS


@pytest.mark.parametrize("name", SETS)
async def test_a_shipped_set_reads_without_a_complaint(name: str) -> None:
    """Unknown keys and contexts, filters that do not parse and conflicts are all errors of the reader."""
    master = app.make_master("midstream", app.make_options())
    keymap = Keymap()
    report = KeyFileReader(keymap, filters.parse).read_file(Path(shipped_folder()) / f"{name}.yaml")
    missing = [problem for each in keymap.all() if (problem := command_problem(each.command, master.commands.commands))]
    missing += [problem for each in keymap.all() if (problem := option_problem(each.command, master.options))]
    await master.done()
    assert missing == []
    assert report.errors == []
    assert report.count > 50
    assert report.notes == []  # shipped sets use only keys that every terminal can send
    assert not [" ".join(binding.keys) for binding in keymap.all() if not binding.help]
