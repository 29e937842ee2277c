"""Handlers of events that are called otherwise today are not passed over in silence."""

import types

import pytest

from midstream.hub.events import DECLARATIONS
from midstream.hub.handlers import warnings_about
from midstream.hub.renamed_events import NOW


def warnings(source: str) -> list[str]:
    made = types.ModuleType("some_script")
    exec(compile(source, "/scripts/some_script.py", "exec"), made.__dict__)
    return list(warnings_about(made, DECLARATIONS))


@pytest.mark.parametrize("name", NOW)
def test_the_present_event_is_named(name: str) -> None:
    assert warnings(f"def {name}(data): ...") == [
        f"/scripts/some_script.py:1: {name} is an event of the past and never called; it is now {NOW[name]}"
    ]
    for words in (word for word in NOW[name].split() if "(" in word):
        event, parameter = words.rstrip(",").removesuffix(")").split("(")
        assert DECLARATIONS[event].parameters == (parameter,)


def test_a_method_is_found_too() -> None:
    (warning,) = warnings_about(type("Addon", (), {"clientconnect": lambda self, layer: None})(), DECLARATIONS)
    assert "it is now client_connected(client)" in warning


@pytest.mark.parametrize("source", ["def log(entry): ...", "def log(e: LogEntry): ..."])
def test_a_handler_of_log_entries(source: str) -> None:
    (warning,) = warnings(f"from __future__ import annotations\n{source}")
    assert "log is an event of the past" in warning and "add_log(entry)" in warning


@pytest.mark.parametrize("source", ["def log(message): ...", "def log(): ...", "def log(level, entry): ..."])
def test_a_function_of_ones_own(source: str) -> None:
    assert warnings(source) == []
