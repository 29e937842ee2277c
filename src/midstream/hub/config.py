"""The config file: `config.yaml` in the config folder, a mapping of option names to values.

Read once at start (invocation.py) and by the commands `options.load` and `options.save`. A file is data: tags, cycles
and anything but plain values and lists of text are refused, in one line that names file, line and column.
What a value means is checked by the options; this file only brings it to them.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from midstream.flows.errors import OptionsError
from midstream.hub.option import RANK, Option, Source
from midstream.hub.option_types import BOOL
from midstream.hub.options import Options
from midstream.text.environment import variable

DEFAULT_FOLDER = "~/.midstream"
# The second spelling is read after the first, so it wins where both name an option.
FILE_NAMES = ("config.yaml", "config.yml")

# A config file with every option spelled out has 10 kB; the YAML reader needs a second for 300 kB.
LARGEST_FILE = 256 * 1024

_ODD_BREAK = re.compile("[\r\x85\u2028\u2029]")
_TAG = "tag:yaml.org,2002:"


def default_folder() -> str:
    """The config folder when no option names one."""
    return variable("CONFDIR") or DEFAULT_FOLDER


def declare_folder(options: Options) -> None:
    """The option `confdir`, which is needed before the first addon is there."""
    options.add_option(
        "confdir", str, default_folder(), "Folder of the CA, config.yaml, keys and history.", kind="path"
    )


def relative_path(path: str, *, relative_to: str | os.PathLike[str]) -> str:
    """`path` with `~` expanded, taken from the folder `relative_to` unless it is absolute."""
    return os.path.join(relative_to, os.path.expanduser(path))


def load_paths(opts: Options, *paths: str | os.PathLike[str], source: Source = "file") -> None:
    """Apply files in this order; a missing one is skipped. OptionsError says which line of which file is wrong."""
    for path in paths:
        file = Path(path).expanduser()
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST_FILE + 1)
            if len(content) > LARGEST_FILE:
                raise OptionsError(f"{file}: more than {LARGEST_FILE:,} bytes are no config file")
            text = content.decode("utf-8-sig")
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            raise OptionsError(f"{file}: byte {error.start}: the file is not UTF-8") from None
        except OSError as error:
            raise OptionsError(f"{file}: {error.strerror or error}") from None
        load(opts, text, file.parent, name=str(file), source=source)


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
    known: dict[str, object] = {}
    unknown: dict[str, tuple[object, str]] = {}
    for key, value, where in _entries(text, name):
        if cwd is not None and key == "scripts" and isinstance(value, list):
            value = [relative_path(script, relative_to=Path(cwd).expanduser()) for script in value]
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
        opts.apply(known, source)
    except OptionsError as error:
        raise OptionsError(f"{name}: {error}") from None
    for key, (value, where) in unknown.items():
        opts.defer(key, value, source, where)


def save(opts: Options, path: str | os.PathLike[str], defaults: bool = False) -> None:
    """Write what differs from the defaults (or everything) into `path`, keeping its comments and foreign names."""
    file = Path(os.path.realpath(Path(path).expanduser()))
    try:
        text = file.read_text("utf-8") if file.exists() else ""
        # Written aside and renamed, so that a full disk leaves the old file; 0600 by mkstemp, as options hold secrets.
        descriptor, aside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except UnicodeDecodeError as error:
        raise OptionsError(f"{file}: byte {error.start}: the file is not UTF-8, so it is left alone") from None
    except OSError as error:
        raise OptionsError(f"{file}: {error.strerror or error}") from None
    try:
        with open(descriptor, "w", encoding="utf-8") as out:
            serialize(opts, out, text, defaults, name=str(file), cwd=Path.cwd())
        os.replace(aside, file)
    except BaseException as error:
        os.unlink(aside)
        if isinstance(error, OSError):
            raise OptionsError(f"{file}: {error.strerror or error}") from None
        raise


def serialize(
    opts: Options, file: TextIO, text: str, defaults: bool = False, *, name: str = "config", cwd: Path | None = None
) -> None:
    """Write the YAML `text` to `file`, changed to say what the options are now.

    With `cwd`, script paths are written as absolute ones: in a file they would be taken from the file's folder.
    """
    from ruamel.yaml import YAML

    for _ in _entries(text, name):  # refuses what the round-trip reader would take, such as tags
        pass
    yaml = YAML()
    document = (yaml.load(text) if text.strip() else None) or {}
    for key, option in sorted(opts.items()):
        if defaults or option.has_changed():
            value = option.current()
            if cwd is not None and key == "scripts" and isinstance(value, list):
                value = [relative_path(script, relative_to=cwd) for script in value]
            if key not in document or document[key] != value:
                document[key] = _writable(value)
        else:
            document.pop(key, None)
    if document:
        yaml.dump(document, file)


def _writable(value: object) -> object:
    """The value, with text quoted whose line breaks other than LF a plain scalar would turn into spaces."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, str) and _ODD_BREAK.search(value):
        return DoubleQuotedScalarString(value)
    return value


def _hint(option: Option, value: object) -> str:
    if option.type.base is str and not option.type.sequence and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if option.type.sequence and isinstance(value, str):
        return f"; write it as [{value}]"
    if option.type is BOOL and isinstance(value, str):
        return "; write true or false"  # YAML 1.2 knows no `yes` and `on`
    return ""


def _entries(text: str, name: str) -> Iterator[tuple[str, Any, str]]:
    """Key, value and place (`file:line:column`) of each entry."""
    if not text.strip():
        return
    if len(text) > LARGEST_FILE:
        raise OptionsError(f"{name}: {len(text):,} characters are no config file; the limit is {LARGEST_FILE:,}")
    # Imported here: without a config file a start does not pay for the YAML reader.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    # Safe and composed only: nodes with their places, no constructor ever sees a tag or follows an alias.
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else name
        raise OptionsError(f"{where}: this is not YAML: {_one_line(error.problem or error)}") from None
    except ReaderError as error:
        before = text[: error.position]
        where = f"{name}:{before.count(chr(10)) + 1}:{error.position - before.rfind(chr(10))}"
        raise OptionsError(f"{where}: this is not YAML: {_one_line(error).partition(':')[0]}") from None
    except YAMLError as error:
        raise OptionsError(f"{name}: this is not YAML: {_one_line(error)}") from None
    except RecursionError:
        raise OptionsError(f"{name}: this is nested too deeply for a config file") from None
    if root is None or root.tag == f"{_TAG}null":
        return
    if root.id != "mapping":
        raise OptionsError(f"{_place(name, root)}: expected lines of 'option: value', got a {root.id}")
    yield from _pairs(yaml, root.value, name)


def _pairs(yaml: Any, pairs: Sequence[tuple[Any, Any]], name: str) -> Iterator[tuple[str, Any, str]]:
    seen: set[str] = set()
    for key, value in pairs:
        where = _place(name, value)
        if key.id != "scalar":
            raise OptionsError(f"{_place(name, key)}: an option name is a word, not a {key.id}")
        if key.value in seen:
            raise OptionsError(f"{_place(name, key)}: option {key.value} stands here twice")
        seen.add(key.value)
        if value.id == "sequence" and value.tag == f"{_TAG}seq":
            yield key.value, [_plain(yaml, item, key.value, name) for item in value.value], where
        else:
            yield key.value, _plain(yaml, value, key.value, name), where


def _plain(yaml: Any, node: Any, key: str, name: str) -> object:
    """The value of a node that must be a plain one. An alias that leads back to its own list is none."""
    tag = str(node.tag)
    if not tag.startswith(_TAG):
        raise OptionsError(f"{_place(name, node)}: option {key}: tags such as {tag} are not allowed here")
    match tag.removeprefix(_TAG):
        case "str" | "timestamp":
            return str(node.value)
        case "int" | "bool" | "null" | "float" as kind:
            try:
                value: object = yaml.constructor.construct_object(node)
            except (ValueError, KeyError):  # `!!int many`; numbers of more digits than Python reads
                text = str(node.value)
                shown = text if len(text) <= 20 else f"{text[:20]}…"
                raise OptionsError(f"{_place(name, node)}: option {key}: {shown!r} is no {kind}") from None
            return value
        case other:
            shape = {"map": "a mapping", "seq": "a list within a list"}.get(other, f"!!{other}")
            raise OptionsError(f"{_place(name, node)}: option {key}: expected a plain value, got {shape}")


def _place(name: str, node: Any) -> str:
    return f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _one_line(problem: object) -> str:
    return " ".join(str(problem).split())
