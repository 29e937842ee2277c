"""The lines that were typed: kept in a file, stepped through by prefix."""

import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.command_history import CUT_TO, KEPT, CommandHistory
from midstream.flows.errors import OptionsError
from midstream.hub import config, ctx
from midstream.hub.master import Master
from midstream.hub.options import Options

PREV, NEXT = "commands.history.prev", "commands.history.next"


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Master]]:
    made: list[Master] = []

    def make(**options: object) -> Master:
        opts = Options()
        config.declare_folder(opts)
        opts.update(confdir=str(tmp_path / "folder"))
        master = Master(opts)
        master.addons.add(CommandHistory())
        opts.update(**options)
        made.append(master)
        return master

    yield make
    for master in made:
        await master.done()


def run(master: Master, *lines: str) -> list[Any]:
    with ctx.use(master):
        return [master.commands.execute(line) for line in lines]


def keep(master: Master, *lines: str) -> None:
    with ctx.use(master):
        for line in lines:
            master.commands.call("commands.history.add", line)


def kept(master: Master) -> Any:
    return run(master, "commands.history.get")[0]


async def test_lines_are_kept_private_and_read_again(start: Callable[..., Master], tmp_path: Path) -> None:
    path = tmp_path / "folder" / "command_history"
    keep(start(), "one", "  ", "two\nlines", "two lines")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "one\ntwo lines\ntwo lines\n"
    assert kept(start()) == ["one", "two lines", "two lines"]


async def test_a_folder_that_cannot_be_is_refused(start: Callable[..., Master], tmp_path: Path) -> None:
    master = start()
    with pytest.raises(OptionsError, match="there is no such user here"):
        master.options.update(confdir="~no-such-user/x")
    keep(master, "one")
    assert (tmp_path / "folder" / "command_history").read_text() == "one\n"


async def test_nothing_is_written_when_nobody_wants_it(start: Callable[..., Master], tmp_path: Path) -> None:
    master = start(command_history=False)
    keep(master, "secret")
    assert kept(master) == ["secret"]
    assert not (tmp_path / "folder").exists()


async def test_steps_go_through_the_lines_with_the_prefix(start: Callable[..., Master]) -> None:
    master = start()
    keep(master, "a1", "b1", "a2", "a2", "b2")
    assert run(master, *[PREV] * 6) == ["b2", "a2", "a2", "b1", "a1", "a1"]
    assert run(master, *[NEXT] * 6) == ["b1", "a2", "a2", "b2", "", ""]
    run(master, "commands.history.filter a")
    assert run(master, *[PREV] * 4) == ["a2", "a2", "a1", "a1"]
    assert run(master, *[NEXT] * 4) == ["a2", "a2", "a", "a"]
    run(master, "commands.history.filter ''")
    assert run(master, PREV, PREV) == ["b2", "a2"]
    keep(master, "c1")
    assert run(master, PREV, PREV, NEXT, NEXT) == ["c1", "b2", "c1", ""]


async def test_clear_forgets_the_file_too(start: Callable[..., Master], tmp_path: Path) -> None:
    master = start()
    keep(master, "x")
    run(master, "commands.history.clear")
    assert kept(master) == []
    assert run(master, PREV, NEXT) == ["", ""]
    assert not (tmp_path / "folder" / "command_history").exists()
    run(master, "commands.history.clear")


async def test_a_long_file_is_cut_at_the_end(start: Callable[..., Master], tmp_path: Path) -> None:
    path = tmp_path / "folder" / "command_history"
    path.parent.mkdir()
    path.write_text("".join(f"{number}\n" for number in range(KEPT - 1)))
    master = start()
    keep(master, "last of mine")
    with path.open("a") as file:  # another midstream
        file.write("of another\n")
    await master.done()
    assert path.read_text().splitlines()[-2:] == ["last of mine", "of another"]
    assert len(path.read_text().splitlines()) == CUT_TO
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_shorter_file_is_left_alone(start: Callable[..., Master], tmp_path: Path) -> None:
    path = tmp_path / "folder" / "command_history"
    path.parent.mkdir()
    path.write_text("".join(f"{number}\n" for number in range(KEPT - 2)))
    master = start()
    keep(master, "x")
    await master.done()
    assert len(path.read_text().splitlines()) == KEPT - 1


async def test_any_file_is_accepted(
    start: Callable[..., Master], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "folder" / "command_history"
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00binary\nfine\n" + b"x" * 2_000_000)
    assert kept(start()) is not None
    path.unlink()
    path.mkdir()
    master = start()
    keep(master, "kept in memory", "and more")
    assert kept(master) == ["kept in memory", "and more"]
    assert caplog.text.count("the command history cannot be read") == 1


async def test_a_line_with_odd_characters_stays_one(start: Callable[..., Master]) -> None:
    line = "flow.comment 'a\u2028quit\x85x\x0b\x1c\x1b[31m'"
    keep(start(), line)
    assert kept(start()) == [line]


async def test_a_line_that_sets_a_secret_is_in_no_file(start: Callable[..., Master], tmp_path: Path) -> None:
    master = start()
    master.options.add_option("proxyauth", str | None, None, "Whom to serve.", kind="secret")
    keep(master, "set proxyauth ann:s3cret", "set other ann:seen")
    assert kept(master) == ["set proxyauth ann:s3cret", "set other ann:seen"]
    await master.done()
    assert (tmp_path / "folder" / "command_history").read_text() == "set other ann:seen\n"
