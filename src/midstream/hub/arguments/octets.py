"""`bytes`: text that stands for bytes, with backslash escapes."""

from __future__ import annotations

from typing import Any

from midstream.hub.arguments.argument import Argument, Commands
from midstream.text.backslashes import expand_bytes


class BytesArgument(Argument):
    typ = bytes
    display = "bytes"
    examples = ("text", r"\x00\xff")

    def parse(self, manager: Commands, t: Any, s: str) -> bytes:
        return expand_bytes(s)

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, bytes)
