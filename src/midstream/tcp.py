"""Raw TCP flows: `from midstream import tcp`.

    def tcp_message(flow: tcp.TCPFlow) -> None:
        message = flow.messages[-1]
        message.content = message.content.replace(b"cat", b"dog")

Bytes come as they arrive: a message is no unit of whatever protocol is spoken.
"""

from midstream.flows.tcp import TCPFlow, TCPMessage

__all__ = ["TCPFlow", "TCPMessage"]
