"""Scripts come, change, break, are mended and go, while the master stays."""

import asyncio
import gc
import logging
import os
import sys
import time
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.script import ScriptLoader
from midstream.flows.errors import OptionsError
from midstream.hub import ctx, scripts
from midstream.hub import master as master_module
from midstream.hub.log import entry_of
from midstream.hub.log_lines import log_line
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


async def test_a_file_that_never_comes_to_rest_is_loaded_all_the_same(tmp_path: Path) -> None:
    """Something saves more often than we look."""
    quiet = Master(Options())  # which does not look by itself
    loader = ScriptLoader()
    quiet.addons.add(loader)
    path = write(tmp_path / "a.py", "value = 0")
    quiet.options.update(scripts=[path])
    loaded = []
    for value in range(1, 11):
        write(tmp_path / "a.py", f"value = {value}{' ' * value}")
        loader._scripts.look(quiet.addons)
        loaded.append(module(quiet, path).value)
    assert loaded == [0, 2, 2, 4, 4, 6, 6, 8, 8, 10]
    await quiet.done()


async def test_an_addon_that_has_spoilt_itself_keeps_no_script_from_being_loaded(
    master: Master, tmp_path: Path
) -> None:
    class Other:
        addons: object = ()

    other = Other()
    master.addons.add(other)
    path = write(tmp_path / "a.py", "def request(flow): ...\nvalue = 1")
    master.options.update(scripts=[path])
    other.addons = "no list"
    write(tmp_path / "a.py", "def request(flow): ...\nvalue = 22")
    await until(lambda: module(master, path).value == 22)
    assert len(master.events.request.handlers) == 1
    (tmp_path / "a.py").unlink()
    await until(lambda: not master.events.request.handlers)
    write(tmp_path / "a.py", "def request(flow): ...\nvalue = 333")
    await until(lambda: master.events.request.handlers)
    assert module(master, path).value == 333


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
    assert errors(caplog) == [f"{path}:2: I refuse; its older form goes on"]
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


async def test_a_deleted_script_ends_and_is_back_with_its_file(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    master.options.update(greeting="ahoy")
    calls = module(master, path).calls
    Path(path).unlink()
    await until(lambda: module(master, path) is None)
    assert calls[-1] == "done"
    assert "was deleted" in caplog.text
    assert "greeting" not in master.options
    assert master.options.scripts == [path]
    write(Path(path), NOTING)
    await until(lambda: module(master, path))
    assert module(master, path).calls == ["load", "configure", "running"]
    assert master.options.greeting == "ahoy"


async def test_a_script_that_is_back_in_a_broken_form_says_so(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.py", NOTING)
    master.options.update(scripts=[path])
    Path(path).unlink()
    await until(lambda: module(master, path) is None)
    write(Path(path), "1 +")
    await until(lambda: errors(caplog))
    write(Path(path), NOTING)
    await until(lambda: module(master, path))


async def test_files_that_are_swapped_by_renaming_are_seen(master: Master, tmp_path: Path) -> None:
    path, other = tmp_path / "a.py", tmp_path / "a.py~"
    master.options.update(scripts=[write(path, "value = 1")])
    write(other, "value = 2")
    for value in (2, 1):  # a backup is made by renaming, and put back by renaming
        path.rename(tmp_path / "third")
        other.rename(path)
        (tmp_path / "third").rename(other)
        await until(lambda value=value: module(master, path).value == value)


async def test_missing_and_repeated_files_are_refused(master: Master, tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "")
    with pytest.raises(OptionsError, match=r"nowhere\.py does not exist"):
        master.options.update(scripts=[path, str(tmp_path / "nowhere.py")])
    with pytest.raises(OptionsError, match="does not exist"):
        master.options.update(scripts=[path, str(tmp_path / ("n" * 300))])
    with pytest.raises(OptionsError, match="named twice"):
        master.options.update(scripts=[path, path])
    with pytest.raises(OptionsError, match="is a folder"):
        master.options.update(scripts=[str(tmp_path)])
    assert master.options.scripts == []
    assert path not in master.addons


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


async def test_the_traceback_of_a_failed_load_begins_in_the_script_and_is_folded(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = "def helper():\n    return 1 / 0\n\ndef load(loader):\n    helper()\n"
    path = write(tmp_path / "a.py", source)
    master.options.update(scripts=[path])
    [entry] = [entry_of(record) for record in caplog.records if record.levelno >= logging.ERROR]
    assert entry.level == "error"
    assert entry.msg == f"{path}:2: ZeroDivisionError: division by zero"
    lines = entry.exc_text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{path}", line 5, in load'
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "ZeroDivisionError" in log_line(entry, unfold=True).splitlines()[-1]
    assert len(log_line(entry).splitlines()) == 1


async def test_a_syntax_error_shows_the_line(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.py", "x = 1\ndef request(flow:\n")
    master.options.update(scripts=[path])
    [entry] = [entry_of(record) for record in caplog.records if record.levelno >= logging.ERROR]
    assert entry.exc_text.splitlines()[0] == f'  File "{path}", line 2'
    assert "def request(flow:" in entry.exc_text


async def test_a_script_whose_loading_takes_long_is_named(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "SLOW", 0.0)
    path = write(tmp_path / "a.py", "")
    master.options.update(scripts=[path])
    assert f"loading {path} held everything up for" in caplog.text


async def test_a_script_that_removes_itself_stays_out_until_it_is_saved(master: Master, tmp_path: Path) -> None:
    source = """
import sys
from midstream import ctx
def update(flows): ctx.master.addons.remove(sys.modules[__name__])
"""
    path = write(tmp_path / "a.py", source)
    other = write(tmp_path / "b.py", "")
    master.options.update(scripts=[path, other])
    await master.events.update([])
    assert module(master, path) is None
    assert master.events.update.handlers == ()
    write(tmp_path / "a.py", "value = 2")
    await until(lambda: module(master, path))
    assert master.addons.get("scriptloader").addons == [module(master, path), module(master, other)]


async def test_two_scripts_with_an_addon_of_the_same_name(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = "class Counter:\n    def running(self): ...\naddons = [Counter()]\n"
    first, second = (write(tmp_path / f"{name}.py", source) for name in "ab")
    master.options.update(scripts=[first, second])
    assert errors(caplog) == [f"{second}: an addon called 'counter' is there already; give this one another `name`"]
    assert module(master, first) is not None
    assert module(master, second) is None
    # The names of classes may be told apart by an attribute.
    write(tmp_path / "b.py", source.replace("class Counter:", "class Counter:\n    name = 'other'"))
    await until(lambda: module(master, second))
    assert "other" in master.addons


async def test_many_saves_leave_nothing_behind(master: Master, tmp_path: Path) -> None:
    """No handler, no module, no logger, no option, and no object of an older form."""
    source = """
import logging
from midstream import command, ctx
logger = logging.getLogger(__name__)
class Addon:
    def load(self, loader): loader.add_option("words", str, "", "Words.")
    def update(self, flows): ...
    @command.command("say.it")
    def say(self) -> None: ...
def update(flows): ...
addons = [Addon()]
"""
    path = write(tmp_path / "a.py", source)
    master.options.update(scripts=[path])
    loader = master.addons.get("scriptloader")
    before = len(sys.modules), len(logging.Logger.manager.loggerDict), len(logging.getLogger().handlers)
    old = []
    for number in range(20):
        old += [weakref.ref(module(master, path)), weakref.ref(module(master, path).Addon)]
        write(tmp_path / "a.py", f"{source}# {number}\n")
        await until(lambda number=number: f"# {number}\n".encode() in loader._scripts.scripts[0].source)
        assert len(master.events.update.handlers) == 2
    assert (len(sys.modules), len(logging.Logger.manager.loggerDict), len(logging.getLogger().handlers)) == before
    gc.collect()
    assert [reference() for reference in old if reference() is not None] == []
    assert [name for name in master.commands.commands if name.startswith("say.")] == ["say.it"]


@pytest.mark.parametrize(
    "last_words",
    [
        "def done(): raise ValueError('by design')",
        "def done(): raise SystemExit",
        "async def done(): raise ValueError('by design')",
        "async def done():\n    import asyncio\n    await asyncio.Event().wait()",
        "async def running():\n    import asyncio\n    await asyncio.Event().wait()",
        "async def running(): raise KeyboardInterrupt",
    ],
)
async def test_what_a_script_does_at_its_end_does_not_stop_the_watching(
    master: Master, tmp_path: Path, last_words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_module, "END_PATIENCE", 0.05)
    path = write(tmp_path / "a.py", f"value = 0\n{last_words}\n")
    master.options.update(scripts=[path])
    for value in (1, 2):
        write(tmp_path / "a.py", f"value = {value}\n{last_words}\n")
        await until(lambda value=value: module(master, path).value == value)
