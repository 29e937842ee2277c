"""Boxes over the panes: the which-key menu, choosers, tables of results, completions.

The layout paints the topmost over the bottom of the panes; the console gives it every key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

from midstream.console.completion import Candidates
from midstream.console.key_names import show_chord
from midstream.console.keymap import Binding
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.text.escape import visible

SHORTCUTS = "123456789abcdefghilmnoprstuvwxyz"  # j, k and q move and close


class Overlay:
    """A box that gets every key until it is `finished`; `keys` are the most useful ones and what they do."""

    keys: Sequence[tuple[str, str]] = (("esc", "close"),)

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.finished = False

    def press(self, key: str) -> None:
        """One key, by our names."""
        if key in ("esc", "q", "ctrl c", "ctrl g"):
            self.finished = True

    def body(self, columns: int, rows: int) -> list[Line]:
        """The lines inside the frame, at most `rows` of at most `columns` cells."""
        raise NotImplementedError

    def lines(self, columns: int, rows: int) -> list[Line]:
        """The box with its frame."""
        body = self.body(columns - 4, rows - 2)
        needed = max([cells.measure(self.title) + 4, *(line_width(line) for line in body)])
        return framed(self.title, body, min(columns, needed + 4))


class Chooser(Overlay):
    """Pick one: j k or arrows and enter, or the letter before the entry."""

    keys = (("enter", "choose"), ("down", "next"), ("esc", "cancel"))

    def __init__(self, title: str, choices: Sequence[str], done: Callable[[str], object], current: str = "") -> None:
        super().__init__(title)
        self.choices = list(choices)
        self.done = done
        self.current = current
        self.position = self.choices.index(current) if current in self.choices else 0
        self._top = 0

    def press(self, key: str) -> None:
        if key in SHORTCUTS and len(key) == 1 and SHORTCUTS.index(key) < len(self.choices):
            self._pick(SHORTCUTS.index(key))
            return
        last = max(0, len(self.choices) - 1)
        match key:
            case "enter":
                self._pick(self.position)
            case "up" | "k":
                self.position = max(0, self.position - 1)
            case "down" | "j" | "tab":
                self.position = min(last, self.position + 1)
            case "home" | "g":
                self.position = 0
            case "end" | "G":
                self.position = last
            case _:
                super().press(key)

    def body(self, columns: int, rows: int) -> list[Line]:
        rows = max(1, rows)
        self._top = min(max(self._top, self.position - rows + 1), self.position)
        lines: list[Line] = []
        for index in range(self._top, min(len(self.choices), self._top + rows)):
            on = index == self.position
            letter = SHORTCUTS[index] if index < len(SHORTCUTS) else " "
            star = "*" if self.choices[index] == self.current else " "
            role = "menu.on" if on else "menu"
            key_role = "menu.on" if on else "hint.key"
            lines.append([(key_role, f"{letter} "), (role, f"{star}{visible(self.choices[index])}")])
        return lines or [[("menu", "nothing to choose from")]]

    def _pick(self, index: int) -> None:
        if index < len(self.choices):
            self.finished = True
            self.done(self.choices[index])


class AnyKey(Overlay):
    """Waits for one key, whichever, and hands it on by our name for it; esc and ctrl c only close."""

    def __init__(self, title: str, done: Callable[[str], object]) -> None:
        super().__init__(title)
        self._done = done

    def press(self, key: str) -> None:
        self.finished = True
        if key not in ("esc", "ctrl c"):
            self._done(key)

    def body(self, columns: int, rows: int) -> list[Line]:
        return [[("menu", "press the key")]]


class Table(Overlay):
    """Rows of a command's result, read only."""

    def __init__(self, title: str, rows: Sequence[Sequence[object]]) -> None:
        super().__init__(title)
        self.rows = [[_cell(cell) for cell in row] for row in rows]
        columns = zip_longest(*self.rows, fillvalue="")
        self.widths = [min(60, max(map(cells.measure, column))) for column in columns]
        self._top = 0
        self._visible = 1

    def press(self, key: str) -> None:
        page = max(1, self._visible - 1)
        step = {"up": -1, "k": -1, "down": 1, "j": 1, "page_up": -page, "page_down": page, "space": page}.get(key)
        if key in ("home", "g"):
            step = -len(self.rows)
        elif key in ("end", "G"):
            step = len(self.rows)
        if step is None:
            super().press(key)
            return
        self._top = max(0, min(self._top + step, len(self.rows) - self._visible))

    def body(self, columns: int, rows: int) -> list[Line]:
        self._visible = max(1, rows)
        lines: list[Line] = []
        for row in self.rows[self._top : self._top + self._visible]:
            fitted = [cells.fit(cell, max(room, cells.measure(cell))) for cell, room in zip(row, self.widths)]  # noqa: B905
            lines.append([("menu", "  ".join(fitted))])
        return lines or [[("menu", "no rows")]]


def menu_lines(
    prefix: tuple[str, ...],
    title: Callable[[tuple[str, ...]], str],
    bindings: Sequence[tuple[Binding, str]],
    columns: int,
    rows: int,
) -> list[Line]:
    """The which-key box: what may follow the prefix, in as many columns as fit; each with why it does not work now.

    `title` is asked what the menu of a prefix is called.
    """
    entries: list[tuple[str, str]] = []
    deeper: dict[str, int] = {}
    for binding, problem in bindings:
        rest = binding.keys[len(prefix) :]
        if len(rest) > 1:
            deeper[rest[0]] = deeper.get(rest[0], 0) + 1
        else:
            entries.append((rest[0], visible((binding.help or binding.command) + " (not available)" * bool(problem))))
    entries += [(key, f"{visible(title((*prefix, key)))} … {count} more".lstrip()) for key, count in deeper.items()]
    if not entries:
        return []
    key_room = max(cells.measure(key) for key, _ in entries)
    cell = min(columns - 4, max(key_room + 1 + cells.measure(text) for key, text in entries) + 2)
    across = max(1, min((columns - 4) // max(1, cell), len(entries)))
    down = (len(entries) + across - 1) // across
    body: list[Line] = []
    for row in range(min(down, max(1, rows - 2))):
        line: list[Run] = []
        for column in range(across):
            index = column * down + row
            if index < len(entries):
                key, text = entries[index]
                shown: list[Run] = [("hint.key", key.rjust(key_room)), ("menu", f" {text}")]
                line += [*shown, ("menu", " " * max(0, cell - line_width(shown)))]
        body.append(line)
    head = visible(f"{show_chord(prefix)}  {title(prefix)}".rstrip())
    return framed(head, body, min(columns, max(across * cell, cells.measure(head) + 2) + 4))


def choice_lines(candidates: Candidates, chosen: int, columns: int, rows: int) -> list[Line]:
    """The completions of the prompt, with what they mean."""
    choices = candidates.choices
    inside = max(1, rows - 2)
    top = max(0, min(chosen - inside + 1, len(choices) - inside)) if chosen >= 0 else 0
    room = max((cells.measure(visible(choice)) for choice in choices[:200]), default=0)
    body: list[Line] = []
    for index in range(top, min(len(choices), top + inside)):
        on = "menu.on" if index == chosen else "menu"
        meaning = candidates.meanings.get(choices[index], "")
        words = cells.fit(visible(choices[index]), room) if meaning else visible(choices[index])
        body.append([(on, words), ("menu", f"  {meaning}" if meaning else "")])
    more = len(choices) - len(body)
    title = f"{len(choices)} choices" if more else ""
    widest = max(map(line_width, body), default=0)
    return framed(title, body, min(columns, max(24, room + 4, widest + 4)))


def framed(title: str, body: Sequence[Line], columns: int) -> list[Line]:
    """Lines inside a frame of `columns` cells."""
    columns = max(8, columns)
    inside = columns - 4
    head = cells.cut(f"- {visible(title)} ", columns - 2, "…") if title else ""
    lines: list[Line] = [[("border", "+" + head + "-" * (columns - 2 - cells.measure(head)) + "+")]]
    for line in body:
        left = inside
        runs: list[Run] = [("border", "| ")]
        for role, text in line:
            shown = cells.cut(text, left, "…") if left > 0 else ""
            left -= cells.measure(shown)
            runs.append((role, shown))
        runs += [("menu", " " * max(0, left)), ("border", " |")]
        lines.append(runs)
    lines.append([("border", "+" + "-" * (columns - 2) + "+")])
    return lines


def _cell(value: object) -> str:
    if isinstance(value, bytes):
        return visible(value[:4096].decode("utf-8", "backslashreplace"))
    return visible(str(value)[:4096])
