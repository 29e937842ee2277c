"""The which-key menu: what may follow a prefix key. The layout paints it while the key engine waits; it has no keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from midstream.console.key_names import show_chord
from midstream.console.keymap import Binding
from midstream.console.overlays.box import framed
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.text.escape import visible

_LONGEST = 60  # cells of an entry


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
    entries: list[tuple[str, str, bool]] = []
    deeper: dict[str, int] = {}
    for binding, problem in bindings:
        rest = binding.keys[len(prefix) :]
        if len(rest) > 1:
            deeper[rest[0]] = deeper.get(rest[0], 0) + 1
        else:
            words = f"{binding.help or binding.command}{f' - {problem}' if problem else ''}"
            entries.append((rest[0], cells.cut(visible(words), _LONGEST, "…"), bool(problem)))
    entries += [
        (key, f"{visible(title((*prefix, key)))} … {count} more".lstrip(), False) for key, count in deeper.items()
    ]
    if not entries:
        return []
    key_room = max(cells.measure(key) for key, *_ in entries)
    cell = min(columns - 4, max(key_room + 1 + cells.measure(text) for key, text, _ in entries) + 2)
    # However low the terminal is, every key is seen: the words are cut before an entry is left out.
    least = (len(entries) + max(1, rows - 2) - 1) // max(1, rows - 2)
    cell = min(cell, max(key_room + 4, (columns - 4) // least))
    across = max(1, min((columns - 4) // max(1, cell), len(entries)))
    down = (len(entries) + across - 1) // across
    body: list[Line] = []
    for row in range(min(down, max(1, rows - 2))):
        line: list[Run] = []
        for column in range(across):
            index = column * down + row
            if index < len(entries):
                key, text, is_off = entries[index]
                roles = ("dim", "dim") if is_off else ("hint.key", "menu")
                words = cells.cut(text, max(0, cell - key_room - 2), "…")
                shown: list[Run] = [(roles[0], key.rjust(key_room)), (roles[1], f" {words}")]
                line += [*shown, ("menu", " " * max(0, cell - line_width(shown)))]
        body.append(line)
    head = visible(f"{show_chord(prefix)}  {title(prefix)}".rstrip())
    return framed(head, body, min(columns, max(across * cell, cells.measure(head) + 2) + 4))
