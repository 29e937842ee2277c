"""`pydoc midstream.http` and its like: every class and attribute that an addon author meets says what it is."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pydoc
import textwrap

import pytest

import midstream

DOORS = ("connection", "dns", "flow", "http", "tcp", "tls", "udp", "websocket")
OTHERS = (
    "addonmanager",
    "command",
    "contentviews",
    "ctx",
    "exceptions",
    "flowfilter",
    "io",
    "log",
    "master",
    "options",
    "optmanager",
    "script",
    "testing",
    "types",
)


@pytest.mark.parametrize("name", [*DOORS, *OTHERS])
def test_a_door_shows_documented_things(name: str) -> None:
    module = importlib.import_module(f"{midstream.__name__}.{name}")
    assert inspect.getdoc(module)
    for exported in module.__all__:
        each = getattr(module, exported)
        if inspect.isclass(each) or inspect.isfunction(each):
            assert inspect.getdoc(each), exported


@pytest.mark.parametrize("name", [*DOORS, *OTHERS])
def test_the_examples_of_a_door_are_python(name: str) -> None:
    text = inspect.getdoc(importlib.import_module(f"{midstream.__name__}.{name}")) or ""
    indented = "\n".join(line for line in text.splitlines() if line.startswith("    ") or not line)
    compile(textwrap.dedent(indented), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("name", DOORS)
def test_every_attribute_says_what_it_is(name: str) -> None:
    module = importlib.import_module(f"{midstream.__name__}.{name}")
    silent = [
        f"{exported}.{attribute}"
        for exported in module.__all__
        for each in [getattr(module, exported)]
        if inspect.isclass(each) and not dataclasses.is_dataclass(each)
        for attribute, value in inspect.getmembers(each)
        if not attribute.startswith("_") and (callable(value) or inspect.isdatadescriptor(value))
        if not inspect.getdoc(value)
    ]
    assert not silent


def test_no_machinery_is_shown() -> None:
    text = pydoc.plain(pydoc.render_doc("midstream.http"))
    assert "What the client asks for." in text
    assert "attrgetter" not in text
