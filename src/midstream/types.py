"""Annotations of command parameters and results, beyond those of Python: `from midstream import types`.

`str`, `bytes`, `int`, `bool`, `Sequence[str]`, `flow.Flow` and `Sequence[flow.Flow]` need nothing from here.
"""

from midstream.hub.arguments import CommandTypes
from midstream.hub.types import Choice, Cmd, CmdArgs, CutSpec, Data, Marker, Path, Space, Unknown

__all__ = ["Choice", "Cmd", "CmdArgs", "CommandTypes", "CutSpec", "Data", "Marker", "Path", "Space", "Unknown"]
