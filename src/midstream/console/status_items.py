"""What can stand in the status bar: each item by its name, its words, and the command that a click on it runs.

status.py lays them out in the order of the option `console_status`. All of it is painted with every frame, so nothing
here may depend on the number of flows (see tally.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from midstream.console.heartbeat import SHOWN_FROM
from midstream.hub.option_kinds import Kind
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.console import Console

# Options that are named in the bar while they are on, and those that are while they are off.
FLAGS = ("anticache", "anticomp", "rawtcp", "ssl_insecure", "redact")
OFF_FLAGS = ("upstream_cert", "http2", "websocket", "rawdns", "server_replay_refresh")
# Lists of rules that are counted in the bar: what was left on and forgotten is hard to find otherwise.
RULES = ("throttle", "block_list", "map_remote", "map_local", "modify_body", "modify_headers")
HOSTS = {"ignore_hosts": "ignore", "allow_hosts": "allow", "tcp_hosts": "tcp"}
STICKY = {"stickycookie": "t", "stickyauth": "u"}

# Commands that count what is under way, and how that is called in the bar.
COUNTS = {"replaying": "replay.client.count", "answers left": "replay.server.count"}
_LONGEST = 40  # characters of a filter or a path


class Item(NamedTuple):
    """Words in a role, and the command line of a click."""

    text: str
    role: str = "bar"
    command: str = ""


def _position(console: Console) -> Iterator[Item]:
    view = console.view
    place = view.index(view.focus_id) if view.focus_id is not None else None
    yield Item(f"{0 if place is None else place + 1:,}/{len(view.shown):,}", command="console.view.flows")


def _marks(console: Console) -> Iterator[Item]:
    only = " only" if console.view.marked_only else ""
    if console.tally.marked or only:
        yield Item(f"*{len(console.tally.marked):,}{only}", command="view.properties.marked.toggle")


def _held(console: Console) -> Iterator[Item]:
    if console.tally.held:
        yield Item(f"‖{len(console.tally.held):,}", "bar.strong", "console.view.queue")


def _intercept(console: Console) -> Iterator[Item]:
    if rule := _option(console, "intercept"):
        on = bool(_option(console, "intercept_active"))
        words = f"{'i' if on else 'I off'}:{_short(rule)}"
        yield Item(words, "bar.strong" if on else "bar", "set intercept_active toggle")


def _jobs(console: Console) -> Iterator[Item]:
    for job in console.master.jobs.running:
        yield Item(visible(job.text), "bar.strong", "jobs.stop")


def _keys(console: Console) -> Iterator[Item]:
    if typed := console.keys.typed:
        yield Item(f"{visible(typed)} …", "bar.strong")


def _follow(console: Console) -> Iterator[Item]:
    new = getattr(console.pane, "new_below", 0)
    words = ["follow"] * console.view.follow + [f"{new:,} new below"] * bool(new)
    if words:
        yield Item(", ".join(words), command="console.nav.end" if new else "set console_focus_follow false")


def _order(console: Console) -> Iterator[Item]:
    view = console.view
    if view.order != "time" or view.reversed:
        yield Item(f"{'↑' if view.reversed else '↓'} {view.order}", command="set view_order_reversed toggle")


def _rate(console: Console) -> Iterator[Item]:
    tally = console.tally
    if (bars := tally.bars()) and not _option(console, "console_plain"):
        flows, size = tally.rate, tally.bytes_rate
        rate = "<1" if 0 < flows < 1 else f"{flows:.0f}"
        yield Item(f"{bars} {rate}/s{f' {human_size(int(size))}/s' if size >= 1 else ''}")


def _lag(console: Console) -> Iterator[Item]:
    if (lag := console.terminal.lag) >= SHOWN_FROM:
        yield Item(f"lag {lag * 1000:.0f}ms", "bar.warn", "console.view.eventlog")


def _recording(console: Console) -> Iterator[Item]:
    if path := _option(console, "save_stream_file"):
        yield Item(f"rec {_short(path)}", command="console.command.set save_stream_file")


def _replay(console: Console) -> Iterator[Item]:
    playback = console.master.addons.get("serverplayback")
    commands = console.master.commands
    for noun, name in COUNTS.items():
        count = commands.call(name) if name in commands.commands else 0
        if count or (name == "replay.server.count" and playback is not None and playback.is_closed):
            yield Item(f"{noun} {count:,}", "bar" if count else "bar.warn")


def _flags(console: Console) -> Iterator[Item]:
    options = console.master.options
    for names, value, prefix in ((FLAGS, True, ""), (OFF_FLAGS, False, "no ")):
        for name in names:
            if name in options and _option(console, name) is value and options.has_changed(name):
                yield Item(f"{prefix}{name}", command=f"set {name} toggle")
    if size := _option(console, "stream_large_bodies"):
        yield Item(f"stream {_short(size)}", command="console.command.set stream_large_bodies")
    if (shown := _option(console, "console_default_contentview")) and shown != "auto":
        yield Item(f"view {_short(shown)}", command="console.command.set console_default_contentview")


def _sticky(console: Console) -> Iterator[Item]:
    for name, letter in STICKY.items():
        if rule := _option(console, name):
            yield Item(f"{letter}:{_short(rule)}", command=f"console.command.set {name}")


def _hosts(console: Console) -> Iterator[Item]:
    for name, word in HOSTS.items():
        if isinstance(rules := _option(console, name), list) and rules:
            yield Item(f"{word} {len(rules)}", command=f"console.command.set {name}")


def _rules(console: Console) -> Iterator[Item]:
    for name in RULES:
        if isinstance(rules := _option(console, name), list) and rules:
            yield Item(f"{name} {len(rules)}", command=f"console.command.set {name}")


def _scripts(console: Console) -> Iterator[Item]:
    if scripts := _option(console, "scripts"):
        count = len(scripts) if isinstance(scripts, list) else 1
        yield Item(f"{count} script{'s' if count != 1 else ''}", command="console.command.set scripts")


def _undo(console: Console) -> Iterator[Item]:
    if depth := console.master.undo.depth:
        yield Item(f"undo {depth:,}", command="edit.steps")


def _memory(console: Console) -> Iterator[Item]:
    addon = console.master.addons.get("session")
    if addon is not None and len(console.view):
        figures = addon.figures()
        disk = f" · disk {human_size(figures.disk)}" if figures.disk else ""
        yield Item(
            f"RAM {human_size(figures.memory)}{disk} · {_thousands(figures.flows)} flows", command="session.info"
        )


ITEMS: Final[dict[str, Callable[[Console], Iterator[Item]]]] = {
    "position": _position,
    "marks": _marks,
    "held": _held,
    "intercept": _intercept,
    "jobs": _jobs,
    "keys": _keys,
    "follow": _follow,
    "order": _order,
    "rate": _rate,
    "lag": _lag,
    "recording": _recording,
    "replay": _replay,
    "modes": _flags,
    "sticky": _sticky,
    "hosts": _hosts,
    "rules": _rules,
    "scripts": _scripts,
    "undo": _undo,
    "memory": _memory,
}
"""What each is, and the order in which they stand unless the option says another."""


def check(text: str) -> None:
    """ValueError for what is no item."""
    if text.strip() not in ITEMS:
        hint = did_you_mean(text.strip(), ITEMS) or f"; there are {', '.join(ITEMS)}"
        raise ValueError(f"the status bar has no item {text!r}{hint}")


KIND: Final = Kind("status item", check=check, complete=lambda text: [name for name in ITEMS if name.startswith(text)])


def items_of(console: Console) -> Iterator[Item]:
    """All that there is to say now, in the order of the option."""
    options = console.master.options
    names: Sequence[str] = options.console_status if "console_status" in options else ()
    for name in names or ITEMS:
        yield from ITEMS[name.strip()](console)


def _option(console: Console, name: str) -> object:
    options = console.master.options
    return getattr(options, name) if name in options else None  # a name that is none would be looked for in all others


def _short(value: object) -> str:
    text = visible(str(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _thousands(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count // 1000}k"
