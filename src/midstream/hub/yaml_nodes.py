"""Reads YAML into nodes with their places, for files that people write: bounded, and without making any object.

The key files use it; errors are one line with file, line and column. Nothing here knows what stands in a file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

DEEPEST = 50
_TAG = "tag:yaml.org,2002:"


class BadYaml(ValueError):
    """A file that cannot be read as YAML; the message begins with the place."""


def read_bytes(path: Path, most: int) -> bytes:
    """What is in a regular file of at most `most` bytes. BadYaml: what is wrong with it."""
    try:
        # Not blocking: opening a named pipe would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise BadYaml(f"{path}: this is no ordinary file")
            content = opened.read(most + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, BadYaml):
            raise
        raise BadYaml(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > most:
        raise BadYaml(f"{path}: larger than {most:,} bytes")
    return content


def read_text(path: Path, most: int) -> str:
    """The text of such a file. BadYaml: what is wrong with it."""
    content = read_bytes(path, most)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise BadYaml(f"{path}:{line}:{column}: the file is not UTF-8") from None


def compose(text: str, name: str) -> Node | None:
    """The root node of the one document in `text`; None when it is empty. `name` begins the errors."""
    # Imported here: a start without such a file does not pay for the YAML reader.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    # The pure reader keeps marks on nodes; composing calls no constructor, so no tag makes an object.
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = DEEPEST
    yaml.composer.warn_double_anchors = False
    try:
        node: Node | None = yaml.compose(text)
        return node
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = error.problem or error.context or ""
        if problem.startswith("but "):  # the end of a sentence
            problem = f"{error.context}, {problem}"
        if problem.startswith("maximum depth"):  # newer readers of the library count it, older ones run into the stack
            problem = f"nested deeper than {DEEPEST} levels"
        elif problem.startswith("mapping values are not allowed"):
            problem = "no ':' is allowed here: is a text not in quotes, or a line indented wrongly?"
        raise BadYaml(f"{where}: {_one_line(problem)}") from None
    except ReaderError as error:
        before = text[: error.position]
        where = f"{name}:{before.count(chr(10)) + 1}:{error.position - before.rfind(chr(10))}"
        raise BadYaml(f"{where}: {_one_line(error).partition(':')[0]}") from None
    except YAMLError as error:
        raise BadYaml(f"{name}: this is not YAML: {_one_line(error)}") from None
    except RecursionError:
        raise BadYaml(f"{name}: nested deeper than {DEEPEST} levels") from None


def place(name: str, node: Node) -> str:
    """`name:line:column` of a node."""
    return f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def foreign_tag(node: Node) -> str:
    """The tag of a node that is not one of YAML's own (`!!python/name:os.system`), or nothing."""
    tag = str(node.tag or "")
    if not tag or tag.removeprefix(_TAG) in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value"):
        return ""
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag


def _one_line(problem: object) -> str:
    return " ".join(str(problem).split())
