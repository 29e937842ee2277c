"""`--adopt`: takes over CA, config file and keys of a mitmproxy that was used before.

Copies, and never replaces anything: what is there stays, and is named; only a CA of our own makes way. The original is
only read. Called by app.py;
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

_THEIR_CA, _OUR_CA = "mitmproxy-ca.pem", "midstream-ca.pem"
_KEYS = "keys.yaml"
# The other files of a CA are made anew from this one, under our names.
_FILES = (_THEIR_CA, *config.FILE_NAMES, _KEYS)
_LARGEST = 1024 * 1024


def can_be_adopted(folder: Path) -> bool:
    """Whether a folder holds something to adopt."""
    return any(os.path.isfile(folder / name) for name in _FILES)  # Path.is_file raises where one may not look


def adopt(source: str | Path, target: Path, options: Options) -> tuple[list[str], bool]:
    """Copy what there is from `source` into `target`. Returns a line for each thing done or left, and whether nothing
    failed; what had been there before is no failure.

    OptionsError when there is nothing to adopt, or the folder cannot be written. `options` are those that exist.
    """
    source = Path(os.path.abspath(os.path.expanduser(source)))
    _refuse_nonsense(source, target)
    _make(target)
    lines: list[str] = []
    copied: list[str] = []
    left = failed = 0
    for name in _FILES:
        if not os.path.isfile(source / name):
            continue
        if os.path.lexists(target / name):
            left += 1
            lines.append(f"left {name}: {target / name} is there already")
            continue
        try:
            content, notes = _content(source / name, options)
            _put(target / name, content)
        except OptionsError as error:
            failed += 1
            lines.append(f"left {name}: {error}")
        else:
            copied.append(name)
            lines += [f"copied {name}", *notes]
    if _THEIR_CA in copied and os.path.lexists(target / _OUR_CA):
        lines.append(_make_way(target / _OUR_CA))
    lines.append(f"adopted {source} into {target}: {_files(len(copied))} copied, {left + failed} left")
    return lines, not failed


def _refuse_nonsense(source: Path, target: Path) -> None:
    try:
        os.listdir(source)
    except (FileNotFoundError, NotADirectoryError):
        raise OptionsError(f"--adopt: there is no folder {source}; name the one to adopt: --adopt FOLDER") from None
    except OSError as error:
        raise OptionsError(f"--adopt: {source} cannot be read: {error.strerror or error}") from None
    if os.path.realpath(source) == os.path.realpath(target):
        raise OptionsError(f"--adopt: {source} is our own config folder")
    if not can_be_adopted(source):
        raise OptionsError(f"--adopt: {source} holds neither a CA ({_THEIR_CA}) nor config.yaml nor {_KEYS}")


def _make(target: Path) -> None:
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise OptionsError(f"{target}: the config folder cannot be made: a file is in its place") from None
    except OSError as error:
        raise OptionsError(f"{target}: the config folder cannot be made: {error.strerror or error}") from None


def _make_way(ours: Path) -> str:
    """Move the CA of our own aside, which a first start has made: as long as it is there, it is the one in use."""
    aside = ours.with_name(f"{ours.name}.before-adopting")
    if not os.path.lexists(aside):
        try:
            ours.rename(aside)
        except OSError:
            pass
        else:
            return f"the CA {ours.name} is now {aside.name}; from the next start on the adopted CA is used"
    return f"{ours} stays in use; remove it, and the next start uses the adopted CA"


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
    if file.name == _THEIR_CA and not (b"PRIVATE KEY-----" in content and b"-----BEGIN CERTIFICATE" in content):
        raise OptionsError("it holds no key and certificate in PEM")
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


def _put(path: Path, content: bytes) -> None:
    """Make a new private file; never one in place of another."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise OptionsError(f"{path}: {error.strerror or error}") from None
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        path.unlink(missing_ok=True)  # half a file would never be adopted again
        raise OptionsError(f"{path}: {error.strerror or error}") from None


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
