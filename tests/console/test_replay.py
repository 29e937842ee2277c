"""Replays as the console shows them: keys, the status bar, the title of the details."""

from __future__ import annotations

from pathlib import Path

from midstream.addons.modifyheaders import ModifyHeaders
from midstream.addons.redact import Redact
from midstream.addons.throttle import Throttle
from midstream.flows.attempt import REPLAY_OF, attempt_of
from tests.console.masters import shown_console
from tests.kit.captured import http_flow, tcp_flow


async def test_a_replay_says_of_which_row_it_is_one(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        parent = http_flow("http://a.test/first")
        attempt = attempt_of(parent)
        attempt.response = parent.response
        answered = http_flow("http://a.test/answered")
        answered.is_replay = "response"
        for flow in (tcp_flow(), parent, attempt, answered):
            shown.view.add(flow)
        titles = {}
        for flow in (parent, attempt, answered):
            shown.view.set_focus(flow.id)
            shown.press("enter")
            titles[flow.id] = shown.lines[1]
            shown.press("q")
        assert titles[parent.id].rstrip().endswith("R replayed as 3")
        assert titles[attempt.id].rstrip().endswith("R replay of 2")
        assert titles[answered.id].rstrip().endswith("R answer replayed")
        assert [line[:2] for line in shown.lines if "a.test" in line] == ["  ", ">R", "R "]  # by time
        shown.view.remove([parent.id])
        shown.view.set_focus(attempt.id)
        shown.press("enter")
        assert shown.lines[1].rstrip().endswith("R replay")


async def test_the_keys_replay_and_the_status_bar_counts(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        call = shown.console.master.commands.call
        shown.console.master.addons.get("clientplayback")._is_on = False  # there is no proxy to send anything by
        flows = [http_flow(f"http://a.test/{number}") for number in range(3)]
        for flow in flows:
            shown.view.add(flow)
        shown.press("r")
        assert call("replay.client.count") == 1
        flows[1].marked = flows[2].marked = ":default:"
        for flow in flows:
            shown.view.update(flow)
        shown.press("*", "r")
        assert call("replay.client.count") == 3
        assert "replaying 3" in shown.lines[-2]
        call("replay.client.stop")
        shown.press("S", "enter")
        assert call("replay.server.count") == 3
        assert "answers left 3" in shown.lines[-2] and "replaying" not in shown.lines[-2]
        # Without any left, it is seen why nothing is let through.
        call("replay.server", [])
        shown.press("g")
        assert "answers left" not in shown.lines[-2]
        shown.console.master.options.server_replay_extra = "kill"
        shown.press("g")
        assert "answers left 0" in shown.lines[-2]
        call("replay.server.stop")
        shown.press("g")
        assert "answers left" not in shown.lines[-2]


async def test_the_status_bar_counts_rules_that_are_on(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        options = shown.console.master.options
        shown.console.master.addons.add(Throttle(), ModifyHeaders(), Redact())
        assert "throttle" not in shown.lines[-2]
        options.update(throttle=["3g"], modify_headers=["/~q/a/b", "/~s/a/b"], redact=True)
        shown.press("g")
        assert "redact   throttle 1   modify_headers 2" in shown.lines[-2]


async def test_a_draft_is_a_copy_without_an_answer_that_knows_whose_it_was(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        parent = http_flow("http://a.test/first")
        shown.view.add(parent)
        shown.press("R")
        draft = shown.view.get(shown.view.focus_id)
        assert draft is not None and draft is not parent and len(shown.view) == 2
        assert draft.response is None and draft.is_replay is None and draft.metadata[REPLAY_OF] == parent.id
        shown.press("enter")
        assert shown.lines[1].rstrip().endswith("  r sends it")
        assert "replay" not in shown.lines[1], "it is none yet"
        assert attempt_of(draft) is draft


async def test_the_link_to_a_flow_that_the_filter_hides_takes_the_filter_off(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        parent = http_flow("http://a.test/first")
        attempt = attempt_of(parent)
        for flow in (parent, attempt):
            shown.view.add(flow)
        shown.options.view_filter = "~replay"
        shown.view.set_focus(attempt.id)
        shown.press("enter", "[")
        assert "replay of" in shown.text
        shown.press("down", "enter")
        assert shown.view.focus_id == parent.id
        assert "flow 1 was hidden by ~replay" in shown.text


async def test_a_request_that_was_not_sent_says_which_key_sends_it(tmp_path: Path):
    async with shown_console(tmp_path) as shown:
        shown.view.add(http_flow("http://a.test/first"))
        shown.press("enter")
        assert "sends it" not in shown.text
        shown.press("R")
        assert shown.lines[1].rstrip().endswith("r sends it")
