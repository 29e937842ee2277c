"""What a row of the table can say about one name of mitmproxy, and the short ways to write many rows.

The tables (`names_*.py`) are made of these; `lookup.py` reads them. Nothing here imports what it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EVERYTHING = "*"
"""The row of this name stands for all public names of a module of ours."""


@dataclass(frozen=True, slots=True)
class Same:
    """The object `name` of our module `module`: what the name means here, or a shim where the shape differs."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Later:
    """A feature that midstream is going to have; `brings` says which."""

    brings: str


@dataclass(frozen=True, slots=True)
class Absent:
    """What midstream does not have, or mitmproxy has no longer; `instead` says what to write."""

    instead: str


Row = Same | Later | Absent
Names = Mapping[str, Row]


def same(module: str, names: str) -> dict[str, Row]:
    """Names that are called the same in a module of ours; `Theirs=ours` for one that is called otherwise."""
    rows: dict[str, Row] = {}
    for word in names.split():
        theirs, _, ours = word.partition("=")
        rows[theirs] = Same(f"midstream.{module}", ours or theirs)
    return rows


def shim(module: str, names: str) -> dict[str, Row]:
    """Names from `compat/shims/`."""
    return same(f"compat.shims.{module}", names)


def everything(module: str) -> dict[str, Row]:
    """All public names of a module of ours."""
    return {EVERYTHING: Same(f"midstream.{module}", EVERYTHING)}


def later(brings: str, names: str) -> dict[str, Row]:
    """Names that a coming feature brings."""
    return {name: Later(brings) for name in names.split()}


def absent(instead: str, names: str) -> dict[str, Row]:
    """Names that have gone, or that we have no use for."""
    return {name: Absent(instead) for name in names.split()}
