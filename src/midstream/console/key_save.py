"""Writes the bindings of a session into the person's key file, keeping its comments and order.

`console.keymap.save` calls it. The file may be of our format or a list of the other (key_list.py); a list cannot take
keys away, so then nothing is written and the reason is said.
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midstream.console.key_file import LARGEST_FILE
from midstream.console.key_names import BadKey, parse_chord
from midstream.console.keymap import LEADER, Binding
from midstream.flows.errors import CommandError
from midstream.hub import yaml_nodes
from midstream.hub.yaml_nodes import BadYaml

if TYPE_CHECKING:
    from midstream.console.key_bindings import Unbound


IsBelow = Callable[["Unbound"], bool]


def save(path: Path, changes: Sequence[Binding | Unbound], is_below: IsBelow) -> None:
    """Write the changes, in order. CommandError: the file is left as it is.

    `is_below` tells whether what the file extends binds the keys: only then it must say that they are unbound.
    """
    from ruamel.yaml import YAML

    try:
        before = yaml_nodes.read_text(path, LARGEST_FILE) if path.exists() else ""
        yaml_nodes.compose(before, str(path))
    except BadYaml as error:
        raise CommandError(f"{error}; nothing was saved") from None
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    document: Any = (yaml.load(before) if before.strip() else None) or {"version": 1}
    if isinstance(document, dict):
        for change in changes:
            _change(document, change, is_below)
    elif isinstance(document, list):
        document += [_as_list_entry(path, change) for change in changes]
    else:
        raise CommandError(f"{path} is no key file; nothing was saved")
    out = io.StringIO()
    yaml.dump(document, out)
    _write(path, out.getvalue())


def _change(document: Any, change: Binding | Unbound, is_below: IsBelow) -> None:
    """Take out what is said of these keys in these contexts, then say the new."""
    if isinstance(change, Binding):
        _drop(document, "bind", change.keys, change.contexts, change.when_text)
        entry = {"keys": " ".join(change.keys), "in": _flow(change.contexts), "run": change.command}
        entry |= {"help": change.help} if change.help else {}
        entry |= {"when": change.when_text} if change.when_text else {}
        _list_of(document, "bind").append(entry)
        return
    _drop(document, "bind", change.keys, change.contexts, None)
    _drop(document, "unbind", change.keys, change.contexts, None)
    if is_below(change):
        _list_of(document, "unbind").append({"keys": " ".join(change.keys), "in": _flow(change.contexts)})


def _drop(document: Any, part: str, keys: Sequence[str], contexts: Sequence[str], when: str | None) -> bool:
    """Remove the entries of exactly these keys and contexts; of any condition if `when` is None."""
    entries = document.get(part)
    if not isinstance(entries, list):
        return False
    options = document.get("options")
    leader = str(options.get("leader", LEADER)) if isinstance(options, dict) else LEADER
    same = [
        entry
        for entry in entries
        if isinstance(entry, dict)
        and _chord(str(entry.get("keys", "")), leader) == tuple(keys)
        and sorted(_names(entry.get("in"))) == sorted(contexts)
        and (when is None or entry.get("when", "") == when)
    ]
    for entry in same:
        entries.remove(entry)
    return bool(same)


def _chord(text: str, leader: str) -> tuple[str, ...]:
    try:
        return parse_chord(text, leader)
    except BadKey:
        return ()


def _names(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(name) for name in value]
    return [str(value)] if value else ["global"]


def _list_of(document: Any, part: str) -> Any:
    if not isinstance(document.get(part), list):
        document[part] = []
    return document[part]


def _flow(names: Sequence[str]) -> Any:
    from ruamel.yaml.comments import CommentedSeq

    written = CommentedSeq(names)
    written.fa.set_flow_style()
    return written


def _as_list_entry(path: Path, change: Binding | Unbound) -> dict[str, object]:
    if not isinstance(change, Binding):
        keys = " ".join(change.keys)
        raise CommandError(f"{path} is a list, which cannot say that {keys} is unbound; nothing was saved")
    if change.when_text:
        raise CommandError(f"{path} is a list, which knows no conditions; nothing was saved")
    entry: dict[str, object] = {"key": " ".join(change.keys), "cmd": change.command, "ctx": _flow(change.contexts)}
    return entry | ({"help": change.help} if change.help else {})


def _write(path: Path, text: str) -> None:
    """Aside and renamed, so that a full disk leaves the old file; a link stays a link."""
    file = Path(os.path.realpath(path))
    try:
        mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
        descriptor, aside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as out:
                out.write(text)
            os.chmod(aside, mode)
            os.replace(aside, file)
        except BaseException:
            os.unlink(aside)
            raise
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}") from None
