"""Where a key goes: the prompt, an open box, a pane that is edited in place, or the key engine. Pastes and clicks too.

The main loop hands each batch of input over. No exception of a key press leaves here: it is logged and shown.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import disabled
from midstream.console.key_names import from_urwid, show_chord
from midstream.console.main_loop import Input as Event
from midstream.console.overlays import KeysBox, Overlay
from midstream.console.overlays.keys_box import PROMPT
from midstream.console.screen import PASTE_KEY
from midstream.flows.errors import CommandError
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

logger = logging.getLogger(__name__)

_NO_KEYS = frozenset({"window resize", "focus in", "focus out", "begin paste", "end paste"})


class Input:
    """See the module."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._paste: list[str] | None = None

    def handle(self, events: Sequence[Event]) -> None:
        """One batch, in order."""
        for event in events:
            try:
                self._one(event)
            except CommandError as refusal:  # what a box was opened for cannot be done any more
                self._console.message(str(refusal), "error", log=False)
            except Exception as error:  # one of the three borders (architecture.md §5)
                logger.exception("a key press failed")
                self._console.message(f"that key failed: {error!r}; the log has the traceback", "error", log=False)
        self._console.request_frame(now=True)

    def _one(self, event: Event) -> None:
        if not isinstance(event, str):
            self._mouse(event)
        elif event == PASTE_KEY:
            if (text := self._console.terminal.take_paste()) is not None:
                self.paste(text)
        elif event == "begin paste":
            self._paste = []
        elif event == "end paste":
            text, self._paste = "".join(self._paste or ()), None
            self.paste(text)
        elif self._paste is not None:
            # A screen that does not take pastes out itself: between begin and end nothing is a key.
            self._paste.append({"enter": "\n", "tab": "\t"}.get(event, event if len(event) == 1 else ""))
        elif event not in _NO_KEYS:
            self.press(from_urwid(event))

    def press(self, key: str) -> None:
        """One key by our names."""
        console = self._console
        console.messages.expire(by_key=True)
        if console.overlay is not None and (console.active_prompt is None or isinstance(console.overlay, KeysBox)):
            self._in_box(console.overlay, key)
            return
        if console.active_prompt is not None:
            self._in_prompt(key)
            return
        pane = console.focused_pane
        if pane.editing:
            if pane.typed(key):
                return
            if console.keys.press(key, ("text",), None) or key != "ctrl c":
                return
        if console.keys.press(key, console.contexts(), console.focused_flow()):
            return
        if key == "ctrl c":
            # Whatever a key file did to it: there is always a way out.
            console.ask_to_quit()
        elif key == "esc":
            console.breadcrumbs.follow_option()
        else:
            self.missed((key,))

    def missed(self, keys: tuple[str, ...]) -> None:
        """Say why keys did nothing: nothing is bound to them, or not for this flow."""
        console = self._console
        chord = visible(show_chord(keys))
        if reason := disabled.unmet(console, keys, console.contexts(), console.focused_flow()):
            console.message(f"{chord}: {reason}")
            return
        help_keys = console.keys.keymap.keys_for("console.view.help", console.contexts())
        more = f"; {show_chord(help_keys)} shows the keys" if help_keys else ""
        console.message(f"{chord} does nothing here{more}")

    def _in_box(self, box: Overlay, key: str) -> None:
        asks = key == "f1" or (key == "?" and not box.takes_text)
        if asks and not box.takes_all and not isinstance(box, KeysBox):
            self._console.show(KeysBox(f"keys: {box.title}", box.keys, has_text=box.takes_text))
        else:
            box.press(key)
        self._console.boxes.tidy()

    def _in_prompt(self, key: str) -> None:
        prompt = self._console.active_prompt
        assert prompt is not None
        if key == "f1":
            own = [key for key in prompt.keys if key[0] not in ("tab", "up", "ctrl r")]
            self._console.show(KeysBox("keys of the prompt", [*own, *PROMPT], has_text=True))
            return
        if key != "ctrl c" and self._console.keys.press(key, ("prompt",), None):
            return
        prompt.press(key)
        if prompt.finished and self._console.active_prompt is prompt:
            self._console.active_prompt = None

    def paste(self, text: str) -> None:
        """Pasted text is text where text is asked for, and nothing anywhere else."""
        console = self._console
        pane = console.focused_pane
        if console.active_prompt is not None:
            console.active_prompt.paste(text)
            return
        takes = console.overlay.paste if console.overlay is not None else pane.pasted if pane.editing else None
        if takes is None or not takes(text):
            console.message(f"{len(text)} pasted characters were refused here: open a prompt first", "warn", log=False)

    def _mouse(self, event: tuple[str, int, int, int]) -> None:
        name, button, column, row = event
        console = self._console
        if name.endswith("mouse release"):
            console.layout.release()
        elif name.endswith("mouse drag") and console.active_prompt is None and console.overlay is None:
            console.layout.drag(column, row)
        if not name.endswith("mouse press"):
            return
        if console.active_prompt is None and console.overlay is None:
            console.layout.click(console.terminal.size, button, column, row)
        elif console.active_prompt is None and console.layout.click_box(button, column, row):
            console.boxes.tidy()
        elif button == 1:
            console.layout.click_hint(console.terminal.size, column, row)
