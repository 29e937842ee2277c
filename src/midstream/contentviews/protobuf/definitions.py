"""The definitions that the option `protobuf_definitions` names, read once and again when the file has changed.

Called by the protobuf and gRPC views and by the addon that owns the option.
"""

from __future__ import annotations

import os
from pathlib import Path

from midstream.contentviews.protobuf import descriptors, proto_file
from midstream.contentviews.protobuf.types import Definitions, MessageType
from midstream.contentviews.protobuf.well_known import FILES
from midstream.hub.yaml_nodes import read_text

LARGEST_FILE = 4 * 1024 * 1024
MOST_FILES = 500
_MOST_KEPT = 4

_Stamp = tuple[int, int]
# What was read of a file, and how each file that it consists of looked then. Asked on the loop and in threads.
_kept: dict[Path, tuple[dict[Path, _Stamp], Definitions]] = {}


def of(path: Path) -> Definitions:
    """The definitions in a `.proto` file and what it imports, or in a descriptor set. ValueError says what is wrong."""
    kept = _kept.get(path)
    if kept is not None and all(_stamp(each) == stamp for each, stamp in kept[0].items()):
        return kept[1]
    stamps: dict[Path, _Stamp] = {path: _stamp(path)}
    definitions = _read(path, stamps)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[path] = (stamps, definitions)
    return definitions


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return (0, -1)
    return status.st_mtime_ns, status.st_size


def _read(path: Path, stamps: dict[Path, _Stamp]) -> Definitions:
    if path.suffix == ".proto":
        return _from_text(path, stamps)
    try:
        with open(path, "rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    if len(data) > LARGEST_FILE:
        raise ValueError(f"{path}: larger than {LARGEST_FILE:,} bytes")
    try:
        return descriptors.read(data)
    except ValueError as error:
        raise ValueError(f"{path}: neither a .proto file nor a descriptor set: {error}") from None


def _from_text(path: Path, stamps: dict[Path, _Stamp]) -> Definitions:
    definitions = Definitions()
    files: list[proto_file.ProtoFile] = []
    waiting: list[tuple[str, Path | None]] = [(path.name, path)]
    known: set[str] = set()
    while waiting:
        name, place = waiting.pop(0)
        if len(files) >= MOST_FILES:
            raise ValueError(f"{path}: it imports more than {MOST_FILES} files")
        text = FILES.get(name) if place is None else read_text(place, LARGEST_FILE)
        if text is None:
            definitions.missing.append(name)
            continue
        one = proto_file.read(text, str(place or name), definitions)
        files.append(one)
        for imported in one.imports:
            if imported not in known:
                known.add(imported)
                found = _find(imported, path)
                waiting.append((imported, found))
                if found is not None:
                    stamps[found] = _stamp(found)
    _link(definitions, files)
    return definitions


def _find(imported: str, path: Path) -> Path | None:
    """Where an imported file is: imports are told from a root that is the folder of the file or one above it."""
    if ".." in Path(imported).parts or Path(imported).is_absolute():
        return None
    for folder in list(path.absolute().parents)[:6]:
        if (folder / imported).is_file():
            return folder / imported
    return None


def _link(definitions: Definitions, files: list[proto_file.ProtoFile]) -> None:
    for one in files:
        for extended, scope, extension in one.extensions:
            message = definitions.resolve(extended, scope)
            if isinstance(message, MessageType):
                message.add(extension)
        for each, scope in one.links:
            definitions.link(each, scope)
        for method, given, returned, scope in one.methods:
            types = [definitions.resolve(each, scope) for each in (given, returned)]
            request, response = (each if isinstance(each, MessageType) else None for each in types)
            definitions.methods[method] = (request, response)
