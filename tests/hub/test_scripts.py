"""Scripts come, change, break, are mended and go, while the master stays."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.script import ScriptLoader
from midstream.flows.errors import OptionsError
from midstream.hub import ctx, scripts
from midstream.hub.master import Master
from midstream.hub.options import Options

NOTING = """
from midstream import ctx

calls = []

def load(loader):
    calls.append("load")
    loader.add_option("greeting", str, "hello", "How to greet.")

def configure(updated):
    calls.append("configure")

def running():
    calls.append("running")

def done():
    calls.append("done")
"""


@pytest.fixture
async def master(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Master]:
    """A master with a script loader that is up and watching, and looks more often than usual."""
    monkeypatch.setattr(scripts, "POLL_INTERVAL", 0.02)
    made = Master(Options())
    made.addons.add(ScriptLoader())
    with ctx.use(made):
        await made.running()
        yield made
        await made.done()


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.01)


def write(path: Path, source: str) -> str:
    path.write_text(source)
    return str(path)


def module(master: Master, path: str | Path) -> Any:
    return master.addons.get(str(path))


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_script_is_loaded_as_an_addon(master: Master, tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    assert module(master, path).calls == ["load", "configure", "running"]
    assert master.options.greeting == "hello"
    calls = module(master, path).calls
    master.options.update(scripts=[])
    assert calls[-1] == "done"
    assert path not in master.addons
    assert "greeting" not in master.options


async def test_functions_objects_and_a_name_of_its_own(master: Master, tmp_path: Path) -> None:
    source = """
name = "mine"
calls = []
class Addon:
    def update(self, flows): calls.append("object")
def update(flows): calls.append("module")
addons = [Addon()]
"""
    master.options.update(scripts=[write(tmp_path / "a.py", source)])
    await master.events.update([])
    assert module(master, "mine").calls == ["module", "object"]
    assert "addon" in master.addons


async def test_several_scripts_keep_the_order_of_the_option(master: Master, tmp_path: Path) -> None:
    calls: list[str] = []
    source = "from midstream import ctx\ndef update(flows): ctx.master.calls.append(name)"
    paths = [write(tmp_path / f"{name}.py", f"name = {name!r}\n{source}") for name in "abc"]
    master.calls = calls  # type: ignore[attr-defined]
    for order in ([0, 1, 2], [2, 0], [0, 1, 2]):
        master.options.update(scripts=[paths[i] for i in order])
        calls.clear()
        await master.events.update([])
        assert calls == ["abc"[i] for i in order]


async def test_a_change_is_loaded_without_restart_and_options_are_kept(master: Master, tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    master.options.update(greeting="ahoy")
    old = module(master, path)
    write(tmp_path / "a.py", NOTING + "version = 2\n")
    await until(lambda: module(master, path) is not old)
    assert module(master, path).version == 2
    assert old.calls == ["load", "configure", "running", "configure", "done"]
    assert module(master, path).calls == ["load", "configure", "running"]
    assert master.options.greeting == "ahoy"


async def test_a_change_within_the_same_second_and_of_the_same_size_is_seen(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    master.options.update(scripts=[write(path, "value = 1")])
    stat = path.stat()
    write(path, "value = 2")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    await until(lambda: module(master, path).value == 2)


async def test_a_change_that_puts_an_old_time_back_is_seen(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    write(path, "value = 1")
    os.utime(path, (1e9, 1e9))
    master.options.update(scripts=[str(path)])
    write(path, "value = 2")
    os.utime(path, (1e9, 1e9))
    await until(lambda: module(master, path).value == 2)


async def test_touching_a_file_loads_it_again_and_other_permissions_do_not(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    write(path, "value = 1")
    os.utime(path, (1e9, 1e9))
    master.options.update(scripts=[str(path)])
    first = module(master, path)
    (script,) = master.addons.get("scriptloader")._scripts.scripts
    stamp = script.stamp
    path.chmod(0o600)
    await until(lambda: script.stamp != stamp)
    assert module(master, path) is first
    os.utime(path)
    await until(lambda: module(master, path) is not first)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("def request(flow:\n", ":1: SyntaxError: '(' was never closed"),
        ("\nimport no_such_module\n", ":2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)\n", ":1: SystemExit: 3"),
        ("def request(): ...\n", ":1: request() cannot be called by this event"),
        ("def load(loader):\n    1 / 0\n", ":2: ZeroDivisionError: division by zero"),
        ("async def configure(updated): ...\n", ":1: configure cannot be async"),
        ("\0", "null bytes"),
    ],
)
async def test_a_broken_save_keeps_the_old_one_until_it_is_mended(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str, complaint: str
) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    master.options.update(greeting="ahoy")
    old = module(master, path)
    write(tmp_path / "a.py", broken)
    await until(lambda: errors(caplog))
    [line] = errors(caplog)
    assert line.startswith(path)
    assert complaint in line
    assert "\n" not in line
    assert module(master, path) is old
    assert "done" not in old.calls
    assert len(master.events.running.handlers) == 2
    write(tmp_path / "a.py", NOTING + "mended = True\n")
    await until(lambda: module(master, path) is not old)
    assert module(master, path).mended
    assert master.options.greeting == "ahoy"
    assert len(errors(caplog)) == 1


async def test_an_optionserror_of_the_new_state_keeps_the_old_one(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    old = module(master, path)
    write(
        tmp_path / "a.py",
        "from midstream.exceptions import OptionsError\ndef configure(updated): raise OptionsError('I refuse')",
    )
    await until(lambda: errors(caplog))
    assert errors(caplog) == [f"{path}: I refuse; its older form goes on"]
    assert module(master, path) is old
    assert master.options.greeting == "hello"


async def test_a_script_that_was_broken_from_the_start_loads_when_mended(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = write(tmp_path / "good.py", "")
    bad = write(tmp_path / "bad.py", "1 +")
    master.options.update(scripts=[bad, good])
    assert len(errors(caplog)) == 1
    write(tmp_path / "bad.py", "value = 1")
    await until(lambda: module(master, bad))
    assert master.addons.get("scriptloader").addons == [module(master, bad), module(master, good)]


async def test_a_deleted_script_leaves_the_option(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    calls = module(master, path).calls
    Path(path).unlink()
    await until(lambda: master.options.scripts == [])
    assert calls[-1] == "done"
    assert "was deleted" in caplog.text


async def test_missing_and_repeated_files_are_refused(master: Master, tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "")
    with pytest.raises(OptionsError, match=r"nowhere\.py does not exist"):
        master.options.update(scripts=[path, str(tmp_path / "nowhere.py")])
    with pytest.raises(OptionsError, match="named twice"):
        master.options.update(scripts=[path, path])
    with pytest.raises(OptionsError, match="is a folder"):
        master.options.update(scripts=[str(tmp_path)])
    assert master.options.scripts == []
    assert path not in master.addons


async def test_neighbours_can_be_imported_while_loading(master: Master, tmp_path: Path) -> None:
    import sys

    write(tmp_path / "a_neighbour_of_scripts.py", "value = 7")
    path = write(tmp_path / "a.py", "from a_neighbour_of_scripts import value")
    master.options.update(scripts=[path])
    assert module(master, path).value == 7
    assert str(tmp_path) not in sys.path
    del sys.modules["a_neighbour_of_scripts"]


async def test_dataclasses_work_in_scripts(master: Master, tmp_path: Path) -> None:
    source = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Point:
    x: int
"""
    path = write(tmp_path / "a.py", source)
    master.options.update(scripts=[path])
    assert module(master, path).Point(1).x == 1


async def test_async_running_of_a_script_works_after_a_reload(master: Master, tmp_path: Path) -> None:
    source = "import asyncio\nup = []\nasync def running():\n    await asyncio.sleep(0)\n    up.append(True)\n"
    path = write(tmp_path / "a.py", source)
    master.options.update(scripts=[path])
    await until(lambda: module(master, path).up)
    old = module(master, path)
    write(tmp_path / "a.py", source + "# again\n")
    await until(lambda: module(master, path) is not old and module(master, path).up)


async def test_the_callback_comes_before_the_first_script_and_once(tmp_path: Path) -> None:
    calls: list[str] = []
    master = Master(Options())
    master.addons.add(ScriptLoader(before_first_load=lambda: calls.append("now")))
    assert calls == []
    master.options.update(scripts=[write(tmp_path / "a.py", ""), write(tmp_path / "b.py", "")])
    assert calls == ["now"]
    await master.done()


async def test_two_masters_load_the_same_file_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "values = []")
    masters = [Master(Options()), Master(Options())]
    for master in masters:
        master.addons.add(ScriptLoader())
        master.options.update(scripts=[path])
    one, other = (module(master, path) for master in masters)
    one.values.append(1)
    assert other.values == []
    for master in masters:
        await master.done()
