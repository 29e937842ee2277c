"""`--adopt`: takes over CA, config file and keys of a mitmproxy that was used before.

Copies, and never replaces anything: what is there stays, and is named. The original is only read. Called by app.py;
the first start names the command (addons/core.py). What the files mean is the business of who reads them later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from midstream.flows.errors import OptionsError
from midstream.hub import config, yaml_nodes
from midstream.hub.config_file import LARGEST_FILE, Entry, entries, rewritten
from midstream.hub.foreign_options import foreign
from midstream.hub.options import Options
from midstream.text.suggest import did_you_mean

DEFAULT_SOURCE = "~/.mitmproxy"

_PRIVATE, _PUBLIC = 0o600, 0o644
_CA = {
    "mitmproxy-ca.pem": _PRIVATE,
    "mitmproxy-ca.p12": _PRIVATE,
    "mitmproxy-ca-cert.pem": _PUBLIC,
    "mitmproxy-ca-cert.cer": _PUBLIC,
    "mitmproxy-ca-cert.p12": _PUBLIC,
}
_KEYS = "keys.yaml"
_FILES = (*_CA, *config.FILE_NAMES, _KEYS)
_LARGEST = 1024 * 1024


def can_be_adopted(folder: Path) -> bool:
    """Whether a folder holds something to adopt."""
    return any((folder / name).is_file() for name in _FILES)


def adopt(source: Path, target: Path, options: Options) -> Iterator[str]:
    """Copy what there is from `source` into `target`, and say each thing done or left in one line.

    OptionsError when there is nothing to adopt, or the folder cannot be written. `options` are those that exist.
    """
    _refuse_nonsense(source, target)
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OptionsError(f"{target}: the config folder cannot be made: {error.strerror or error}") from None
    copied = left = 0
    for name in _FILES:
        if not (source / name).is_file():
            continue
        try:
            content, notes = _content(source / name, options)
            _put(target / name, content, _CA.get(name, _PRIVATE))
        except OptionsError as error:
            left += 1
            yield f"left {name}: {error}"
            continue
        copied += 1
        yield f"copied {name}"
        yield from notes
    if (target / "mitmproxy-ca.pem").exists() and (target / "midstream-ca.pem").exists():
        yield f"{target / 'midstream-ca.pem'} stays in use; remove it, and the next start uses the adopted CA"
    yield f"adopted {source} into {target}: {_files(copied)} copied, {left} left"


def _refuse_nonsense(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise OptionsError(f"--adopt: there is no folder {source}; name the one to adopt: --adopt FOLDER")
    if target.exists() and os.path.samefile(source, target):
        raise OptionsError(f"--adopt: {source} is our own config folder")
    if not can_be_adopted(source):
        raise OptionsError(f"--adopt: {source} holds neither a CA (mitmproxy-ca.pem) nor config.yaml nor {_KEYS}")


def _content(file: Path, options: Options) -> tuple[bytes, list[str]]:
    """What to write, and what the person should know about it. OptionsError: why the file is left."""
    if file.name in config.FILE_NAMES:
        return _config(file, options)
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise OptionsError(f"it cannot be read: {error.strerror or error}") from None
    if len(content) > _LARGEST:
        raise OptionsError(f"it is larger than {_LARGEST:,} bytes")
    return content, []


def _config(file: Path, options: Options) -> tuple[bytes, list[str]]:
    """A config file, in which relative paths of scripts are made absolute: they count from the folder it stood in."""
    try:
        text = yaml_nodes.read_text(file, LARGEST_FILE).replace("\r\n", "\n")
    except yaml_nodes.BadYaml as error:
        raise OptionsError(str(error)) from None
    found = entries(text, str(file))
    scripts = next((entry.value for entry in found if entry.key == "scripts"), None)
    if options.option("scripts").type.accepts(scripts) and isinstance(scripts, list):
        absolute = [str(config.relative_path(script, relative_to=file.parent)) for script in scripts]
        text = rewritten(text, found, {"scripts": absolute}, ())
        if {entry.key: entry.value for entry in entries(text, str(file))}["scripts"] != absolute:
            raise OptionsError("the relative paths of its scripts cannot be changed in place; write them as absolute")
    return text.encode(), list(_doubts(found, options))


def _doubts(found: list[Entry], options: Options) -> Iterator[str]:
    """Options that we do not have, or that take other values here."""
    others = foreign([entry.key for entry in found], options)
    if others:
        yield f"  of other programs: {', '.join(others)}"
    for entry in found:
        if entry.key in others:
            continue
        if entry.key not in options:
            yield f"  {entry.place}: there is no option {entry.key!r} here{did_you_mean(entry.key, options)}"
            continue
        try:
            options.option(entry.key).checked(entry.value)
        except (TypeError, OptionsError) as error:
            yield f"  {entry.place}: {error}; mend it before the next start"


def _put(path: Path, content: bytes, mode: int) -> None:
    """Make a new file; never one in place of another."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE)
    except FileExistsError:
        raise OptionsError(f"{path} is there already") from None
    except OSError as error:
        raise OptionsError(f"{path}: {error.strerror or error}") from None
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        path.chmod(mode)
    except OSError as error:
        path.unlink(missing_ok=True)  # half a file would never be adopted again
        raise OptionsError(f"{path}: {error.strerror or error}") from None


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
