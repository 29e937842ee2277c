"""Which flows can be sent again, and as what."""

from __future__ import annotations

import pytest

from midstream.flows.attempt import REPLAY_OF, attempt_of, why_not
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from tests.kit.captured import dns_flow, http_flow, udp_flow


def test_an_attempt_has_the_request_and_nothing_of_what_came_of_it():
    parent = http_flow("https://h.test:8443/a", "POST", request_body=b"body", request_headers=((b"X-One", b"1"),))
    parent.error, parent.comment, parent.marked = Error("it broke"), "mine", ":dog:"
    parent.metadata = {"mine": 1, "response_body_cut": "first 3 bytes", REPLAY_OF: "another"}
    before = parent.get_state()
    attempt = attempt_of(parent)
    assert attempt is not parent and attempt.id != parent.id
    assert attempt.request is not parent.request
    times = {"timestamp_start": 0, "timestamp_end": 0}
    assert {**attempt.request.get_state(), **times} == {**parent.request.get_state(), **times}
    assert (attempt.response, attempt.error, attempt.websocket, attempt.comment, attempt.marked) == (
        None,
        None,
        None,
        "",
        "",
    )
    assert attempt.metadata == {"mine": 1, REPLAY_OF: parent.id}
    assert attempt.is_replay == "request"
    attempt.request.content = b"other"
    assert parent.get_state() == before


def test_what_was_never_sent_is_sent_itself():
    draft = http_flow(status=None)
    assert attempt_of(draft) is draft and draft.is_replay == "request" and not draft.metadata
    failed = http_flow(status=None)
    failed.error = Error("it broke")
    assert attempt_of(failed) is not failed


def flow(**changes: object) -> HTTPFlow:
    made = http_flow("http://h.test/", "POST", request_body=b"x")
    for name, value in changes.items():
        setattr(made.request if hasattr(made.request, name) and name != "metadata" else made, name, value)
    return made


def with_length(value: str | None, **changes: object) -> HTTPFlow:
    made = flow(raw_content=None, **changes)
    if value is not None:
        made.request.headers["Content-Length"] = value
    return made


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (dns_flow(), "it is a DNS flow"),
        (udp_flow(), "it is a UDP flow"),
        (flow(live=True), "still under way"),
        (flow(intercepted=True), "it is held"),
        (flow(method="CONNECT"), "only opens a tunnel"),
        (flow(host=""), "not where to go"),
        (flow(port=0), "not where to go"),
        (flow(scheme="ftp"), "neither http nor https"),
        (flow(metadata={"request_body_cut": "first 3 bytes"}), "was not kept"),
        (flow(metadata={"messages_dropped": 3}), "first messages were not kept"),
        (with_length("5"), "was not kept"),
        (with_length(None, http_version="HTTP/2.0"), "was not kept"),
    ],
)
def test_what_cannot_be_sent(made: HTTPFlow, why: str):
    assert why in why_not(made)


@pytest.mark.parametrize(
    "made", [flow(), with_length("0"), with_length(None), with_length(None, http_version="HTTP/2.0", method="GET")]
)
def test_what_can_be_sent(made: HTTPFlow):
    assert why_not(made) == ""
