"""What somebody changed on a flow: who, when, and the parts as they were and as they are.

`hub/recording.py` makes changes while recording is on, `flow.changes` holds them, the edits tab shows them and
`flow.undo` takes them back. They are saved with the flow, in its metadata, where other programs pass them by. Which
parts a flow has is told by parts.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from midstream.flows import state as s

KEY: Final = "midstream_changes"

MOST_CHANGES: Final = 200
"""Of one flow; the oldest are dropped, as those of a long WebSocket conversation would never end."""
LARGEST_KEPT: Final = 1024 * 1024
"""Bytes: of a larger body only the size is kept, so that it cannot be put back."""
LARGEST_SAVED: Final = 64 * 1024
"""Bytes: the same for what is written to flow files."""


class NotKept(NamedTuple):
    """Stands for a value that was too large to keep twice."""

    size: int

    def __str__(self) -> str:
        return f"({self.size:,} bytes, not kept)"


class Part(NamedTuple):
    """One part of a flow, such as `request.headers`, before and after. Headers are tuples of pairs; None: not there."""

    name: str
    before: Any
    after: Any


@dataclass(slots=True)
class Change:
    """Something that one addon, rule or person did in one go."""

    who: str
    """The addon's name, or `you`."""
    during: str
    """The event, command or rule by which it was done."""
    parts: tuple[Part, ...]
    timestamp: float = field(default_factory=time.time)
    """When, in seconds since the epoch."""
    undone: bool = False
    """Whether it was taken back; that is a change of its own, behind it."""

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        return {
            "who": self.who,
            "during": self.during,
            "timestamp": self.timestamp,
            "undone": self.undone,
            "parts": [[name, _saved(before), _saved(after)] for name, before, after in self.parts],
        }


def kept(value: Any) -> Any:
    """The value, or what stands for it if it is too large."""
    return NotKept(len(value)) if isinstance(value, bytes) and len(value) > LARGEST_KEPT else value


def kept_parts(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts without what is too large to keep twice for long."""
    return tuple(Part(name, kept(before), kept(after)) for name, before, after in parts)


def _saved(value: Any) -> Any:
    if isinstance(value, NotKept):
        return {"size": value.size}
    if isinstance(value, str):
        return str(value)  # and nothing that belongs to it
    if isinstance(value, bytes) and len(value) > LARGEST_SAVED:
        return {"size": len(value)}
    return value


def states_of(changes: list[Change]) -> list[s.State]:
    """What is to be saved of a flow's changes."""
    return [change.get_state() for change in changes]


def from_states(states: object) -> list[Change]:
    """What was saved, as far as it is what it should be: the file may be anybody's."""
    changes: list[Change] = []
    for state in (states if isinstance(states, list | tuple) else ())[-MOST_CHANGES:]:
        try:
            changes.append(_from_state(s.read(state, "change", _SCHEMA)))
        except s.StateError:
            continue
    return changes


def _from_state(values: s.State) -> Change:
    return Change(values["who"], values["during"], tuple(values["parts"]), float(values["timestamp"]), values["undone"])


def _large(check: s.Check) -> s.Check:
    """A state check that lets what stands for a large body pass."""

    def checked(value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return NotKept(s.integer(value.get("size"), where))
        return check(value, where)

    return checked


def _fields(value: Any, where: str) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(tuple(pair) for pair in s.listed(s.row(s.binary, s.binary))(value, where))


# By the last word of a part's name; what is of another type than the part would be in the way of the next one.
_CHECKS: Final[s.Schema] = s.Schema(
    {
        **dict.fromkeys(("marked", "comment", "error", "host", "request", "response"), s.text),
        **dict.fromkeys(("port", "status_code"), s.integer),
        **dict.fromkeys(("headers", "trailers"), _fields),
        **dict.fromkeys(("method", "scheme", "authority", "path", "http_version", "reason"), s.binary),
        "content": _large(s.binary),
        "dropped": s.flag,
    }
)


def _part(value: Any, where: str) -> Part:
    name, before, after = s.row(s.text, _any, _any)(value, where)
    check = _CHECKS.get(name.rpartition(".")[2])
    if check is None:
        raise s.StateError(f"{where}: {name!r} is no part of a flow")
    return Part(name, *(s.optional(check)(side, where) for side in (before, after)))


def _any(value: Any, where: str) -> Any:
    return value


_SCHEMA: Final[s.Schema] = s.Schema(
    {
        "who": s.text,
        "during": s.text,
        "timestamp": s.number,
        "undone": s.flag,
        "parts": s.listed(_part),
    }
)
