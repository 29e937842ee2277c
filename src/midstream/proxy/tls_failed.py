"""The row of a client with which there was no TLS, where no CONNECT has one: a TCP flow that begins with its end."""

from midstream.flows.connection import Server
from midstream.flows.flow import Error
from midstream.flows.tcp import TCPFlow
from midstream.proxy.client_context import ClientContext
from midstream.proxy.tls import ClientTLSFailed


async def tell_client_failed(broken: ClientTLSFailed, server: Server, context: ClientContext) -> None:
    """`server` is where the client wanted to go, as far as that is known."""
    flow = TCPFlow(context.client, server)
    flow.error = Error(str(broken))
    with context.watch.settling():
        await context.events.tcp_start(flow)
        await context.events.tcp_error(flow)
