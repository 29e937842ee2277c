"""Recorded flows cause their events again."""

import pytest

from midstream.flows.flow import Error, Flow
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.simulation import happenings
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


def names(flow: Flow) -> list[str]:
    return [event.name for event in happenings(flow)]


def failed(flow: Flow) -> Flow:
    flow.error = Error("no")
    return flow


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (http_flow(), "requestheaders request responseheaders response"),
        (http_flow(status=None), "requestheaders request"),
        (failed(http_flow(status=None)), "requestheaders request error"),
        (failed(http_flow()), "requestheaders request responseheaders error"),
        (
            websocket_flow((True, b"a"), (False, b"b")),
            "requestheaders request responseheaders response "
            "websocket_start websocket_message websocket_message websocket_end",
        ),
        (tcp_flow((True, b"a")), "tcp_start tcp_message tcp_end"),
        (failed(tcp_flow()), "tcp_start tcp_error"),
        (udp_flow((True, b"a"), (False, b"b")), "udp_start udp_message udp_message udp_end"),
        (dns_flow(), "dns_request dns_response"),
        (dns_flow(answered=False), "dns_request"),
        (failed(dns_flow(answered=False)), "dns_request dns_error"),
    ],
)
def test_events(flow: Flow, expected: str) -> None:
    assert names(flow) == expected.split()


def test_the_newest_message_is_the_last_one() -> None:
    flow = tcp_flow((True, b"a"), (False, b"b"))
    seen = [[message.content for message in flow.messages] for event in happenings(flow)]
    assert seen == [[], [b"a"], [b"a", b"b"], [b"a", b"b"]]


def test_messages_are_kept_when_nobody_listens_to_the_end() -> None:
    flow = websocket_flow((True, b"a"), (False, b"b"), (True, b"c"))
    coming = happenings(flow)
    while next(coming).name != "websocket_message":
        pass
    coming.close()
    assert flow.websocket is not None
    assert [message.content for message in flow.websocket.messages] == [b"a", b"b", b"c"]


async def test_load_flow_tells_the_addons_and_holds_nothing() -> None:
    class Addon:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def request(self, flow: Flow) -> None:
            self.calls.append("request")

        def update(self, flows: list[Flow]) -> None:
            self.calls.append("update")

    master, addon = Master(Options()), Addon()
    master.addons.add(addon)
    flow = http_flow()
    flow.intercepted = True
    await master.load_flow(flow)
    assert addon.calls == ["update", "request", "update", "update", "update"]
