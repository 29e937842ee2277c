"""TCP and UDP flows."""

from midstream.flows.flow import Flow
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.tunnel import TunnelFlow
from midstream.flows.udp import UDPFlow, UDPMessage
from tests.kit.captured import tcp_flow


def test_messages() -> None:
    message = TCPMessage(True, b"x")
    assert message.timestamp > 0
    assert repr(message) == "-> b'x'"
    assert repr(UDPMessage(False, b"x", 1.0)) == "<- b'x'"
    assert UDPMessage.from_state([False, b"x", 1]).get_state() == (False, b"x", 1)


def test_flows() -> None:
    flow = tcp_flow((True, b"a"), (False, b"b"))
    assert repr(flow) == "<TCPFlow (2 messages)>"
    copy = flow.copy()
    assert isinstance(copy, TCPFlow)
    copy.messages[0].content = b"c"
    copy.messages.append(TCPMessage(True, b"d"))
    assert [m.content for m in flow.messages] == [b"a", b"b"]


def test_each_reads_its_own_messages() -> None:
    flow = Flow.from_state({**tcp_flow((True, b"a")).get_state(), "type": "udp"})
    assert isinstance(flow, UDPFlow)
    assert isinstance(flow.messages[0], UDPMessage)
    assert not isinstance(flow, TCPFlow)


def test_the_base_is_no_type_of_flow() -> None:
    assert TunnelFlow.type == ""
