"""What is shown of a flow is the flow itself, or a copy of the same id that others have changed."""

import pytest

from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tunnel import TunnelFlow
from midstream.hub.showing import Showing
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow

FLOWS = (http_flow, websocket_flow, tcp_flow, udp_flow, dns_flow)


@pytest.mark.parametrize("make", FLOWS)
def test_without_functions_it_is_the_flow_itself(make: type[Flow]) -> None:
    flow = make()  # type: ignore[call-arg]
    assert Showing().flow(flow) is flow
    assert Showing().text("text") == "text"


@pytest.mark.parametrize("make", FLOWS)
def test_a_copy_has_the_same_id_and_state(make: type[Flow]) -> None:
    flow, showing = make(), Showing()  # type: ignore[call-arg]
    showing.flows.append(lambda _: None)
    shown = showing.flow(flow)
    assert shown is not flow
    assert shown.get_state() == flow.get_state()
    assert shown.id == flow.id


def test_what_is_changed_is_the_copy() -> None:
    def change(flow: Flow) -> None:
        assert flow.error is not None
        flow.error.msg = "changed"
        if isinstance(flow, HTTPFlow):
            flow.request.path = "/changed"
            flow.request.headers["x"] = "changed"
            assert flow.response is not None
            flow.response.text = "changed"
            assert flow.websocket is not None
            flow.websocket.messages[0].content = b"changed"
        elif isinstance(flow, TunnelFlow):
            flow.messages[0].content = b"changed"

    showing = Showing()
    showing.flows.append(change)
    for flow in (websocket_flow((True, b"one")), tcp_flow((True, b"one")), udp_flow((True, b"one"))):
        flow.error = Error("why")
        before = flow.get_state()
        shown = showing.flow(flow)
        assert flow.get_state() == before
        assert "changed" in str(shown.get_state())


def test_texts_and_the_revision() -> None:
    showing = Showing()
    showing.texts += [bytes.upper, lambda data: data + b"!"]
    assert showing.text("text\udcff") == "TEXT\udcff!"
    assert showing.content(b"\xff") == b"\xff!"
    before = showing.revision
    showing.changed()
    assert showing.revision != before


def test_only_the_messages_that_are_wanted_are_copied() -> None:
    showing = Showing()
    showing.flows.append(lambda _: None)
    flow = tcp_flow((True, b"one"), (True, b"two"))
    assert [message.content for message in showing.flow(flow, last=1).messages] == [b"two"]
    assert showing.flow(flow, last=0).messages == []
    assert len(showing.flow(flow).messages) == 2
    talk = showing.flow(websocket_flow((True, b"one"), (True, b"two")), last=5).websocket
    assert talk is not None
    assert len(talk.messages) == 2
