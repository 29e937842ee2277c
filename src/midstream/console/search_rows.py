"""Rows that a search goes through: what a pane of rows tells search.py. Not how they are painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _no_id(_: int) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class SearchRows:
    """`text` is what a search looks at of a row, `go` moves there, `id` names the flow that a row is about.

    Rows come and go while a long search rests, so all of it is asked for again and again.
    """

    count: Callable[[], int]
    position: Callable[[], int]
    text: Callable[[int], str]
    go: Callable[[int], object]
    id: Callable[[int], str] = _no_id
