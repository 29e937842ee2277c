"""The key bindings of one console: where they come from, what is wrong with them, what the session changed.

Read at start and on `console.keymap.reload`: the set that the option `console_keys` names (the default set), then the
person's own `keys.yaml`. A binding may name a command that no addon has brought yet: it is looked up when the key is
pressed, and `problem` says why it would not work now. Looking keys up: keymap.py; reading files: key_file.py.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from midstream import filters
from midstream.console.key_file import KeyFileReader, Report
from midstream.console.keymap import Binding, Conflict, Keymap
from midstream.flows.errors import CommandError
from midstream.hub import lexer
from midstream.hub.types import Cmd, CmdArgs
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.hub.command import Command
    from midstream.hub.options import Options

logger = logging.getLogger(__name__)

OWN_FILE = "keys.yaml"
OWN_SETS = "keybindings"
DEFAULT_SET = "default"
SESSION = "session"

# Their first argument is an option's name; the others end in such a command.
_NAME_AN_OPTION = ("set", "console.command.set", "options.reset.one")
_RUN_ANOTHER = ("console.choose", "console.choose.cmd", "console.command.confirm")

Commands = Mapping[str, "Command"]


@dataclass(frozen=True, slots=True)
class Unbound:
    """A key that was taken away in the session."""

    keys: tuple[str, ...]
    contexts: tuple[str, ...]


class KeyBindings:
    """See the module. `session` are the changes of this session, in order; they live until exit unless saved."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.session: list[Binding | Unbound] = []
        self._files: list[Path] = []  # loaded on command, laid over the rest in this order
        self._errors: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._revision = 0
        self.were_seen = False  # the errors, by opening the keys pane

    # --- life -------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Read the files; the scripts are loaded by now, so what their keys ask for is there or missing."""
        self._console.master.commands.changed.connect(self._commands_changed)
        self.reload()

    def close(self) -> None:
        """Follow the commands no longer."""
        self._console.master.commands.changed.disconnect(self._commands_changed)

    @property
    def errors(self) -> list[str]:
        """What key files hold that was skipped, with file, line and column."""
        return [error for errors in self._errors.values() for error in errors]

    @property
    def own_file(self) -> Path:
        return self._console.confdir / OWN_FILE

    @property
    def revision(self) -> tuple[int, int, int]:
        """Another value after each change of what there is to show."""
        keymap = self._console.keys.keymap
        return (id(keymap), keymap.revision, self._revision)

    # --- files ------------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read everything anew, then do again what the session changed."""
        keymap = Keymap()
        self._errors.clear()
        base = self._read_base(keymap)
        own = self.own_file
        if os.path.isfile(own):
            report = self._reader(keymap).read_file(own)
            self._note(own, report)
            if report.started_anew and self._wanted:
                logger.warning("%s says itself what it extends, so console_keys is not used", own)
        for path in self._files:
            self._note(path, self._reader(keymap).read_file(path))
        if not any(True for _ in keymap.in_context("global")):
            self._reader(keymap).read_set(DEFAULT_SET)  # there are always keys
        for change in self.session:
            self._apply(keymap, change)
        self._console.keys.drop()
        self._console.keys.keymap = keymap
        self._changed()
        for error in (*base, *(error for error in self.errors if error not in base)):
            logger.warning("%s", error)
        self._report_unavailable(self.unavailable())

    def load(self, path: Path) -> Report:
        """Lay a file over the present bindings. CommandError when the file as a whole cannot be used."""
        before = {id(binding) for binding in self._console.keys.keymap.all()}
        reader = self._reader(self._console.keys.keymap)
        report = reader.read_file(path)
        if report.was_refused:
            raise CommandError(report.errors[-1])
        self._files = [*(each for each in self._files if each != path), path]
        self._note(path, report)
        self._console.keys.drop()
        self._changed()
        for error in report.errors:
            logger.warning("%s", error)
        self._report_unavailable([binding for binding in self.unavailable() if id(binding) not in before])
        return report

    @property
    def _wanted(self) -> str:
        return getattr(self._console.master.options, "console_keys", None) or ""

    def _read_base(self, keymap: Keymap) -> list[str]:
        """The default set, and over it the one that is wanted (which may say that it starts anew)."""
        self._reader(keymap).read_set(DEFAULT_SET)
        wanted = self._wanted
        if not wanted or wanted == DEFAULT_SET:
            return []
        reader = self._reader(keymap)
        if "/" in wanted or wanted.endswith((".yaml", ".yml")):
            report = reader.read_file(Path(os.path.expanduser(wanted)))
        else:
            report = reader.read_set(wanted)
        errors = [f"console_keys: {error}" if "no key set" in error else error for error in report.errors]
        self._errors["console_keys"] = errors
        return errors

    def _reader(self, keymap: Keymap) -> KeyFileReader:
        return KeyFileReader(keymap, filters.parse, (self._console.confdir / OWN_SETS,))

    def _note(self, path: Path, report: Report) -> None:
        self._errors[str(path)] = report.errors
        self.were_seen = self.were_seen and not report.errors
        for note in report.notes:
            logger.info("%s", note)

    # --- this session -----------------------------------------------------------------------------------------------

    def bind(self, keys: tuple[str, ...], contexts: tuple[str, ...], command: str, like: Binding | None = None) -> None:
        """Bind until exit. `like` lends its condition. CommandError when the keys cut across a chord."""
        when, when_text = (like.when, like.when_text) if like is not None else (None, "")
        self._do(Binding(keys, contexts, command, "", when, when_text, SESSION))

    def unbind(self, keys: tuple[str, ...], contexts: tuple[str, ...]) -> None:
        """Take keys away until exit. CommandError when nothing is bound to them there."""
        self._do(Unbound(keys, contexts))

    def move(self, old: Binding, contexts: tuple[str, ...], keys: tuple[str, ...], command: str) -> None:
        """Bind anew what was bound to other keys, or elsewhere; if that fails the old binding stays."""
        if (old.keys, old.contexts) == (keys, contexts):
            self.bind(keys, contexts, command, old)
            return
        before = list(self.session)
        self.unbind(old.keys, old.contexts)
        try:
            self.bind(keys, contexts, command, old)
        except CommandError:
            self.session = before
            self.reload()
            raise

    def is_below(self, keys: tuple[str, ...], context: str) -> bool:
        """Whether a set that the person's own file stands on binds these keys, or chords that begin with them."""
        return any(
            lost.binding.keys[: len(keys)] == keys
            and lost.context == context
            and not lost.binding.source.startswith((SESSION, OWN_FILE))
            for lost in self._console.keys.keymap.lost
        )

    def _do(self, change: Binding | Unbound) -> None:
        if problem := self._apply(self._console.keys.keymap, change):
            raise CommandError(problem)
        self.session.append(change)
        self._console.keys.drop()
        self._changed()

    def _apply(self, keymap: Keymap, change: Binding | Unbound) -> str:
        """What is in the way, or nothing."""
        if isinstance(change, Unbound):
            if not keymap.remove(change.keys, change.contexts, SESSION):
                return f"{' '.join(change.keys)!r} is not bound in {', '.join(change.contexts)}"
            return ""
        keymap.begin_layer()
        try:
            keymap.add(change)
        except Conflict as conflict:
            return f"{conflict}; unbind that first"
        return ""

    # --- what works -------------------------------------------------------------------------------------------------

    def problem(self, binding: Binding) -> str:
        """Why the binding does nothing now, or nothing."""
        known = self._problems.get(binding.command)
        if known is None:
            known = command_problem(binding.command, self._console.master.commands.commands)
            self._problems[binding.command] = known
        return known or option_problem(binding.command, self._console.master.options)

    def unavailable(self) -> list[Binding]:
        """The bindings whose command or option is missing."""
        return [binding for binding in self._console.keys.keymap.all() if self.problem(binding)]

    def _report_unavailable(self, bindings: Sequence[Binding]) -> None:
        for binding in bindings:
            logger.warning(
                "%s: %s does nothing yet: %s",
                binding.place or binding.source,
                " ".join(binding.keys),
                self.problem(binding),
            )

    def _commands_changed(self) -> None:
        self._problems.clear()
        self._changed()

    def _changed(self) -> None:
        self._revision += 1
        self._console.request_frame()


def command_problem(line: str, commands: Commands) -> str:
    """What is missing for a command line to run: the first command in it that does not exist."""
    words = lexer.split(line)
    return _missing(words, commands) if words else "no command is given"


def option_problem(line: str, options: Options) -> str:
    """The same for the option that a line sets or asks for."""
    name = _option_named(line)
    return f"no option is called {name!r}{did_you_mean(name, options.keys())}" if name and name not in options else ""


@lru_cache(1024)
def _option_named(line: str) -> str:
    words = lexer.split(line)
    for place, word in enumerate(words[:-1]):
        if word in _NAME_AN_OPTION and (place == 0 or words[0] in _RUN_ANOTHER):
            return words[place + 1]
    return ""


def _missing(words: Sequence[str], commands: Commands) -> str:
    command = commands.get(words[0])
    if command is None:
        return f"no command is called {words[0]!r}{did_you_mean(words[0], commands)}"
    given = words[1:]
    if command.name == "console.command":  # its words may be the beginning of a name
        is_begun = not given or any(name.startswith(given[0]) for name in commands)
        return "" if is_begun else f"no command is called {given[0]!r}{did_you_mean(given[0], commands)}"
    for place, (parameter, word) in enumerate(zip(command.parameters, given, strict=False)):
        if parameter.type is not Cmd:
            continue
        takes_more = place + 1 < len(command.parameters) and command.parameters[place + 1].type is CmdArgs
        if problem := _missing(given[place:] if takes_more else [word], commands):
            return problem
    return ""
