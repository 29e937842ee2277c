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
        (", a", ", a: this flow was not replayed"),
        (", x", ", x: nothing is being read or saved"),
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
        before = shown.console.master.options.console_quickhelp_visible
        shown.press("H")
        assert shown.console.master.options.console_quickhelp_visible is not before


async def test_holding_is_switched_only_where_a_filter_says_what_to_hold(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        options = shown.console.master.options
        shown.press("I")
        assert said(shown) == "I: no filter says what to hold: i sets one"
        options.update(intercept="~m POST")
        shown.press("I")
        assert not options.intercept_active


async def test_keys_of_the_details_work_before_their_first_frame(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        shown.console.view.add(http_flow("http://a.test/", response_body=b'{"a":1}'))
        shown.console.open_pane("detail")
        pane = shown.console.focused_pane
        assert pane.why_not("console.flowview.raw") == ""
        assert pane.why_not("console.flowview.mode.choose") == ""
