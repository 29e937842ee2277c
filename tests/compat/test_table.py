"""Every row of the module map means something: an object that is there, or a sentence."""

import importlib

import pytest

from midstream.compat import lookup
from midstream.compat.names_old import OLD_MODULES, OLD_NAMES
from midstream.compat.rows import EVERYTHING, Absent, Later, Same
from midstream.compat.table import CLOSED, MODULES

ROWS = [
    pytest.param(path, name, row, id=f"{path}.{name}".strip("."))
    for path, rows in MODULES.items()
    for name, row in rows.items()
]
LATE = {"master", "options", "log"}  # of ctx: there only while a master runs


def full(path: str) -> str:
    return f"mitmproxy.{path}" if path else "mitmproxy"


@pytest.mark.parametrize("path", MODULES)
def test_every_module_is_imported(path: str) -> None:
    module = importlib.import_module(full(path))
    assert module.__name__ == full(path)
    for name in module.__all__:
        if path != "ctx":
            assert getattr(module, name) is getattr(module, name)


@pytest.mark.parametrize(("path", "name", "row"), ROWS)
def test_every_row_holds(path: str, name: str, row: Same | Later | Absent) -> None:
    module = importlib.import_module(full(path))
    if name == EVERYTHING:
        assert isinstance(row, Same) and lookup.names_of(path)
    elif isinstance(row, Same) and not (path == "ctx" and name in LATE):
        assert getattr(module, name) is getattr(importlib.import_module(row.module), row.name)
        assert name in dir(module)
    elif not isinstance(row, Same):
        text = row.brings if isinstance(row, Later) else row.instead
        with pytest.raises(AttributeError) as by_attribute:
            getattr(module, name)
        with pytest.raises(ImportError) as by_import:
            exec(f"from {full(path)} import {name}", {})
        for error in (by_attribute, by_import):
            assert str(error.value).startswith(f"{full(path)}.{name}: ")
            assert text in str(error.value)


@pytest.mark.parametrize(("path", "row"), CLOSED.items())
def test_every_closed_module_says_why(path: str, row: Later | Absent) -> None:
    text = row.brings if isinstance(row, Later) else row.instead
    parent, _, name = full(path).rpartition(".")
    statements = [f"import {full(path)}.below", f"from {full(path)} import anything"]
    if path not in MODULES:  # tools.console can be imported, for its master
        statements.append(f"import {full(path)}")
    if path.rpartition(".")[0] in MODULES and path not in MODULES:
        statements.append(f"from {parent} import {name}")
    for statement in statements:
        with pytest.raises(ImportError) as error:
            exec(statement, {})
        assert text in str(error.value), statement


def test_no_name_of_the_present_is_called_old() -> None:
    assert not [path for path in OLD_MODULES if path in MODULES]
    both = [(path, name) for path, rows in OLD_NAMES.items() for name in rows if isinstance(MODULES[path][name], Same)]
    assert not both


def test_old_names_stand_in_modules_that_exist() -> None:
    assert not set(OLD_NAMES) - set(MODULES)


def test_no_shim_is_left_over() -> None:
    # What no row names can go.
    used = {row.module for rows in MODULES.values() for row in rows.values() if isinstance(row, Same)}
    from tests.architecture.source_tree import PACKAGE

    files = {path.stem for path in (PACKAGE / "compat" / "shims").glob("*.py")} - {"__init__"}
    assert {f"midstream.compat.shims.{stem}" for stem in files} <= used
