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
from midstream.hub.types import Choice, Data

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


_BY_TYPE: dict[Any, Argument] = {kind.typ: kind() for kind in ALL}
_CELLS = (str, bytes, str | bytes)
_SEQUENCES = (list, tuple, collections.abc.Sequence, collections.abc.Collection, collections.abc.Iterable)


class CommandTypes:
    """The argument types by annotation. Every spelling of a sequence is the same, and a kind of flow is a flow."""

    @classmethod
    def get(cls, t: Any, default: Argument | None = None) -> Argument | None:
        """The argument type for annotation `t`, or `default`."""
        if isinstance(t, Choice):
            return _BY_TYPE[Choice]
        if (items := _items(t)) is not None:
            if items == [str]:
                return _BY_TYPE[Sequence[str]]
            if len(items) == 1 and _is_flow(*items):
                return _BY_TYPE[Sequence[Flow]]
            cells = _items(*items) if len(items) == 1 else None
            return _BY_TYPE[Data] if cells and all(cell in _CELLS for cell in cells) else default
        if _is_flow(t):
            return _BY_TYPE[Flow]
        try:
            return _BY_TYPE.get(t, default)
        except TypeError:  # unhashable, so surely none of ours
            return default


def _items(t: Any) -> list[Any] | None:
    """The types of the items of a sequence (of a tuple there may be several); None for what is no sequence."""
    if typing.get_origin(t) not in _SEQUENCES:
        return None
    return [item for item in typing.get_args(t) if item is not ...]


def _is_flow(t: Any) -> bool:
    return isinstance(t, type) and issubclass(t, Flow)
