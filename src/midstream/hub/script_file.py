"""Run a Python file as a module of its own: what a user's script is before it becomes an addon.

Used by scripts.py. The file is compiled from its source each time: the cache that `import` keeps compares times by the
second, so a script saved twice within one would come back in its old form.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import itertools
import linecache
import logging
import os
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from midstream.hub.failures import one_line
from midstream.hub.log import PRIVATE_MODULE

_serial = itertools.count(1)

ErrorInfo = tuple[type[BaseException], BaseException, types.TracebackType | None]


class ScriptError(Exception):
    """A script cannot be loaded; the text is one line that starts with file and line."""


def load(path: Path, source: bytes, shown: str) -> types.ModuleType:
    """Execute `source`, which was read from `path`, as a fresh module; ScriptError when that fails in any way.

    The module gets a private name, so that it hides no other, and `shown` as its `name` unless it sets one.
    """
    name = f"{PRIVATE_MODULE}{next(_serial)}_{path.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:  # never, as a loader is given
        raise ScriptError(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    linecache.checkcache(str(path))  # tracebacks must show the lines as they are now
    # Dataclasses, pickle and typing look their module up by name.
    sys.modules[name] = module
    try:
        with _importing_from(path.parent):
            code = loader.source_to_code(source, str(path))
            exec(code, module.__dict__)  # noqa: S102 - running the user's own script is the point
    except BaseException as error:  # a script may raise SystemExit: it ends the script, not the program
        del sys.modules[name]
        raise ScriptError(where_it_failed(path, error)) from error
    if not hasattr(module, "name"):
        module.__dict__["name"] = shown
    # Handlers may import from there as well. Last: what this program has yet to import must not be found there.
    sys.path.append(str(path.parent))
    return module


def forget(module: types.ModuleType) -> None:
    """Take a module that is no longer used out of the table of modules, its logger out of that of loggers, and its
    folder off the path.

    Each form of a script has a name of its own: what stayed would pile up with each save.
    """
    if sys.modules.pop(module.__name__, None) is not None:
        _take_off_path(_folder_of(module))
    logging.Logger.manager.loggerDict.pop(module.__name__, None)


def where_it_failed(path: Path, error: BaseException) -> str:
    """`/x/script.py:3: NameError: …`: the last line of the script itself that was running."""
    if isinstance(error, SyntaxError):
        return f"{error.filename or path}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"
    return f"{place_in(path, error) or f'{path}:1'}: {one_line(error)}"


def place_in(path: Path, error: BaseException) -> str:
    """`/x/script.py:3`: the last line of the script that was running; empty when none was."""
    place = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == str(path):
            place = f"{path}:{number}"
    return place


def own_story(path: Path, error: BaseException) -> ErrorInfo | None:
    """What `logging` takes as exc_info: the traceback from the script's own first line on.

    None where that says no more than the line does: the script is wrong as a whole, rather than in one of its lines.
    """
    if isinstance(error, SyntaxError):
        return type(error), error, None
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != str(path):
        frame = frame.tb_next
    return None if frame is None else (type(error), error, frame)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """The script's own folder comes first for imports while it is loaded."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _folder_of(module: types.ModuleType) -> str:
    # Not `__file__`, which is the script's to change.
    return os.path.dirname(module.__spec__.origin or "") if module.__spec__ is not None else ""


def _take_off_path(entry: str) -> None:
    """Remove the last such entry: each module that is in use has one, and the user may have had it before."""
    for at in range(len(sys.path) - 1, -1, -1):
        if sys.path[at] == entry:
            del sys.path[at]
            return
