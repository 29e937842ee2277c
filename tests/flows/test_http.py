"""HTTP flows."""

import pickle
from pathlib import Path

import pytest

import midstream.http
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow, Request, Response
from tests.kit.captured import http_flow, websocket_flow


def test_parts_of_a_new_flow() -> None:
    flow = HTTPFlow(http_flow().client_conn, http_flow().server_conn)
    assert (flow.response, flow.websocket, flow.error, flow.live) == (None, None, None, False)
    assert flow.type == "http"
    assert flow.timestamp_created > 0


def test_the_constructor_sets_all_that_the_base_does() -> None:
    client, server = http_flow().client_conn, http_flow().server_conn
    flow, base = HTTPFlow(client, server, True), Flow(client, server, True)
    for name in Flow.__slots__:
        if not name.startswith("__") and name != "timestamp_created":
            assert getattr(flow, name) == getattr(base, name), name


def test_timestamp_start_and_mode() -> None:
    flow = http_flow(start=5.0)
    assert flow.timestamp_start == 5.0
    assert flow.mode == "regular"


def test_repr() -> None:
    flow = websocket_flow((True, b"x"))
    flow.error = Error("broken")
    assert repr(flow).splitlines()[:5] == [
        "<HTTPFlow",
        "  request = Request(GET example.com:80/socket)",
        "  response = Response(101, no content)",
        "  websocket = <WebSocketData (1 messages)>",
        "  error = broken",
    ]


def test_the_door_has_the_public_names() -> None:
    for name in midstream.http.__all__:
        assert getattr(midstream.http, name)
    assert Path(midstream.http.__file__).read_text().count("\n") < 30


def test_a_state_is_plain() -> None:
    state = websocket_flow((True, b"x")).get_state()
    assert pickle.loads(pickle.dumps(state)) == state


@pytest.mark.parametrize("value", ["text", {"status": 200}, Response, Request.make("GET", "http://a/"), 0, b""])
def test_something_else_in_place_of_a_response_is_refused_at_once(value: object) -> None:
    flow = http_flow()
    before = flow.response
    with pytest.raises(TypeError, match=r"^flow\.response is a Response or None, not "):
        flow.response = value  # type: ignore[assignment]
    assert flow.response is before
    flow.response = None
    assert flow.response is None


@pytest.mark.parametrize("value", [None, "text", Response.make()])
def test_something_else_in_place_of_a_request_is_refused_at_once(value: object) -> None:
    flow = http_flow()
    before = flow.request
    with pytest.raises(TypeError, match=r"^flow\.request is a Request, not "):
        flow.request = value  # type: ignore[assignment]
    assert flow.request is before
