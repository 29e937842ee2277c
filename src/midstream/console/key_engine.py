"""Turns keys into commands: remembers a pending prefix, asks the keymap, opens the which-key menu after a while.

The console feeds it the keys that no prompt and no editing pane took. A pending prefix never times out; esc drops it,
and so does a key that does not follow. It does not know what a command does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from midstream.console.keymap import Binding, Keymap
from midstream.flows.flow import Flow

Run = Callable[[Binding, int], None]
COUNT = "{count}"
_MOST = 1_000  # repetitions of a command that does not take the number itself
_DIGITS = 6


def repeated(command: str, count: int) -> list[str]:
    """The lines that a command with a count comes to: `{count}` in it is the number, else it is done so often."""
    if COUNT in command:
        return [command.replace(COUNT, str(count) if count else "")]
    return [command] * max(1, min(count, _MOST))


class KeyEngine:
    """`run` executes a binding, as often as the digits before it said (0: there were none); `changed` asks for a
    repaint when the menu opens or closes; `missed` gets keys of which the last does not follow the others.

    `following` may come after the `pending` keys: the entries of the menu.
    """

    def __init__(
        self, keymap: Keymap, run: Run, changed: Callable[[], None], missed: Callable[[tuple[str, ...]], None]
    ) -> None:
        self.keymap = keymap
        self._run = run
        self._changed = changed
        self._missed = missed
        self._timer: asyncio.TimerHandle | None = None
        self._contexts: tuple[str, ...] = ()
        self.pending: tuple[str, ...] = ()
        self.count = ""
        self.following: list[Binding] = []
        self.menu_is_open = False

    def press(self, key: str, contexts: tuple[str, ...], flow: Flow | None) -> bool:
        """One key (our names); False: nothing is bound to it here."""
        if (self.pending or self.count) and key == "esc":
            self.drop()
            return True
        if self._is_digit(key, contexts, flow):
            self.count = (self.count + key)[-_DIGITS:]
            self._changed()
            return True
        keys = (*self.pending, key)
        found = self.keymap.find(keys, contexts, flow)
        if found.binding is not None:
            count = int(self.count or 0)
            self.drop()
            self._run(found.binding, count)
            return True
        if found.following:
            self._wait(keys, contexts, found.following)
            return True
        had_prefix = bool(self.pending)
        self.drop()
        if had_prefix:
            self._missed(keys)
        # A key that does not follow the prefix ends it and does nothing else: guessing would delete flows.
        return had_prefix

    def _is_digit(self, key: str, contexts: tuple[str, ...], flow: Flow | None) -> bool:
        if not self.keymap.counts or self.pending or key not in ("0123456789" if self.count else "123456789"):
            return False
        if self.count:
            return True
        found = self.keymap.find((key,), contexts, flow)
        return found.binding is None and not found.following

    @property
    def typed(self) -> str:
        """What was pressed of a command that is not complete, for the status bar."""
        return " ".join([*([self.count] if self.count else []), *self.pending])

    def title(self, prefix: tuple[str, ...]) -> str:
        """What the menu of a prefix is called here."""
        return self.keymap.title(prefix, self._contexts)

    def drop(self) -> None:
        """Forget the prefix."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.pending or self.count:
            self.pending, self.count = (), ""
            self.menu_is_open = False
            self._changed()

    def _wait(self, keys: tuple[str, ...], contexts: tuple[str, ...], following: list[Binding]) -> None:
        self.pending, self._contexts, self.following = keys, contexts, following
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.menu_is_open or keys[0] == self.keymap.leader:
            self._open()
            return
        self._timer = asyncio.get_running_loop().call_later(self.keymap.menu_delay, self._open)
        self._changed()

    def _open(self) -> None:
        self._timer = None
        self.menu_is_open = True
        self._changed()
