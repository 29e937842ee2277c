"""The panes: one file each. A pane paints its visible rows into one canvas and runs no keys of its own."""

from collections.abc import Callable
from typing import Any

from midstream.console.pane import Pane
from midstream.console.panes.commands import CommandsPane
from midstream.console.panes.compare import Compare
from midstream.console.panes.detail import Detail
from midstream.console.panes.flow_list import FlowList
from midstream.console.panes.help import HelpPane
from midstream.console.panes.keys import KeysPane
from midstream.console.panes.log import Log
from midstream.console.panes.options import OptionsPane
from midstream.console.panes.queue import Queue
from midstream.console.panes.tree import TreePane

PANES: dict[str, Callable[[Any], Pane]] = {
    pane.name: pane
    for pane in (FlowList, Detail, OptionsPane, CommandsPane, KeysPane, Log, HelpPane, TreePane, Queue, Compare)
}

__all__ = [
    "PANES",
    "CommandsPane",
    "Compare",
    "Detail",
    "FlowList",
    "HelpPane",
    "KeysPane",
    "Log",
    "OptionsPane",
    "Queue",
    "TreePane",
]
