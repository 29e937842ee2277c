"""The config file: `config.yaml` in the config folder, a mapping of option names to values.

Read once at start (invocation.py) and by the commands `options.load` and `options.save`. A file is data: tags, cycles
and anything but plain values and lists of text are refused, in one line that names file, line and column.
What a value means is checked by the options; this file only brings it to them.
"""

from __future__ import annotations

import io
import logging
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from midstream.flows.errors import OptionsError
from midstream.hub import yaml_nodes
from midstream.hub.config_file import LARGEST_FILE, Entry, entries, rewritten
from midstream.hub.option import RANK, Option, Source
from midstream.hub.option_kinds import SECRET
from midstream.hub.option_types import BOOL, OptionValue
from midstream.hub.options import Options
from midstream.text.environment import variable
from midstream.work.whole_file import WholeFile

DEFAULT_FOLDER = "~/.midstream"
# The second spelling is read after the first, so it wins where both name an option.
FILE_NAMES = ("config.yaml", "config.yml")

logger = logging.getLogger(__name__)


def default_folder() -> str:
    """The config folder when no option names one."""
    return variable("CONFDIR") or DEFAULT_FOLDER


def declare_folder(options: Options) -> None:
    """The option `confdir`, which is needed before the first addon is there."""
    options.add_option(
        "confdir", str, default_folder(), "Folder of the CA, config.yaml, keys and history.", kind="path"
    )


def folder(options: Options) -> Path:
    """The config folder that is in use. OptionsError when it cannot be one."""
    if not options.confdir:
        raise OptionsError("option confdir: needs a folder")
    path = os.path.expanduser(options.confdir)
    if path.startswith("~") or "\0" in path:
        raise OptionsError(f"option confdir: {options.confdir!r} is no folder: there is no such user here")
    return Path(path)


def relative_path(path: str | Path, *, relative_to: str | os.PathLike[str]) -> Path:
    """`path` with `~` expanded, taken from the folder `relative_to` unless it is absolute."""
    return Path(relative_to, os.path.expanduser(path))  # Path.expanduser raises for a user that is not there


def load_paths(opts: Options, *paths: str | os.PathLike[str], source: Source = "file") -> None:
    """Apply files in this order; a missing one is skipped. OptionsError says which line of which file is wrong."""
    for path in paths:
        file = Path(os.path.expanduser(path))
        found = read(file)
        apply_entries(opts, found, file, source)
        _warn_of_readers(opts, found, file)


def read(file: Path) -> list[Entry]:
    """What a file says; nothing when it is missing. OptionsError for one that cannot be read."""
    try:
        os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError):
        pass  # reading it says why
    try:
        return entries(yaml_nodes.read_text(file, LARGEST_FILE), str(file))
    except yaml_nodes.BadYaml as error:
        raise OptionsError(str(error)) from None


def load(
    opts: Options,
    text: str,
    cwd: str | os.PathLike[str] | None = None,
    *,
    name: str = "config",
    source: Source = "file",
) -> None:
    """Apply the options in `text`; script paths are taken from `cwd`. Names that nobody declared yet are kept.

    A value that was set by something stronger than `source` (a flag is stronger than the file) stays.
    """
    _apply(opts, entries(text, name), Path(os.path.expanduser(cwd)) if cwd is not None else None, name, source)


def apply_entries(opts: Options, found: Sequence[Entry], file: Path, source: Source = "file") -> None:
    """Set what entries of `file` say, as one change. OptionsError names the first one that is refused."""
    _apply(opts, found, file.parent, str(file), source)


def _apply(opts: Options, found: Sequence[Entry], folder: Path | None, name: str, source: Source) -> None:
    known: dict[str, object] = {}
    unknown: dict[str, tuple[object, str]] = {}
    for entry in found:
        key, where = entry.key, entry.place
        value = _from_folder(key, entry.value, folder)
        if key not in opts:
            unknown[key] = value, where
            continue
        option = opts.option(key)
        try:
            checked = option.checked(value)
        except (TypeError, OptionsError) as error:
            raise OptionsError(f"{where}: {error}{_hint(option, value)}") from None
        if RANK[option.source] <= RANK[source]:
            known[key] = checked
    try:
        opts.apply(known, source, {entry.key: entry.place for entry in found})
    except OptionsError as error:
        if str(error).startswith(name):
            raise
        raise OptionsError(f"{name}: {error}") from None
    for key, (value, where) in unknown.items():
        opts.defer(key, value, source, where)


def _warn_of_readers(opts: Options, found: Sequence[Entry], file: Path) -> None:
    """Say that a file which holds a secret can be read by others; `save` writes it private."""
    names = [entry.key for entry in found if entry.value]
    held = [name for name in names if name in opts and opts.option(name).kind is SECRET]
    if held and os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        logger.warning("%s holds %s and can be read by others; chmod 600 %s", file, " and ".join(held), file)


def save(opts: Options, path: str | os.PathLike[str], defaults: bool = False) -> None:
    """Write what differs from the defaults (or everything) into `path`, keeping its comments and foreign names."""
    out = io.StringIO()
    try:
        file = Path(os.path.realpath(os.path.expanduser(path)))
    except (OSError, ValueError) as error:  # a NUL in it, a circle of links
        raise OptionsError(f"{path}: {error}") from None
    try:
        text = yaml_nodes.read_text(file, LARGEST_FILE) if file.exists() else ""
        serialize(opts, out, text, defaults, name=str(file), folder=file.parent)
        with WholeFile(file) as whole:
            whole.write(out.getvalue().encode())
    except yaml_nodes.BadYaml as error:
        raise OptionsError(f"{error}; it is left alone") from None
    except OSError as error:
        raise OptionsError(f"{file}: {error.strerror or error}") from None


def serialize(
    opts: Options, file: TextIO, text: str, defaults: bool = False, *, name: str = "config", folder: Path | None = None
) -> None:
    """Write the YAML `text` to `file`, changed to say what the options are now.

    With `folder`, the one that the text stands in, script paths in it count from there, and are written as absolute.
    """
    line_end = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    found = [replace(entry, value=_from_folder(entry.key, entry.value, folder)) for entry in entries(text, name)]
    wanted: dict[str, OptionValue] = {}
    gone: list[str] = []
    for key, option in sorted(opts.items()):
        if defaults or option.has_changed():
            wanted[key] = _from_folder(key, option.current(), Path.cwd() if folder is not None else None)
        else:
            gone.append(key)
    new = rewritten(text, found, wanted, gone)
    expected = {entry.key: entry.value for entry in found if entry.key not in gone} | wanted
    try:
        now = {entry.key: _from_folder(entry.key, entry.value, folder) for entry in entries(new, name)}
    except OptionsError:
        now = {}
    if now != expected:
        # Anchors that one entry defines for another, text behind `...`: legal, and beyond what is worth knowing here.
        raise OptionsError(f"{name}: this file cannot be changed in place; give another path, or simplify its YAML")
    file.write(new.replace("\n", line_end))


def _from_folder(key: str, value: Any, folder: Path | None) -> Any:
    """The value; of the option `scripts` with its paths taken from `folder`."""
    if folder is None or key != "scripts" or not isinstance(value, list):
        return value
    return [str(relative_path(each, relative_to=folder)) if isinstance(each, str) else each for each in value]


def _hint(option: Option, value: object) -> str:
    if value is None:
        return "; leave the line out for the default"
    if option.type.base is int and isinstance(value, str) and value.isdecimal():
        return "; write it without quotes"
    if option.type.base is str and not option.type.sequence and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if option.type.sequence and isinstance(value, str):
        return f"; write it as [{value}]"
    if option.type is BOOL and isinstance(value, str | int):
        return "; write true or false"  # YAML 1.2 knows no `yes` and `on`
    return ""
