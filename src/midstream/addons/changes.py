"""What touched a flow: the option `record_changes`, and the commands that list changes and take them back.

The recording itself is in hub/recording.py, what a change is in flows/change.py. The console records unless told
otherwise; `middump` only when told, so that nothing is compared for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from midstream.flows.change import Change
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.parts import CannotUndo, take_back
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.text.escape import visible

logger = logging.getLogger("midstream.changes")

UNDO = "flow.undo"


class Changes:
    """The addon; see the module."""

    def __init__(self, *, recorded: bool) -> None:
        self._default = recorded

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "record_changes",
            bool,
            self._default,
            "Note on each flow which addon, rule or person changed what (on in the console, off in middump).",
        )

    def configure(self, updated: set[str]) -> None:
        recorder = ctx.master.events.recorder
        if "record_changes" in updated and recorder.on != ctx.options.record_changes:
            recorder.on = ctx.options.record_changes
            ctx.master.addons.rebind()

    @command("flow.changes")
    def changes(self, flow: Flow) -> Sequence[str]:
        """Who changed what on a flow, numbered from the oldest."""
        return [_line(number, change) for number, change in enumerate(flow.changes, 1)]

    @command(UNDO)
    def undo(self, flow: Flow, number: int = 0) -> None:
        """Take back a change of a flow: the last one, or the one of this number in `flow.changes`."""
        change = _chosen(flow, number)
        try:
            take_back(flow, change)
        except CannotUndo as error:
            raise CommandError(f"flow.undo: {error}") from None
        change.undone = True
        what = ", ".join(part.name for part in change.parts)
        logger.log(ALERT, "taken back: what %s changed by %s: %s", visible(change.who), visible(change.during), what)
        ctx.master.events.update.sync([flow])


def _chosen(flow: Flow, number: int) -> Change:
    changes = flow.changes
    if number:
        if not 0 < number <= len(changes):
            raise CommandError(f"flow.undo: this flow has no change {number}; flow.changes lists {len(changes)}")
        return changes[number - 1]
    for change in reversed(changes):
        if not change.undone and change.during != UNDO:
            return change
    raise CommandError("flow.undo: nothing was changed on this flow, as far as changes were recorded")


def _line(number: int, change: Change) -> str:
    undone = ", undone" if change.undone else ""
    return f"{number} {change.who} ({change.during}{undone}): {', '.join(part.name for part in change.parts)}"
