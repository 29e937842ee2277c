"""Argument types of commands, one file each, and the table that finds the one for an annotation.

A new type is a new file here and a line in `ALL`.
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Sequence
from typing import Any

from midstream.flows.flow import Flow
from midstream.hub.arguments.argument import Argument, Commands
from midstream.hub.arguments.boolean import BoolArgument
from midstream.hub.arguments.choice import ChoiceArgument
from midstream.hub.arguments.command_argument import CmdArgsArgument
from midstream.hub.arguments.command_name import CmdArgument
from midstream.hub.arguments.cuts import CutsArgument
from midstream.hub.arguments.data import DataArgument
from midstream.hub.arguments.flow import FlowArgument, FlowsArgument
from midstream.hub.arguments.integer import IntArgument
from midstream.hub.arguments.marker import MarkerArgument
from midstream.hub.arguments.octets import BytesArgument
from midstream.hub.arguments.path import PathArgument
from midstream.hub.arguments.strings import StringsArgument
from midstream.hub.arguments.text import StrArgument
from midstream.hub.types import Choice

__all__ = ["ALL", "Argument", "CommandTypes", "Commands"]

ALL: tuple[type[Argument], ...] = (
    StrArgument,
    BytesArgument,
    IntArgument,
    BoolArgument,
    PathArgument,
    CmdArgument,
    CmdArgsArgument,
    StringsArgument,
    FlowArgument,
    FlowsArgument,
    CutsArgument,
    DataArgument,
    ChoiceArgument,
    MarkerArgument,
)


class CommandTypes:
    """The argument types by annotation. Sequences and lists, in either spelling, are the same."""

    def __init__(self) -> None:
        self._by_type: dict[Any, Argument] = {kind.typ: kind() for kind in ALL}

    def get(self, t: Any, default: Argument | None = None) -> Argument | None:
        """The argument type for annotation `t`, or `default`."""
        if isinstance(t, Choice):
            return self._by_type[Choice]
        if typing.get_origin(t) in (collections.abc.Sequence, list):
            (item,) = typing.get_args(t)
            if item is str:
                return self._by_type[Sequence[str]]
            if isinstance(item, type) and issubclass(item, Flow):
                return self._by_type[Sequence[Flow]]
            return default
        try:
            return self._by_type.get(t, default)
        except TypeError:  # unhashable, so surely none of ours
            return default
