"""UDP flows: `from midstream import udp`."""

from midstream.flows.udp import UDPFlow, UDPMessage

__all__ = ["UDPFlow", "UDPMessage"]
