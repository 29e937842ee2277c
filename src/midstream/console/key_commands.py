"""Commands about key bindings: bind, unbind, load and save key files, and what the keys pane does to its focused row.

Nested in the console's addon. What is bound, and why something does not work, is the matter of key_bindings.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from midstream.console import disabled
from midstream.console.key_box import Done, KeyBox
from midstream.console.key_list import contexts_named
from midstream.console.key_names import BadKey, parse_chord, show_chord
from midstream.console.keymap import CONTEXTS, Binding
from midstream.console.overlays import AnyKey
from midstream.console.panes.commands import CommandsPane
from midstream.console.panes.keys import KeysPane
from midstream.flows.errors import CommandError
from midstream.hub import lexer
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.types import Cmd, CmdArgs, Path
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

BIND = "console.key.bind"


class KeyCommands:
    """See the module."""

    name = "console_keys"

    def __init__(self, console: Console) -> None:
        self._console = console

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "console_keys_autosave", bool, False, "Write keys that are bound in the console to keys.yaml at once."
        )

    @command("console.view.keybindings")
    def view_keybindings(self) -> None:
        """Open the key bindings."""
        self._console.open_pane("keys")

    # --- bindings of this session -----------------------------------------------------------------------------------

    @command("console.key.contexts")
    def key_contexts(self) -> Sequence[str]:
        """The contexts in which keys can be bound."""
        return list(CONTEXTS)

    @command(BIND)
    def key_bind(self, contexts: Sequence[str], key: str, cmd: Cmd, *args: CmdArgs) -> None:
        """Bind a key, or a chord in quotes, to a command until exit."""
        line = " ".join([cmd, *(lexer.quote(arg) for arg in args)])
        keys, where = self._chord(key), _contexts(contexts)
        self._console.bindings.bind(keys, where, line)
        self._tell_bound(keys, where, line)

    @command("console.key.unbind")
    def key_unbind(self, contexts: Sequence[str], key: str) -> None:
        """Take a key, or all chords that begin with it, out of contexts until exit."""
        keys, where = self._chord(key), _contexts(contexts)
        self._console.bindings.unbind(keys, where)
        self._tell_unbound(keys, where)

    # --- the focused row --------------------------------------------------------------------------------------------

    @command("console.key.edit.focus")
    def key_edit_focus(self) -> None:
        """Change the selected binding: its key, where it counts, or its command."""
        old = self._focused()
        move = functools.partial(self._console.bindings.move, old)
        self._open(old.contexts, old.command, lambda keys, contexts, run: move(contexts, keys, run), old)

    @command("console.key.add")
    def key_add(self) -> None:
        """Bind a key to a command, in the contexts of the selected row."""
        pane = self._console.focused_pane
        focused = pane.focused_binding if isinstance(pane, KeysPane) else None
        self._open(focused.contexts if focused is not None else ("global",), "", self._console.bindings.bind, None)

    @command("console.key.bind.focus")
    def key_bind_focus(self) -> None:
        """Bind a key to the selected command."""
        pane = self._console.focused_pane
        contexts: tuple[str, ...]
        if isinstance(pane, CommandsPane) and pane.focused_command is not None:
            contexts, run = ("global",), pane.focused_command
        else:
            binding = self._focused()
            contexts, run = binding.contexts, binding.command
        self._open(contexts, run, self._console.bindings.bind, None)

    @command("console.key.execute.focus")
    def key_execute_focus(self) -> None:
        """Put the command of the selected binding into the prompt."""
        self._console.prompt(":", self._focused().command)

    @command("console.key.unbind.focus")
    def key_unbind_focus(self) -> None:
        """Take the selected binding away until exit."""
        binding = self._focused()
        self._console.bindings.remove(binding)
        self._tell_unbound(binding.keys, binding.contexts)

    @command("console.key.find")
    def key_find(self) -> None:
        """Ask for a key and go to what is bound to it, or to chords that begin with it."""
        pane = self._console.focused_pane
        if not isinstance(pane, KeysPane):
            raise CommandError("open the key bindings first")
        self._console.show(AnyKey("find by key", pane.find_key))

    @command("console.key.describe")
    def key_describe(self) -> None:
        """Ask for a key, or a chord, and say what it runs here."""
        self._describe(())

    def _describe(self, keys: tuple[str, ...]) -> None:
        console = self._console
        contexts, flow = console.contexts(), console.focused_flow()

        def got(key: str) -> None:
            chord = (*keys, key)
            shown = visible(show_chord(chord))
            found = console.keys.keymap.find(chord, contexts, flow)
            if found.following:
                self._describe(chord)
            elif found.binding is None:
                reason = disabled.unmet(console, chord, contexts, flow) or "does nothing here"
                console.message(f"{shown}: {reason}")
            else:
                binding = found.binding
                words = f": {binding.help}" if binding.help else ""
                console.message(visible(f"{shown} runs {binding.command}{words}  ({binding.source})"))

        console.show(AnyKey(f"describe key {show_chord(keys)}".rstrip(), got))

    # --- files ------------------------------------------------------------------------------------------------------

    @command("console.keymap.load")
    async def keymap_load(self, path: Path) -> None:
        """Lay a key file over the present bindings; entries that are wrong are skipped."""
        report = await self._console.bindings.load(FilePath(path))
        self._tell(f"{report.count} keys bound", len(report.errors))

    @command("console.keymap.reload")
    async def keymap_reload(self) -> None:
        """Read all key files again; what the session changed stays."""
        await self._console.bindings.reload()
        self._tell("key files read again", len(self._console.bindings.errors))

    @command("console.keymap.save")
    async def keymap_save(self) -> None:
        """Write the bindings of this session to keys.yaml in the config folder, keeping what stands there."""
        count = await self._console.bindings.save()
        self._console.message(f"{count} change{'s' if count > 1 else ''} written to {self._console.bindings.own_file}")

    # --- parts ------------------------------------------------------------------------------------------------------

    def _tell_bound(self, keys: tuple[str, ...], contexts: Sequence[str], line: str) -> None:
        self._console.message(f"{' '.join(keys)} in {', '.join(contexts)} runs {line}")
        if isinstance(self._console.pane, KeysPane):
            self._console.pane.show(keys)
        self._autosave()

    def _autosave(self) -> None:
        if getattr(self._console.master.options, "console_keys_autosave", False):
            self._console.run_command("console.keymap.save")

    def _tell_unbound(self, keys: Sequence[str], contexts: Sequence[str]) -> None:
        self._console.message(f"{' '.join(keys)} in {', '.join(contexts)} is unbound")
        self._autosave()

    def _tell(self, what: str, skipped: int) -> None:
        if skipped:
            entries = "1 entry is" if skipped == 1 else f"{skipped} entries are"
            self._console.message(f"{what}; {entries} skipped, the keys pane says why", "warn", log=False)
        else:
            self._console.message(what)

    def _focused(self) -> Binding:
        pane = self._console.focused_pane
        binding = pane.focused_binding if isinstance(pane, KeysPane) else None
        if binding is None:
            raise CommandError("no key binding is selected")
        return binding

    def _open(self, contexts: Sequence[str], run: str, bind: Done, old: Binding | None) -> None:
        def done(keys: tuple[str, ...], where: tuple[str, ...], line: str) -> None:
            bind(keys, where, line)
            self._tell_bound(keys, where, line)

        self._console.show(KeyBox(self._console, contexts, run, done, old))

    def _chord(self, text: str) -> tuple[str, ...]:
        try:
            return parse_chord(text, self._console.keys.keymap.leader)
        except BadKey as error:
            raise CommandError(str(error)) from None


def _contexts(names: Sequence[str]) -> tuple[str, ...]:
    try:
        found = contexts_named([name.strip() for name in names])
    except ValueError as error:
        raise CommandError(str(error)) from None
    if not found:
        raise CommandError(f"{', '.join(names)}: no keys can be bound there")
    return found
