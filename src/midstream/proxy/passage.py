"""One way from a client's stream to one server, whatever is spoken on it.

Made by what knows where the client wants to go (CONNECT, and the modes that serve one destination); `inside.py` serves
it. It parses nothing: it only opens, secures and closes the connection to the server.
"""

from dataclasses import dataclass, replace

from midstream.flows.connection import Address, Server
from midstream.flows.http import HTTPFlow
from midstream.proxy.client_context import ClientContext
from midstream.proxy.detect import Protocol
from midstream.proxy.dial import address_of
from midstream.proxy.errors import Postponed, UpstreamFailed
from midstream.proxy.streams.stream import Stream


@dataclass(slots=True)
class Passage:
    """The client's stream, and the connection to its server as far as there is one."""

    context: ClientContext
    client: Stream
    server: Server
    upstream: Stream | None = None
    upstream_tls: bool | None = None
    """Whether TLS is spoken with the server; None: as the client does."""
    protocol: Protocol | None = None
    """What is spoken inside of TLS, if there is any; None: what the first bytes say."""
    flow: HTTPFlow | None = None
    """The CONNECT that asked for this, if there was one."""
    client_tls: bool = False
    """The client's stream is TLS that ends here."""
    failure: str = ""
    """Why there is no connection to the server, once that is clear."""

    @property
    def tls(self) -> bool:
        """Whether TLS is to be spoken with the server."""
        return self.client_tls if self.upstream_tls is None else self.upstream_tls

    def where(self) -> Address:
        """Host and port that the client wants to go to; nowhere, and a failure, if an addon has made nonsense of it."""
        try:
            return address_of(self.server)
        except UpstreamFailed as failed:
            self.failure = str(failed)
            return "", 0

    async def open(self) -> Stream:
        """The connection to the server, dialled now if it was not before. Raises UpstreamFailed."""
        if self.failure:
            raise UpstreamFailed(self.failure)
        if self.upstream is None:
            self.upstream = await self.context.dialler.open(self.server, tls=self.tls)
        elif self.tls and not self.server.tls:
            self.upstream = await self.context.dialler.start_tls(self.server, self.upstream)
        return self.upstream

    async def connect(self) -> None:
        """Connect before the client has said a word, since some servers speak first; unless an addon postpones it.
        Raises UpstreamFailed.
        """
        try:
            self.upstream = await self.context.dialler.open_tcp(self.server)
        except Postponed:
            pass

    async def dial(self) -> None:
        """`connect`; what fails is told to the first who needs it. A client that ends meanwhile is not taken for one
        that has left: it may have said all it wants to.
        """
        try:
            await self.connect()
        except UpstreamFailed as failed:
            self.failure = str(failed)

    async def secure(self) -> None:
        """TLS with the server, before there is any with the client. What fails is told to the first who needs it."""
        try:
            await self.open()
        except Postponed:
            pass
        except UpstreamFailed as failed:
            self.failure = str(failed)
            await self.close()

    async def bare(self) -> None:
        """It is the client's own TLS that passes, which no other must be around."""
        self.upstream_tls = False
        if self.server.tls:
            await self.close()
            self.server = Server(address=self.server.address, via=self.server.via)

    async def inner(self) -> "Passage":
        """The way on for TLS that the client speaks inside of its TLS, and that goes to the server inside of ours."""
        if self.upstream is not None:
            await self.secure()
        context = self.context
        if self.tls:
            context = replace(context, dialler=context.dialler.within(self.server))
        return Passage(context, self.client, self.server, self.upstream, flow=self.flow, failure=self.failure)

    async def close(self) -> None:
        """Close the connection to the server, if there is one."""
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            await self.context.dialler.closed(self.server, upstream)
