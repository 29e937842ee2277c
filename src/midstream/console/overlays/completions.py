"""The completions of the prompt, as a box above it. The layout paints it; the prompt has the keys."""

from __future__ import annotations

from midstream.console.completion import Candidates
from midstream.console.overlays.box import framed
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, line_width
from midstream.text.escape import visible


def choice_lines(candidates: Candidates, chosen: int, columns: int, rows: int) -> list[Line]:
    """The completions of the prompt, with what they mean."""
    choices = candidates.choices
    inside = max(1, rows - 2)
    top = max(0, min(chosen - inside + 1, len(choices) - inside)) if chosen >= 0 else 0
    widest = max((cells.measure(visible(choice)) for choice in choices[:200]), default=0)
    room = min(widest, max(columns - 4, 0) * 2 // 3)  # what a choice means shall be seen as well
    body: list[Line] = []
    for index in range(top, min(len(choices), top + inside)):
        on = "menu.on" if index == chosen else "menu"
        meaning = candidates.meanings.get(choices[index], "")
        words = cells.fit(visible(choices[index]), room) if meaning else visible(choices[index])
        body.append([(on, words), ("menu", f"  {meaning}" if meaning else "")])
    more = len(choices) - len(body)
    title = f"{len(choices)} choices" if more else ""
    needed = max(24, widest + 4, max(map(line_width, body), default=0) + 4)
    return framed(title, body, min(columns, needed))
