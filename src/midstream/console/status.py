"""What stands in the tab bar, the filter line and the status bar: words from the state of the console.

The layout asks for each row at each frame, so everything here is O(1) in the number of flows (see tally.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.heartbeat import SHOWN_FROM
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

# The numbers stay even where a pane is yet to come: fingers learn them.
TABS = (("1", "flows"), ("2", "queue"), ("3", "options"), ("4", "commands"), ("5", "keys"), ("6", "log"))
# Options that are named in the bar while they are on.
FLAGS = ("anticache", "anticomp", "showhost", "rawtcp", "ssl_insecure", "redact")
# Lists of rules that are counted in the bar: what was left on and forgotten is hard to find otherwise.
RULES = ("throttle", "block_list", "map_remote", "map_local", "modify_body", "modify_headers")

# Commands that count what is under way, and how that is called in the bar.
COUNTS = {"replaying": "replay.client.count", "answers left": "replay.server.count"}


def tab_bar(console: Console, columns: int) -> tuple[list[Run], list[tuple[int, int, str]]]:
    """The row, and (first column, last column, pane) of each tab for the mouse."""
    runs: list[Run] = [("tab", " ")]
    places: list[tuple[int, int, str]] = []
    shown = console.shown_name
    for number, name in TABS:
        if name not in console.pane_names:
            continue
        news = _news(console, name)
        text = f"{number} {name}{f' {news}' if news else ''}"
        start = line_width(runs)
        on = name == shown or (name == "flows" and shown == "detail")
        runs.append(("tab.on" if on else "tab.alert" if news else "tab", f" {text} "))
        places.append((start, line_width(runs) - 1, name))
        runs.append(("tab", " "))
    right = f"midstream  {visible(console.where())} "
    gap = columns - line_width(runs) - len(right)
    if gap > 0:
        runs += [("tab", " " * gap), ("tab", right)]
    return runs, places


def _news(console: Console, name: str) -> str:
    if name == "log" and console.messages.unseen_errors:
        return f"{console.messages.unseen_errors}!"
    if name == "keys" and console.bindings.errors and not console.bindings.were_seen:
        return f"{len(console.bindings.errors)}!"
    if name == "flows" and console.tally.held:
        return f"{len(console.tally.held)} held"
    return ""


def filter_line(console: Console, columns: int) -> list[Run]:
    """The breadcrumbs, or the message that is shown for a while."""
    if console.messages.shown is not None:
        text, level = console.messages.shown
        role = {"error": "bar.error", "warn": "bar.warn"}.get(level, "bar.ok")
        shown = visible(console.master.showing.text(text))
        return [(role, cells.cut(f" {shown} ", columns, "…"))]
    view = console.view
    runs: list[Run] = [("dim", f" all {len(view):,}")]
    crumbs = console.breadcrumbs.crumbs
    for crumb in crumbs:
        runs += [("dim", " > "), ("strong", visible(crumb.text)) if crumb.on else ("dim", f"off({visible(crumb.text)})")]
    if crumbs or view.marked_only or len(view.shown) != len(view):
        if view.marked_only:
            runs.append(("marked", " * marked only"))
        runs.append(("dim", f" {len(view.shown):,}"))
    hint = "f another   alt f off   backspace drop last " if any(crumb.on for crumb in crumbs) else "alt f on "
    gap = columns - line_width(runs) - len(hint)
    if crumbs and gap > 0 and console.shown_name == "flows":
        runs += [("text", " " * gap), ("hint", hint)]
    return runs


def status_bar(console: Console, columns: int) -> list[Run]:
    """Left to right by importance: items drop from the right when the bar is narrow."""
    items: list[Line] = [item for item in _items(console) if item]
    runs: list[Run] = [("bar", " ")]
    for item in items:
        if line_width(runs) + line_width(item) + 3 > columns:
            break
        runs += [*item, ("bar", "   ")]
    runs.append(("bar", " " * max(0, columns - line_width(runs))))
    return runs


def _items(console: Console) -> list[Line]:
    view, tally, options = console.view, console.tally, console.master.options
    place = view.index(view.focus_id) if view.focus_id is not None else None
    items: list[Line] = [[("bar", f"{0 if place is None else place + 1:,}/{len(view.shown):,}")]]
    if tally.marked:
        items.append([("bar", f"*{len(tally.marked)}")])
    if tally.held:
        items.append([("bar.strong", f"‖{len(tally.held)}")])
    if rule := _option(options, "intercept"):
        on = bool(_option(options, "intercept_active"))
        items.append([("bar.strong" if on else "bar", f"{'i' if on else 'I off'}:{visible(str(rule))}")])
    items += [[("bar.strong", visible(job.text))] for job in console.master.jobs.running]
    if typed := console.keys.typed:
        items.append([("bar.strong", f"{visible(typed)} …")])
    new = getattr(console.pane, "new_below", 0)
    if view.follow or new:
        words = ["follow"] * view.follow + [f"{new:,} new below"] * bool(new)
        items.append([("bar", ", ".join(words))])
    if (order := view.order) != "time" or view.reversed:
        items.append([("bar", f"{'↑' if view.reversed else '↓'} {order}")])
    if bars := tally.bars():
        rate = "<1" if 0 < tally.rate < 1 else f"{tally.rate:.0f}"
        items.append([("bar", f"{bars} {rate}/s")])
    if (lag := console.lag) >= SHOWN_FROM:
        items.append([("bar.warn", f"lag {lag * 1000:.0f}ms")])
    if path := _option(options, "save_stream_file"):
        items.append([("bar", f"rec {visible(str(path))}")])
    playback = console.master.addons.get("serverplayback")
    for noun, name in COUNTS.items():
        count = _called(console, name)
        if count or (name == "replay.server.count" and playback is not None and playback.is_closed):
            items.append([("bar" if count else "bar.warn", f"{noun} {count:,}")])
    flags = [name for name in FLAGS if name in options and options.has_changed(name) and _option(options, name) is True]
    if flags:
        items.append([("bar", " ".join(flags))])
    items += [
        [("bar", f"{name} {len(rules)}")]
        for name in RULES
        if isinstance(rules := _option(options, name), list) and rules
    ]
    if scripts := _option(options, "scripts"):
        count = len(scripts) if isinstance(scripts, list) else 1
        items.append([("bar", f"{count} script{'s' if count != 1 else ''}")])
    return items


def _option(options: object, name: str) -> object:
    return getattr(options, name, None)


def _called(console: Console, name: str) -> object:
    commands = console.master.commands
    return commands.call(name) if name in commands.commands else 0
