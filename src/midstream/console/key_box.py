"""The box that binds a key (console.md §3.6): it takes the keys as they are pressed, and says what they would do.

Opened by the commands about the focused row of the keys and the commands pane. Keys that cannot be pressed (enter alone
ends, esc leaves) are bound by `console.key.bind` at the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from midstream.console.key_bindings import command_problem, option_problem
from midstream.console.key_names import show_chord
from midstream.console.keymap import CONTEXTS, Binding, Conflict
from midstream.console.overlays.fields import Field, TextField, ToggleField
from midstream.console.overlays.form import Form
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

Done = Callable[[tuple[str, ...], tuple[str, ...], str], object]
LONGEST = 8
_VERDICT = 2  # lines
_OTHER_KEYS = ("esc leaves; enter, tab and esc themselves are bound", "at the prompt, by console.key.bind")


class KeysField(Field):
    """Takes every key into the chord: the first whatever it is, later ones but enter, tab, esc and backspace."""

    def __init__(self, keys: tuple[str, ...] = ()) -> None:
        super().__init__("keys", "press")
        self.keys = keys

    @property
    def value(self) -> tuple[str, ...]:
        return self.keys

    def check(self) -> str:
        return "" if self.keys else "press the keys first"

    def press(self, key: str) -> bool:
        if key == "backspace" and self.keys:
            self.keys = self.keys[:-1]
        elif key == "esc" or (self.keys and key in ("enter", "tab", "shift tab", "up", "down")):
            return False
        elif len(self.keys) < LONGEST:
            self.keys = (*self.keys, key)
        return True

    @property
    def takes_all(self) -> bool:
        return True

    def lines(self, columns: int, on: bool) -> list[Line]:
        text = cells.cut(visible(show_chord(self.keys)), max(1, columns - 24), "…")
        self.cursor = (cells.measure(text), 0)
        words = "" if self.keys else "the keys, one after the other"
        return [[("hint.key", text), ("prompt", " "), ("dim", words)]]


class KeyBox(Form):
    """`done` gets keys, contexts and command; it raises CommandError when they cannot be bound. `old` is moved."""

    keys: Sequence[tuple[str, str]] = (
        ("enter", "bind"),
        ("ctrl s", "bind and save"),
        ("tab", "next field"),
        ("esc", "cancel"),
    )
    widest = 76

    def __init__(self, console: Console, contexts: Sequence[str], run: str, done: Done, old: Binding | None) -> None:
        self._console = console
        self._old = old
        self._chord = KeysField()
        self._where = ToggleField("where", "where", [*CONTEXTS], contexts)
        self._run = TextField(
            "command", text=run, complete=console.complete_command, problem=self._problem, kill_ring=console.kill_ring
        )
        self._bind = done
        fields: list[Field] = [self._chord, self._where, self._run]
        super().__init__("another key" if old is not None else "bind a key", fields, self._take)

    def press(self, key: str) -> None:
        if key == "ctrl s":
            self.accept()
            if self.finished:
                self._console.run_command("console.keymap.save")
        elif key in ("ctrl c", "ctrl g") and self.field is self._chord and not self._chord.keys:
            self._chord.press(key)  # they are keys as well; esc leaves
        else:
            super().press(key)

    def _problem(self, text: str) -> str:
        console = self._console
        return command_problem(text, console.master.commands.commands) or option_problem(text, console.master.options)

    @property
    def _contexts(self) -> tuple[str, ...]:
        return tuple(name for name in CONTEXTS if name in self._where.on)

    def _take(self, values: dict[str, object]) -> None:
        if not self._contexts:
            raise ValueError("where: choose at least one context, by space")
        self._bind(self._chord.keys, self._contexts, self._run.value)

    # --- what it would do -------------------------------------------------------------------------------------------

    def below(self, columns: int, rows: int) -> list[Line]:
        found: list[Line] = [[(role, cells.cut(visible(words), columns, "…"))] for role, words in self.verdict()]
        return [[("menu", "")], *found, *([[("menu", "")]] * (_VERDICT - len(found)))][: max(0, rows)]

    def verdict(self) -> list[tuple[str, str]]:
        """What stands in the way, or what the keys do now; and what the terminal makes of them."""
        keys = self._chord.keys
        if not keys or not self._contexts:
            return [("dim", line) for line in _OTHER_KEYS]
        said = [self._place()]
        for key in keys:
            if meaning := self._console.bindings.legacy_meaning(key):
                said.append(("edited", f"this terminal sends {key} as {meaning}"))
        return said[:_VERDICT]

    def _place(self) -> tuple[str, str]:
        keymap = self._console.keys.keymap.copy()
        keymap.begin_layer()
        try:
            keymap.add(Binding(self._chord.keys, self._contexts, self._run.value or "?"))
        except Conflict as conflict:
            return "failed", f"{conflict}; unbind that first"
        now = {
            binding.command: context
            for context in self._contexts
            for binding in self._console.keys.keymap.bound(self._chord.keys, context)
        }
        if self._old is not None:
            now.pop(self._old.command, None)
        if now:
            command, context = next(iter(now.items()))
            return "edited", f"takes the place of {command} in {context}"
        reached = self._console.keys.keymap.find(self._chord.keys, CONTEXTS[self._contexts[0]], None)
        if reached.binding is not None and (self._old is None or reached.binding.command != self._old.command):
            return "edited", f"comes before {reached.binding.command} of {', '.join(reached.binding.contexts)}"
        return "bar.ok", "ok: free here"
