"""Option names that were set and that nobody has declared: slips of the finger, or options of an addon that is missing.

Asked when all scripts are loaded (addons/unclaimed.py, `--check`) and after `options.load`. Such values go on waiting:
an addon may declare the name later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from midstream.hub.foreign_options import ABSENT, foreign
from midstream.hub.options import Deferred, Options
from midstream.text.suggest import did_you_mean

_MOST = 50  # named in one line
_LONGEST = 100


def unclaimed(options: Options, besides: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Each such name with where it was set. Not those of `besides`."""
    silent = {*besides, *foreign(options.deferred, options)}
    for name, waiting in options.deferred.items():
        # What a script left behind was known once, and is when it comes back.
        if name not in silent and name not in options and not waiting.leftover:
            yield name, _place(waiting)


def sentence(options: Options, besides: Collection[str] = ()) -> str:
    """All of them as one line; empty when there are none."""
    names = list(unclaimed(options, besides))
    if not names:
        return ""
    # Looking for the names that are near takes a while, and nobody reads a line of hundreds.
    found = [f"{name[:_LONGEST]} ({place}{remark(name, options)})" for name, place in names[:_MOST]]
    rest = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    waiting = "it waits for an addon to declare it" if len(names) == 1 else "they wait for an addon to declare them"
    return f"no such option: {', '.join(found)}{rest}; {waiting}"


def remark(name: str, options: Options) -> str:
    """What to do about it: the nearest name, or why there is none; begins with a semicolon, or is empty."""
    return f"; {ABSENT[name]}" if name in ABSENT else did_you_mean(name, options)


def _place(waiting: Deferred) -> str:
    return waiting.place or ("--set" if waiting.source == "cli" else "set by an addon")
