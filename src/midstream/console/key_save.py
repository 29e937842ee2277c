"""Writes the bindings of a session into the person's key file, keeping its comments and order.

key_bindings.py calls it, in a thread. The file may be of our format or a list of the other (key_list.py); a list
cannot take keys away, so then nothing is written and the reason is said.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from midstream.console.key_file import LARGEST_FILE
from midstream.console.key_names import BadKey, parse_chord
from midstream.console.keymap import LEADER, Binding, Unbound
from midstream.flows.errors import CommandError
from midstream.hub import yaml_nodes
from midstream.hub.yaml_nodes import BadYaml
from midstream.work.whole_file import WholeFile

IsBelow = Callable[[tuple[str, ...], str], bool]


def save(path: Path, changes: Sequence[Binding | Unbound], is_below: IsBelow) -> None:
    """Write the changes, in order. CommandError: the file is left as it is.

    `is_below` tells whether what the file extends binds keys in a context: only then it must say that they are unbound.
    """
    from ruamel.yaml import YAML

    try:
        before = yaml_nodes.read_text(path, LARGEST_FILE) if path.exists() else ""
        yaml_nodes.compose(before, str(path))
    except BadYaml as error:
        raise CommandError(f"{error}; nothing was saved") from None
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = LARGEST_FILE  # lines stay as they are
    yaml.preserve_quotes = True
    document: Any = _read(yaml, before, path) or {"version": 1}
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


def _read(yaml: Any, text: str, path: Path) -> Any:
    from ruamel.yaml.error import MarkedYAMLError

    try:
        return yaml.load(text) if text.strip() else None
    except MarkedYAMLError as error:  # a key that stands there twice
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        problem = (error.problem or error.context or "this is not YAML").splitlines()[0]
        raise CommandError(f"{where}: {problem}; nothing was saved") from None
    except (ValueError, KeyError) as error:  # the 99th of a month; tags that do not fit their values
        raise CommandError(f"{path}: it has a value that is none ({error}); nothing was saved") from None


def _change(document: Any, change: Binding | Unbound, is_below: IsBelow) -> None:
    """Take out what the file says of these keys in these contexts, then say the new."""
    options = document.get("options")
    leader = str(options.get("leader", LEADER)) if isinstance(options, dict) else LEADER
    _free(document, change, leader)
    if isinstance(change, Binding):
        entry = _entry(change.keys, change.contexts) | {"run": change.command}
        entry |= {"help": change.help} if change.help else {}
        entry |= {"when": change.when_text} if change.when_text else {}
        _list_of(document, "bind").append(entry)
        return
    said = [entry for entry in _list_of(document, "unbind") if isinstance(entry, dict)]
    unsaid = [
        context
        for context in change.contexts
        if is_below(change.keys, context)
        and not any(context in _names(entry.get("in")) and _begins(change.keys, entry, leader) for entry in said)
    ]
    if unsaid:
        # What is unbound is read before the leader changes, so that one is called by its name.
        keys = ["leader" if key == leader != LEADER else key for key in change.keys]
        document["unbind"].append(_entry(keys, unsaid))
    elif not document["unbind"]:
        del document["unbind"]


def _free(document: Any, change: Binding | Unbound, leader: str) -> None:
    """Take the contexts of a change out of the entries about its keys; entries without any left go."""
    entries = _list_of(document, "bind")
    for entry in [entry for entry in entries if isinstance(entry, dict)]:
        if not _is_about(change, _chord(entry.get("keys"), leader), str(entry.get("when", ""))):
            continue
        left = [name for name in _names(entry.get("in")) if name not in change.contexts]
        if not left:
            entries.remove(entry)
        elif len(left) < len(_names(entry.get("in"))):
            entry["in"] = _flow(left)
    menus = document.get("menus")
    for menu in menus if isinstance(menus, list) else ():
        if isinstance(menu, dict) and isinstance(menu.get("items"), dict):
            _free_menu(entries, menu, change, leader)
    if not entries:
        del document["bind"]


def _free_menu(entries: Any, menu: Any, change: Binding | Unbound, leader: str) -> None:
    """An item of a menu has no contexts of its own: where it stays, it is said among the entries."""
    contexts = _names(menu.get("in"))
    left = [name for name in contexts if name not in change.contexts]
    if len(left) == len(contexts):
        return
    for key in list(menu["items"]):
        keys = _chord(f"{menu.get('keys')} {key}", leader)
        if not _is_about(change, keys, ""):
            continue
        parts = menu["items"].pop(key)
        run, *more = parts if isinstance(parts, list) and parts else [parts]
        if left:
            entries.append(_entry(keys, left) | {"run": run} | ({"help": more[0]} if more else {}))


def _is_about(change: Binding | Unbound, keys: tuple[str, ...], when: str) -> bool:
    if isinstance(change, Binding):
        # One without a condition counts for every flow, so it takes the place of all.
        return keys == change.keys and (not change.when_text or when == change.when_text)
    return keys[: len(change.keys)] == change.keys


def _begins(keys: tuple[str, ...], entry: Any, leader: str) -> bool:
    said = _chord(entry.get("keys"), leader)
    return bool(said) and keys[: len(said)] == said


def _entry(keys: Sequence[str], contexts: Sequence[str]) -> dict[str, object]:
    return {"keys": " ".join(keys), "in": _flow(contexts)}


def _chord(written: object, leader: str) -> tuple[str, ...]:
    try:
        return parse_chord(str(written), leader)
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
    """In one step; a link stays a link, and the file keeps its mode."""
    file = Path(os.path.realpath(path))
    try:
        mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
        with WholeFile(file, mode) as whole:
            whole.write(text.encode())
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}") from None
