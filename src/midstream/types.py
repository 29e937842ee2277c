"""Door for addon authors: annotations for command parameters and results."""

from midstream.hub.arguments import CommandTypes
from midstream.hub.types import Choice, Cmd, CmdArgs, CutSpec, Data, Marker, Path, Space, Unknown

__all__ = ["Choice", "Cmd", "CmdArgs", "CommandTypes", "CutSpec", "Data", "Marker", "Path", "Space", "Unknown"]
