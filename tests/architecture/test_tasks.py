"""Every task lives in a TaskGroup (architecture.md §3): a bare task is one whose failure nobody sees."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import name_of, parsed, sources

# Where a bare task is made on purpose, and why.
ALLOWED = {
    "midstream/compat/shims/asyncio_tasks.py": "old scripts ask for a task; who asked looks after it",
    "midstream/hub/endurance.py": "the task that is the whole program; what it raises is the program's end",
    "midstream/hub/background.py": "the one set of tasks per master that nobody awaits; it logs and cancels them",
}


def task_groups(module: ast.Module) -> set[str]:
    """The names (`group`, `self._tasks`) that this module binds to a TaskGroup or annotates as one."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.withitem) and node.optional_vars is not None and is_group(node.context_expr):
            names.add(ast.unparse(node.optional_vars))
        elif isinstance(node, ast.Assign) and is_group(node.value):
            names.update(map(ast.unparse, node.targets))
        elif isinstance(node, ast.AnnAssign) and is_group(node.annotation):
            names.add(ast.unparse(node.target))
        elif isinstance(node, ast.arg) and node.annotation is not None and is_group(node.annotation):
            names.add(node.arg)
    return names


def is_group(node: ast.expr) -> bool:
    """asyncio's, or the one of proxy/groups.py that is made of it."""
    return re.search(r"\b(Task)?Group\b", ast.unparse(node)) is not None


def bare_tasks(path: Path) -> Iterator[str]:
    module = parsed(path)
    groups = task_groups(module)
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(attr="create_task" | "ensure_future", value=owner) if ast.unparse(owner) not in groups:
                yield f"{name_of(path)}:{node.lineno}"
            case ast.Name(id="create_task" | "ensure_future"):
                yield f"{name_of(path)}:{node.lineno}"


def test_no_task_outside_a_task_group() -> None:
    found = [place for path in sources() for place in bare_tasks(path)]
    assert not [place for place in found if place.partition(":")[0] not in ALLOWED], found


def test_what_is_allowed_is_still_needed() -> None:
    found = {place.partition(":")[0] for path in sources() for place in bare_tasks(path)}
    assert found == set(ALLOWED)
