"""The mode `dns`: a name server for clients, over UDP and TCP.

What it answers, and whom it asks for the rest, is for addons to say: `dnsresolver` comes with us.
"""

from midstream.flows.connection import Server
from midstream.proxy.client_context import ClientContext
from midstream.proxy.dns.serve import serve_dns
from midstream.proxy.streams.stream import Stream


async def serve_dns_mode(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves or is silent."""
    tcp = stream.transport == "tcp"
    await serve_dns(stream, None, Server(address=None), context, tcp)
