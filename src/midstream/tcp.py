"""Raw TCP flows: `from midstream import tcp`."""

from midstream.flows.tcp import TCPFlow, TCPMessage

__all__ = ["TCPFlow", "TCPMessage"]
