"""What stands in the tab bar, the filter line and the status bar: words from the state of the console.

The layout asks for each row at each frame, so everything here is O(1) in the number of flows (see tally.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.status_items import items_of
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Run, line_width
from midstream.flows.proxy_mode import ProxyMode
from midstream.text.escape import visible
from midstream.text.url import hostport

if TYPE_CHECKING:
    from midstream.console.console import Console

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # not bound here, only shown

# The numbers stay even where a pane is yet to come: fingers learn them.
TABS = (("1", "flows"), ("2", "queue"), ("3", "options"), ("4", "commands"), ("5", "keys"), ("6", "log"))


def tab_bar(console: Console, columns: int) -> tuple[list[Run], list[tuple[int, int, str]]]:
    """The row, and (first column, last column, pane) of each tab for the mouse."""
    runs: list[Run] = [("tab", " ")]
    places: list[tuple[int, int, str]] = []
    shown = console.shown_name
    tabs = [(number, name, _news(console, name)) for number, name in TABS if name in console.pane_names]
    # Where not all fit, the last ones are numbers only, unless they are shown or have news.
    spare = columns - 1 - sum(len(number) + len(name) + len(news) + 4 + bool(news) for number, name, news in tabs)
    short: set[str] = set()
    for _, name, news in reversed(tabs):
        if spare < 0 and name != shown and not news:
            short.add(name)
            spare += len(name) + 1
    for number, name, news in tabs:
        word = "" if name in short else name
        text = " ".join(each for each in (number, word, news) if each)
        start = line_width(runs)
        on = name == shown or (name == "flows" and shown == "detail")
        runs.append(("tab.on" if on else "tab.alert" if news else "tab", f" {text} "))
        places.append((start, line_width(runs) - 1, name))
        runs.append(("tab", " "))
    mode, addresses = (visible(words) for words in where(console))
    both = f"{mode} {addresses}".strip()
    for right in (f"midstream  {both} ", f"{both} ", f"{addresses} ", f"{mode} "):
        gap = columns - line_width(runs) - cells.measure(right)
        if gap > 0:
            runs += [("tab", " " * gap), ("tab", right)]
            break
    return runs, places


def where(console: Console) -> tuple[str, str]:
    """The mode, and where clients can connect: as the system reports it, so that a failed start is seen."""
    options = console.master.options
    if getattr(options, "server", True) is False:
        return "", "not listening"
    modes = [ProxyMode.parse(spec) for spec in getattr(options, "mode", ())]
    addon = console.master.addons.get("proxyserver")
    if not modes or addon is None:
        return "", ""
    mode = f"{modes[0].type_name}:{modes[0].data}".rstrip(":") if len(modes) == 1 else f"{len(modes)} modes"
    # Of the two wildcard addresses, and of TCP and UDP, the port is named once.
    listening = ((host if host not in _EVERYWHERE else "", port) for host, port in addon.listen_addrs())
    return mode, " ".join(dict.fromkeys(hostport("", *address) for address in listening)) or "not listening"


def _news(console: Console, name: str) -> str:
    if name == "log" and console.messages.unseen_errors:
        return f"{console.messages.unseen_errors}!"
    if name == "keys" and console.bindings.errors and not console.bindings.were_seen:
        return f"{len(console.bindings.errors)}!"
    if name == "queue" and console.tally.held:
        return f"{len(console.tally.held):,}"
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
        runs += [
            ("dim", " > "),
            ("strong", visible(crumb.text)) if crumb.on else ("dim", f"off({visible(crumb.text)})"),
        ]
    if crumbs or view.marked_only or len(view.shown) != len(view):
        if view.marked_only:
            runs.append(("marked", " * marked only"))
        runs.append(("dim", f" {len(view.shown):,}"))
    hint = "f another   alt f off   backspace drop last " if any(crumb.on for crumb in crumbs) else "alt f on "
    gap = columns - line_width(runs) - len(hint)
    if crumbs and gap > 0 and console.shown_name == "flows":
        runs += [("text", " " * gap), ("hint", hint)]
    return runs


def status_bar(console: Console, columns: int) -> tuple[list[Run], list[tuple[int, int, str]]]:
    """The row, and (first column, last column, command) of each item: those at the right give way when it is narrow."""
    runs: list[Run] = []
    places: list[tuple[int, int, str]] = []
    at = 0
    for item in items_of(console):
        width = cells.measure(item.text)
        gap = 3 if runs else 1
        if at + gap + width > columns:
            break
        runs += [("bar", " " * gap), (item.role, item.text)]
        at += gap + width
        if item.command:
            places.append((at - width, at - 1, item.command))
    runs.append(("bar", " " * max(0, columns - at)))
    return runs, places
