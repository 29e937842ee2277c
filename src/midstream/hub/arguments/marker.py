"""`marker`: what a flow is marked with: `true`, `false`, or a name such as `:dog:`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.hub import markers
from midstream.hub.arguments.argument import Argument, Commands, starting_with
from midstream.hub.types import Marker
from midstream.text.suggest import did_you_mean


class MarkerArgument(Argument):
    typ = Marker
    display = "marker"
    examples = (":dog:", ":red_circle:", "true")

    def parse(self, manager: Commands, t: Any, s: str) -> Marker:
        if s == "true":
            return Marker(markers.DEFAULT)
        if s == "false":
            return Marker("")
        if s not in markers.names():
            hint = did_you_mean(s, markers.names()) or "; markers are true, false and names such as :dog:"
            raise ValueError(f"{s!r} is no marker{hint}")
        return Marker(s)

    def accepts(self, manager: Commands, t: Any, s: str) -> bool:
        # Without looking for the nearest of five thousand names.
        return s in ("true", "false") or s in markers.names()

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        return isinstance(val, str) and (not val or val in markers.names())

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        return starting_with(s, ("true", "false", *markers.names()))
