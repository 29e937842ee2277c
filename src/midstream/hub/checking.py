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
from midstream.hub import config, ctx, yaml_nodes
from midstream.hub.invocation import Invocation, config_files
from midstream.hub.log import MasterLogHandler, uninstall_all
from midstream.hub.master import Master
from midstream.hub.unclaimed import remark, unclaimed

_FINE = "nothing is wrong"
_OURS = str(Path(__file__).parents[1])


def check(invocation: Invocation, master: Master, then: Sequence[Callable[[], None]] = ()) -> tuple[list[str], str]:
    """Set and load what the command line asks for. Returns each problem as one line, with file and line if known, and
    one line about all of it.

    `then` reads what a program has besides (key files), and logs what is wrong with it.
    """
    checking = _Checking(master)
    with ctx.use(master), checking.listening():
        checking.options(invocation)
        for read in then:
            read()
    problems = list(dict.fromkeys(checking.problems))  # a broken script is tried again with each one behind it
    what = [_count(len(master.options.scripts), "script"), *map(str, checking.files)]
    return problems, f"checked {' and '.join(what)}: {_count(len(problems), 'problem') if problems else _FINE}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class _Checking:
    """Collects problems while one option after the other is set."""

    def __init__(self, master: Master) -> None:
        self.problems: list[str] = []
        self.files: list[Path] = []  # config files that are there
        self._master = master
        self._options = master.options
        self._scripts: list[tuple[str, str]] = []  # to be loaded last; with their places in a config file

    def options(self, invocation: Invocation) -> None:
        """In the order of a start, but scripts last and one by one, so that nothing keeps them from being loaded."""
        options = self._options
        options.apply(invocation.loudness, "cli")
        for name, specs in _by_name(invocation.specs).items():
            if name == "scripts":
                self._scripts = [(spec.partition("=")[2], "") for spec in specs if "=" in spec]
            else:
                self._try(partial(options.set, *specs, defer=True, source="cli"))
        for name, texts in invocation.flags.items():
            if name == "scripts":
                self._scripts = [(text, "") for text in texts]
            else:
                self._try(partial(self._set_flag, name, texts))
        given = bool(self._scripts)
        self.files = [file for file in config_files(options) if file.exists()]
        for file in self.files:
            self._config_file(file, with_scripts=not given)
        for script, place in self._scripts:
            self._try(partial(self._load, script, place))
        self._unclaimed()

    def _unclaimed(self) -> None:
        loader = self._master.addons.get("scriptloader")
        some_failed = loader is not None and len(loader.addons) < len(self._scripts)
        unless = "; unless a script declares it that did not load" if some_failed else ""
        for name, place in unclaimed(self._options):
            if not any(f"option {name}:" in problem for problem in self.problems):  # it kept its script from loading
                self.problems.append(f"{place}: no option is called {name!r}{remark(name, self._options)}{unless}")

    def _set_flag(self, name: str, texts: Sequence[str]) -> None:
        self._options.apply({name: self._options.option(name).parse(texts)}, "cli")

    def _load(self, script: str, place: str) -> None:
        self._options.apply({"scripts": [*self._options.scripts, script]}, "cli", {"scripts": place})

    def _config_file(self, file: Path, with_scripts: bool) -> None:
        try:
            found = config.read(file)
        except OptionsError as error:
            self.problems.append(str(error))
            return
        for entry in found:
            if entry.key == "scripts" and self._options.option("scripts").type.accepts(entry.value):
                if with_scripts:
                    self._scripts = [
                        (str(config.relative_path(path, relative_to=file.parent)), yaml_nodes.place(str(file), node))
                        for path, node in zip(entry.value, entry.value_node.value, strict=True)
                    ]
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
