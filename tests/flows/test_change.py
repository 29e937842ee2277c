"""What was changed on a flow: saved with it, read again from anybody's file, and taken back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.change import (
    KEY,
    LARGEST_KEPT,
    LARGEST_SAVED,
    MOST_CHANGES,
    Change,
    NotKept,
    Part,
    from_states,
    kept_parts,
)
from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.parts import CannotUndo, differences, lines_of, snapshot, take_back
from midstream.testing import tdnsflow, tflow, ttcpflow


def noted(flow: Flow, before: tuple[Any, ...], who: str = "somebody") -> Change:
    change = Change(who, "request", kept_parts(differences(flow, before, snapshot(flow))))
    flow.note_change(change)
    return change


def edited() -> HTTPFlow:
    flow = tflow(resp=True)
    before = snapshot(flow)
    flow.request.headers["x-new"] = "1"
    flow.request.path = "/other"
    flow.response.content = b"another"  # type: ignore[union-attr]
    flow.marked = ":default:"
    noted(flow, before)
    return flow


def test_only_what_differs_is_a_part() -> None:
    names = [part.name for part in edited().changes[0].parts]
    assert names == ["marked", "request.path", "request.headers", "response.content"]


def test_changes_are_saved_with_the_flow_and_out_of_the_way_of_scripts() -> None:
    flow = edited()
    state = flow.get_state()
    assert KEY in state["metadata"]
    again = HTTPFlow.from_state(state)
    assert again.changes == flow.changes
    assert KEY not in again.metadata
    assert again.get_state() == state


def test_a_note_of_a_change_is_no_edit() -> None:
    flow = tflow()
    flow.backup()
    flow.note_change(Change("somebody", "request", (Part("marked", "", ":a:"),)))
    assert not flow.modified()
    flow.request.path = "/other"
    flow.revert()
    assert len(flow.changes) == 1  # who did what stays known


def test_a_change_is_taken_back_part_by_part() -> None:
    flow, as_it_was = tflow(resp=True), tflow(resp=True)
    before = snapshot(flow)
    flow.request.method = "PUT"
    flow.request.host = "other.test"
    flow.request.headers["x-new"] = "1"
    flow.request.content = b"body"
    flow.response = None
    change = noted(flow, before)
    take_back(flow, change)
    assert flow.request.get_state() == as_it_was.request.get_state()
    assert flow.response is not None
    assert as_it_was.response is not None
    assert flow.response.raw_content == as_it_was.response.raw_content
    assert flow.response.headers.fields == as_it_was.response.headers.fields


def test_an_answer_that_was_made_goes_again() -> None:
    flow = tflow()
    before = snapshot(flow)
    flow.response = Response.make(418)
    take_back(flow, noted(flow, before))
    assert flow.response is None


def test_the_message_of_a_conversation_is_taken_back() -> None:
    flow = ttcpflow()
    before = snapshot(flow)
    said = flow.messages[-1].content
    flow.messages[-1].content = b"other"
    take_back(flow, noted(flow, before))
    assert flow.messages[-1].content == said


def test_what_was_changed_again_is_not_taken_back() -> None:
    flow = tflow()
    before = snapshot(flow)
    flow.request.path = "/one"
    flow.marked = ":a:"
    first = noted(flow, before)
    flow.request.path = "/two"
    with pytest.raises(CannotUndo, match=r"request\.path: it was changed again since"):
        take_back(flow, first)
    assert (flow.marked, flow.request.path) == (":a:", "/two")  # nothing of it


def test_dns_is_taken_back_unless_it_was_saved_meanwhile() -> None:
    flow = tdnsflow(resp=True)
    assert flow.response is not None
    before, answers = snapshot(flow), list(flow.response.answers)
    flow.response.answers.clear()
    change = noted(flow, before)
    flow.note_change(change)
    again = DNSFlow.from_state(flow.get_state())
    with pytest.raises(CannotUndo, match="cannot be put back"):
        take_back(again, again.changes[0])
    take_back(flow, change)
    assert flow.response.answers == answers
    take_back(flow, Change("you", "redo", tuple(Part(name, after, old) for name, old, after in change.parts)))
    assert flow.response.answers == []


def test_large_bodies_are_kept_once_only() -> None:
    flow = tflow()
    flow.request.content = b"x" * (LARGEST_KEPT + 1)
    before = snapshot(flow)
    flow.request.content = b"y" * (LARGEST_SAVED + 1)
    change = noted(flow, before)
    body = change.parts[-1]
    assert body.before == NotKept(LARGEST_KEPT + 1)
    assert len(body.after) == LARGEST_SAVED + 1
    with pytest.raises(CannotUndo, match="not known any more"):
        take_back(flow, change)
    assert HTTPFlow.from_state(flow.get_state()).changes[0].parts[-1].after == NotKept(LARGEST_SAVED + 1)


def test_a_conversation_without_end_does_not_collect_changes_without_end() -> None:
    flow = ttcpflow()
    for number in range(MOST_CHANGES + 5):
        flow.note_change(Change("somebody", "tcp_message", (Part("marked", "", str(number)),)))
    assert len(flow.changes) == MOST_CHANGES
    assert flow.changes[0].parts[0].after == "5"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(plain)
def test_whatever_a_file_says_is_read_or_passed_over(states: object) -> None:
    from_states(states)
    from_states([{"who": "a", "during": "b", "timestamp": 1, "undone": False, "parts": states}])
    for change in from_states(
        [{"who": "a", "during": "b", "timestamp": 1, "undone": False, "parts": [["request.headers", states, None]]}]
    ):
        assert all(isinstance(sign + text, str) for part in change.parts for sign, text in lines_of(part))


def test_headers_are_shown_by_field() -> None:
    part = Part("request.headers", ((b"a", b"1"), (b"b", b"2")), ((b"b", b"2"), (b"c", b"3")))
    assert list(lines_of(part)) == [("-", "a: 1"), ("+", "c: 3")]
    turned = Part("request.headers", ((b"a", b"1"), (b"b", b"2")), ((b"b", b"2"), (b"a", b"1")))
    assert list(lines_of(turned)) == [(" ", "in another order")]


@pytest.mark.parametrize(
    "name",
    [
        "messages[9].content",
        "messages[-1].content",
        "messages[0].headers",
        "messages[\u0660].content",
        "x.path",
        "content",
    ],
)
def test_a_part_that_no_flow_has_is_not_taken_back(name: str) -> None:
    for flow in (ttcpflow(), tflow(), tdnsflow()):
        with pytest.raises(CannotUndo, match="cannot be put back"):
            take_back(flow, Change("somebody", "request", (Part(name, None, None),)))


def test_the_message_that_was_changed_is_known_again_in_a_file() -> None:
    flow = ttcpflow()
    before = snapshot(flow)
    flow.messages[-1].content = b"other"
    noted(flow, before)
    again = type(flow).from_state(flow.get_state())
    take_back(again, again.changes[0])
    assert again.messages[-1].content == before[3]
