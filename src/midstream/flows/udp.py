"""Flows of raw UDP: datagrams between two addresses."""

from typing import ClassVar

from midstream.flows import state as s
from midstream.flows.tunnel import TunnelFlow, TunnelMessage, tunnel_schema


class UDPMessage(TunnelMessage):
    """One datagram."""

    __slots__ = ()


class UDPFlow(TunnelFlow[UDPMessage]):
    """One conversation of UDP datagrams and what went over it."""

    __slots__ = ()

    _SCHEMA: ClassVar[s.Schema] = tunnel_schema(UDPMessage)
