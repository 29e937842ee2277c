"""The search through the bodies of very many flows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.console import search_flows
from midstream.flows.flow import Flow
from midstream.store.view import View
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Shown]:
    async with shown_console(tmp_path) as shown:
        yield shown


async def test_where_to_go_is_not_asked_of_all_hits_at_each_further_one(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    index = View.index

    def counted(view: View, id_: str) -> int | None:
        asked.append(id_)
        return index(view, id_)

    monkeypatch.setattr(View, "index", counted)
    monkeypatch.setattr(search_flows, "_GLANCE", 0)
    flows: list[Flow] = [http_flow("http://shop.example/", response_body=b"a needle") for _ in range(200)]
    for flow in flows:
        shown.view.add(flow)
    shown.view.set_focus(flows[0].id)
    shown.press("/", *"needle", "tab")
    search = shown.console.search.flows
    await shown.until(lambda: not search.is_running and len(search.found) == 200)
    assert shown.view.focus_id == flows[1].id
    assert len(asked) < 20 * len(flows), "100,000 hits would hold the loop at each report"
