"""A box that waits for one key, whichever: to find or bind what belongs to it."""

from __future__ import annotations

from collections.abc import Callable

from midstream.console.overlays.box import Overlay
from midstream.console.widgets.canvas import Line


class AnyKey(Overlay):
    """Hands the key on by our name for it; esc and ctrl c only close."""

    def __init__(self, title: str, done: Callable[[str], object]) -> None:
        super().__init__(title)
        self._done = done

    @property
    def takes_all(self) -> bool:
        return True

    def press(self, key: str) -> None:
        self.finished = True
        if key not in ("esc", "ctrl c"):
            self._done(key)

    def body(self, columns: int, rows: int) -> list[Line]:
        return [[("menu", "press the key")]]
