"""Flows of hostile sizes: whatever is opened of them, nothing fails and the loop is not held for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.stopwatch import within

MOST = 0.25
"""Seconds of work for a key and its frame, whatever runs beside it. Aimed at are 50 ms; CI may be slower."""


def a_large_header() -> HTTPFlow:
    return http_flow(request_headers=((b"X-Large", b"a b" * 350_000),), response_headers=((b"X-Large", b"x" * 2**20),))


def many_headers() -> HTTPFlow:
    fields = tuple((b"X-%d" % number, b"value %d" % number) for number in range(10_000))
    return http_flow(request_headers=fields, response_headers=fields)


def a_large_cookie() -> HTTPFlow:
    cookie = b"; ".join([b"name%d=value" % number for number in range(60_000)])
    return http_flow(
        request_headers=((b"Cookie", cookie),), response_headers=((b"Set-Cookie", b"a=" + b"x" * 2**20 + b"; Path=/"),)
    )


def a_long_query() -> HTTPFlow:
    return http_flow("http://example.com/?" + "&".join([f"name{number}=value" for number in range(100_000)]))


def a_deep_path() -> HTTPFlow:
    return http_flow("http://example.com/" + "a/" * 100_000)


KEYS: list[tuple[str, ...]] = [
    ("P", "P"),
    ("enter", "end", "home", "f", "f", "tab", "end", "tab", "tab", "tab", "1"),
    ("enter", "/", "valu", "enter", "n", "1"),
    ("T", "right", "right", "1"),
    ("c", "enter", "tab", "1"),
    ("e", "h", "down", "end", "enter", "esc", "q"),
    ("e", "q", "down", "end", "enter", "esc", "q"),
    ("e", "c", "down", "end", "enter", "esc", "q"),
    ("e", "p", "down", "end", "enter", "esc", "q"),
    ("e", "C", "down", "enter", "esc", "q"),
    ("e", "r", "down", "esc"),
    ("e", "u", "left", "x", "esc"),
    ("x", "h", "r", "p", "esc"),
    ("f", "~d ", "tab", "esc", "esc"),
    ("f", "~hq name5 & ~u name", "esc"),
    ("ctrl p", "name", "esc"),
    ("/", "value", "esc"),
    ("y", "esc"),
    ("D", "d", "u"),
]


@pytest.mark.parametrize("make", [a_large_header, many_headers, a_large_cookie, a_long_query, a_deep_path])
async def test_no_key_holds_the_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, make: Callable[[], HTTPFlow]
) -> None:
    async with shown_console(tmp_path) as shown:
        shown.view.add(make())
        shown.view.add(make())
        shown.view.set_focus(next(iter(shown.view.all_ids)))
        assert shown.text
        for keys in KEYS:
            for key in keys:
                with within(MOST, f"{key} of {keys}"):
                    shown.press(key)
                    assert shown.text
                await asyncio.sleep(0)
            tidy(shown)
    assert not [record.getMessage() for record in caplog.records if record.exc_info]


async def test_what_is_too_long_says_so(tmp_path: Path) -> None:
    async with shown_console(tmp_path) as shown:
        shown.view.add(a_long_query())
        shown.press("e", "q")
        assert "it has 100,000 parts, and up to 5,000 are edited as a table" in shown.text
        shown.press("enter", "end")
        assert "more bytes of the query are not shown" in shown.text
    async with shown_console(tmp_path) as shown:
        shown.view.add(a_large_cookie())
        shown.press("e", "c")
        assert "it has 59,999 parts" in shown.text


def tidy(shown: Shown) -> None:
    if shown.console.active_prompt is not None:
        shown.console.active_prompt.close()
        shown.console.active_prompt = None
    shown.console.boxes.clear()
    shown.console.open_pane("flows")
