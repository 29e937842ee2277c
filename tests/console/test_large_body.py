"""A body of 50 MB in the details: there at once, and nothing that is done with it holds the loop (console.md §7)."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.stopwatch import never_held, within

ITEM = b'{"sku":"A-1009","qty":2,"name":"some words here","tags":["a","b"],"price":12.5}'
JSON = ((b"Content-Type", b"application/json"),)
# 50 ms by design; the machine that runs the tests has other work too, which shows as a longer pause of everything.
MOST_HELD = 0.25


def body(separator: bytes = b",") -> bytes:
    return b"[" + separator.join([ITEM] * (50_000_000 // (len(ITEM) + len(separator)))) + b"]"


@pytest.fixture
async def shown(tmp_path: object) -> AsyncIterator[Shown]:
    async with shown_console(tmp_path) as made:  # type: ignore[arg-type]
        made.console.master.worker  # noqa: B018 - it is there
        yield made


async def open_body(shown: Shown, data: bytes) -> None:
    """Open the response, which is on the screen at once."""
    flow = http_flow("http://h/", response_body=data, response_headers=JSON)
    shown.view.add(flow)
    with within(0.5):  # 0.1 s by design
        shown.press("enter", "tab")
        assert "sku" in shown.text


@pytest.mark.parametrize("separator", [b",", b",\n"], ids=["one line", "many lines"])
async def test_it_is_there_at_once_and_keys_are_not_felt(shown: Shown, separator: bytes) -> None:
    data = body(separator)
    async with never_held(MOST_HELD):
        await open_body(shown, data)
        await shown.until(lambda: "= makes it pretty" in shown.text, 30)
        for key in ("G", "g", "page down", "down", "G", "up"):
            with within(MOST_HELD):
                shown.press(key)
                assert shown.text
            await asyncio.sleep(0)


async def test_searching_counts_all_and_holds_nobody_up(shown: Shown) -> None:
    data = body(b",\n")
    await open_body(shown, data)
    await shown.until(lambda: "= makes it pretty" in shown.text, 30)
    count = f"1 of {data.count(b'qty'):,}"
    async with never_held(MOST_HELD):
        shown.press("/", "qty", "enter")
        await shown.until_shown("searching")
        await shown.until(lambda: count in shown.text, 60)
        shown.press("/", '"q.y": ?2', "enter")
        await shown.until(lambda: "searching" not in shown.text and count in shown.text, 60)


async def test_an_expression_that_backtracks_for_ever_is_stopped_after_two_seconds(shown: Shown) -> None:
    await open_body(shown, b'{"sku": "' + b"a" * 50_000_000 + b'"}')
    await asyncio.sleep(0)
    async with never_held(MOST_HELD):
        start = time.perf_counter()
        shown.press("/", "(a+)+$", "enter")
        await shown.until(lambda: "it was stopped after 2 s" in shown.text, 30)
        assert 1.5 < time.perf_counter() - start < 25


async def test_the_pretty_form_tells_how_far_it_is_and_esc_stops_it(shown: Shown) -> None:
    await open_body(shown, body())
    await shown.until(lambda: "= makes it pretty" in shown.text, 30)
    async with never_held(MOST_HELD):
        shown.press("=")
        await shown.until_shown("pretty …, esc stops")
        await shown.until(lambda: " %, esc stops" in shown.text, 60)
        shown.press("down", "down")
        shown.press("esc")
        await shown.until_shown("pretty was stopped, = makes it")
        assert shown.console.pane.name == "detail", "esc did one thing"
