"""Scripts: the files named by the option `scripts`, loaded as addons and loaded again when they change.

Belongs to addons/script.py, which owns the option and the watching task. A script that does not load says so in one
line; when an older state of it runs, that goes on running until the file loads again. What a script imports from its
own folder is watched with it (neighbours.py). A script whose file is deleted ends, and is back with its file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path

from midstream.flows.errors import AddonManagerError, OptionsError
from midstream.hub import script_file
from midstream.hub.addons import AddonManager
from midstream.hub.emitters import SLOW
from midstream.hub.neighbours import Neighbours, imports_of
from midstream.hub.script_file import ScriptError

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.25  # seconds; what one look finds changed is loaded at the next, changing still or not
_RACY = 2.0  # seconds within which a file may change without a change of its time stamp

Stamp = tuple[int, int, int, int]


class Script:
    """One script file, loaded or not."""

    def __init__(self, text: str) -> None:
        self.text = text  # as it stands in the option
        self.path = resolve(text)
        self.module: types.ModuleType | None = None
        self.source = b""
        self.imports: set[str] = set()
        self.stamp: Stamp | None = None  # of the state that was tried last
        self.racy = False
        self.seen: Stamp | None = None  # at the last look

    def read(self) -> bytes:
        """The file's content, noting its stamp. OSError when there is none."""
        stat = os.stat(self.path)
        self.stamp = self.seen = _stamp(stat)
        self.racy = time.time() - stat.st_mtime < _RACY
        self.source = self.path.read_bytes()
        self.imports = imports_of(self.source)
        return self.source

    def forget(self) -> None:
        """The file is gone: should it come back, it is a new one."""
        self.stamp, self.source = None, b""

    def has_changed(self) -> bool:
        """Whether the file is another one than the one tried last, and is likely to be whole. OSError: it is gone."""
        before, self.seen = self.seen, None
        stamp = _stamp(os.stat(self.path))
        self.seen = stamp
        if stamp != self.stamp:
            if before in (None, self.stamp):  # an editor may be in the middle of writing: look again
                return False
            if self.stamp is None or stamp[1:] != self.stamp[1:]:  # also by `touch`, which asks for a reload
                return True
            self.stamp = stamp  # other permissions or another name, or written with its old time put back
        elif not self.racy:
            return False
        return self.path.read_bytes() != self.source


class Scripts:
    """The scripts of one master in the order of the option. `modules` is what the owner shows as its `addons`."""

    def __init__(self, before_first_load: Callable[[], None] | None = None) -> None:
        self.modules: list[object] = []
        self.scripts: list[Script] = []
        self._neighbours = Neighbours()
        self._before_first_load = before_first_load

    def set_paths(self, texts: Sequence[str], manager: AddonManager) -> None:
        """Make the option's value come true. OptionsError for a file that is not there or is named twice."""
        wanted = self._wanted(texts)
        for script in self.scripts:
            if script not in wanted:
                self._unload(script, manager)
        self.scripts = wanted
        for script in wanted:
            if script.module is None:
                self._try(script, manager)
        order = [script.module for script in wanted]
        if [module for module in order if module is not None] != self.modules:
            self.modules[:] = [module for module in order if module is not None]
            manager.rebind()

    async def watch(self, manager: AddonManager) -> None:
        """Look at the files for ever."""
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            self.look(manager)

    def look(self, manager: AddonManager) -> None:
        """Load again what has changed since it was last tried, and whoever imports what has changed."""
        changed = [script for script in list(self.scripts) if self._has_changed(script, manager)]
        folders = {script.path.parent for script in changed}
        for folder in {one for one in folders if self._neighbours.is_stale(one)} | self._neighbours.changed():
            users = [script for script in self.scripts if script.path.parent == folder]
            users = [one for one in users if one in changed or self._neighbours.are_used_by(one.imports, folder)]
            taken = self._neighbours.take_out(folder)
            loaded = [self._try(script, manager) for script in users]
            if not any(loaded):
                self._neighbours.put_back(taken)
            changed = [script for script in changed if script not in users]
        for script in changed:
            self._try(script, manager)

    def _has_changed(self, script: Script, manager: AddonManager) -> bool:
        was_missing = script.seen is None
        try:
            return script.has_changed()
        except FileNotFoundError:
            # Editors delete and write anew; only a file missing twice in a row was meant to go.
            if was_missing and script.stamp is not None:
                script.forget()
                if script.module is not None:
                    logger.warning(
                        "%s was deleted, so this script runs no longer; it is loaded again when it is back",
                        script.path,
                        extra={"addon": script.path.name},
                    )
                self._unload(script, manager)
        except OSError:
            pass  # a folder that cannot be read for a while (network, permissions)
        return False

    def load_apart(self, text: str) -> types.ModuleType:
        """Load a script that is used once and never becomes an addon. ScriptError when it cannot be."""
        path = resolve(text)
        try:
            source = path.read_bytes()
        except OSError as error:
            raise ScriptError(f"{path}: {error.strerror}") from None
        self._prepare()
        with self._neighbours.noting(path.parent, keep=False):
            return script_file.load(path, source, text)

    def _wanted(self, texts: Sequence[str]) -> list[Script]:
        known = {script.path: script for script in self.scripts}
        wanted: dict[Path, Script] = {}
        for text in texts:
            path = resolve(text)
            if path in wanted:
                raise OptionsError(f"scripts: {text!r} is named twice")
            if path not in known and not os.path.isfile(path):  # a Path raises on a name that is too long
                what = "is a folder, not a Python file" if os.path.isdir(path) else "does not exist"
                raise OptionsError(f"scripts: {path} {what}")
            wanted[path] = known.get(path) or Script(text)
        return list(wanted.values())

    def _try(self, script: Script, manager: AddonManager) -> bool:
        """Load a script, in place of its older state if there is one; what goes wrong is logged as one line."""
        if script not in self.scripts:  # another one, which was loaded just before, has changed the option
            return False
        is_change = script.stamp is not None
        module: types.ModuleType | None = None
        older = script.module if script.module in manager else None  # an addon may have removed it
        started = time.perf_counter()
        try:
            source = script.read()
            self._prepare()
            with self._neighbours.noting(script.path.parent):
                module = script_file.load(script.path, source, script.text)
                at = sum(other.module in self.modules for other in self.scripts[: self.scripts.index(script)])
                manager.register(module, self.modules, at, older)
        except BaseException as error:
            if module is not None:
                script_file.forget(module)
            self._complain(script, error)
            return False
        if script.module is not None:
            script_file.forget(script.module)
        script.module = module
        if is_change:
            logger.info("%s is loaded in its new form", script.path, extra={"addon": script.path.name})
        self._name_if_slow(script, time.perf_counter() - started, manager)
        return True

    def _name_if_slow(self, script: Script, seconds: float, manager: AddonManager) -> None:
        """A script runs in the loop while it is loaded; before the start has ended nobody is kept waiting by that."""
        if manager.master.is_running and seconds > SLOW:
            logger.warning(
                "loading %s held everything up for %.0f ms; import what is large where it is needed",
                script.path,
                seconds * 1000,
                extra={"addon": script.path.name},
            )

    def _complain(self, script: Script, error: BaseException) -> None:
        """One line; the traceback is there for whoever unfolds the entry or starts with -v."""
        match error:
            case ScriptError():
                line = str(error)
                error = error.__cause__ or error
            case AddonManagerError() | OptionsError():
                text = str(error)
                place = script_file.place_in(script.path, error) or str(script.path)
                line = text if text.startswith(str(script.path)) else f"{place}: {text}"
            case _:
                line = script_file.where_it_failed(script.path, error)
        still = "" if script.module is None else "; its older form goes on"
        logger.error(
            "%s%s",
            line,
            still,
            exc_info=script_file.own_story(script.path, error),
            extra={"addon": script.path.name, "folded": True},
        )

    def forget_all(self) -> None:
        """Take the modules out of the interpreter's table: their master has ended."""
        for script in self.scripts:
            if script.module is not None:
                script_file.forget(script.module)
            self._neighbours.take_out(script.path.parent)

    def _unload(self, script: Script, manager: AddonManager) -> None:
        module, script.module = script.module, None
        if module is not None:
            if module in manager:
                manager.unregister(module, self.modules)
            script_file.forget(module)
        folder = script.path.parent
        if not any(one.module is not None and one.path.parent == folder for one in self.scripts):
            self._neighbours.take_out(folder)

    def _prepare(self) -> None:
        if self._before_first_load is not None:
            self._before_first_load()
            self._before_first_load = None  # only now: while it fails, no script is loaded


def resolve(text: str) -> Path:
    """The absolute path of a script as written in the option; `~` is the home folder."""
    return Path(os.path.abspath(os.path.expanduser(text)))


def _stamp(stat: os.stat_result) -> Stamp:
    return (stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size, stat.st_ino)
