"""The list of the examples is complete, and each example says what it is and how to run it."""

import ast
import re
from pathlib import Path

import pytest

from tests.kit.example_run import EXAMPLES

FILES = sorted(EXAMPLES.glob("*.py"))


def test_the_list_names_exactly_what_is_there() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.py\) \| .+ \| .+ \|$", text, re.MULTILINE)
    assert sorted(listed) == [file.stem for file in FILES]
    linked = {name for name in re.findall(r"\]\(([^)]+)\)", text) if not name.startswith("http")}
    assert linked == {file.name for file in EXAMPLES.iterdir() if file.is_file()} - {"README.md"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_tells_how_to_run_it(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    first, _, rest = docstring.partition("\n")
    assert first.endswith((".", "?"))
    assert re.search(rf"^ *(midstream|middump) .*-s examples/addons/{file.name}\b", rest, re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_uses_public_modules_only(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("midstream."):
            assert (node.module or "").count(".") == 1
            assert node.module in {"midstream.addonmanager", "midstream.connection", "midstream.script"}
