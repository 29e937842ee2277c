"""The house rules that a file shows by itself (architecture.md §5)."""

import ast
import re
from pathlib import Path

from tests.architecture.source_tree import PACKAGE, REPOSITORY, name_of, parsed, sources

LONGEST_FILE = 450  # the aim is 400; beyond this it is two things in one file
LONGEST_FUNCTION = 60  # the aim is 40
VAGUE = {"utils", "util", "misc", "common", "helpers", "helper", "stuff"}
UNFINISHED = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")


def test_no_file_is_too_long() -> None:
    long = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert not {name: lines for name, lines in long.items() if lines > LONGEST_FILE}


def test_no_function_is_too_long() -> None:
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name != "load"  # of an addon: a list of declarations, which reads well at any length
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long


def test_every_file_says_what_it_is() -> None:
    # The __init__ of a room without a docstring would be a room without a purpose, so it counts too.
    silent = [name_of(path) for path in sources() if not ast.get_docstring(parsed(path))]
    assert not silent


def test_no_name_is_vague() -> None:
    assert not [name_of(path) for path in sources() if VAGUE & set(path.relative_to(PACKAGE).with_suffix("").parts)]


def test_nothing_is_left_to_do() -> None:
    folders = [PACKAGE, REPOSITORY / "tests", REPOSITORY / "bench", REPOSITORY / "examples"]
    places = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert not places
