"""A question about something that cannot simply go on: each answer has its letter, and says what it does.

Every yes or no of the console is asked here. enter and a click beside the answers do nothing: what destroys something
has to be named. esc leaves everything as it is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from midstream.console.overlays.box import Overlay, Place
from midstream.console.widgets.canvas import Line
from midstream.text.escape import visible


class Answer(NamedTuple):
    """A letter, what it does in a few words in which the letter stands, and who does it; None for nothing."""

    key: str
    words: str
    do: Callable[[], object] | None = None


class Confirm(Overlay):
    """`about` are sentences on what would happen. A second ctrl c gives the answer `ctrl_c`, if there is one."""

    place: Place = "centre"
    widest = 76

    def __init__(
        self, question: str, answers: Sequence[Answer], about: Sequence[str] = (), *, ctrl_c: str = ""
    ) -> None:
        super().__init__(question)
        self.answers = list(answers)
        self.about = list(about)
        self.keys = [*((answer.key, answer.words) for answer in answers), ("esc", "cancel")]
        self._ctrl_c = ctrl_c
        self._first = 0  # the line of the first answer
        self._was_missed = False
        # Where there is a plain no, esc says the same.
        self._says_esc = all(answer.do is not None for answer in self.answers)
        if not self._says_esc:
            self.keys = [*((answer.key, answer.words) for answer in answers)]

    @classmethod
    def yes_or_no(
        cls, question: str, do: Callable[[], object], about: Sequence[str] = (), *, ctrl_c: str = ""
    ) -> Confirm:
        """y does it; n, like esc, does not."""
        return cls(question, [Answer("y", "yes", do), Answer("n", "no (or esc)")], about, ctrl_c=ctrl_c)

    def press(self, key: str) -> None:
        if key == "ctrl c" and self._ctrl_c:
            key = self._ctrl_c
        exact = [answer for answer in self.answers if answer.key == key]
        found = exact or [answer for answer in self.answers if answer.key == key.lower()]
        if found:
            self._take(found[0])
        elif key in ("esc", "q", "ctrl c", "ctrl g"):
            self.finished = True
        else:
            self._was_missed = True

    def click(self, column: int, row: int) -> bool:
        at = row - self._first
        if not 0 <= at < len(self.answers) + self._says_esc:
            return False
        if at == len(self.answers):
            self.finished = True
        else:
            self._take(self.answers[at])
        return True

    def wheel(self, rows: int) -> None:
        """Nothing to scroll."""

    def body(self, columns: int, rows: int) -> list[Line]:
        lines: list[Line] = []
        for sentence in (self.title, *self.about) if len(self.title) > columns - 4 else self.about:
            lines += [[("menu", part)] for part in textwrap.wrap(visible(sentence), columns)]
        # However low the terminal is, the answers are seen.
        lines = lines[: max(0, rows - len(self.answers) - self._says_esc)]
        self._first = len(lines)
        self.cursor = (0, self._first)
        lines += [_answer_line(answer.key, answer.words) for answer in self.answers]
        if self._says_esc:
            lines.append(_answer_line("esc", "cancel"))
        if self._was_missed:
            lines[-1] = [*lines[-1], ("dim", "   one of these keys answers")]
        return lines

    def _take(self, answer: Answer) -> None:
        self.finished = True
        if answer.do is not None:
            answer.do()


def _answer_line(key: str, words: str) -> Line:
    """`[k]ill and clear`: the letter within its word where it stands there, else in front."""
    at = words.find(key) if len(key) == 1 else -1
    if at < 0:
        return [("menu", "["), ("hint.key", key), ("menu", f"] {visible(words)}")]
    before, after = words[:at], words[at + 1 :]
    return [("menu", f"{visible(before)}["), ("hint.key", key), ("menu", f"]{visible(after)}")]
