"""Every pane and every box has a golden scene, and in it a cursor that stands on the screen."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import midstream.console
from midstream.console.overlays.box import Overlay
from midstream.console.overlays.form import Form
from midstream.console.pane import Pane
from midstream.console.panes import PANES
from midstream.console.panes.list_pane import ListPane
from tests.console.test_golden import SCENES, one_time_zone, played

__all__ = ["one_time_zone"]  # a fixture

# Of every pane and every box, a scene that shows it.
SHOWN_BY: dict[str, str] = {
    "FlowList": "flows",
    "TreePane": "tree",
    "Detail": "detail-request",
    "Queue": "queue",
    "Compare": "compare",
    "OptionsPane": "options",
    "CommandsPane": "commands",
    "KeysPane": "keys",
    "Log": "log",
    "HelpPane": "help",
    "Grid": "grid-headers",
    "TextPane": "text-request",
    "AnyKey": "any-key",
    "Chooser": "chooser",
    "PaletteChooser": "colours",
    "Confirm": "confirm",
    "Leave": "grid-leave",
    "CommandForm": "commands-form",
    "ExportForm": "export",
    "MessageForm": "detail-send",
    "KeyBox": "keys-rebind",
    "KeysBox": "keys-of-a-box",
    "Table": "result",
    "FlowTable": "flow-table",
    "Palette": "palette",
    "FilterBox": "filters",
    "MarkBox": "mark-names",
}
BASES = {Form, ListPane}  # never shown themselves


def _kinds(base: type) -> set[type]:
    """The panes or boxes of the program, whatever has been imported before."""
    for module in pkgutil.walk_packages(midstream.console.__path__, "midstream.console."):
        importlib.import_module(module.name)
    found: set[type] = set()
    waiting = [base]
    while waiting:
        below = [each for each in waiting.pop().__subclasses__() if each.__module__.startswith("midstream.")]
        found |= set(below)
        waiting += below
    return found - BASES


def test_every_pane_and_box_has_a_scene():
    kinds = {kind.__name__ for kind in _kinds(Pane) | _kinds(Overlay)}
    assert kinds == set(SHOWN_BY), "SHOWN_BY names a golden scene of every pane and every box"
    assert {kind for kind in PANES.values() if isinstance(kind, type)} <= _kinds(Pane)


@pytest.mark.parametrize(("kind", "name"), SHOWN_BY.items(), ids=SHOWN_BY)
async def test_the_scene_shows_it_with_a_cursor_inside(tmp_path, monkeypatch, kind, name):
    """The hardware cursor is what a screen reader follows: every pane and box has it, on a cell of the screen."""
    scene = next(scene for scene in SCENES if scene.name == name)
    for columns, rows in scene.sizes:
        async with played(scene, tmp_path, monkeypatch, columns, rows) as shown:
            box = shown.console.overlay
            assert type(box or shown.console.focused_pane).__name__ == kind, shown.text
            assert shown.text and shown.screen.canvas is not None
            cursor = shown.screen.canvas.cursor
            assert cursor is not None, shown.text
            assert 0 <= cursor[0] < columns and 0 <= cursor[1] < rows, cursor
