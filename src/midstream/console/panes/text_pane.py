"""The pane in which a text is edited in place: a head, a body, a whole message, a new request.

It shows a `TextSubject` in a `TextEdit`, checks it after each key, and applies it when it is told to; until then
nothing has changed anywhere. Every key that types or moves is the editor's; `ctrl s`, `esc` and `ctrl o` are bindings
of the context `text`, whose commands are in `edit_commands.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream.console import external_editor
from midstream.console.external_program import NoProgram
from midstream.console.finder import Finder
from midstream.console.key_names import show_chord
from midstream.console.overlays.leave import Leave
from midstream.console.pane import Pane
from midstream.console.widgets.canvas import Line, Run, paint
from midstream.console.widgets.text_edit import MOST, TextEdit
from midstream.console.widgets.text_find import TextFind
from midstream.text.escape import visible

if TYPE_CHECKING:
    from pathlib import Path

    from midstream.console.compose import Composed
    from midstream.console.console import Console
    from midstream.console.edit_texts import Problem, TextSubject
    from midstream.flows.flow import Flow

_WHEEL = 3


class TextPane(Pane):
    """See the module."""

    name = "text"
    contexts: ClassVar[tuple[str, ...]] = ("text",)
    no_cache = ["render"]
    editing = True

    def __init__(self, console: Console, subject: TextSubject) -> None:
        super().__init__(console)
        self.subject = subject
        self._read = subject.read()
        self.edit = TextEdit(self._read, kill_ring=getattr(console, "kill_ring", None))
        self.edit.go_to(subject.cursor(self._read))
        self._find = TextFind()
        self._source = subject.source()
        self._is_stale = False
        self._checked: str | None = None
        self._problem: Problem | None = None
        self._refused = ""  # why the last try to apply failed
        self._cursor: tuple[int, int] | None = None
        self._is_busy = False
        self._closed = False

    @property
    def key(self) -> tuple[str, ...]:
        """What changes that are not applied are kept under."""
        return self.subject.key

    @property
    def is_changed(self) -> bool:
        """Whether there is something to apply."""
        return self.edit.text != self._read

    @property
    def is_stale(self) -> bool:
        """Whether somebody else has changed what the text was made of."""
        now = self.subject.source()
        if len(now) != len(self._source) or any(a is not b and a != b for a, b in zip(now, self._source, strict=True)):
            self._source, self._is_stale = now, True
        return self._is_stale

    def entered(self) -> None:
        self._closed = False

    def left(self) -> None:
        if not self._closed:
            self.console.left_edits.keep(self)

    def title(self) -> str:
        return self.subject.title

    def focused_flow(self) -> Flow | None:
        return self.subject.flow

    def editing_keys(self) -> Sequence[tuple[str, str]]:
        found = []
        keymap = self.console.keys.keymap
        for command, words in (
            ("console.text.apply", self.subject.apply_word),
            ("console.text.leave", "leave"),
            ("console.text.external", "in $EDITOR"),
            ("console.compose.draft", "save as draft"),
            ("console.search", "find"),
        ):
            keys = keymap.keys_for(command, ("text",))
            if keys and (command != "console.compose.draft" or hasattr(self.subject, "save")):
                found.append((show_chord(keys), words))
        found.append(("ctrl z", "undo"))
        help_keys = keymap.keys_for("console.view.help", ("text",))
        return [*found, (show_chord(help_keys), "help")] if help_keys else found

    # -- keys ---------------------------------------------------------------------------------------------------------

    def typed(self, key: str) -> bool:
        if self._is_busy:
            return True
        # These are bindings, though the editor of a line knows some of them; so is what follows a prefix.
        keys = self.console.keys
        if keys.pending or keys.keymap.bound((key,), "text"):
            return False
        used = self.edit.press(key)
        if used:
            self._refused = ""
            self._check()
            self.console.request_frame(now=True)
        return used

    def pasted(self, text: str) -> bool:
        if self._is_busy:
            return False
        taken = getattr(self.subject, "pasted", None)
        self._refused = ""
        if taken is not None and (made := taken(text, self.edit.text)) is not None:
            self.edit.set_text(made, len(made))
        else:
            self.edit.paste(text)
        self._check()
        self.console.request_frame(now=True)
        return True

    def navigate(self, move: str) -> None:
        self.edit.press(move)
        self.console.request_frame(now=True)

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if button in (4, 5):
            for _ in range(_WHEEL):
                self.edit.press("up" if button == 4 else "down")
        elif button == 1 and row >= 1:
            self.edit.click(column, row - 1)
        self.console.request_frame(now=True)
        return True

    def _check(self) -> Problem | None:
        text = self.edit.text
        if text is not self._checked and text != self._checked:
            self._problem = self.subject.check(text)
        self._checked = text
        self.edit.bad_line = self._problem.line if self._problem is not None else None
        return self._problem

    # -- applying and leaving -----------------------------------------------------------------------------------------

    def apply(self, over: bool = False) -> None:
        """Put the text in place and close; `over`: also over what others changed meanwhile."""
        if not self.is_changed and not self.subject.may_be_unchanged:
            self.console.message(f"{self.subject.title} unchanged")
            self.close()
            return
        if (problem := self._check()) is not None:
            if problem.line is not None and problem.line != self.edit.place[0]:
                self.edit.go_to_line(problem.line)
            self._refuse(f"line {problem.line}: {problem.reason}" if problem.line else problem.reason)
            return
        if self.is_stale and not over:
            choices = (
                ("a", "apply mine over it", lambda: self.apply(over=True)),
                ("r", "read again, dropping mine", self.reload),
                ("esc", "stay", lambda: None),
            )
            self.console.show(Leave(f"{self.subject.title}: changed by somebody else meanwhile", choices))
            return
        self._is_busy = True
        self.console.spawn(self._put(), f"apply {self.subject.title}")

    async def _put(self) -> None:
        try:
            done = await self.subject.apply(self.edit.text)
        except ValueError as error:
            if str(error):
                self._refuse(str(error))
            return
        finally:
            self._is_busy = False
        self.console.message(done)
        self.close()

    def save(self, subject: Composed) -> None:
        """Keep a new request as a draft, and close."""
        if (problem := self._check()) is not None:
            self._refuse(problem.reason)
            return
        try:
            subject.save(self.edit.text)
        except ValueError as error:
            self._refuse(str(error))
            return
        self.console.message("in the list, not sent; r sends it")
        self.close()

    def _refuse(self, reason: str) -> None:
        self._refused = reason
        self.console.message(reason, "error", log=False)
        self.console.request_frame(now=True)

    def leave(self) -> None:
        """Close; ask before changes are lost."""
        if not self.is_changed:
            self.close()
            return
        apply = self.subject.apply_word
        choices = (("a", apply, self.apply), ("d", "discard", self.close), ("esc", "stay", lambda: None))
        self.console.show(Leave(f"{self.subject.title} was changed", choices))

    def reload(self) -> None:
        """The text as it is now; undo brings back what was typed."""
        self._is_stale, self._source = False, self.subject.source()
        self._read = self.subject.read()
        self.edit.set_text(self._read)
        self._check()

    def close(self) -> None:
        """Leave without a question."""
        self._closed = True
        if self.console.focused_pane is self:
            self.console.close_pane()

    def open_external(self) -> None:
        """Go on in $EDITOR with the text as it is; what comes back stands here."""
        self.console.spawn(self._in_editor(), f"edit {self.subject.title}")

    async def _in_editor(self, path: Path | None = None) -> None:
        before = self.edit.text.encode("utf-8", "surrogateescape")
        try:
            edited = await external_editor.edit(before, self.subject.suffix(), self.console.suspend, path)
        except NoProgram as error:
            self.console.message(str(error), "error")
            return
        data = edited.data
        if data.endswith(b"\n") and not before.endswith(b"\n"):
            data = data[:-1]  # editors end the last line whether it had an end or not
        if len(data) > MOST:
            words = f"{len(data):,} bytes are too many to go on in place; they are in {edited.path}"
            again = functools.partial(self._again, edited.path)
            self.console.message(words, "error")
            self.console.prompt(f"{words}; edit again?", kind="yesno", done=again)
            return
        edited.discard()
        text = data.decode("utf-8", "surrogateescape")
        if text != self.edit.text:
            self.edit.set_text(text)
            self._check()

    def _again(self, path: Path, _: str) -> None:
        self.console.spawn(self._in_editor(path), f"edit {self.subject.title}")

    # -- finding ------------------------------------------------------------------------------------------------------

    def search(self, pattern: str, backwards: bool = False) -> bool:
        search = self.console.search
        self._find.look_for(search.finder if search.pattern == pattern else Finder(pattern))
        text = self.edit.text
        # While it is typed, what stands at the cursor is a hit; afterwards it is the one to go on from.
        found = self._find.next(text, self.edit.cursor, backwards, here=search.is_typed) if pattern else None
        if found is not None:
            self.edit.go_to(found)
        self.console.request_frame(now=True)
        return found is not None or not pattern

    def search_hits(self) -> tuple[int, int] | None:
        return self._find.place(self.edit.text, self.edit.cursor)

    def search_place(self) -> object:
        return self.edit.spot

    def search_return(self, place: object) -> None:
        assert isinstance(place, tuple)
        self.edit.go_back(place)

    def go_to_line(self) -> None:
        """Ask for the number of a line, and go there."""

        def done(typed: str) -> None:
            if not typed.strip().isdecimal():
                raise ValueError(f"{typed!r} is no number of a line")
            self.edit.go_to_line(int(typed.strip()[:9]))

        self.console.prompt(f"line (1 to {self.edit.text.count(chr(10)) + 1:,}):", kind="text", done=done)

    # -- painting -----------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, rows = size
        room = max(rows - 2, 1)
        self._check()
        self.edit.hits = self._find.spans(self.edit.text)
        lines, cursor = self.edit.paint(columns, room)
        lines += [[] for _ in range(room - len(lines))]
        painted: list[Line] = [self._head(), *lines, self._foot()]
        if rows < 3:
            painted, cursor = lines[:rows], (cursor[0], cursor[1] - 1)
        self._cursor = (cursor[0], cursor[1] + 1)
        return paint(painted, columns, rows, cursor=self._cursor if focus else None)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        return self._cursor

    def _head(self) -> Line:
        line, column = self.edit.place
        runs: list[Run] = [("title", f" {visible(self.subject.title)}"), ("dim", f"  line {line}, column {column}")]
        if self._is_busy:
            runs.append(("live", "  …"))
        if self.is_stale:
            runs.append(("failed", "  ! changed by somebody else meanwhile"))
        elif self.is_changed:
            runs.append(("edited", "  changed"))
        if about := self.subject.about():
            runs.append(("dim", f"  {visible(self.console.master.showing.text(about))}"))
        return runs

    def _foot(self) -> Line:
        problem, refused = self._problem, self.edit.problem or self._refused
        if self.edit.problem:
            return [("value.bad", f" ! {visible(refused)}"), ("dim", "; ctrl o goes on in $EDITOR")]
        if problem is not None:
            where = f"line {problem.line}: " if problem.line is not None else ""
            return [("value.bad", f" ! {visible(where + problem.reason)}")]
        if refused:
            return [("value.bad", f" ! {visible(refused)}")]
        words = self.subject.summary(self.edit.text)
        return [("prompt.good", " ok"), ("dim", f"  {visible(words)}" if words else "")]
