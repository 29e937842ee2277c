"""What editors and viewers have in common: the program that the person prefers, and a private file to give it.

external_editor.py and external_viewer.py run it. Neither the file's bytes nor the program mean anything here.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path


class NoProgram(Exception):
    """No program could be run; the message says what to do."""


def find_program(
    environment: Mapping[str, str], variables: Sequence[str], fallbacks: Sequence[str], advice: str
) -> list[str]:
    """The command line that the first of the variables holds, else the first fallback that is installed.

    NoProgram, with `advice` where there is neither.
    """
    for name in variables:
        value = environment.get(name, "").strip()
        if value:
            try:
                return shlex.split(value)
            except ValueError as error:
                raise NoProgram(f"{name} is no command line: {value!r}: {error}") from None
    for name in fallbacks:
        if found := shutil.which(name):
            return [found]
    raise NoProgram(advice)


def private_file(data: bytes, suffix: str) -> Path:
    """A file 0600 in a folder 0700 of its own, where the program's swap and backup files are private too."""
    folder = Path(tempfile.mkdtemp(prefix="midstream-"))
    path = folder / f"edit{suffix}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, contextlib.suppress(BrokenPipeError):
        file.write(data)
    return path
