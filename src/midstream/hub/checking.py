"""`--check`: loads config files and scripts as a start would, and finds everything that is wrong with them.

Called by app.py with a master that never runs: no port, no screen, no CA, no file is written. A start stops at the
first mistake; here each one is found by itself, and the rest goes on.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from midstream.flows.errors import OptionsError
from midstream.hub import config, ctx
from midstream.hub.invocation import Invocation, config_files
from midstream.hub.log import MasterLogHandler, uninstall_all
from midstream.hub.master import Master
from midstream.hub.unclaimed import unclaimed
from midstream.text.suggest import did_you_mean

_OURS = str(Path(__file__).parents[1])


def check(invocation: Invocation, master: Master, then: Sequence[Callable[[], None]] = ()) -> list[str]:
    """Set and load what the command line asks for, and return each problem as one line, with file and line if known.

    `then` reads what a program has besides (key files), and logs what is wrong with it.
    """
    checking = _Checking(master)
    with ctx.use(master), checking.listening():
        checking.options(invocation)
        for read in then:
            read()
    return list(dict.fromkeys(checking.problems))  # a broken script is tried again with each one behind it


def summary(master: Master, problems: Sequence[str]) -> str:
    """One line about all of it."""
    scripts = len(master.options.scripts)
    files = [file for file in config_files(master.options) if file.exists()]
    what = [f"{scripts} script{'' if scripts == 1 else 's'}", *map(str, files)]
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}" if problems else "nothing is wrong"
    return f"checked {' and '.join(what)}: {count}"


class _Checking:
    """Collects problems while one option after the other is set."""

    def __init__(self, master: Master) -> None:
        self.problems: list[str] = []
        self._master = master
        self._options = master.options
        self._scripts: list[str] = []  # those that are there, to be loaded last

    def options(self, invocation: Invocation) -> None:
        """In the order of a start, but scripts last and one by one, so that nothing keeps them from being loaded."""
        options = self._options
        options.apply(invocation.loudness, "cli")
        for name, specs in _by_name(invocation.specs).items():
            if name == "scripts":
                self._scripts = [spec.partition("=")[2] for spec in specs]
            else:
                self._try(partial(options.set, *specs, defer=True, source="cli"))
        for name, texts in invocation.flags.items():
            if name == "scripts":
                self._scripts = list(texts)
            else:
                self._try(partial(self._set_flag, name, texts))
        given = bool(self._scripts)
        for file in config_files(options):
            self._config_file(file, with_scripts=not given)
        for script in self._scripts:
            self._try(partial(self._load, script))
        for name, place in unclaimed(options):
            told = any(place in problem for problem in self.problems)  # it kept its script from loading
            if not told or place == "--set":
                self.problems.append(f"{place}: no option is called {name!r}{did_you_mean(name, options)}")

    def _set_flag(self, name: str, texts: Sequence[str]) -> None:
        self._options.apply({name: self._options.option(name).parse(texts)}, "cli")

    def _load(self, script: str) -> None:
        self._options.apply({"scripts": [*self._options.scripts, script]}, "cli")

    def _config_file(self, file: Path, with_scripts: bool) -> None:
        try:
            found = config.read(file)
        except OptionsError as error:
            self.problems.append(str(error))
            return
        for entry in found:
            if entry.key == "scripts" and self._options.option("scripts").type.accepts(entry.value):
                if with_scripts:
                    self._scripts = [str(config.relative_path(path, relative_to=file.parent)) for path in entry.value]
                continue
            self._try(partial(config.apply_entries, self._options, [entry], file))

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OptionsError as error:
            self.problems.append(str(error))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """What is logged from warnings up, and what the compiler warns of, are problems too."""
        uninstall_all(self._master)  # nobody else prints what is reported here
        handler = _Hearing(self.problems)
        handler.install(self._master)
        caches = sys.dont_write_bytecode
        sys.dont_write_bytecode = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default", SyntaxWarning)
                warnings.filterwarnings("default", "invalid escape", DeprecationWarning)  # before Python 3.12
                warnings.showwarning = self._on_warning  # type: ignore[assignment]  # file and line are not for us
                yield
        finally:
            sys.dont_write_bytecode = caches
            handler.uninstall()

    def _on_warning(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
    ) -> None:
        if not filename.startswith((_OURS, "<")):
            self.problems.append(f"{filename}:{lineno}: {category.__name__}: {message}")


class _Hearing(MasterLogHandler):
    def __init__(self, problems: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(record.getMessage().split())
        # Most messages begin with their place; where the record knows one of a script, it is added.
        known = record.pathname.startswith(_OURS) or record.pathname in text
        self._problems.append(text if known else f"{record.pathname}:{record.lineno}: {text}")


def _by_name(specs: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for spec in specs:
        found.setdefault(spec.partition("=")[0], []).append(spec)
    return found
