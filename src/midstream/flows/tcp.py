"""Flows of raw TCP: streams that are no protocol we know, or that we were told not to look into."""

from typing import ClassVar

from midstream.flows import state as s
from midstream.flows.tunnel import TunnelFlow, TunnelMessage, tunnel_schema


class TCPMessage(TunnelMessage):
    """One chunk of a stream. Where chunks end means nothing."""

    __slots__ = ()


class TCPFlow(TunnelFlow[TCPMessage]):
    """One TCP connection and what went over it."""

    __slots__ = ()

    _SCHEMA: ClassVar[s.Schema] = tunnel_schema(TCPMessage)
