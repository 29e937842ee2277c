"""One option being edited in place: the field, the check while typing, and what enter does (console.md §3.4).

The options pane makes one for a value that is neither toggled nor a list (lists are tables: `grids/items.py`), gives it
the keys, and paints what it says. A value that is refused stays in the field, with the reason and a mark under the
character that it is about; the old value stays active meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from midstream.console.completion import common_start
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Run
from midstream.console.widgets.line_edit import KillRing, LineEdit
from midstream.flows.errors import OptionsError
from midstream.text.escape import visible
from midstream.text.sizes import parse_size

if TYPE_CHECKING:
    from midstream.hub.option import Option
    from midstream.hub.option_types import OptionValue

Apply = Callable[[str, "OptionValue"], None]
_MOST_OFFERED = 200
_MOST_SHOWN = 40


class OptionEdit:
    """`finished` is set by enter (after `apply` took the value) and by esc. `problem` says why a value is refused."""

    def __init__(self, option: Option, apply: Apply, kill_ring: KillRing | None = None) -> None:
        self.option = option
        self.finished = False
        self.problem = ""
        self.offered: list[str] = []
        self._apply = apply
        text = value_text(option.current())
        self.edit = LineEdit(text, kill_ring=kill_ring, multiline="\n" in text, secret=option.kind.editor == "secret")
        self._check()

    def press(self, key: str) -> bool:
        """Every key belongs to the field while it is open, but those that mean nothing to it."""
        if key == "esc":
            self.finished = True
        elif key == "enter":
            self._accept()
        elif key == "tab":
            self._complete()
            self._check()
        elif self.option.choices is not None and key in ("up", "down", "left", "right"):
            self._step(-1 if key in ("up", "left") else 1)
            self._check()
        elif self.option.type.base is int and key in ("up", "down"):
            self._count(1 if key == "up" else -1)
            self._check()
        elif self.edit.press(key):
            self.offered = []
            self._check()
        else:
            return False
        return True

    def paste(self, text: str) -> None:
        """Pasted text is text."""
        self.edit.insert(text)
        self._check()

    def value(self) -> OptionValue:
        """What the field stands for; OptionsError when that is no value of this option."""
        text = self.edit.text
        if not text and self.option.type.optional:
            return self.option.parse([None])
        return self.option.parse([text])

    def keys(self) -> list[tuple[str, str]]:
        """The keys of the field, and what they do."""
        keys = [("enter", "set")]
        if self.option.choices is not None:
            keys.append(("down", "next choice"))
        elif self.option.kind.complete is not None:
            keys.append(("tab", "complete"))
        elif self.option.type.base is int:
            keys.append(("up", "one more"))
        return [*keys, ("esc", "cancel")]

    def hint(self) -> list[Run]:
        """One line about a value that is accepted."""
        runs: list[Run] = [("prompt.good", "ok")]
        text = self.edit.text
        if self.option.kind.name == "size" and text:
            runs.append(("dim", f": {visible(text)} = {parse_size(text):,} bytes"))
        elif not text and self.option.type.optional:
            runs.append(("dim", ": nothing"))
        return runs

    def marked(self, room: int) -> list[list[Run]]:
        """The text around the character that a problem is about, and a mark under that."""
        at = self.bad_column()
        text = self.edit.text
        if at is None or self.edit.secret or not 0 <= at <= len(text):
            return []
        start = max(min(at - room // 2, len(text) - room + 1), 0)
        before = cells.prepare(visible(text[start:at]))
        shown = before + cells.prepare(visible(text[at : start + room]))
        return [[("prompt", shown)], [("value.bad", " " * cells.width(before) + "^")]]

    def offers(self) -> str:
        """What may be chosen instead, with the present choice in brackets; or what tab found."""
        choices, text = self.option.choices, self.edit.text
        if choices is None or self.offered:
            return visible("  ".join(self.offered[:_MOST_SHOWN]))
        return visible("  ".join(f"[{choice}]" if choice == text else choice for choice in choices))

    def bad_column(self) -> int | None:
        """The index in the text that a problem is about, if it names a column."""
        _, found, rest = self.problem.partition("column ")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        return int(digits) - 1 if found and digits and len(digits) < 7 else None

    def _accept(self) -> None:
        try:
            self._apply(self.option.name, self.value())
        except (OptionsError, TypeError, ValueError) as error:
            self.problem = self._words(error)
            return
        self.finished = True

    def _check(self) -> None:
        try:
            self.value()
            self.problem = ""
        except (OptionsError, TypeError, ValueError) as error:
            self.problem = self._words(error)

    def _words(self, error: Exception) -> str:
        return str(error).removeprefix(f"option {self.option.name}: ")

    def _step(self, step: int) -> None:
        choices = self.option.choices or ()
        text = self.edit.text
        at = choices.index(text) + step if text in choices else 0
        self.edit.set_text(choices[at % len(choices)])

    def _count(self, step: int) -> None:
        """One more or less, where that is allowed."""
        try:
            number = int(self.edit.text or 0) + step
        except ValueError:
            return
        if self.option.kind.refuses(number) is None:
            self.edit.set_text(str(number))

    def _complete(self) -> None:
        text, cursor = self.edit.text, self.edit.cursor
        found = self.option.completions(text[:cursor])[:_MOST_OFFERED]
        self.offered = found if len(found) > 1 else []
        common = common_start(found)
        if len(common) > cursor:
            self.edit.set_text(common + text[cursor:], len(common))


def value_text(value: OptionValue, between: str = ", ") -> str:
    """A value as it is shown and typed."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return between.join(value)
        case _:
            return str(value)


def type_words(option: Option) -> str:
    """What an option takes, for people: `filter or nothing`, `int, 0..65535`."""
    kind, words = option.kind, option.type.label
    if kind.name not in ("text", "range"):
        words = words.replace("str", kind.name)
    words = words.replace("str", "text")
    if kind.low is not None or kind.high is not None:
        words += f", {'' if kind.low is None else kind.low}..{'' if kind.high is None else kind.high}"
    return words
