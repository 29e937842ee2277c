"""Boxes over the panes, one file for each. What they share is in box.py; forms are in form.py and fields.py."""

from __future__ import annotations

from midstream.console.overlays.any_key import AnyKey
from midstream.console.overlays.box import Boxes, Overlay, framed
from midstream.console.overlays.chooser import SHORTCUTS, Chooser
from midstream.console.overlays.completions import choice_lines
from midstream.console.overlays.confirm import Answer, Confirm
from midstream.console.overlays.fields import ChoiceField, Field, TextField, ToggleField
from midstream.console.overlays.form import Form
from midstream.console.overlays.keys_box import KeysBox
from midstream.console.overlays.menu import menu_lines
from midstream.console.overlays.table import Table

__all__ = [
    "SHORTCUTS",
    "Answer",
    "AnyKey",
    "Boxes",
    "ChoiceField",
    "Chooser",
    "Confirm",
    "Field",
    "Form",
    "KeysBox",
    "Overlay",
    "Table",
    "TextField",
    "ToggleField",
    "choice_lines",
    "framed",
    "menu_lines",
]
