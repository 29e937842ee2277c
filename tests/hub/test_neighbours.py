"""What scripts import from beside themselves is watched and loaded anew with them."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.script import ScriptLoader
from midstream.hub import ctx, scripts
from midstream.hub.master import Master
from midstream.hub.neighbours import imports_of
from midstream.hub.options import Options
from tests.kit.waiting import until

NAME = "a_neighbour_of_scripts"


@pytest.fixture
async def master(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Master]:
    """A master that looks at its scripts more often than usual; the modules of the test are gone afterwards."""
    monkeypatch.setattr(scripts, "POLL_INTERVAL", 0.02)
    before = set(sys.modules)
    made = Master(Options())
    made.addons.add(ScriptLoader())
    with ctx.use(made):
        await made.running()
        yield made
        await made.done()
    left = {name for name in set(sys.modules) - before if name.startswith((NAME, "__midstream_script_"))}
    assert left == set()


def write(path: Path, source: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    return str(path)


def module(master: Master, path: str) -> Any:
    return master.addons.get(path)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_neighbour_can_be_imported_while_loading(master: Master, tmp_path: Path) -> None:
    write(tmp_path / f"{NAME}.py", "value = 7")
    path = write(tmp_path / "a.py", f"from {NAME} import value")
    master.options.update(scripts=[path])
    assert module(master, path).value == 7


async def test_a_neighbour_can_be_imported_later_as_long_as_a_script_beside_it_runs(
    master: Master, tmp_path: Path
) -> None:
    write(tmp_path / f"{NAME}.py", "value = 7")
    lazy = write(tmp_path / "a.py", f"def value():\n    import {NAME}\n    return {NAME}.value")
    other = write(tmp_path / "b.py", "")
    master.options.update(scripts=[lazy, other])
    assert sys.path[0] != str(tmp_path)  # whatever else is imported late is not looked for there first
    write(tmp_path / "b.py", "x = 1")
    await until(lambda: hasattr(module(master, other), "x"), "it is loaded again")
    master.options.update(scripts=[lazy])
    assert module(master, lazy).value() == 7
    master.options.update(scripts=[])
    assert str(tmp_path) not in sys.path
    del sys.modules[NAME]


async def test_a_saved_neighbour_loads_those_scripts_again_that_import_it(master: Master, tmp_path: Path) -> None:
    write(tmp_path / f"{NAME}.py", "value = 1")
    users = [write(tmp_path / f"{name}.py", f"import {NAME}\nvalue = {NAME}.value") for name in "ab"]
    alone = write(tmp_path / "c.py", "")
    master.options.update(scripts=[*users, alone])
    stays = module(master, alone)
    write(tmp_path / f"{NAME}.py", "value = 22")
    await until(lambda: [module(master, path).value for path in users] == [22, 22], "both are loaded again")
    first, second = (getattr(module(master, path), NAME) for path in users)
    assert first is second is sys.modules[NAME]
    assert module(master, alone) is stays


async def test_a_neighbour_that_never_comes_to_rest_is_loaded_all_the_same(tmp_path: Path) -> None:
    quiet = Master(Options())  # which does not look by itself
    loader = ScriptLoader()
    quiet.addons.add(loader)
    write(tmp_path / f"{NAME}.py", "value = 0")
    path = write(tmp_path / "a.py", f"import {NAME}\nvalue = {NAME}.value")
    quiet.options.update(scripts=[path])
    loaded = []
    for value in range(1, 7):
        write(tmp_path / f"{NAME}.py", f"value = {value}{' ' * value}")
        loader._scripts.look(quiet.addons)
        loaded.append(module(quiet, path).value)
    assert loaded == [0, 2, 2, 4, 4, 6]
    await quiet.done()


async def test_a_saved_script_keeps_its_neighbours(master: Master, tmp_path: Path) -> None:
    """They may hold what a script wants to keep."""
    write(tmp_path / f"{NAME}.py", "seen = []")
    path = write(tmp_path / "a.py", f"from {NAME} import seen\nseen.append(1)")
    master.options.update(scripts=[path])
    write(tmp_path / "a.py", f"from {NAME} import seen\nseen.append(2)")
    await until(lambda: module(master, path).seen == [1, 2], "the list goes on")


async def test_packages_and_neighbours_of_neighbours(master: Master, tmp_path: Path) -> None:
    write(tmp_path / NAME / "__init__.py", "")
    write(tmp_path / NAME / "inner.py", "value = 1")
    write(tmp_path / f"{NAME}_too.py", f"from {NAME}.inner import value")
    path = write(tmp_path / "a.py", f"from {NAME}_too import value")
    master.options.update(scripts=[path])
    assert module(master, path).value == 1
    write(tmp_path / NAME / "inner.py", "value = 22")
    await until(lambda: module(master, path).value == 22, "the inner module is imported anew")


async def test_a_broken_neighbour_keeps_the_old_one_until_it_is_mended(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / f"{NAME}.py", "value = 1")
    path = write(tmp_path / "a.py", f"import {NAME}\nvalue = {NAME}.value")
    master.options.update(scripts=[path])
    old = module(master, path)
    write(tmp_path / f"{NAME}.py", "value = (\n")
    await until(lambda: errors(caplog), "it is complained about")
    assert errors(caplog) == [f"{tmp_path / NAME}.py:1: SyntaxError: '(' was never closed; its older form goes on"]
    assert module(master, path) is old
    assert sys.modules[NAME] is getattr(old, NAME)
    write(tmp_path / f"{NAME}.py", "value = 22")
    await until(lambda: module(master, path).value == 22, "it is mended")
    assert len(errors(caplog)) == 1


async def test_script_and_neighbour_that_are_saved_one_after_the_other(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The new neighbour lacks what the old script needs; once the script is saved too, both are new."""
    write(tmp_path / f"{NAME}.py", "old = 1")
    path = write(tmp_path / "a.py", f"from {NAME} import old as value")
    master.options.update(scripts=[path])
    write(tmp_path / f"{NAME}.py", "brand_new = 2")
    await until(lambda: errors(caplog), "the script cannot do with it")
    write(tmp_path / "a.py", f"from {NAME} import brand_new as value")
    await until(lambda: module(master, path).value == 2, "both are new")


async def test_what_a_failing_script_has_imported_is_forgotten(master: Master, tmp_path: Path) -> None:
    write(tmp_path / f"{NAME}.py", "value = 1")
    path = write(tmp_path / "a.py", f"import {NAME}\n1 / 0")
    master.options.update(scripts=[path])
    assert NAME not in sys.modules


async def test_a_script_that_is_run_once_finds_its_neighbours_as_they_are_now(master: Master, tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = write(
        tmp_path / "a.py",
        f"import pathlib\nfrom {NAME} import value\n"
        f"def running():\n    pathlib.Path({str(out)!r}).write_text(str(value))\n",
    )
    for value in (1, 22):
        write(tmp_path / f"{NAME}.py", f"value = {value}")
        master.commands.call("script.run", [], path)
        await until(lambda value=value: out.exists() and out.read_text() == str(value), "it ran with its neighbour")
    await asyncio.sleep(0)


def test_imports_of() -> None:
    source = b"import a.b, c as d\nfrom e.f import g\nfrom . import h\ndef load():\n    import i\n"
    assert imports_of(source) == {"a", "c", "e", "i"}
    assert imports_of(b"1 +") == imports_of(b"\0") == set()
