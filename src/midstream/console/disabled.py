"""Why a key would do nothing here and now: what its binding needs and the focused pane or flow does not have.

Hints leave such keys out, menus show the reason beside them, and who presses one is told. A command that is reached in
another way gives its own errors: nothing is decided here that a command does not check itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from midstream.console import copying
from midstream.console.keymap import Binding

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

# What a command about the focused flow asks of it, and what is said when that is not so.
_ASKED: dict[str, tuple[Callable[[Flow], bool], str]] = {
    "flow.resume @focus": (lambda flow: flow.intercepted, "this flow is not held"),
    "flow.kill @focus": (lambda flow: flow.killable, "this flow is over"),
    "flow.revert @focus": (lambda flow: flow.modified(), "this flow was not edited"),
    "console.compare.received @focus": (lambda flow: flow.modified(), "this flow was not edited"),
}


def why_not(console: Console, binding: Binding, flow: Flow | None) -> str:
    """A few words; "" when the key does something. A condition of the binding is not looked at: see `unmet`."""
    if problem := console.bindings.problem(binding):
        return problem
    if reason := console.focused_pane.why_not(binding.command):
        return reason
    if binding.command.startswith("console.copy "):
        return copying.why_not(binding.command.split()[1], console.focused_pane.copies(), flow)
    hops = ("console.search.next", "console.search.prev", "console.search.filter")
    if binding.command.startswith(hops) and not console.search.pattern:
        return "nothing was searched for"
    if reason := _nothing_to(console, binding.command, flow):
        return reason
    if flow is None and ("@focus" in binding.command or "console.edit." in binding.command):
        return "there is no flow in focus"
    asked = _ASKED.get(binding.command)
    return asked[1] if asked is not None and flow is not None and not asked[0](flow) else ""


def _nothing_to(console: Console, line: str, flow: Flow | None) -> str:
    """The same for undoing, repeating, holding, and stepping through attempts."""
    if line == "set intercept_active toggle":
        is_set = "intercept" not in console.master.options or console.master.options.intercept
        return "" if is_set else "no filter says what to hold: i sets one"
    if line in ("edit.undo", "edit.redo"):
        journal = console.master.undo
        depth = journal.depth if line == "edit.undo" else journal.redo_depth
        return "" if depth else f"there is nothing to {line.partition('.')[2]}"
    if line == "edit.repeat":
        repeat = console.master.addons.get("repeat")
        return "" if repeat is None or repeat.can_repeat else "nothing was edited that could be repeated"
    if line == "jobs.stop":
        return "" if console.master.jobs.running else "nothing is being read or saved"
    if "view.attempt." not in line:
        return ""
    attempts = console.master.addons.get("attempts")
    if flow is None:
        return "there is no flow in focus"
    return "" if attempts is None or attempts.has_some(flow.id) else "this flow was not replayed"


def unmet(console: Console, keys: tuple[str, ...], contexts: Iterable[str], flow: Flow | None) -> str:
    """What keys that did nothing wait for, when they have bindings with conditions that did not hold; else ""."""
    found = [
        binding.when_text
        for context in contexts
        for binding in console.keys.keymap.starting_with(keys, context)
        if binding.when is not None
    ]
    if not found:
        return ""
    if flow is None:
        return "there is no flow in focus"
    return f"this flow does not match {' | '.join(dict.fromkeys(found))}"
