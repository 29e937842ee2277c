"""Door modules hold imports and `__all__`, nothing else, and what they promise is there."""

import ast
import importlib
from pathlib import Path

import pytest

from tests.architecture.source_tree import doors, name_of, parsed

DOORS = [pytest.param(path, id=path.stem) for path in doors()]


def is_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):  # `if TYPE_CHECKING:` for names that exist late
        return ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse and all(map(is_import, node.body))
    return isinstance(node, ast.Import | ast.ImportFrom)


def is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


@pytest.mark.parametrize("path", DOORS)
def test_a_door_only_imports(path: Path) -> None:
    module = parsed(path)
    assert ast.get_docstring(module), f"{name_of(path)} does not say whose door it is"
    others = [node for node in module.body[1:] if not is_import(node) and not is_all(node)]
    assert not others, [f"{name_of(path)}:{node.lineno}: {ast.unparse(node)[:80]}" for node in others]


@pytest.mark.parametrize("path", DOORS)
def test_what_a_door_promises_is_there(path: Path) -> None:
    door = importlib.import_module(f"midstream.{path.stem}")
    assert door.__all__ == sorted(door.__all__)
    for name in door.__all__:
        assert hasattr(door, name)
