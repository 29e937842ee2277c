"""The modules that scripts import from their own folder, and which of them have changed since.

Used by scripts.py: when a file is saved that a script had imported from beside itself, that script has to be loaded
again, and with the file as it is now. Python keeps modules by name for ever, so they are taken out of its table first.
Modules from anywhere else (installed packages, the standard library, this program) are never touched.
"""

from __future__ import annotations

import ast
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Stamp = tuple[int, int, int]

# A script may lie beside the sources of this very program.
_OURS = ("midstream", "mitmproxy")


@dataclass(slots=True)
class Neighbour:
    """One such module."""

    name: str
    module: types.ModuleType
    file: str
    folder: Path
    imported: Stamp | None
    """The state of the file that was imported."""
    tried: Stamp | None
    """The last state of the file for which scripts were loaded again."""
    seen: Stamp | None


class Neighbours:
    """Those of all scripts of one master."""

    def __init__(self) -> None:
        self._known: dict[str, Neighbour] = {}

    @contextmanager
    def noting(self, folder: Path, keep: bool = True) -> Iterator[None]:
        """Note what is imported in the block. What a script that fails has imported is forgotten.

        `keep`: False for a script that is used once; whoever imports its neighbours later gets them as they are then.
        """
        before = set(sys.modules)
        stays = False
        try:
            yield
            stays = keep
        finally:
            for name in set(sys.modules) - before:
                module = sys.modules[name]
                file = _file_in(folder, name, module)
                if file is None:
                    continue
                if stays:
                    stamp = _stamp(file)
                    self._known[name] = Neighbour(name, module, file, folder, stamp, stamp, stamp)
                else:
                    del sys.modules[name]

    def changed(self) -> set[Path]:
        """The folders in which a neighbour was saved since the last attempt to load it; told at the second look, as an
        editor may be in the middle of writing at the first.
        """
        folders = set()
        for each in self._known.values():
            before, each.seen = each.seen, _stamp(each.file)
            if each.seen not in (None, each.tried) and before not in (None, each.tried):
                folders.add(each.folder)
        return folders

    def is_stale(self, folder: Path) -> bool:
        """Whether a neighbour in this folder is another one now than the one that was imported."""
        return any(_stamp(each.file) != each.imported for each in self._in(folder))

    def are_used_by(self, imports: set[str], folder: Path) -> bool:
        """Whether a script in this folder with these imports needs any of them."""
        return any(each.name.partition(".")[0] in imports for each in self._in(folder))

    def take_out(self, folder: Path) -> list[Neighbour]:
        """Forget the neighbours in this folder, so that they are imported anew."""
        taken = self._in(folder)
        for each in taken:
            del self._known[each.name]
            if sys.modules.get(each.name) is each.module:
                del sys.modules[each.name]
        return taken

    def put_back(self, taken: list[Neighbour]) -> None:
        """Nobody could be loaded with the new ones: the old ones are back until the files change again."""
        for each in taken:
            each.tried = each.seen = _stamp(each.file)
            self._known[each.name] = each
            sys.modules[each.name] = each.module

    def _in(self, folder: Path) -> list[Neighbour]:
        return [each for each in self._known.values() if each.folder == folder]


def imports_of(source: bytes) -> set[str]:
    """The top-level names of what a script imports, wherever in it that stands."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _file_in(folder: Path, name: str, module: types.ModuleType) -> str | None:
    """The source file of a module that was found in `folder`; None for any other."""
    top = name.partition(".")[0]
    file = getattr(module, "__file__", None)
    if top in _OURS or name.startswith("__midstream_script_") or not isinstance(file, str):
        return None
    place = Path(file)
    if place.parent == folder or place.is_relative_to(folder / top):
        return file
    return None


def _stamp(file: str) -> Stamp | None:
    try:
        stat = os.stat(file)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
