"""The key hints in the last row: the keys that do something now, in the order of the key file.

While a prompt, a box or a field has the keys, those that it knows; else derived from the bindings of the focused pane
(P4): nothing is listed here but the conditions under which a command would do nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import disabled
from midstream.console.keymap import CONTEXTS, Binding
from midstream.console.widgets.canvas import Run, line_width

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow
    from midstream.store.view import View

# Keys that nobody needs to be told.
_SELF_EVIDENT = frozenset({"up", "down", "left", "right", "home", "end", "page_up", "page_down"})

# What works on an empty list as well, but is nothing to suggest there.
_FOR_MANY = ("console.filter", "view_order")

_NEXT_HIT = "console.search.next"

# From so many columns on there is room for the menu of the rest, and for the prompt.
_NARROW, _WIDE = 80, 100

Hint = tuple[str, str]  # a key, and what it does


class Conditions:
    """Whether the conditions of keys hold on the flow in focus: asked once for each state of the flow, because the
    hints are painted with every frame and a condition may look through bodies. Keys that are pressed ask anew.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._state: tuple[str, int] = "", 0
        self._known: dict[str, bool] = {}

    def hold(self, binding: Binding, flow: Flow) -> bool:
        """For a binding that has a condition."""
        is_stored = self._view.get(flow.id) is not None
        state = flow.id, self._view.row(flow.id).revision if is_stored else -1
        if state != self._state:
            self._state, self._known = state, {}
        if (holds := self._known.get(binding.when_text)) is None:
            holds = self._known[binding.when_text] = binding.when is None or binding.when(flow)
        return holds


def hint_line(console: Console, columns: int) -> tuple[list[Run], list[tuple[int, int, str]]]:
    """The row, and (first column, last column, key) of each hint for the mouse."""
    runs: list[Run] = [("hint", " ")]
    places: list[tuple[int, int, str]] = []
    hints = _taken(console)
    if hints is None:
        tail = _tail(console, columns)
        hints = [*_of_bindings(console, columns - sum(map(_width, tail)), {key for key, _ in tail}), *tail]
    else:
        hints = _with_way_out(hints, columns - 1)
    for key, text in hints:
        start = line_width(runs)
        if start + _width((key, text)) - 1 > columns:
            break
        runs += [("hint.key", key), ("hint", f" {text}  ")]
        places.append((start, line_width(runs) - 3, key))
    return runs, places


def _width(hint: Hint) -> int:
    return len(hint[0]) + len(hint[1]) + 3


def _with_way_out(hints: Sequence[Hint], room: int) -> Sequence[Hint]:
    """Those that fit; esc is among them, for nobody may feel locked in."""
    out = next((hint for hint in hints if hint[0] == "esc"), None)
    if out is None or sum(map(_width, hints)) - 2 <= room:
        return hints
    room -= _width(out) - 2
    kept: list[Hint] = []
    for hint in hints:
        room -= _width(hint) if hint is not out else 0
        if room < 0:
            break
        kept.append(hint)
    return kept if out in kept else [*kept, out]


def _taken(console: Console) -> Sequence[Hint] | None:
    """The keys of what has them all, or None."""
    if console.active_prompt is not None:
        return console.active_prompt.keys
    if console.overlay is not None:
        return console.overlay.keys
    if console.focused_pane.editing:
        return console.focused_pane.editing_keys()
    return (("esc", "cancel"),) if console.keys.pending else None


def _of_bindings(console: Console, room: int, seen: set[str]) -> list[Hint]:
    found: list[Hint] = []
    flow = console.focused_flow()
    used = 1
    # What is global is on every pane and in the help.
    contexts, keymap = console.contexts(), console.keys.keymap
    bindings = [each for context in contexts if context != "global" for each in keymap.in_context(context)]
    if console.search.pattern and console.search.pane is console.focused_pane:  # then it is what one does next
        bindings.sort(key=lambda binding: binding.command != _NEXT_HIT)
    for binding in bindings:
        first = binding.keys[0]
        if (
            first in seen
            or first in _SELF_EVIDENT
            or console.bindings.legacy_meaning(first)
            or not _is_useful(console, binding, flow)
        ):
            continue
        seen.add(first)
        text = keymap.title((first,), contexts) if len(binding.keys) > 1 else binding.help
        if not text:
            continue
        hint = first, text[:1].lower() + text[1:]
        used += _width(hint)
        if used > room:
            return found
        found.append(hint)
    return found


def _tail(console: Console, columns: int) -> list[Hint]:
    """What stands at the end everywhere."""
    keymap, contexts = console.keys.keymap, console.contexts()
    wanted = {
        "console.view.help": "help" if console.focused_pane.name != "help" else "",
        "console.view.pop": "quit" if console.is_at_root else "back",
        "console.command": "command" if columns >= _WIDE else "",
    }
    tail = []
    if columns >= _NARROW and (title := keymap.title((keymap.leader,), contexts)):
        tail.append((keymap.leader, title.lower()))
    for command, text in wanted.items():
        for binding in keymap.in_context("global"):
            if text and binding.command == command and len(binding.keys) == 1:
                tail.append((binding.keys[0], text))
                break
    return tail


def _is_useful(console: Console, binding: Binding, flow: Flow | None) -> bool:
    if not binding.help or disabled.why_not(console, binding, flow):
        return False
    if not console.view.shown and any(words in binding.command for words in _FOR_MANY):
        return False
    return binding.when is None or (flow is not None and console.conditions.hold(binding, flow))


def contexts_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """A pane's contexts, completed by what they inherit."""
    found: dict[str, None] = {}
    for name in names:
        for each in CONTEXTS.get(name, (name,)):
            found.setdefault(each)
    if "global" in found:
        del found["global"]
        found["global"] = None
    return tuple(name for name in found if name in CONTEXTS)
