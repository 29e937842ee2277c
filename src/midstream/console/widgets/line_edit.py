"""The one line editor: a text, a cursor, and what keys do to them.

The prompt and every field that is edited in place own a `LineEdit` and give it the keys they have no use for
themselves. It knows nothing of widgets, history or completion, and it never paints: `window` says what to show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import wcwidth

from midstream.console.widgets import cells
from midstream.text.escape import visible

_KILLS_KEPT = 20


class KillRing:
    """Texts cut by ctrl k, u, w and alt d, backspace; one ring may serve all editors of a console."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def add(self, text: str, *, before: bool, join: bool) -> None:
        """Keep a cut text; `join` adds it to the last one (`before` it or after), as consecutive cuts do."""
        if not text:
            return
        if join and self._texts:
            self._texts[-1] = text + self._texts[-1] if before else self._texts[-1] + text
            return
        self._texts.append(text)
        del self._texts[:-_KILLS_KEPT]

    def last(self) -> str:
        return self._texts[-1] if self._texts else ""

    def rotate(self) -> str:
        """Bring the text before the last one to the end, for alt y."""
        if self._texts:
            self._texts.insert(0, self._texts.pop())
        return self.last()


class Window(NamedTuple):
    """The part of the line that fits: `text` is painted, `start:end` are its indices, `cursor` its cell."""

    text: str
    start: int
    end: int
    cursor: int


class LineEdit:
    """A line of text being edited. `cursor` is an index into `text`, 0 to its length.

    With `multiline` a line feed may be part of the text (alt enter); without, it becomes a space. `last_words` gives
    the last words of earlier lines, newest first, for alt dot. `secret` paints bullets.
    """

    def __init__(
        self,
        text: str = "",
        *,
        kill_ring: KillRing | None = None,
        multiline: bool = False,
        secret: bool = False,
        last_words: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self.text = text
        self.cursor = len(text)
        self.multiline = multiline
        self.secret = secret
        self.kill_ring = kill_ring if kill_ring is not None else KillRing()
        self._last_words = last_words
        self._shown_from = 0
        self._previous = ""  # the kind of the last key: kill, yank, word or nothing that matters
        self._yanked: tuple[int, int] = (0, 0)
        self._word_number = 0

    def set_text(self, text: str, cursor: int | None = None) -> None:
        """Replace the whole line; the cursor goes to the end unless told."""
        self.text = text
        self.cursor = len(text) if cursor is None else max(0, min(cursor, len(text)))
        self._previous = ""

    def insert(self, text: str) -> None:
        """Type or paste `text` at the cursor. Pasted controls are text; only line breaks are looked at."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not self.multiline:
            text = text.replace("\n", " ")
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)
        self._previous = ""

    def press(self, key: str) -> bool:
        """Do what `key` (an urwid key name; `meta` and `alt` are one) means; False: it means nothing here."""
        if key.startswith("meta "):
            key = "alt " + key[5:]
        if key == "space":
            key = " "
        if key == "alt enter" and not self.multiline:
            return False
        action = _KEYS.get(key)
        if action is not None:
            kind = _KINDS.get(key, "")
            action(self)
            self._previous = kind
            return True
        if len(key) == 1 and (key.isprintable() or key == "\t"):
            self.insert(key)
            return True
        return False

    def window(self, width: int) -> Window:
        """What to paint in `width` cells: the line scrolled as little as possible so that the cursor is inside."""
        width = max(width, 1)
        # Each index takes at least one cell, so none of these walks looks at more than `width` of them: the cost does
        # not depend on how much was pasted. One cell stays free for the cursor behind the last character.
        lowest, _ = self._reach_back(self.cursor, width - 1)
        start = self._shown_from
        if not lowest <= start <= self.cursor:
            start = lowest if start < lowest else self.cursor
        parts: list[str] = []
        end, used, cursor = start, 0, 0
        while end < len(self.text):
            part = self._shown(self.text[end])
            size = cells.width(part)
            if used + size > width:
                break
            parts.append(part)
            used += size
            end += 1
            if end == self.cursor:
                cursor = used
        if end == len(self.text) and used < width - 1 and start > 0:
            # After deleting, text that was scrolled out comes back.
            more, back = self._reach_back(start, width - 1 - used)
            parts[:0] = [self._shown(character) for character in self.text[more:start]]
            start, cursor = more, cursor + back
        self._shown_from = start
        return Window("".join(parts), start, end, cursor)

    def _reach_back(self, index: int, room: int) -> tuple[int, int]:
        """The smallest index from which the text up to `index` fits in `room` cells, and the cells it takes."""
        used = 0
        while index > 0:
            size = cells.width(self._shown(self.text[index - 1]))
            if used + size > room:
                break
            used += size
            index -= 1
        return index, used

    def _shown(self, character: str) -> str:
        if self.secret:
            return cells.prepare("•")
        if character == "\t":
            return cells.prepare("␉")
        # Marks are shown on a base of their own while editing, so that each index has a cell for the cursor.
        return cells.prepare(visible(character))

    # -- moves

    def _home(self) -> None:
        self.cursor = self.text.rfind("\n", 0, self.cursor) + 1

    def _end(self) -> None:
        end = self.text.find("\n", self.cursor)
        self.cursor = len(self.text) if end < 0 else end

    def _left(self) -> None:
        self.cursor = self._cluster_before()

    def _right(self) -> None:
        self.cursor = self._cluster_after()

    def _word_left(self) -> None:
        self.cursor = self._word_before()

    def _word_right(self) -> None:
        self.cursor = self._word_after()

    def _cluster_before(self) -> int:
        at = self.cursor
        while at > 0:
            at -= 1
            if not _is_mark(self.text[at]):
                break
        return at

    def _cluster_after(self) -> int:
        at = min(self.cursor + 1, len(self.text))
        while at < len(self.text) and _is_mark(self.text[at]):
            at += 1
        return at

    def _word_before(self) -> int:
        at = self.cursor
        while at > 0 and not _is_word(self.text[at - 1]):
            at -= 1
        while at > 0 and _is_word(self.text[at - 1]):
            at -= 1
        return at

    def _word_after(self) -> int:
        at, length = self.cursor, len(self.text)
        while at < length and not _is_word(self.text[at]):
            at += 1
        while at < length and _is_word(self.text[at]):
            at += 1
        return at

    # -- changes

    def _cut(self, start: int, end: int, *, keep: bool = True) -> None:
        if keep:
            self.kill_ring.add(self.text[start:end], before=end <= self.cursor, join=self._previous == "kill")
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _backspace(self) -> None:
        # A mark is deleted alone: it was typed alone.
        self._cut(max(self.cursor - 1, 0), self.cursor, keep=False)

    def _delete(self) -> None:
        self._cut(self.cursor, self._cluster_after(), keep=False)

    def _kill_to_end(self) -> None:
        end = self.text.find("\n", self.cursor)
        if end == self.cursor:
            end += 1  # at the end of a line of several, the line break itself goes
        self._cut(self.cursor, len(self.text) if end < 0 else end)

    def _kill_to_start(self) -> None:
        self._cut(self.text.rfind("\n", 0, self.cursor) + 1, self.cursor)

    def _kill_blank_word_before(self) -> None:
        at = self.cursor
        while at > 0 and self.text[at - 1].isspace():
            at -= 1
        while at > 0 and not self.text[at - 1].isspace():
            at -= 1
        self._cut(at, self.cursor)

    def _kill_word_before(self) -> None:
        self._cut(self._word_before(), self.cursor)

    def _kill_word_after(self) -> None:
        self._cut(self.cursor, self._word_after())

    def _yank(self) -> None:
        self._put(self.kill_ring.last())

    def _yank_older(self) -> None:
        if self._previous != "yank":
            self._yank()
            return
        self._take_back()
        self._put(self.kill_ring.rotate())

    def _put(self, text: str) -> None:
        start = self.cursor
        self.insert(text)
        self._yanked = (start, self.cursor)

    def _take_back(self) -> None:
        start, end = self._yanked
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _transpose(self) -> None:
        at = self.cursor
        if at == len(self.text):
            at -= 1
        if at < 1:
            return
        self.text = self.text[: at - 1] + self.text[at] + self.text[at - 1] + self.text[at + 1 :]
        self.cursor = at + 1

    def _last_word(self) -> None:
        words = self._last_words() if self._last_words is not None else ()
        if not words:
            self._yanked = (self.cursor, self.cursor)
            return
        if self._previous == "word":
            self._take_back()
            self._word_number = (self._word_number + 1) % len(words)
        else:
            self._word_number = 0
        self._put(words[self._word_number])

    def _line_feed(self) -> None:
        self.insert("\n")


def _is_mark(character: str) -> bool:
    return not character.isascii() and wcwidth.wcwidth(character) == 0


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_" or _is_mark(character)


_KEYS: dict[str, Callable[[LineEdit], None]] = {
    "ctrl a": LineEdit._home,
    "home": LineEdit._home,
    "ctrl e": LineEdit._end,
    "end": LineEdit._end,
    "ctrl b": LineEdit._left,
    "left": LineEdit._left,
    "ctrl f": LineEdit._right,
    "right": LineEdit._right,
    "alt b": LineEdit._word_left,
    "ctrl left": LineEdit._word_left,
    "alt left": LineEdit._word_left,
    "alt f": LineEdit._word_right,
    "ctrl right": LineEdit._word_right,
    "alt right": LineEdit._word_right,
    "backspace": LineEdit._backspace,
    "ctrl h": LineEdit._backspace,
    "delete": LineEdit._delete,
    "ctrl d": LineEdit._delete,
    "ctrl w": LineEdit._kill_blank_word_before,
    "alt backspace": LineEdit._kill_word_before,
    "ctrl backspace": LineEdit._kill_word_before,
    "alt d": LineEdit._kill_word_after,
    "ctrl k": LineEdit._kill_to_end,
    "ctrl u": LineEdit._kill_to_start,
    "ctrl y": LineEdit._yank,
    "alt y": LineEdit._yank_older,
    "ctrl t": LineEdit._transpose,
    "alt .": LineEdit._last_word,
    "alt enter": LineEdit._line_feed,
}

_KINDS = dict.fromkeys(("ctrl w", "alt backspace", "ctrl backspace", "alt d", "ctrl k", "ctrl u"), "kill") | {
    "ctrl y": "yank",
    "alt y": "yank",
    "alt .": "word",
}
