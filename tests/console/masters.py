"""A master for console tests: options, commands, events, a view and the addons that need no network."""

from __future__ import annotations

from pathlib import Path

from midstream.addons.comment import Comment
from midstream.addons.core import Core
from midstream.addons.eventstore import EventStore
from midstream.addons.intercept import Intercept
from midstream.addons.view import ViewAddon
from midstream.console.console import Console
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.store.view import View


def make_console(confdir: Path) -> Console:
    """A console whose master has no proxy. Call it inside a running loop; `console.open(screen)` shows it."""
    master = Master(Options())
    view = View()
    master.view = view
    console = Console(master, view)
    master.options.update_defer(confdir=str(confdir))
    master.addons.add(EventStore(), Core(), Comment(), Intercept(), ViewAddon(view), console.addon)
    if "confdir" not in master.options:
        master.options.add_option("confdir", str, str(confdir), "The config folder.")
        master.options.process_deferred()
    return console
