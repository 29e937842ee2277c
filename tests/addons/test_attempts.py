"""A request and its replays: which belong together, and stepping through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from midstream.addons.attempts import Attempts
from midstream.addons.view import ViewAddon
from midstream.flows.attempt import REPLAY_OF, attempt_of
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.store.view import View
from midstream.testing import context
from tests.kit.captured import START, http_flow


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        tests.master.addons.add(ViewAddon(tests.master.view), Attempts(tests.master.view))
        await tests.master.running()
        yield tests.master


@pytest.fixture
async def view(master: Master) -> View:
    kept: View = master.view
    return kept


async def run(line: str) -> Any:
    return await ctx.master.commands.execute(line)


def captured(view: View, number: int = 0) -> HTTPFlow:
    flow = http_flow(f"http://example.com/{number}", start=START + number)
    view.add(flow)
    return flow


def replayed(view: View, parent: HTTPFlow) -> HTTPFlow:
    attempt = attempt_of(parent)
    attempt.response = http_flow().response
    view.add(attempt)
    return attempt


async def test_all_attempts_are_known_from_each_of_them(view: View) -> None:
    first, other = captured(view), captured(view, 1)
    second = replayed(view, first)
    third = replayed(view, second)
    for flow in (first, second, third):
        assert await run(f"flow.attempts @{flow.id}") == [first, second, third]
    assert await run(f"flow.attempts @{other.id}") == [other]
    fourth = replayed(view, first)  # kept up with
    assert await run(f"flow.attempts @{third.id}") == [first, second, third, fourth]
    view.remove([second.id])
    assert await run(f"flow.attempts @{first.id}") == [first, fourth]


async def test_stepping_moves_the_focus(view: View, caplog: pytest.LogCaptureFixture) -> None:
    first = captured(view)
    captured(view, 1)
    second, third = replayed(view, first), replayed(view, first)
    view.set_focus(first.id)
    await run("view.attempt.next")
    assert view.focus_id == second.id
    assert "attempt 2 of 3" in caplog.text
    await run("view.attempt.next")
    with pytest.raises(CommandError, match="this is the last of 3 attempts"):
        await run("view.attempt.next")
    assert view.focus_id == third.id
    await run("view.attempt.prev")
    await run("view.attempt.prev")
    assert view.focus_id == first.id
    with pytest.raises(CommandError, match="this is the first of 3 attempts"):
        await run("view.attempt.prev")


async def test_choosing_one(view: View) -> None:
    first = captured(view)
    replayed(view, first)
    failed = replayed(view, first)
    failed.response = None
    view.update(failed)
    lines = await run("view.attempt.options")
    assert [line.split(",")[0] for line in lines] == ["flow 1", "flow 2", "flow 3"]
    assert "200, 5 bytes" in lines[0]
    assert lines[2].endswith("not answered yet")
    await ctx.master.commands.call("view.attempt.go", lines[2])
    assert view.focus_id == failed.id
    with pytest.raises(CommandError, match="flow 9 is no attempt"):
        await ctx.master.commands.call("view.attempt.go", "9")


async def test_what_has_no_attempts_and_what_is_hidden(master: Master, view: View) -> None:
    with pytest.raises(CommandError, match="no flow has the focus"):
        await run("view.attempt.next")
    first = captured(view)
    with pytest.raises(CommandError, match="this flow was not replayed"):
        await run("view.attempt.next")
    replayed(view, first)
    master.commands.execute("view.filter.set '!~replayq'")
    with pytest.raises(CommandError, match="flow 2 is hidden by the filter"):
        await run("view.attempt.next")


async def test_the_links_are_saved_and_circles_of_a_file_end(view: View) -> None:
    first = captured(view)
    second = HTTPFlow.from_state(attempt_of(first).get_state())
    view.add(second)
    assert await run(f"flow.attempts @{second.id}") == [first, second]
    one, two = captured(view, 5), captured(view, 6)
    one.is_replay = two.is_replay = "request"
    one.metadata[REPLAY_OF], two.metadata[REPLAY_OF] = two.id, one.id
    view.update(one)
    view.update(two)
    assert await run(f"flow.attempts @{one.id}") == [one, two]
