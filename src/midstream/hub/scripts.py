"""Scripts: the files named by the option `scripts`, loaded as addons and loaded again when they change.

Belongs to addons/script.py, which owns the option and the watching task. A script that does not load says so in one
line; when an older state of it runs, that goes on running until the file loads again.
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
from midstream.hub.script_file import ScriptError

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.25  # seconds; a change must look the same twice before it is loaded
_RACY = 2.0  # seconds within which a file may change without a change of its time stamp

Stamp = tuple[int, int, int, int]


class Script:
    """One script file, loaded or not."""

    def __init__(self, text: str) -> None:
        self.text = text  # as it stands in the option
        self.path = resolve(text)
        self.module: types.ModuleType | None = None
        self.source = b""
        self.stamp: Stamp | None = None  # of the state that was tried last
        self.racy = False
        self.seen: Stamp | None = None  # at the last look

    def read(self) -> bytes:
        """The file's content, noting its stamp. OSError when there is none."""
        stat = os.stat(self.path)
        self.stamp = self.seen = _stamp(stat)
        self.racy = time.time() - stat.st_mtime < _RACY
        self.source = self.path.read_bytes()
        return self.source

    def has_changed(self) -> bool:
        """Whether the file is another one than the one tried last, and has stopped changing. OSError: it is gone."""
        before, self.seen = self.seen, None
        stamp = _stamp(os.stat(self.path))
        self.seen = stamp
        if stamp != self.stamp:
            if stamp != before:  # an editor may be in the middle of writing: look again
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

    async def watch(self, manager: AddonManager, gone: Callable[[str], None]) -> None:
        """Look at the files for ever. `gone` is told the text of a script whose file was deleted."""
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            self.look(manager, gone)

    def look(self, manager: AddonManager, gone: Callable[[str], None]) -> None:
        """Load again what has changed since it was last tried."""
        for script in list(self.scripts):
            was_missing = script.seen is None
            try:
                changed = script.has_changed()
            except FileNotFoundError:
                # Editors delete and write anew; only a file missing twice in a row was meant to go.
                if was_missing:
                    gone(script.text)
                continue
            except OSError:
                continue  # a folder that cannot be read for a while (network, permissions)
            if changed:
                self._try(script, manager)

    def load_apart(self, text: str) -> types.ModuleType:
        """Load a script that is used once and never becomes an addon. ScriptError when it cannot be."""
        path = resolve(text)
        try:
            source = path.read_bytes()
        except OSError as error:
            raise ScriptError(f"{path}: {error.strerror}") from None
        self._prepare()
        return script_file.load(path, source, text)

    def _wanted(self, texts: Sequence[str]) -> list[Script]:
        known = {script.path: script for script in self.scripts}
        wanted: dict[Path, Script] = {}
        for text in texts:
            path = resolve(text)
            if path in wanted:
                raise OptionsError(f"scripts: {text!r} is named twice")
            if path not in known and not path.is_file():
                what = "is a folder, not a Python file" if path.is_dir() else "does not exist"
                raise OptionsError(f"scripts: {path} {what}")
            wanted[path] = known.get(path) or Script(text)
        return list(wanted.values())

    def _try(self, script: Script, manager: AddonManager) -> None:
        """Load a script, in place of its older state if there is one; what goes wrong is logged as one line."""
        is_change = script.stamp is not None
        module: types.ModuleType | None = None
        try:
            source = script.read()
            self._prepare()
            module = script_file.load(script.path, source, script.text)
            at = sum(other.module is not None for other in self.scripts[: self.scripts.index(script)])
            manager.register(module, self.modules, at, script.module)
        except BaseException as error:
            if module is not None:
                script_file.forget(module)
            self._complain(script, error)
            return
        if script.module is not None:
            script_file.forget(script.module)
        script.module = module
        if is_change:
            logger.info("%s is loaded in its new form", script.path, extra={"addon": script.path.name})

    def _complain(self, script: Script, error: BaseException) -> None:
        match error:
            case ScriptError():
                line = str(error)
            case AddonManagerError() | OptionsError():
                text = str(error)
                line = text if text.startswith(str(script.path)) else f"{script.path}: {text}"
            case _:
                line = script_file.where_it_failed(script.path, error)
        still = "" if script.module is None else "; its older form goes on"
        extra = {"addon": script.path.name}
        logger.error("%s%s", line, still, extra=extra)
        logger.debug("how %s failed", script.path, exc_info=error, extra=extra)

    def forget_all(self) -> None:
        """Take the modules out of the interpreter's table: their master has ended."""
        for script in self.scripts:
            if script.module is not None:
                script_file.forget(script.module)

    def _unload(self, script: Script, manager: AddonManager) -> None:
        if script.module is not None:
            manager.unregister(script.module, self.modules)
            script_file.forget(script.module)
            script.module = None

    def _prepare(self) -> None:
        callback, self._before_first_load = self._before_first_load, None
        if callback is not None:
            callback()


def resolve(text: str) -> Path:
    """The absolute path of a script as written in the option; `~` is the home folder."""
    return Path(os.path.abspath(os.path.expanduser(text)))


def _stamp(stat: os.stat_result) -> Stamp:
    return (stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size, stat.st_ino)
