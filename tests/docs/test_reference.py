"""The reference pages say what the declarations say now."""

from __future__ import annotations

import asyncio
import importlib.util
import types

from tests.docs.pages import DOCS, MADE


def generator() -> types.ModuleType:
    """docs/make_reference.py, which stands in no package."""
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_is_stale() -> None:
    pages = asyncio.run(generator().made())
    stale = [name for name, text in pages.items() if (DOCS / name).read_text("utf-8") != text]
    assert not stale, "run docs/make_reference.py"
    assert {str(page.relative_to(DOCS)) for page in MADE} == pages.keys()


def test_each_event_has_a_group_that_is_described() -> None:
    module = generator()
    assert {each.group for each in module.DECLARATIONS.values()} == set(module.GROUPS)


def test_what_is_emitted_is_found_in_the_source() -> None:
    emitted = generator().names_emitted()
    assert {"load", "configure", "running", "done", "update", "add_log", "request", "tcp_message"} <= emitted
    assert "quic_start_client" not in emitted
