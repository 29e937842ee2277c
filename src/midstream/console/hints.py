"""The key hints in the footer: the keys of the focused pane that do something now, in the order of the key file.

Derived from the bindings (P4): nothing is listed here but the conditions under which a command would do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from midstream.console.canvas import Run, line_width
from midstream.console.keymap import CONTEXTS, Binding

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

# A command about the focused flow that would do nothing on a flow unlike this is not hinted at.
_USEFUL: dict[str, Callable[[Flow], bool]] = {
    "flow.resume @focus": lambda flow: flow.intercepted,
    "flow.kill @focus": lambda flow: flow.killable,
    "flow.revert @focus": lambda flow: flow.modified(),
}
# Keys that nobody needs to be told.
_SELF_EVIDENT = frozenset({"up", "down", "left", "right", "home", "end", "page_up", "page_down"})


def hint_line(console: Console, columns: int) -> tuple[list[Run], list[tuple[int, int, Binding]]]:
    """The row, and (first column, last column, binding) of each hint for the mouse."""
    runs: list[Run] = [("hint", " ")]
    places: list[tuple[int, int, Binding]] = []
    tail = _tail(console)
    room = columns - sum(len(key) + len(text) + 3 for key, text, _ in tail)
    for key, text, binding in [*_hints(console, room), *tail]:
        if line_width(runs) + len(key) + len(text) + 2 > columns:
            break
        start = line_width(runs)
        runs += [("hint.key", key), ("hint", f" {text}  ")]
        places.append((start, line_width(runs) - 3, binding))
    return runs, places


def _hints(console: Console, room: int) -> list[tuple[str, str, Binding]]:
    found: list[tuple[str, str, Binding]] = []
    seen: set[str] = set()
    flow = console.focused_flow()
    used = 1
    # The nearest two contexts: what is global is on every pane and in the help.
    for context in [name for name in console.contexts() if name != "global"]:
        for binding in console.keys.keymap.in_context(context):
            first = binding.keys[0]
            if first in seen or first in _SELF_EVIDENT or not binding.help:
                continue
            if not _is_useful(binding, flow):
                continue
            seen.add(first)
            text = console.keys.keymap.title((first,), (context,)) if len(binding.keys) > 1 else binding.help
            if not text:
                continue
            text = text[:1].lower() + text[1:]
            used += len(first) + len(text) + 3
            if used > room:
                return found
            found.append((first, text, binding))
    return found


def _tail(console: Console) -> list[tuple[str, str, Binding]]:
    """What stands at the end everywhere."""
    wanted = {"console.view.help": "help", "console.view.pop": "back", "console.command": "command"}
    tail = []
    for command, text in wanted.items():
        for binding in console.keys.keymap.in_context("global"):
            if binding.command == command and len(binding.keys) == 1:
                tail.append((binding.keys[0], text, binding))
                break
    return tail


def _is_useful(binding: Binding, flow: Flow | None) -> bool:
    if flow is None and ("@focus" in binding.command or binding.command.startswith("console.edit.focus")):
        return False
    if binding.when is not None and (flow is None or not binding.when(flow)):
        return False
    useful = _USEFUL.get(binding.command)
    return useful is None or (flow is not None and useful(flow))


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
