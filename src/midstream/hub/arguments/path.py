"""`path`: a file name, completed from the file system."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from typing import Any

from midstream.hub.arguments.argument import Argument, Commands
from midstream.hub.option_kinds import complete_path
from midstream.hub.types import Path


class PathArgument(Argument):
    typ = Path
    display = "path"
    examples = ("~/shop.flows", "+shop.flows")

    def parse(self, manager: Commands, t: Any, s: str) -> Path:
        return Path(os.path.expanduser(s))

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, str)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return complete_path(s)
