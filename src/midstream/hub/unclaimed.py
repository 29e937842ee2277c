"""Option names that were set and that nobody has declared: slips of the finger, or options of an addon that is missing.

Asked when all scripts are loaded (addons/unclaimed.py, `--check`) and after `options.load`. Such values go on waiting:
an addon may declare the name later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from midstream.hub.foreign_options import foreign
from midstream.hub.options import Deferred, Options
from midstream.text.suggest import did_you_mean


def unclaimed(options: Options, besides: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Each such name with where it was set. Not those of `besides`."""
    silent = {*besides, *foreign(options.deferred, options)}
    for name, waiting in options.deferred.items():
        # What a script left behind was known once, and is when it comes back.
        if name not in silent and name not in options and not waiting.leftover:
            yield name, _place(waiting)


def sentence(options: Options, besides: Collection[str] = ()) -> str:
    """All of them as one line; empty when there are none."""
    found = [f"{name} ({place}{did_you_mean(name, options)})" for name, place in unclaimed(options, besides)]
    if not found:
        return ""
    them = "it waits" if len(found) == 1 else "they wait"
    return f"no such option: {', '.join(found)}; {them} for an addon to declare {'it' if len(found) == 1 else 'them'}"


def _place(waiting: Deferred) -> str:
    return waiting.place or ("--set" if waiting.source == "cli" else "set by an addon")
