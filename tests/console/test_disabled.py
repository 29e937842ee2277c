"""A key that does nothing says why: nothing to do it to, or a flow of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, tcp_flow


def said(shown: Shown) -> str:
    shown_message = shown.console.messages.shown
    return shown_message[0] if shown_message is not None else ""


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("a", "a: this flow is not held"),
        ("V", "V: this flow was not edited"),
        ("U", "U: no flow is marked"),
        ("n", "n: nothing was searched for"),
        ("* d", "* d: no flow is marked"),
        ("e z", "e z does nothing here; ? shows the keys"),
        ("~", "~ does nothing here; ? shows the keys"),
    ],
)
async def test_keys_with_nothing_to_do(tmp_path: Path, keys: str, reason: str):
    async with shown_console(tmp_path) as shown:
        shown.console.view.add(http_flow("http://a.test/"))
        shown.press(*keys.split())
        assert said(shown) == reason


async def test_keys_for_other_flows(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        shown.press("r")
        assert said(shown) == "r: there is no flow in focus"
        shown.console.view.add(tcp_flow())
        shown.press("r")
        assert said(shown) == "r: this flow does not match ~http"
        shown.press("e", "b")
        assert said(shown) == "e b: this flow does not match ~http"


async def test_what_is_about_nothing_in_particular_always_works(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        before = shown.console.master.options.intercept_active
        shown.press("I")
        assert shown.console.master.options.intercept_active is not before
