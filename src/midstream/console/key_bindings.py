"""The key bindings of one console: where they come from, what is wrong with them, what the session changed.

Read at start and on `console.keymap.reload`: the set that the option `console_keys` names (the default set), then the
person's own `keys.yaml`. A binding may name a command that no addon has brought yet: it is looked up when the key is
pressed, and `problem` says why it would not work now. Looking keys up: keymap.py; reading files: key_file.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from midstream import filters
from midstream.console import key_save
from midstream.console.key_file import MOST_ERRORS, KeyFileReader, Report, set_names, shipped_folder
from midstream.console.key_names import legacy_meaning
from midstream.console.keymap import Binding, Conflict, Keymap, Unbound
from midstream.flows.errors import CommandError
from midstream.hub import lexer
from midstream.hub.option_kinds import complete_path
from midstream.hub.types import Cmd, CmdArgs
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.hub.command import Command
    from midstream.hub.options import Options

logger = logging.getLogger("midstream.console")  # whose keys these are, for people

OWN_FILE = "keys.yaml"
OWN_SETS = "keybindings"
DEFAULT_SET = "default"
SESSION = "session"

# Their first argument is an option's name; the others end in such a command.
_NAME_AN_OPTION = ("set", "console.command.set", "options.reset.one")
_RUN_ANOTHER = ("console.choose", "console.choose.cmd", "console.command.confirm")

Commands = Mapping[str, "Command"]


@dataclass(slots=True)
class KeyFiles:
    """What reading the key files gave: the bindings, and by file what was skipped, or kept with a remark."""

    keymap: Keymap
    errors: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def read(self, path: Path, sets: Path) -> Report:
        """Lay a file over what was read before."""
        report = _reader(self.keymap, sets).read_file(path)
        self.errors[str(path)] = report.errors
        self.notes += report.notes
        return report


class KeyBindings:
    """See the module. `session` are the changes of this session, in order; they live until exit unless saved.

    A large file takes a second to read, so while traffic passes that is done in a thread: Python code lets the loop
    have its turn every few milliseconds. `_turn` keeps two readings, or a saving, from crossing each other.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.session: list[Binding | Unbound] = []
        self._loaded: list[Path] = []  # on command, laid over the rest in this order
        self._turn = asyncio.Lock()
        self._errors: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._revision = 0
        self.were_seen = False  # the errors, by opening the keys pane

    # --- life -------------------------------------------------------------------------------------------------------

    def open(self, files: KeyFiles | None = None) -> None:
        """Take what was read; the scripts are loaded by now, so what their keys ask for is there or missing."""
        self._console.master.commands.changed.connect(self._commands_changed)
        if files is None:
            self.read_now()
        else:
            self.take(files)

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
    def keymap(self) -> Keymap:
        return self._console.keys.keymap

    @property
    def revision(self) -> tuple[int, int, int]:
        """Another value after each change of what there is to show."""
        return (id(self.keymap), self.keymap.revision, self._revision)

    # --- files ------------------------------------------------------------------------------------------------------

    def read_now(self) -> None:
        """Read everything and let it count, when nobody waits for the loop."""
        self.take(self.read())

    async def reload(self) -> None:
        """Read everything anew, then do again what the session changed."""
        async with self._turn:
            self.take(await self.read_apart())

    async def read_apart(self) -> KeyFiles:
        """`read`, while the loop goes on."""
        return await asyncio.to_thread(self.read)

    def read(self) -> KeyFiles:
        """What the files say. Nothing changes yet."""
        files = KeyFiles(Keymap())
        self._read_base(files)
        own = self.own_file
        if os.path.isfile(own) and files.read(own, self._own_sets).started_anew and self._wanted:
            files.warnings.append(f"{own} says itself what it extends, so console_keys is not used")
        for path in tuple(self._loaded):
            files.read(path, self._own_sets)
        if not any(True for _ in files.keymap.in_context("global")):
            _reader(files.keymap, self._own_sets).read_set(DEFAULT_SET)  # there are always keys
        return files

    def take(self, files: KeyFiles) -> None:
        """Let what was read count, with the changes of the session over it, and report what is wrong with it."""
        for change in self.session:
            _apply(files.keymap, change)
        self._errors = files.errors
        self._install(files.keymap)
        self._report(files, self.errors, self.unavailable())

    async def load(self, path: Path) -> Report:
        """Lay a file over the present bindings. CommandError when the file as a whole cannot be used."""
        async with self._turn:
            before, done = {id(binding) for binding in self.keymap.all()}, len(self.session)
            files = KeyFiles(self.keymap.copy())
            report = await asyncio.to_thread(files.read, path, self._own_sets)
            if report.was_refused:
                raise CommandError(report.errors[-1])
            for change in self.session[done:]:  # made meanwhile
                _apply(files.keymap, change)
            self._loaded = [*(each for each in self._loaded if each != path), path]
            self._errors |= files.errors
            self._install(files.keymap)
            new = [binding for binding in self.unavailable() if id(binding) not in before]
            self._report(files, report.errors, new)
        return report

    async def save(self) -> int:
        """Write the changes of the session into the person's own file; how many. CommandError: nothing was written."""
        async with self._turn:
            changes = list(self.session)
            if not changes:
                raise CommandError("no key was bound or unbound in this session")
            below = [lost for lost in self.keymap.lost if not lost.binding.source.startswith((SESSION, OWN_FILE))]

            def is_below(keys: tuple[str, ...], context: str) -> bool:
                """Whether a set that the file stands on binds these keys, or chords that begin with them."""
                return any(lost.binding.keys[: len(keys)] == keys and lost.context == context for lost in below)

            await asyncio.to_thread(key_save.save, self.own_file, changes, is_below)
            del self.session[: len(changes)]
            self.take(await self.read_apart())
        return len(changes)

    @property
    def _wanted(self) -> str:
        return getattr(self._console.master.options, "console_keys", None) or ""

    @property
    def _own_sets(self) -> Path:
        return self._console.confdir / OWN_SETS

    def _read_base(self, files: KeyFiles) -> None:
        """The default set, and over it the one that is wanted (which may say that it starts anew)."""
        _reader(files.keymap, self._own_sets).read_set(DEFAULT_SET)
        wanted = self._wanted
        if not wanted or wanted == DEFAULT_SET:
            return
        reader = _reader(files.keymap, self._own_sets)
        if "/" in wanted or wanted.endswith((".yaml", ".yml")):
            report = reader.read_file(Path(os.path.expanduser(wanted)))
        else:
            report = reader.read_set(wanted)
        errors = [f"console_keys: {error}" for error in report.errors] if report.was_refused else report.errors
        files.errors["console_keys"] = errors

    def _report(self, files: KeyFiles, errors: Sequence[str], unavailable: Sequence[Binding]) -> None:
        self.were_seen = self.were_seen and not errors
        for note in files.notes:
            logger.info("%s", note)
        for line in (*files.warnings, *errors):
            logger.warning("%s", line)
        for binding in unavailable[:MOST_ERRORS]:
            logger.warning(
                "%s: %s does nothing yet: %s",
                binding.place or binding.source,
                " ".join(binding.keys),
                self.problem(binding),
            )
        if (more := len(unavailable) - MOST_ERRORS) > 0:
            logger.warning("%d more keys do nothing yet; the keys pane lists them", more)

    def complete_set(self, typed: str) -> list[str]:
        """The key sets, or the files, that a value of `console_keys` may become."""
        names = set_names((self._own_sets, shipped_folder()))
        return [name for name in names if name.startswith(typed)] or complete_path(typed)

    # --- this session -----------------------------------------------------------------------------------------------

    def bind(self, keys: tuple[str, ...], contexts: tuple[str, ...], command: str) -> None:
        """Bind until exit. CommandError when the keys cut across a chord."""
        self._do(Binding(keys, contexts, command, source=SESSION))

    def unbind(self, keys: tuple[str, ...], contexts: tuple[str, ...]) -> None:
        """Take keys away until exit. CommandError when nothing is bound to them there."""
        self._do(Unbound(keys, contexts))

    def remove(self, binding: Binding) -> None:
        """Take away one binding, and no others that its keys have under other conditions."""
        self._do(*self._without(binding))

    def move(self, old: Binding, contexts: tuple[str, ...], keys: tuple[str, ...], command: str) -> None:
        """Bind anew what was bound to other keys, or elsewhere, under its condition; if that fails it stays."""
        help_text = old.help if command == old.command else ""
        new = Binding(keys, contexts, command, help_text, old.when, old.when_text, SESSION)
        stays = (old.keys, old.contexts) == (keys, contexts)
        self._do(*([] if stays else self._without(old)), new)

    def _without(self, binding: Binding) -> list[Binding | Unbound]:
        """Unbinding takes all that a key has, so the others are bound again, the first one last: it counts first."""
        others: dict[tuple[str, str], Binding] = {}
        for context in binding.contexts:
            for other in self.keymap.bound(binding.keys, context):
                if (said := (other.command, other.when_text)) != (binding.command, binding.when_text):
                    contexts = (*others[said].contexts, context) if said in others else (context,)
                    others[said] = replace(other, contexts=contexts, source=SESSION)
        return [Unbound(binding.keys, binding.contexts), *reversed(others.values())]

    def _do(self, *changes: Binding | Unbound) -> None:
        """All of them, or none and CommandError."""
        keymap = self.keymap.copy()
        for change in changes:
            if problem := _apply(keymap, change):
                raise CommandError(problem)
        self.session += changes
        self._install(keymap)

    def _install(self, keymap: Keymap) -> None:
        self._console.keys.drop()
        self._console.keys.keymap = keymap
        self._changed()

    # --- what works -------------------------------------------------------------------------------------------------

    def problem(self, binding: Binding) -> str:
        """Why the binding does nothing now, or nothing."""
        known = self._problems.get(binding.command)
        if known is None:
            known = command_problem(binding.command, self._console.master.commands.commands)
            self._problems[binding.command] = known
        return known or option_problem(binding.command, self._console.master.options)

    def legacy_meaning(self, key: str) -> str | None:
        """What this terminal makes of a key that it cannot tell from another one; None: it can."""
        return None if self._console.terminal.has_extended_keys else legacy_meaning(key)

    def unavailable(self) -> list[Binding]:
        """The bindings whose command or option is missing."""
        return [binding for binding in self.keymap.all() if self.problem(binding)]

    def _commands_changed(self) -> None:
        self._problems.clear()
        self._changed()

    def _changed(self) -> None:
        self._revision += 1
        self._console.request_frame()


def _reader(keymap: Keymap, own_sets: Path) -> KeyFileReader:
    return KeyFileReader(keymap, filters.parse, (own_sets,))


def _apply(keymap: Keymap, change: Binding | Unbound) -> str:
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
