"""From a name of mitmproxy to the object that it means here, or to a sentence that says why there is none.

Asked by the alias modules of `finder.py`, which turn the sentences into ImportError and AttributeError.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from midstream.compat.rows import EVERYTHING, Absent, Later, Names, Row, Same
from midstream.compat.table import CLOSED, MODULES
from midstream.text.suggest import did_you_mean, nearest

ROOT = "mitmproxy"


class NotHere(Exception):
    """There is no such name or module; the text is one sentence for the author of a script."""


def is_module(path: str) -> bool:
    """Whether `path`, a dotted name below mitmproxy (empty: itself), is a module that can be imported."""
    return path in MODULES


def names_of(path: str) -> list[str]:
    """The public names that a module really has, its submodules left out."""
    rows = MODULES[path]
    whole = rows.get(EVERYTHING)
    found = {name for name, row in rows.items() if isinstance(row, Same) and name != EVERYTHING}
    if isinstance(whole, Same):
        found |= {name for name in dir(importlib.import_module(whole.module)) if not name.startswith("_")}
    return sorted(found)


def submodules(path: str) -> list[str]:
    """The names of the modules directly below a module."""
    prefix = f"{path}." if path else ""
    return sorted(
        each.removeprefix(prefix)
        for each in MODULES
        if each and each.startswith(prefix) and "." not in each.removeprefix(prefix)
    )


def find(path: str, name: str) -> tuple[ModuleType, str]:
    """The module of ours that holds what `name` means in the module `path`, and its name there. NotHere: none does."""
    row = _row(MODULES[path], name)
    match row:
        case Same(module, ours):
            return importlib.import_module(module), ours
        case None:
            raise NotHere(_unknown_name(path, name))
        case _:
            raise NotHere(_why(_full(path, name), row))


def is_name(path: str) -> bool:
    """Whether `path` can only be meant as a name in a module that has some."""
    parent = path.rpartition(".")[0]
    return path not in CLOSED and bool(MODULES.get(parent))


def why_no_module(path: str) -> str:
    """The sentence about a module, or a name in one, that cannot be imported."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        closed = CLOSED.get(".".join(parts[:length]))
        if closed is not None:
            return _why(_full(path), closed)
    parent, _, name = path.rpartition(".")
    if parent not in MODULES:
        return f"{_full(path)}: midstream has no such module{_nearest_module(path)}"
    try:
        getattr(*find(parent, name))
    except NotHere as reason:
        return str(reason)
    except AttributeError as reason:  # ctx.master, while none runs
        return str(reason)
    return f"{_full(path)} is no module but a name in one: from {_full(parent)} import {name}"


def _row(rows: Names, name: str) -> Row | None:
    row = rows.get(name)
    if row is not None:
        return row
    whole = rows.get(EVERYTHING)
    if not isinstance(whole, Same) or name.startswith("_"):
        return None
    home: ModuleType = importlib.import_module(whole.module)
    return Same(whole.module, name) if hasattr(home, name) else None


def _why(full: str, row: Row) -> str:
    match row:
        case Later(brings):
            return f"{full}: midstream does not have this yet; it comes with {brings}"
        case Absent(instead):
            return f"{full}: {instead}"
        case Same():
            return f"{full} is there"


def _unknown_name(path: str, name: str) -> str:
    closed = CLOSED.get(f"{path}.{name}" if path else name)
    if closed is not None:
        return _why(_full(path, name), closed)
    said = f"{_full(path, name)}: midstream has no such {'name' if MODULES[path] else 'module'}"
    for other, rows in MODULES.items():
        if isinstance(rows.get(name), Same):
            return f"{said}; there is {_full(other, name)}"
    own = [*names_of(path), *submodules(path)]
    if nearest(name, own):
        return f"{said}{did_you_mean(name, own)}"
    return f"{said}{_nearest_module(f'{path}.{name}' if path else name)}"


def _nearest_module(path: str) -> str:
    guess = nearest(path, [each for each in MODULES if each])
    return f"; did you mean {_full(guess)!r}?" if guess is not None else ""


def _full(path: str, name: str = "") -> str:
    return ".".join(part for part in (ROOT, path, name) if part)
