"""What `exchange` needs of either side, whatever version of HTTP is spoken there.

HTTP/1 has one object for each connection, HTTP/2 one for each stream; both fulfil these protocols. Heads are those of
`wire.http1`: another version leaves `block` empty and says its own name in `version`.
"""

from collections.abc import Callable
from typing import Protocol

from midstream.flows.connection import Client, Server
from midstream.flows.http import Request, Response
from midstream.flows.server_spec import ServerSpec
from midstream.proxy.streams.stream import Stream
from midstream.wire.http1 import Fields, Framing, RequestHead, ResponseHead

Destination = tuple[str, str, int]
"""Scheme, host and port of where a request goes."""

Way = tuple[Destination, ServerSpec | None]
"""A destination, and the parent proxy that it is to be reached through."""

NO_CONNECT = "CONNECT is for the modes regular and upstream; in a reverse mode or a tunnel the way leads to one server"
"""Why a CONNECT is refused where the destination is known."""


class ServerSilent(ConnectionError):
    """The server ended without a byte of an answer; on a connection that served before that is an ordinary race."""


class BodyReader(Protocol):
    """The body of the message whose head was read."""

    trailers: Fields
    """The fields behind the body, once that was read."""

    @property
    def expect(self) -> Callable[[float, str], None]:
        """Sets how long to be patient, and what to say when that was in vain."""

    @property
    def body_done(self) -> bool:
        """Whether the body has been read to its end."""

    @property
    def truncated(self) -> bool:
        """Whether a body that lasts until the connection ends may have been cut on its way: TLS has a goodbye for that
        end (RFC 8446 §6.1), and it did not come.
        """

    def body_now(self, framing: Framing) -> bytes | None:
        """The whole body if it needs no waiting."""

    async def read_piece(self) -> bytes:
        """Some bytes of the body, `b""` at its end. Raises Refused, OSError."""


class BodySink(Protocol):
    """Takes a body whose head is out. Waits while the peer takes no more."""

    async def write(self, data: bytes) -> None:
        """One piece, of any size. Raises WrongLength, OSError."""

    async def end(self, trailers: Fields) -> None:
        """The body is complete. Raises WrongLength, OSError."""


class Downstream(Protocol):
    """The client's side of an exchange."""

    client: Client
    head: RequestHead | None
    """Of the present request."""
    keep_alive: bool
    """Another request may come on this connection; of no meaning where requests have streams of their own."""
    answering: bool
    """A part of the present response is out, so that no other answer can be given."""
    switched: bool
    """Another protocol is spoken now: its end is not that of the last flow."""
    told: bool
    """The addons have seen the response: whatever happens now is no `error` event any more."""

    @property
    def reader(self) -> BodyReader:
        """The request's body."""

    def send_informational(self, head: ResponseHead) -> None:
        """An interim response (1xx)."""

    def send_continue(self) -> None:
        """Ask for the body that the client holds back (`Expect: 100-continue`)."""

    async def send(self, request: Request, response: Response, original: ResponseHead | None) -> None:
        """A response whose body is in memory. Raises Unsendable, OSError."""

    def begin(self, request: Request, response: Response, original: ResponseHead | None) -> BodySink:
        """The head of a response whose body follows in pieces. Raises Unsendable."""

    def refuse(self, status: int, reason: bytes, text: str, *, close: bool) -> None:
        """An answer of our own: plain text. `close`: the last one on this connection."""

    async def drain(self) -> None:
        """Wait until the client takes data again. Raises OSError."""

    def pass_on(self, code: int) -> bool:
        """Reset the client's stream with the code of HTTP/2 that the server had for its own; False if there is none."""

    def hang_up(self) -> None:
        """There is no answer, and no other request is wanted."""

    def cut(self) -> None:
        """The answer ends here, in a way that nobody takes for its end."""

    def accept_tunnel(self) -> None:
        """The answer to a CONNECT that succeeded."""

    def take_over(self) -> Stream:
        """The bytes behind the present request, and the way back: for a tunnel, or another protocol."""


class Upstream(Protocol):
    """The server's side of an exchange."""

    server: Server
    head: ResponseHead | None
    """Of the present response."""
    exchanges: int
    """How many requests went over this connection."""
    usable: bool
    """False once the connection must not carry another request."""
    where: str
    """What to call the server in a sentence."""
    did_not_answer: str
    """The sentence for a server that is silent."""

    @property
    def reader(self) -> BodyReader:
        """The response's body."""

    def send_now(self, request: Request, original: RequestHead | None, body: bytes) -> BodySink | None:
        """Head and, if it is small, body at once; else the sink for the body. Raises Unsendable."""

    def send_unchecked(self, data: bytes) -> None:
        """These bytes in place of a request; the connection carries no other one. Raises Unsendable."""

    def begin(self, request: Request, original: RequestHead | None) -> BodySink:
        """The head of a request whose body follows in pieces. Raises Unsendable."""

    async def read_response(self, method: bytes, interim: Callable[[ResponseHead], None]) -> Response:
        """The final response, or 101; its body still unread. Raises Refused, ServerSilent, OSError."""

    def take_over(self) -> Stream:
        """The bytes behind the present response, and the way back: for another protocol."""
